"""Garbage collection in a loop while 50 clients add and re-pin: every root whose add was acknowledged reads back in full."""

import hashlib
import itertools
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, run, wait_until  # noqa: E402

CLIENTS = 50
ROUNDS = 3
COLLECTIONS = 10  # at least so many during the adds
SIZES = [1, 1000, 262144, 262145, 700_000, 3_000_000]


class Adder(threading.Thread):
    """Adds files of various sizes, as single files or wrapped together, and re-pins some of what it added."""

    def __init__(self, number, seed, peers, collected):
        super().__init__(daemon=True)
        self.random = random.Random(f"{seed}/{number}")
        self.number, self.peers, self.collected = number, peers, collected
        self.added, self.roots, self.faults = 0, {}, []  # root -> {path: sha256}

    def run(self):
        try:
            for i in itertools.count():
                before = self.collected()
                if i >= ROUNDS and before >= COLLECTIONS:
                    return
                self.add(i)
                # Beyond its rounds one add a collection, or a slow machine would drown in content before it has collected often enough.
                while i + 1 >= ROUNDS and self.collected() < min(before + 1, COLLECTIONS):
                    time.sleep(0.02)
        except Exception as error:
            self.faults.append(f"client {self.number}: {error!r}")

    def add(self, i):
        peer = self.random.choice(self.peers)
        if self.random.random() < 0.3:
            files = {f"d/{n}": self.random.randbytes(self.random.choice(SIZES[:4])) for n in range(self.random.randrange(1, 30))}
        else:
            files = {"f": self.random.randbytes(self.random.choice(SIZES))}
        extra = self.random.choice(["", "&raw-leaves=true", "&cid-version=1", "&layout=trickle", "&no-pin=true"])
        status, text = peer.add_body(files, f"name={self.number}-{i}{extra}", timeout=100)
        if status != 200:
            self.faults.append(f"client {self.number}: add answered {status} {text[:300]}")
            return
        root = json.loads(text)[-1]["cid"]
        # What was added without a pin is pinned by its CID, within its lease; others are pinned once more or under a new name.
        if extra == "&no-pin=true" or self.random.random() < 0.5:
            status, _, text = peer.request("POST", f"/pins/{root}?name=again", timeout=100)
            if status != 200:
                self.faults.append(f"client {self.number}: re-pin answered {status} {text[:300]}")
                return
        self.added += 1
        self.roots[root] = {name.partition("/")[2]: hashlib.sha256(data).hexdigest() for name, data in files.items()}


class Collector(threading.Thread):
    def __init__(self, peer, stop):
        super().__init__(daemon=True)
        self.peer, self.stop, self.rounds, self.faults = peer, stop, 0, []

    def run(self):
        while not self.stop.is_set():
            try:
                status, _, text = self.peer.request("POST", "/ipfs/gc", timeout=100)
                if status != 200 or any(p.get("error") for p in json.loads(text)["peer_map"].values()):
                    self.faults.append(f"gc answered {status} {text[:300]}")
                self.rounds += 1
            except Exception as error:
                self.faults.append(f"gc: {error!r}")


def read_back(peer, root, files):
    for path, sha in files.items():
        got = peer.ctl("cat", root + ("/" + path if path else "")).stdout
        check(hashlib.sha256(got).hexdigest() == sha, f"{root}/{path} read through {peer.name} differs ({len(got)} bytes)")


def main():
    args = arguments(__doc__).parse_args()
    seed = os.environ.get("ICL_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"seed {seed}", flush=True)
    with ProcessTest(args) as test:
        # Long-lived metrics: a machine that stands still for some seconds is not what is tested here.
        peers = test.cluster(2, {"CLUSTER_REPLICATIONFACTORMIN": "1", "CLUSTER_REPLICATIONFACTORMAX": "1", "CLUSTER_MONITORPINGINTERVAL": "15s",
                                 **{f"CLUSTER_{name}_METRICTTL": "60s" for name in ("DISK", "TAGS", "PINQUEUE")}})
        stop = threading.Event()
        collectors = [Collector(peer, stop) for peer in peers]
        adders = [Adder(i, seed, peers, lambda: sum(c.rounds for c in collectors)) for i in range(CLIENTS)]
        for thread in collectors + adders:
            thread.start()
        for thread in adders:
            thread.join(200)
            check(not thread.is_alive(), "an add did not come to an end")
        stop.set()
        for thread in collectors:
            thread.join(120)
            check(not thread.is_alive(), "a collection did not come to an end")
        faults = [fault for thread in adders + collectors for fault in thread.faults]
        check(not faults, f"{len(faults)} faults (seed {seed}), e.g.: " + "; ".join(faults[:3]))
        roots = {root: files for thread in adders for root, files in thread.roots.items()}
        rounds = sum(c.rounds for c in collectors)
        added = sum(thread.added for thread in adders)  # two may have added the same byte
        print(f"{added} adds acknowledged, {len(roots)} roots, {rounds} collections meanwhile", flush=True)
        check(added >= CLIENTS * ROUNDS and rounds >= COLLECTIONS, "expected more adds and collections")
        wait_until(60, "every root is pinned", lambda: all(
            any(row["status"] == "pinned" for row in peers[0].status(root).values()) for root in roots), pause=1)
        # Collect once more with nothing under way: what is pinned must stay.
        check(peers[0].request("POST", "/ipfs/gc", timeout=100)[0] == 200, "the last collection failed")
        for n, (root, files) in enumerate(roots.items()):
            read_back(peers[n % 2], root, files)
        print(f"{sum(len(f) for f in roots.values())} files read back in full", flush=True)


run(main)
