"""kill -9 of real peers at seeded moments while clients pin and unpin: no acknowledged write may be lost.

Three peers; clients pin and unpin random CIDs through all of them and remember what was acknowledged. A write whose outcome is
unknown (the connection broke, the answer was an error) is not judged. ICL_CRASH_ROUNDS kills (20), ICL_SEED replays the choices of
peers and moments (what the peers do meanwhile is up to the machine). At the end all peers die once more before they are asked."""

import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, raw_cid, run, wait_until  # noqa: E402

CLIENTS = 4


class Client(threading.Thread):
    """Pins and unpins until it is told to stop; keeps what was acknowledged, what was taken back, and what nobody knows."""

    def __init__(self, number, seed, peers, stop):
        super().__init__(daemon=True)
        self.random = random.Random(f"{seed}/client/{number}")
        self.number, self.peers, self.stop = number, peers, stop
        self.pinned, self.unpinned, self.unknown = set(), set(), set()
        self.acknowledged = 0

    def run(self):
        count = 0
        while not self.stop.is_set():
            peer = self.random.choice(self.peers)
            unpin = self.pinned and self.random.random() < 0.35
            if unpin:
                cid = self.random.choice(sorted(self.pinned))
            else:
                count += 1
                cid = raw_cid(f"{self.number}/{count}/{self.random.random()}".encode())
            try:
                status, _, _ = peer.request("DELETE" if unpin else "POST", f"/pins/{cid}", timeout=15)
            except ConnectionRefusedError:  # a peer that is down: nothing was sent
                time.sleep(0.02)
                continue
            except Exception:  # cut off: it may have happened
                status = 0
            self.pinned.discard(cid)
            if status != 200:
                self.unknown.add(cid)
                time.sleep(0.02)
                continue
            self.acknowledged += 1
            (self.unpinned if unpin else self.pinned).add(cid)


def main():
    args = arguments(__doc__).parse_args()
    rounds = int(os.environ.get("ICL_CRASH_ROUNDS", "20"))
    seed = os.environ.get("ICL_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"seed {seed}: {rounds} kills (replay with ICL_SEED={seed})", flush=True)
    choose = random.Random(f"{seed}/kills")
    # A small log, so that snapshots are taken and sent while peers die.
    env = {"CLUSTER_RAFT_SNAPSHOTTHRESHOLD": "100", "CLUSTER_RAFT_TRAILINGLOGS": "50"}
    with ProcessTest(args) as test:
        peers = test.cluster(3, env)
        stop = threading.Event()
        clients = [Client(i, seed, peers, stop) for i in range(CLIENTS)]
        for client in clients:
            client.start()
        done = 0
        while done < rounds:
            time.sleep(choose.uniform(0.1, 2.0))
            # Mostly one peer, whichever it is (the leader too); at times a majority or all of them at one moment.
            victims = choose.sample(peers, choose.choices([1, 2, 3], [8, 1, 1])[0])
            before = sum(c.acknowledged for c in clients)
            for victim in victims:
                victim.process.kill()
            for victim in victims:
                victim.process.wait(30)
            done += len(victims)
            print(f"kill {done}: {', '.join(v.name for v in victims)} after {before} acknowledged", flush=True)
            time.sleep(choose.uniform(0, 1.5))
            for victim in victims:
                victim.spawn()

            def again():
                for peer in peers:
                    check(peer.alive(), f"{peer.name} ended by itself with {peer.process.returncode} after kill {done} (seed {seed})")
                return sum(c.acknowledged for c in clients) > before + 3

            wait_until(60, f"the cluster acknowledges again after kill {done} (seed {seed})", again)
        stop.set()
        for client in clients:
            client.join(60)
            check(not client.is_alive(), "a client did not come to an end")
        for peer in peers:
            if peer.alive():
                peer.kill()
        for peer in peers:
            peer.spawn()
        pinned = set().union(*(c.pinned for c in clients))
        unpinned = set().union(*(c.unpinned for c in clients))
        unknown = set().union(*(c.unknown for c in clients))
        total = sum(c.acknowledged for c in clients)
        print(f"{total} acknowledged: {len(pinned)} pinned, {len(unpinned)} unpinned again, {len(unknown)} outcomes unknown", flush=True)
        check(len(pinned) > rounds and len(unpinned) > 0, "expected more acknowledged writes than kills")

        def settled(peer):
            try:
                seen = peer.allocations()
            except Exception:
                return None
            return seen if pinned <= seen and not unpinned & seen else None

        for peer in peers:
            try:
                seen = wait_until(60, "agreement", lambda: settled(peer))
            except Exception:
                seen = peer.allocations()
                lost, back = pinned - seen, unpinned & seen
                check(not lost, f"{peer.name} lost {len(lost)} acknowledged pins, e.g. {sorted(lost)[:3]} (seed {seed})")
                check(not back, f"{peer.name} still has {len(back)} acknowledged unpins, e.g. {sorted(back)[:3]} (seed {seed})")
            extra = seen - pinned - unknown
            check(not extra, f"{peer.name} has pins nobody asked for: {sorted(extra)[:3]} (seed {seed})")
        views = [peer.allocations() for peer in peers]
        check(views[0] == views[1] == views[2], "the peers do not agree on the pinset")


run(main)
