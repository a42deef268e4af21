"""What happens to the machines of a cluster: a schedule of acts by time, drawn from a seed, as data, and how each act begins and ends."""

import contextlib
import random
import signal
import threading

KINDS = ("cut", "cut_one_way", "halves", "delay", "loss", "kill", "away", "freeze", "full_disk", "stalled_disk", "silent_names", "collect")
LASTS = {  # seconds
    "cut": (3, 12), "cut_one_way": (3, 12), "halves": (3, 10), "delay": (4, 10), "loss": (4, 10), "kill": (0, 3), "away": (12, 18),
    "freeze": (1, 10), "full_disk": (3, 10), "stalled_disk": (2, 12), "silent_names": (8, 16), "collect": (0, 0),
}
QUIET_AT_BEGIN = 2


def draw(seed, minutes, count):
    """Acts for `count` peers, by time. Each kind comes once before one comes twice."""
    choose = random.Random(f"{seed}/schedule")
    end, acts, kinds, at = minutes * 60, [], [], float(QUIET_AT_BEGIN)
    pause = min(6.0, (end - QUIET_AT_BEGIN - 8) / len(KINDS))
    while at < end - 3:
        if not kinds:
            kinds = choose.sample(KINDS, len(KINDS))
        act = {"at": round(at, 2), "kind": kinds.pop(), **pick_where(choose, count)}
        act["lasts"] = round(min(choose.uniform(*LASTS[act["kind"]]), end - at), 2)
        acts.append(act)
        at += choose.uniform(0.5, 1.5) * pause if end > 120 else pause
    return acts


def pick_where(choose, count):
    """Numbers that each kind may need: a peer, another one, several, some of them, and a measure between 0 and 1."""
    one, other = choose.sample(range(1, count + 1), 2)
    several = choose.choices([1, count // 2 + 1, count], [7, 2, 1])[0]
    victims = sorted({one, *choose.sample([n for n in range(1, count + 1) if n != one], several - 1)})
    side = sorted(choose.sample(range(1, count + 1), choose.randint(1, count - 1)))
    return {"one": one, "other": other, "victims": victims, "side": side, "all": choose.random() < 0.5, "measure": round(choose.random(), 3)}


def links_of(acts, count):
    """How packets fare while these acts last: {"1-2": [loss, delay, jitter]}."""
    links = {}

    def fare(source, target, loss=0.0, delay=0.0, jitter=0.0):
        if source == target:
            return
        was = links.get(f"{source}-{target}", [0, 0, 0])
        links[f"{source}-{target}"] = [max(was[0], loss), was[1] + delay, was[2] + jitter]

    everybody = range(1, count + 1)
    for act in acts:
        one = act["one"]
        for source in everybody:
            for target in everybody:
                touched = act["all"] or one in (source, target)
                if act["kind"] == "cut" and one in (source, target):
                    fare(source, target, loss=1.0)
                elif act["kind"] == "cut_one_way" and source == one and (act["all"] or target == act["other"]):
                    fare(source, target, loss=1.0)
                elif act["kind"] == "halves" and (source in act["side"]) != (target in act["side"]):
                    fare(source, target, loss=1.0)
                elif act["kind"] == "delay" and touched:
                    fare(source, target, delay=0.02 + 0.2 * act["measure"], jitter=0.05 * act["measure"])
                elif act["kind"] == "loss" and touched:
                    fare(source, target, loss=0.02 + 0.2 * act["measure"])
    return links


class Faults:
    """Carries a schedule out. `under_way`: acts that last now."""

    def __init__(self, peers, wire, names, say):
        self.peers = {p.network.number: p for p in peers}
        self.wire, self.names, self.say = wire, names, say
        self.under_way, self.counts = [], dict.fromkeys(KINDS, 0)
        self.down = {}  # number of a peer that was killed: how many acts keep it down
        self.excused = set()  # peers whose full disk may have ended them in this life
        self.ended_by_disk, self.told = 0, {}

    def begin(self, act):
        kind, peer = act["kind"], self.peers[act["one"]]
        self.counts[kind] += 1
        self.under_way.append(act)
        self.say(f"{kind}: {self.describe(act)} for {act['lasts']} s")
        if kind in ("kill", "away"):
            for number in self.victims(act):
                self.down[number] = self.down.get(number, 0) + 1
                if self.peers[number].alive():
                    self.peers[number].kill()
        elif kind == "freeze":
            peer.freeze()
        elif kind == "full_disk":
            self.excused.add(act["one"])
            peer.fill_disk()
            if act["all"] and peer.alive():
                peer.kill()  # to start on the full disk
        elif kind == "stalled_disk":
            peer.stall_disk()
        elif kind == "silent_names":
            self.names.silent |= set(self.peers) if act["all"] else {act["one"]}
        elif kind == "collect":
            threading.Thread(target=self.collect, args=(peer,), daemon=True).start()
        self.set_links()

    def end(self, act):
        self.under_way.remove(act)
        kind, peer = act["kind"], self.peers[act["one"]]
        still = [a for a in self.under_way if a["kind"] == kind and a["one"] == act["one"]]
        if kind in ("kill", "away"):
            for number in self.victims(act):
                self.down[number] -= 1
            self.revive()
        elif kind == "freeze" and not still:
            peer.thaw()
        elif kind == "full_disk" and not still:
            peer.free_disk()
        elif kind == "stalled_disk" and not still:
            peer.move_disk()
        elif kind == "silent_names":
            self.names.silent = set()
            for other in self.under_way:
                if other["kind"] == kind:
                    self.names.silent |= set(self.peers) if other["all"] else {other["one"]}
        self.set_links()

    @staticmethod
    def victims(act):
        return act["victims"] if act["kind"] == "kill" else [act["one"]]

    def describe(self, act):
        if act["kind"] == "kill":
            return ", ".join(map(str, act["victims"]))
        if act["kind"] == "halves":
            return f"{act['side']} | {[n for n in self.peers if n not in act['side']]}"
        if act["kind"] == "cut_one_way":
            return f"{act['one']} → {'all' if act['all'] else act['other']}"
        if act["kind"] in ("delay", "loss", "silent_names") and act["all"]:
            return "all"
        if act["kind"] == "full_disk" and act["all"]:
            return f"{act['one']}, which is started on it"
        return str(act["one"])

    def set_links(self):
        self.wire.command(links=links_of(self.under_way, len(self.peers)))

    @staticmethod
    def collect(peer):
        with contextlib.suppress(Exception):  # it is a peer under faults
            peer.request("POST", "/ipfs/gc", timeout=60)

    def revive(self):
        """Starts everybody who is not kept down, and tells who ended without being killed: [(peer, exit code)]."""
        ended = []
        for number, peer in self.peers.items():
            if self.down.get(number) or peer.alive():
                continue
            full = any(a["kind"] == "full_disk" and a["one"] == number for a in self.under_way)
            code = peer.process.returncode
            if code != -signal.SIGKILL and peer.process is not self.told.get(number):
                if number not in self.excused or code < 0:
                    ended.append((peer, code))
                    continue
                self.say(f"{peer.name} ended with {code} on its full disk")
                self.told[number] = peer.process
                self.ended_by_disk += 1
            if full and peer.process is self.told.get(number):
                continue  # not again before there is room
            if not full:
                self.excused.discard(number)
            peer.spawn()
        return ended
