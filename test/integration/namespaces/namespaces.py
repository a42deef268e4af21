"""A cluster of real processes under faults: 3 or 5 peers with embedded nodes, each in a network namespace with a link, a name server and a
small disk of its own. Links are cut, one way too, slow and lossy; peers are killed, frozen and away for long enough to be repaired;
disks run full or hang; name servers fall silent; garbage is collected. Meanwhile clients add, pin, unpin and look.

Judged, once healed: one order of the calls about each CID explains every answer (Porcupine, checker/); all peers have the same pinset;
every item that was ever whole and not unpinned has its minimum of copies; after a collection on all peers and one more kill -9 of all it is
read back byte for byte through every peer; no peer ended by itself but on a full disk; all stop in order.

--minutes M --peers N --seed S; --schedule FILE instead of a seed's own. After a failure (with ICL_KEEP=1 always) the schedule, the history
and all logs are kept in the folder --keep."""

import collections
import concurrent.futures
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "process")]
from clients import Client, History  # noqa: E402
from faults import KINDS, Faults, draw  # noqa: E402
from machines import MachinePeer, NameServers, Network, Wire, enter_namespaces  # noqa: E402
from peers import FAST, SKIPPED, ProcessTest, arguments, check, run, skip, wait_until  # noqa: E402

CLIENTS = 8
HEAL_LIMIT = 240
CHECK_LIMIT = 600
STEP = 0.1
SETTINGS = {
    **FAST,
    # Repairs within the test; small logs, so that snapshots are taken and sent.
    "CLUSTER_REPINGRACE": "6s", "CLUSTER_PINRECOVERINTERVAL": "15s", "CLUSTER_STATESYNCINTERVAL": "30s",
    "CLUSTER_RAFT_SNAPSHOTTHRESHOLD": "200", "CLUSTER_RAFT_TRAILINGLOGS": "100",
    "CLUSTER_EMBEDDED_PINTIMEOUT": "20s", "CLUSTER_EMBEDDED_RESERVE": "8MiB", "CLUSTER_EMBEDDED_STORAGEMAX": "100%", "CLUSTER_EMBEDDED_GCLEASE": "30s",
}


def build_checker():
    built = subprocess.run([os.path.join(HERE, "checker", "build.sh")], stdout=subprocess.PIPE, text=True)
    if built.returncode == SKIPPED:
        skip("Go is not installed, so the checker of histories cannot be built")
    check(built.returncode == 0, "the checker of histories cannot be built")
    return built.stdout.strip()


