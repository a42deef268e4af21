"""A Kubo whose disk runs full: an add through the peer and a pin fail with the daemon's words, and the peer goes on. Mounts a small
tmpfs, so it needs root."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kubo import Kubo, peer_beside  # noqa: E402
from peers import ProcessTest, arguments, check, raw_cid, run, skip, wait_until  # noqa: E402

MB = 1 << 20
SIZE_MB = 96


def main():
    args = arguments(__doc__).parse_args()
    if os.geteuid() != 0:
        skip("mounting a tmpfs needs root")
    with ProcessTest(args) as test:
        small = os.path.join(test.work, "small-disk")
        os.makedirs(small)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", small], capture_output=True, text=True)
        if mounted.returncode != 0:
            skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
        try:
            fill(test, small)
        finally:
            for process in test.processes:
                if process.poll() is None:
                    process.kill()
                    process.wait(30)
            subprocess.run(["umount", small], check=False)


def fill(test, small):
    kubo = Kubo(test, name="small", repo=os.path.join(small, "repo"))
    kubo.daemon()
    source = Kubo(test, name="source")
    source.daemon()
    peer = peer_beside(test, kubo).start()

    def random_file(name, mb):
        path = os.path.join(test.work, name)
        with open(path, "wb") as f:
            for _ in range(mb):
                f.write(os.urandom(MB))
        return path

    large = random_file("large", 2 * SIZE_MB)
    root = source.add(large)
    kubo.run("swarm", "connect", source.address)
    peer.ctl("pin", "add", "--no-status", root)

    def failed():
        row = peer.status(root)[peer.name]
        return row if row["status"] == "pin_error" else None

    row = wait_until(120, f"the pin fails; {peer.status(root)}", failed)
    check("disk full on peer1" in row["error"] and "no space left on device" in row["error"], f"the daemon's words must be shown: {row}")
    print(f"ok: a pin: {row['error']}", flush=True)
    peer.ctl("pin", "rm", "--no-status", root)
    done = peer.ctl("add", "-Q", large, ok=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    check(done.returncode != 0, f"an add onto a full disk must fail: {said[-500:]}")
    check("no space left on device" in said, f"the daemon's words must be shown: {said[-500:]}")
    print(f"ok: an add: {said.strip().splitlines()[-1]}", flush=True)
    other = raw_cid(b"another item")
    status, _, text = peer.request("POST", f"/pins/{other}")
    check(status == 200, f"pins must still be acknowledged: {status} {text}")
    check(peer.allocations() == {other}, f"what failed must not be pinned: {peer.allocations()}")
    check(peer.stop() == 0, "the peer must stop in order")


run(main)
