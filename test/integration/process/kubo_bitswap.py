"""Bitswap with a real Kubo in both directions, within the cluster's private network: Kubo reads what was added to our peer, and our
peer pins what was added to Kubo."""

import hashlib
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kubo import Kubo  # noqa: E402
from peers import ProcessTest, arguments, check, run, wait_until  # noqa: E402


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        peer = test.cluster(1)[0]
        kubo = Kubo(test, swarm_key=peer.secret)
        kubo.daemon()
        kubo.run("swarm", "connect", peer.address, timeout=30)
        numbers = random.Random(9)

        def random_file(name, size):
            path = os.path.join(test.work, name)
            with open(path, "wb") as f:
                f.write(numbers.randbytes(size))
            return path, hashlib.sha256(open(path, "rb").read()).hexdigest()

        for options in ([], ["--cid-version", "1"]):
            path, sha = random_file("ours", 5_000_000)
            cid = peer.add(*options, path)
            got = kubo.run("cat", cid, timeout=60).stdout
            check(hashlib.sha256(got).hexdigest() == sha, f"what Kubo read of {cid} differs ({len(got)} bytes)")
            print(f"ok: Kubo read {len(got)} bytes of {cid} from our peer", flush=True)
        for options in ([], ["--cid-version=1"]):
            path, sha = random_file("theirs", 5_000_000)
            cid = kubo.run("add", "-Q", *options, path).stdout.decode().strip()
            peer.ctl("pin", "add", "--no-status", cid)
            wait_until(60, f"our peer pins {cid}; its status is {peer.status(cid)}",
                       lambda: peer.status(cid)[peer.name]["status"] == "pinned")
            got = peer.ctl("cat", cid).stdout
            check(hashlib.sha256(got).hexdigest() == sha, f"what our peer read of {cid} differs ({len(got)} bytes)")
            print(f"ok: our peer pinned {len(got)} bytes of {cid} from Kubo", flush=True)


run(main)