class Run:
    def __init__(self, test, args):
        self.test, self.args, self.began = test, args, None
        count = args.peers
        self.networks = [Network(n) for n in range(1, count + 1)]
        self.wire = Wire(args.seed, self.networks)
        test.processes.append(self.wire.process)
        self.names = NameServers(self.networks)
        self.names.start()
        stall = None if os.environ.get("ICL_SANITIZE") else os.path.abspath(args.stall)
        self.peers = [MachinePeer(test, network, stall, SETTINGS) for network in self.networks]
        test.peers += self.peers
        self.reads = []  # (seconds, which)
        self.history, self.faults = History(), Faults(self.peers, self.wire, self.names, self.say)
        if args.schedule:
            with open(args.schedule) as f:
                self.acts = json.load(f)["acts"]
        else:
            self.acts = [a for a in draw(args.seed, args.minutes, count) if stall or a["kind"] != "stalled_disk"]

    def say(self, text):
        at = f"{time.monotonic() - self.began:7.1f} s  " if self.began else ""
        print(f"{at}{text}", flush=True)

    def start(self):
        first = self.peers[0]
        first.init()
        first.start()
        for p in self.peers[1:]:
            p.init(secret=first.secret)
            p.start("--bootstrap", first.address)
        wait_until(60, "all see each other", lambda: all(self.members(p) == len(self.peers) for p in self.peers))
        if first.stall:
            self.try_stall(first)

    @staticmethod
    def try_stall(peer):
        """The library that stalls a disk works: an add ends when the disk moves again, not before."""
        peer.stall_disk()
        add = threading.Thread(target=peer.add_body, args=({"file": b"a stalled disk"}, "local=true&no-pin=true"), daemon=True)
        add.start()
        wait_until(30, "a stalled disk holds an add", peer.was_held)
        check(add.is_alive(), "an add ended on a stalled disk")
        peer.move_disk()
        add.join(60)
        check(not add.is_alive(), "an add does not end on a disk that moves again")
        peer.forget_held()

    @staticmethod
    def members(peer):
        return len(json.loads(peer.request("GET", "/id")[2]).get("cluster_peers") or [])

    # Faults.

    def suffer(self):
        self.began = time.monotonic()
        stop = threading.Event()
        clients = [Client(n, self.args.seed, self.peers, self.history, stop) for n in range(1, CLIENTS + 1)]
        for c in clients:
            c.start()
        due = collections.deque(sorted([(a["at"], 0, i, a) for i, a in enumerate(self.acts)] +
                                       [(a["at"] + a["lasts"], 1, i, a) for i, a in enumerate(self.acts)]))
        try:
            while due or time.monotonic() - self.began < self.args.minutes * 60:
                while due and due[0][0] <= time.monotonic() - self.began:
                    _, ends, _, act = due.popleft()
                    (self.faults.end if ends else self.faults.begin)(act)
                for peer, code in self.faults.revive():
                    check(False, f"{peer.name} ended by itself with {code}:\n{peer.tail()}")
                check(self.wire.process.poll() is None, "the wire has ended")
                time.sleep(STEP)
        finally:
            stop.set()
        for c in clients:
            c.join(120)
            check(not c.is_alive() and c.error is None, f"client {c.number} comes to its end without an error: {c.error!r}")

    # Healing. All acts have ended.

    def heal(self):
        begin = time.monotonic()
        before = self.history.acknowledged
        self.say(f"healed; {before} acknowledged, {self.history.unknown} outcomes unknown, {self.history.not_sent} not sent")
        self.wait_ready("healing")
        self.pins = wait_until(HEAL_LIMIT, "all peers have the same pinset", self.agreed, pause=0.5)
        for item in self.history.kept:
            check(item.cid in self.pins, f"{item.cid} was added and never unpinned, and is not in the pinset")
        self.recovered = time.monotonic()
        wait_until(HEAL_LIMIT, "every kept item has its copies", self.settled, pause=1)
        self.say(f"settled after {time.monotonic() - begin:.1f} s")
        self.collect_and_kill()

    def wait_ready(self, what):
        for p in self.peers:
            wait_until(HEAL_LIMIT, f"{p.name} is ready after {what}", lambda: p.ready() and p.request("GET", "/health")[0] == 204, pause=0.2)

    def collect_and_kill(self):
        """What is read back afterwards comes from disk, and a collection kept it."""
        status, _, body = self.peers[0].request("POST", "/ipfs/gc", timeout=120)
        check(status == 200, f"a collection on all peers: {status} {body[:300]}")
        errors = [row["error"] for row in json.loads(body)["peer_map"].values() if row.get("error")]
        check(not errors, f"a collection on all peers: {errors}")
        for p in self.peers:
            p.process.kill()
        for p in self.peers:
            p.kill()
        for p in self.peers:
            p.spawn()
        self.wait_ready("the last kill")
        kept = self.pins
        self.pins = wait_until(HEAL_LIMIT, "all peers have the same pinset after the last kill", self.agreed, pause=0.5)
        lost = [cid for cid, pin in kept.items() if cid not in self.pins or self.pins[cid]["name"] != pin["name"]]
        check(not lost, f"{len(lost)} pins are not what they were before the last kill, e.g. {lost[:3]}")

    def agreed(self):
        """The pinset {cid: pin} when all peers list the same; it is a strong read of every CID."""
        begin, lists = time.monotonic_ns(), []
        for p in self.peers:
            status, headers, body = p.request("GET", "/allocations?filter=all", timeout=60)
            if status not in (200, 204) or headers.get("X-Stream-Error"):
                return None
            lists.append({pin["cid"]: pin for pin in map(json.loads, body.splitlines())})
        if any(other != lists[0] for other in lists[1:]):
            return None
        self.agreement = (begin, time.monotonic_ns())
        return lists[0] or None

    def settled(self):
        """True when every kept pin is whole at its minimum; asks for another try now and then, as an operator would."""
        if time.monotonic() - self.recovered > 10:
            self.recovered = time.monotonic()
            self.peers[0].request("POST", "/pins/recover", timeout=120)
        status, _, body = self.peers[0].request("GET", "/pins", timeout=120)
        check(status == 200, f"GET /pins: {status} {body[:300]}")
        rows = {r["cid"]: r for r in map(json.loads, body.splitlines())}
        self.left = []
        for item in self.history.must_be_whole(self.pins):
            pin = self.pins[item.cid]
            states = [s["status"] for s in rows.get(item.cid, {"peer_map": {}})["peer_map"].values()]
            if states.count("pinned") < pin["replication_factor_min"] or any(s in ("pinning", "pin_queued", "pin_error", "cluster_error") for s in states):
                self.left.append(f"{item.cid} (at least {pin['replication_factor_min']}): {states}")
        return not self.left

    # Judgement.

    def judge(self):
        history = self.history
        check(not history.wrong, f"requests that are right are refused: {history.wrong[:3]}")
        for cid, pin in self.pins.items():
            check(pin["name"] in history.names, f"{cid} stands with a name that nobody gave: {pin['name']}")
            low, high, holders = pin["replication_factor_min"], pin["replication_factor_max"], len(pin["allocations"])
            check(low <= holders <= high, f"{cid} has {holders} holders, wanted {low} to {high}")
        self.explain()
        whole = history.must_be_whole(self.pins) + [i for i in history.may_be_whole(self.pins) if self.is_whole(i.cid)]
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for wrong in pool.map(self.read_back, whole):
                check(wrong is None, wrong)
        took, where = max(self.reads)
        self.say(f"{len(whole)} items read back through each of {len(self.peers)} peers in {time.monotonic() - begin:.1f} s; "
                 f"the slowest took {took:.2f} s: {where}")
        check(len(whole) > 10 and history.acknowledged > 50, "too little was acknowledged to prove anything")

    def is_whole(self, cid):
        return any(row["status"] == "pinned" for row in self.peers[0].status(cid).values())

    def read_back(self, item):
        for p in self.peers:
            begin = time.monotonic()
            try:
                status, _, data = p.request_bytes("GET", f"/ipfs/{item.cid}", timeout=60)
                self.reads.append((time.monotonic() - begin, f"{item.cid} through {p.name}"))
            except OSError as error:
                return f"{item.cid} cannot be read through {p.name}: {error}"
            if status != 200 or data != item.data:
                return f"{item.cid} read through {p.name}: {status}, {len(data)} bytes of {len(item.data)}: {data[:200] if status != 200 else ''}"
        return None

    def explain(self):
        begin, end = self.agreement
        calls = self.history.calls
        for cid in {c["cid"] for c in calls} | set(self.pins):
            found = self.pins[cid]["name"] if cid in self.pins else ""
            calls.append({"cid": cid, "op": "read", "found": found, "outcome": "done", "begin": begin, "end": end, "peer": "all", "life": 0, "client": 0})
        path = os.path.join(self.test.work, "history.jsonl")
        self.history.write(path)
        done = subprocess.run([self.args.checker, "-picture", path + ".html", path], capture_output=True, text=True, timeout=CHECK_LIMIT)
        check(done.returncode == 0, f"the clients' history is explained; the checker ends with {done.returncode}:\n{done.stdout[:8000]}{done.stderr[-2000:]}")
        self.say(done.stdout.strip())

    def account(self):
        wire = self.wire.command(count=True)
        self.say(f"acts: {', '.join(f'{k} {n}' for k, n in self.faults.counts.items())}; ended on a full disk: {self.faults.ended_by_disk}")
        self.say(f"packets: {', '.join(f'{k} {n}' for k, n in wire.items())}; name servers answered {self.names.answered}, "
                 f"left {self.names.swallowed} without an answer; processes started: {sum(p.lives for p in self.peers)}; "
                 f"disks that held somebody: {sum(p.was_held() for p in self.peers)}")
        if not self.args.schedule and self.args.minutes >= 1:
            never = [k for k in KINDS if not self.faults.counts[k] and not (k == "stalled_disk" and os.environ.get("ICL_SANITIZE"))]
            check(not never, f"never happened: {never}")
            check(wire["lost"] > 0 and wire["delayed"] > 0 and self.names.answered > 0, "the faults must reach the peers")

    def keep(self, folder):
        """What a failure is looked into with."""
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "schedule.json"), "w") as f:
            json.dump({"seed": self.args.seed, "minutes": self.args.minutes, "peers": self.args.peers, "acts": self.acts}, f, indent=1)
        self.history.write(os.path.join(folder, "history.jsonl"))
        for p in self.peers:
            if os.path.exists(p.log_path):
                shutil.copy(p.log_path, folder)
        for name in os.listdir(self.test.work):
            if name.endswith(".html"):
                shutil.copy(os.path.join(self.test.work, name), folder)
        print(f"kept in {folder}: schedule, history, logs", flush=True)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--stall", required=True, help="path of the library icl_stalled_disk")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--peers", type=int, default=3)
    parser.add_argument("--seed", help="drawn when it is not given")
    parser.add_argument("--schedule", help="a schedule.json that was kept; its peers, minutes and seed count")
    parser.add_argument("--keep", help="folder for what is kept after a failure", default=os.path.join(tempfile.gettempdir(), "icl-namespaces"))
    parser.add_argument("--checker", help="path of the built checker; built when it is not given")
    args = parser.parse_args()
    check(args.peers >= 2, "at least two peers")
    args.checker, args.keep = os.path.abspath(args.checker or build_checker()), os.path.abspath(args.keep)
    enter_namespaces([args.service, args.ctl, args.stall, args.checker, args.keep, __file__], ["--checker", args.checker, "--keep", args.keep])
    if args.schedule:
        with open(args.schedule) as f:
            kept = json.load(f)
        args.seed, args.minutes, args.peers = kept["seed"], kept["minutes"], kept["peers"]
    args.seed = args.seed or str(random.SystemRandom().randrange(10**9))
    print(f"seed {args.seed}: {args.peers} peers, {args.minutes:g} minutes (again with --seed {args.seed})", flush=True)
    with ProcessTest(args, network=True) as test:
        this = Run(test, args)
        try:
            this.start()
            this.suffer()
            this.heal()
            this.judge()
            this.account()
            for p in this.peers:
                check(p.stop() == 0, f"{p.name} stops in order:\n{p.tail()}")
            if os.environ.pop("ICL_KEEP", None):
                this.keep(os.path.join(args.keep, f"{args.seed}-{args.peers}"))
        except BaseException:
            this.keep(os.path.join(args.keep, f"{args.seed}-{args.peers}"))
            if getattr(this, "left", None):
                print(f"not settled: {len(this.left)}, e.g. {this.left[:5]}", flush=True)
            raise


run(main)
