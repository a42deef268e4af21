"""What ctl add answers for a real directory tree is what a real Kubo's `ipfs add` answers, for every import option; the peer stays
small meanwhile. --large adds one file of over 1 GB."""

import os
import random
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kubo import Kubo  # noqa: E402
from peers import ProcessTest, arguments, check, run  # noqa: E402

RESIDENT_MAX_MB = 200

# options of ctl, those of ipfs add
OPTIONS = [
    ([], []),
    (["--cid-version", "1"], ["--cid-version=1"]),
    (["--raw-leaves"], ["--raw-leaves"]),
    (["--cid-version", "1", "--raw-leaves=false"], ["--cid-version=1", "--raw-leaves=false"]),
    (["--chunker", "size-1000"], ["--chunker=size-1000"]),
    (["--chunker", "rabin"], ["--chunker=rabin"]),
    (["--chunker", "rabin-16000-32000-64000"], ["--chunker=rabin-16000-32000-64000"]),
    (["--chunker", "buzhash"], ["--chunker=buzhash"]),
    (["--layout", "trickle"], ["--trickle"]),
    (["--layout", "trickle", "--chunker", "size-500", "--raw-leaves"], ["--trickle", "--chunker=size-500", "--raw-leaves"]),
    (["--hash", "sha2-512"], ["--hash=sha2-512"]),
    (["--hash", "blake2b-256"], ["--hash=blake2b-256"]),
    (["--wrap-with-directory"], ["--wrap-with-directory"]),
    (["--hidden"], ["--hidden"]),
    (["--hidden", "-w", "--cid-version", "1", "--chunker", "buzhash"], ["--hidden", "-w", "--cid-version=1", "--chunker=buzhash"]),
]


def make_tree(root):
    numbers = random.Random(7)
    files = {"a.txt": 11, ".hidden": 5, ".git/config": 40, "empty": 0, "deep/er/and/deeper/file": 300_000, "big.bin": 3_000_000,
             "chunk": 262_144, "chunk+1": 262_145, "ä/ö Ü": 9, "日本/語.bin": 70_000, "with space/and+plus%25": 1}
    for name, size in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(numbers.randbytes(size))
    os.makedirs(os.path.join(root, "nothing in here"))
    os.symlink("../a.txt", os.path.join(root, "deep", "link"))


def peak_mb(peer):
    with open(f"/proc/{peer.process.pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+) kB", f.read()).group(1)) // 1024


def compare(peer, kubo, path, ctl_options, ipfs_options):
    theirs = kubo.run("--offline", "add", "-Q", "--only-hash", "-r", *ipfs_options, path, timeout=500).stdout.decode().strip()
    ours = peer.add("-r", *ctl_options, path, timeout=500)
    check(ours == theirs, f"ctl add {' '.join(ctl_options)} of {os.path.basename(path)}: Kubo answers {theirs}, we answer {ours}")
    print(f"ok: {os.path.basename(path)} {' '.join(ctl_options)}: {ours}", flush=True)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--large", action="store_true")
    args = parser.parse_args()
    with ProcessTest(args) as test:
        kubo = Kubo(test)
        peer = test.cluster(1)[0]
        if args.large:
            path = os.path.join(test.work, "large")
            numbers = random.Random(8)
            with open(path, "wb") as f:
                for _ in range(1030):
                    f.write(numbers.randbytes(1 << 20))
            for options in OPTIONS[:2]:
                compare(peer, kubo, path, *options)
        else:
            tree, many = os.path.join(test.work, "tree"), os.path.join(test.work, "many")
            make_tree(tree)
            for options in OPTIONS:
                compare(peer, kubo, tree, *options)
            os.makedirs(many)
            for i in range(12_000):
                with open(os.path.join(many, f"entry-{i:06}"), "w") as f:
                    f.write(str(i))
            for options in (OPTIONS[0], OPTIONS[1]):
                compare(peer, kubo, many, *options)
        print(f"the peer's largest resident size: {peak_mb(peer)} MB", flush=True)
        if os.environ.get("ICL_SANITIZE"):
            print("the resident size is not judged under a sanitizer, whose own memory it counts", flush=True)
            return
        check(peak_mb(peer) < RESIDENT_MAX_MB, f"the peer must stay under {RESIDENT_MAX_MB} MB, it had {peak_mb(peer)} MB")


run(main)
