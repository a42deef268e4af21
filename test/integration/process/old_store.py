"""A peer's folder as an earlier build left it (test/data/store-v1.tar.gz) must open in this build: its identity, pins and content.
`--make` writes the archive anew from the programs given; do that only together with a new format version."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, free_port, raw_cid, run, wait_until  # noqa: E402

DATA = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "data"))
NAME = "store-v1"


def content(name, size):
    """Bytes that any later build can make again."""
    out = b""
    while len(out) < size:
        out += hashlib.sha256(f"{name}/{len(out)}".encode()).digest()
    return out[:size]


FILES = {"small.txt": b"a store of the first version\n", "large.bin": content("large.bin", 40_000)}
TREE = {"tree/a": content("a", 300), "tree/sub/b": content("b", 5000)}


def make(test, archive):
    peer = test.peer(NAME).init()
    peer.start()
    facts = {"id": peer.id, "secret": peer.secret, "files": {}, "pins": {}}
    for name, data in FILES.items():
        path = os.path.join(test.work, name)
        with open(path, "wb") as f:
            f.write(data)
        facts["files"][peer.add("--name", name, path)] = hashlib.sha256(data).hexdigest()
    for name, data in TREE.items():
        path = os.path.join(test.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
    root = peer.add("-r", "--name", "tree", os.path.join(test.work, "tree"))
    for name, data in TREE.items():
        facts["files"][root + name.removeprefix("tree")] = hashlib.sha256(data).hexdigest()
    options = raw_cid(b"a pin with every option")
    peer.request("POST", f"/pins/{options}?name=options&meta-colour=blue&meta-n=1&expire-in=1000000h&user-allocations={peer.id}"
                         "&replication-min=1&replication-max=1")
    gone = raw_cid(b"pinned and unpinned")
    peer.request("POST", f"/pins/{gone}")
    peer.request("DELETE", f"/pins/{gone}")
    for line in peer.request("GET", "/allocations")[2].splitlines():
        pin = json.loads(line)
        facts["pins"][pin["cid"]] = pin
    check(peer.stop() == 0, "the peer must stop in order")
    with open(os.path.join(peer.folder, "facts.json"), "w") as f:
        json.dump(facts, f, indent=1, sort_keys=True)
    for where, _, names in os.walk(peer.folder):
        for name in names:  # RocksDB's own log and copies of its options hold nothing of the store
            if name == "LOG" or name.startswith("LOG.old"):
                os.remove(os.path.join(where, name))
    subprocess.run(["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--sparse", "--exclude=cluster.lock", "-C", test.work,
                    "-I", "gzip -9n", "-cf", archive, NAME], check=True)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--make", metavar="ARCHIVE")
    args = parser.parse_args()
    with ProcessTest(args) as test:
        if args.make:
            return make(test, args.make)
        with tarfile.open(os.path.join(DATA, NAME + ".tar.gz")) as archive:
            archive.extractall(test.work)
        peer = test.peer(NAME)
        with open(os.path.join(peer.folder, "facts.json")) as f:
            facts = json.load(f)
        # The ports of then may be taken now.
        config = peer.config()
        config["cluster"]["listen_multiaddress"] = [f"/ip4/127.0.0.1/tcp/{free_port()}"]
        config["api"]["restapi"]["http_listen_multiaddress"] = f"/ip4/127.0.0.1/tcp/{free_port()}"
        config["ipfs_connector"]["embedded"]["api_listen_multiaddress"] = f"/ip4/127.0.0.1/tcp/{free_port()}"
        config["api"]["ipfsproxy"]["listen_multiaddress"] = [f"/ip4/127.0.0.1/tcp/{free_port()}"]
        peer.write_config(config)
        peer.start()
        check(json.loads(peer.request("GET", "/id")[2])["id"] == facts["id"], "the identity must be the old one")
        wait_until(20, "the old pins, all fields equal", lambda: {
            p["cid"]: p for p in map(json.loads, peer.request("GET", "/allocations")[2].splitlines())} == facts["pins"])
        for path, sha in facts["files"].items():
            got = hashlib.sha256(peer.ctl("cat", path).stdout).hexdigest()
            check(got == sha, f"{path}: expected SHA-256 {sha}, saw {got}")
        # It is not only readable: writing goes on where it stopped.
        new = raw_cid(b"written by the later build")
        check(peer.request("POST", f"/pins/{new}")[0] == 200, "a new pin must be acknowledged")
        check(peer.request("POST", "/ipfs/gc")[0] == 200, "garbage collection must run")
        peer.kill()
        peer.start()
        check(peer.allocations() == set(facts["pins"]) | {new}, "the pinset after a restart")
        for path, sha in facts["files"].items():
            check(hashlib.sha256(peer.ctl("cat", path).stdout).hexdigest() == sha, f"{path} after collection and restart")
        check(peer.stop() == 0, "the peer must stop in order")
        print(f"{len(facts['pins'])} pins, {len(facts['files'])} files", flush=True)


run(main)
