"""A block folder that runs full in the middle of an add: the add fails with its reason, another client's pin and unpin are
acknowledged meanwhile, and after unpin and garbage collection the add succeeds. Mounts a small tmpfs, so it needs root."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, raw_cid, run, skip, wait_until  # noqa: E402

SIZE_MB = 128
MB = 1 << 20


class Other(threading.Thread):
    """Another client: pins and unpins the whole time."""

    def __init__(self, peer, stop):
        super().__init__(daemon=True)
        self.peer, self.stop, self.acknowledged, self.faults, self.slowest = peer, stop, 0, [], 0.0

    def run(self):
        n = 0
        while not self.stop.is_set():
            n += 1
            cid = raw_cid(f"other {n}".encode())
            for method in ("POST", "DELETE"):
                start = time.monotonic()
                try:
                    status, _, text = self.peer.request(method, f"/pins/{cid}", timeout=20)
                except Exception as error:
                    status, text = 0, repr(error)
                self.slowest = max(self.slowest, time.monotonic() - start)
                if status == 200:
                    self.acknowledged += 1
                else:
                    self.faults.append(f"{method} {cid}: {status} {text[:200]}")
            time.sleep(0.02)


def main():
    args = arguments(__doc__).parse_args()
    if os.geteuid() != 0:
        skip("mounting a tmpfs needs root")
    with ProcessTest(args) as test:
        blocks = os.path.join(test.work, "small-disk")
        os.makedirs(blocks)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", blocks], capture_output=True, text=True)
        if mounted.returncode != 0:
            skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
        try:
            fill(test, blocks)
        finally:
            for process in test.processes:
                if process.poll() is None:
                    process.kill()
                    process.wait(30)
            subprocess.run(["umount", blocks], check=False)


def fill(test, blocks):
    peer = test.peer("peer1", {"CLUSTER_EMBEDDED_FOLDER": blocks, "CLUSTER_EMBEDDED_RESERVE": str(8 * MB),
                               "CLUSTER_EMBEDDED_STORAGEMAX": "100%", "CLUSTER_EMBEDDED_GCLEASE": "1s"}).init()
    peer.start()

    def random_file(name, mb):
        path = os.path.join(test.work, name)
        with open(path, "wb") as f:
            for _ in range(mb):
                f.write(os.urandom(MB))
        return path

    first = random_file("first", 60)
    root = peer.add(first)
    stop = threading.Event()
    other = Other(peer, stop)
    other.start()
    try:
        second = random_file("second", 60)
        done = peer.ctl("add", "-Q", second, ok=False)
        said = (done.stdout + done.stderr).decode(errors="replace")
        check(done.returncode == 2, f"an add into a full folder: expected exit 2, saw {done.returncode}: {said[-500:]}")
        check("disk full on" in said and ("peer1" in said or peer.id in said), f'expected "disk full on" and the peer in: {said[-500:]}')
        at_failure = other.acknowledged
        time.sleep(1)
    finally:
        stop.set()
        other.join(60)
    print(f"the add failed: {said.strip().splitlines()[-1]}; the other client: {other.acknowledged} acknowledged, "
          f"slowest {other.slowest:.2f} s", flush=True)
    check(not other.faults, f"another client's writes failed: {other.faults[:3]}")
    check(at_failure > 0 and other.acknowledged > at_failure, "another client must be acknowledged before and after the failure")
    check(peer.alive(), "the peer died")
    check(peer.allocations() == {root}, f"only the first file may be pinned: {peer.allocations()}")
    with open(first, "rb") as f:
        check(peer.ctl("cat", root).stdout == f.read(), "what was stored before must read back")
    peer.ctl("pin", "rm", root)
    end, added = time.monotonic() + 60, None
    while added is None:
        time.sleep(1.2)  # leases of the failed add end
        status, _, text = peer.request("POST", "/ipfs/gc", timeout=100)
        check(status == 200 and not any(p.get("error") for p in json.loads(text)["peer_map"].values()), f"gc: {status} {text[:300]}")
        done = peer.ctl("add", "-Q", second, ok=False)
        if done.returncode == 0:
            added = done.stdout.decode().strip()
        check(time.monotonic() < end, f"expected the add to succeed after garbage collection: {done.stdout[-500:]}{done.stderr[-500:]}")
    with open(second, "rb") as f:
        check(peer.ctl("cat", added).stdout == f.read(), "what was added after the collection must read back")
    fill_with_small(peer, random_file)
    check(peer.stop() == 0, "the peer must stop in order")


def fill_with_small(peer, random_file):
    """Adds of 1 MB until one is refused: those acknowledged are pinned on the full disk and outlive a collection."""
    stored = {}
    while True:
        with open(random_file("small", 1), "rb") as f:
            content = f.read()
        done = peer.ctl("add", "-Q", os.path.join(peer.test.work, "small"), ok=False)
        if done.returncode != 0:
            break
        stored[done.stdout.decode().strip()] = hashlib.sha256(content).hexdigest()
        check(len(stored) < SIZE_MB, "the disk must run full")
    check(len(stored) > 10, f"only {len(stored)} adds fitted")
    wait_until(60, "every acknowledged add is pinned", lambda: all(peer.status(cid)[peer.name]["status"] == "pinned" for cid in stored))
    status, _, text = peer.request("POST", "/ipfs/gc", timeout=100)
    check(status == 200, f"gc: {status} {text[:300]}")
    for cid, digest in stored.items():
        check(hashlib.sha256(peer.ctl("cat", cid).stdout).hexdigest() == digest, f"{cid} must read back")
    print(f"ok: {len(stored)} small adds until the disk was full, all pinned and there after a collection", flush=True)


run(main)
