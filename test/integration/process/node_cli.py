"""Kubo's own command line against the embedded node's RPC listener: each command is given to a real Kubo daemon and to the node, on
the same inputs, and must print the same and exit the same. What may differ is named beside the command."""

import http.client
import json
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kubo import Kubo  # noqa: E402
from peers import ProcessTest, arguments, check, run  # noqa: E402


class Side:
    """One node as `ipfs --api` sees it, with a working folder of its own for what `get` writes."""

    def __init__(self, name, kubo, address, folder):
        self.name, self.kubo, self.address, self.folder = name, kubo, address, folder
        os.makedirs(folder)

    def run(self, *args, input=None, timeout=120):
        return subprocess.run([self.kubo.program, f"--api={self.address}", *args], cwd=self.folder, env=self.kubo.env, input=input,
                              stdin=None if input is not None else subprocess.DEVNULL, capture_output=True, timeout=timeout)


def sorted_lines(out):
    """Kubo prints pins and blocks in no order."""
    return b"\n".join(sorted(out.split(b"\n")))


def shape(out):
    """Numbers, ids and addresses that are those of the node."""
    return re.sub(rb"[0-9]+(\.[0-9]+)?", b"N", out)


def keys(out):
    return sorted(json.loads(out)) if out.strip() else out


class Comparison:
    def __init__(self, ours, theirs):
        self.ours, self.theirs, self.done, self.wrong = ours, theirs, 0, []

    def same(self, *args, input=None, view=lambda out: out, code=None, expect=None):
        """Runs one command on both sides and returns what it printed at Kubo."""
        theirs, ours = self.theirs.run(*args, input=input), self.ours.run(*args, input=input)
        self.done += 1
        line = "ipfs " + " ".join(args)
        if (view(ours.stdout), ours.returncode) != (view(theirs.stdout), theirs.returncode):
            self.wrong.append(f"{line}\n  Kubo exits {theirs.returncode}: {theirs.stdout[:600]!r} {theirs.stderr[:300]!r}\n"
                              f"  node exits {ours.returncode}: {ours.stdout[:600]!r} {ours.stderr[:300]!r}")
            print("DIFFERS: " + self.wrong[-1], flush=True)
        else:
            print(f"same: {line} (exit {ours.returncode})", flush=True)
        if code is not None and theirs.returncode != code:
            self.wrong.append(f"{line}: this test expects Kubo to exit {code}, it exits {theirs.returncode}: {theirs.stderr[:300]!r}")
        return theirs.stdout

    def refused(self, *args, text):
        """What the node does not have: an error that says so, where Kubo has the command."""
        ours = self.ours.run(*args)
        self.done += 1
        said = ours.stderr.decode(errors="replace")
        if ours.returncode != 1 or text not in said or ours.stdout:
            self.wrong.append(f"ipfs {' '.join(args)}: expected exit 1 and {text!r}, got {ours.returncode} {ours.stdout!r} {said!r}")
            print("DIFFERS: " + self.wrong[-1], flush=True)


def make_tree(root):
    numbers = random.Random(11)
    for name, size in {"a.txt": 11, "empty": 0, "sub/b.bin": 700_000, "sub/c": 40, "ä ö": 9}.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(numbers.randbytes(size))
    os.symlink("a.txt", os.path.join(root, "link"))
    os.makedirs(os.path.join(root, "nothing"))


def adding(c, tree):
    file = os.path.join(tree, "sub", "b.bin")
    c.same("add", file, code=0)
    c.same("add", "-r", tree, code=0)
    for options in (["-q"], ["-Q"], ["-w"], ["--silent"], ["--progress"], ["-n"], ["--cid-version=1"], ["--raw-leaves"],
                    ["--chunker=size-1000"], ["--chunker=rabin"], ["--chunker=buzhash"], ["--trickle"], ["--hash=blake2b-256"],
                    ["--hash=sha2-512", "-w"], ["--cid-base=base32"], ["--pin=false", "--cid-version=1"], ["--hidden"]):
        c.same("add", "-r", *options, tree, code=0)
    c.same("add", file, os.path.join(tree, "a.txt"), code=0)
    c.same("add", "-Q", input=b"from stdin\n", code=0)
    c.same("add", "--stdin-name=named", "-w", input=b"from stdin\n", code=0)
    c.same("add", "--hash=nonsense", file, code=1)
    c.same("add", "--hash=sha2-512", "--cid-version=0", file, code=1)
    c.same("add", "--chunker=size-0", file, code=1)
    c.same("add", "--pin=false", "--pin-name=x", file, code=1)
    c.same("add", "--pin-name=a name", "-Q", os.path.join(tree, "a.txt"), code=0)
    for options in (["--to-files=/x"], ["--nocopy"], ["--inline"], ["--preserve-mode"], ["--max-file-links=10"]):
        c.refused("add", *options, file, text="does not have the option")
    return c.same("add", "-r", "-Q", tree).decode().strip()


def reading(c, root):
    for args in (["a.txt"], ["sub/b.bin"], ["empty"]):
        c.same("cat", f"/ipfs/{root}/{args[0]}", code=0)
    c.same("cat", f"{root}/sub/b.bin", "-o", "299990", "-l", "20", code=0)
    c.same("cat", f"{root}/sub/b.bin", f"{root}/a.txt", "-o", "699995", code=0)
    c.same("cat", f"{root}/a.txt", "-l", "0", code=0)
    c.same("cat", f"{root}/a.txt", "-o", "100", code=0)
    c.same("cat", input=f"{root}/a.txt\n{root}/sub/c\n".encode(), code=0)
    c.same("cat", root, code=1)
    c.same("cat", f"{root}/missing", code=1)
    c.same("cat", "nonsense", code=1)
    for options in ([], ["-v"], ["--size=false"], ["--resolve-type=false", "--size=false"], ["-s"], ["-l"], ["--cid-base=base32"]):
        c.same("ls", *options, root, code=0)
    c.same("ls", root, f"{root}/sub", code=0)
    c.same("ls", f"{root}/sub/b.bin", code=0)
    c.same("ls", f"{root}/missing", code=1)
    for options in ([], ["-r"], ["-r", "-u"], ["-e"], ["-r", "--max-depth=1"], ["-r", "--max-depth=0"],
                    ["--format=<src> <linkname> <dst>"], ["-r", "-u", "--max-depth=2"]):
        c.same("refs", *options, root, code=0)
    c.same("refs", "-e", "--format=<dst>x", root, code=1)
    for path in (root, f"/ipfs/{root}/sub", f"{root}/sub/b.bin"):
        c.same("resolve", path, code=0)
        c.same("resolve", "--cid-base=base36", path, code=0)
    c.same("resolve", f"/ipfs/{root}/missing", code=1)
    for path in ("", "/a.txt", "/sub/b.bin", "/link", "/nothing"):
        c.same("files", "stat", f"/ipfs/{root}{path}", code=0)
    for options in (["--hash"], ["--size"], ["--with-local"], ["--format=<hash> <type> <childs>"]):
        c.same("files", "stat", *options, f"/ipfs/{root}", code=0)
    c.same("files", "stat", "--hash", "--size", f"/ipfs/{root}", code=1)
    for args in (["stat", "/"], ["ls", "/"], ["mkdir", "/x"], ["read", "/x"], ["rm", "/x"]):
        c.refused("files", *args, text="this node")


def getting(c, root):
    def tree_of(side, name):
        seen = {}
        top = os.path.join(side.folder, name)
        for folder, _, files in os.walk(top):
            seen[os.path.relpath(folder, top)] = None
            for file in files:
                path = os.path.join(folder, file)
                seen[os.path.relpath(path, top)] = os.readlink(path) if os.path.islink(path) else open(path, "rb").read()
        return seen

    c.same("get", root, code=0)
    if tree_of(c.ours, root) != tree_of(c.theirs, root):
        c.wrong.append("get does not unpack the same tree")
    c.same("get", f"{root}/sub/b.bin", "-o", "one", code=0)
    c.same("get", f"{root}/link", "-o", "alink", code=0)
    c.same("get", "-a", root, "-o", "packed", code=0)
    c.same("get", "-a", "-C", root, "-o", "small", code=0)
    c.same("get", "-C", f"{root}/sub/b.bin", "-o", "single", code=0)
    c.same("get", "-C", "-l", "1", f"{root}/sub/b.bin", "-o", "fast", code=0)
    for side in (c.ours, c.theirs):
        for archive, flag in (("packed.tar", "-tf"), ("small.tar.gz", "-tzf")):
            listed = subprocess.run(["tar", flag, archive], cwd=side.folder, capture_output=True, timeout=60)
            check(listed.returncode == 0, f"{side.name}: {archive}: {listed.stderr}")
            names = sorted(name.rstrip("/") for name in listed.stdout.decode().splitlines())
            check(f"{root}/sub/b.bin" in names and len(names) == 9, f"{side.name}: {archive} lists {names}")
        content = open(os.path.join(side.folder, "one"), "rb").read()
        for packed in ("single.gz", "fast.gz"):
            plain = subprocess.run(["gzip", "-dc", packed], cwd=side.folder, capture_output=True, timeout=60)
            check(plain.returncode == 0 and plain.stdout == content, f"{side.name}: {packed} unpacks to the file: {plain.stderr}")
    c.same("get", "-C", root, code=1)
    c.same("get", "-C", "-l", "12", f"{root}/a.txt", code=1)
    c.same("get", f"{root}/missing", code=1)


def pinning(c, root, tree):
    # Kubo's own pins apart: both start from the same.
    for side in (c.ours, c.theirs):
        for cid in side.run("pin", "ls", "-q", "--type=recursive").stdout.decode().split():
            check(side.run("pin", "rm", cid).returncode == 0, f"{side.name} unpins {cid}")
    sub = c.same("resolve", f"/ipfs/{root}/sub").decode().strip()[6:]
    file = c.same("resolve", f"/ipfs/{root}/a.txt").decode().strip()[6:]
    other = c.same("add", "-Q", "--pin=false", "-w", os.path.join(tree, "a.txt")).decode().strip()
    c.same("pin", "ls", code=0)
    c.same("pin", "add", root, code=0)
    c.same("pin", "add", "--progress", root, code=0)
    c.same("pin", "add", "--recursive=false", file, code=0)
    c.same("pin", "add", "--recursive=false", root, code=1)
    c.same("pin", "add", "--name=a name", other, code=0)
    c.same("pin", "add", input=f"{root}\n{other}\n".encode(), code=0)
    c.same("pin", "add", "--name=again", other, code=0)
    for options in ([], ["-q"], ["--stream"], ["--stream", "-q"], ["--names"], ["--stream", "--names"], ["--name=gai"],
                    ["--type=recursive"], ["--type=direct"], ["--type=indirect"], ["-t", "indirect", "-s"], ["--cid-base=base32"],
                    ["--enc=json", "--type=recursive"]):
        c.same("pin", "ls", *options, view=keys if "--enc=json" in options else sorted_lines, code=0)
    c.same("pin", "ls", "--type=bad", code=1)
    c.same("pin", "ls", root, file, view=sorted_lines, code=0)
    c.same("pin", "ls", "--type=recursive", file, code=1)
    c.same("pin", "ls", sub, code=0)
    c.same("pin", "rm", sub, code=1)
    c.same("pin", "rm", "--recursive=false", root, code=1)
    c.same("pin", "update", sub, other, code=1)
    c.same("pin", "update", root, other, code=1)
    c.same("pin", "update", root, sub, code=0)
    c.same("pin", "update", "--unpin=false", sub, root, code=0)
    c.same("pin", "ls", "--names", "--type=recursive", view=sorted_lines, code=0)
    c.same("pin", "rm", sub, other, code=0)
    c.same("pin", "rm", other, code=1)
    c.same("pin", "add", "nonsense", code=1)
    c.same("pin", "add", "--name=" + "n" * 256, root, code=1)


def blocks(c, root):
    for options in ([], ["--cid-codec=dag-cbor"], ["--format=v0"], ["--mhtype=sha2-512"], ["--mhtype=blake2b-256"], ["--pin"],
                    ["--cid-base=base58btc"]):
        c.same("block", "put", *options, input=b"\x0a\x02\x08\x01", code=0)
    c.same("block", "put", "--mhtype=nonsense", input=b"x", code=1)
    c.same("block", "put", "--cid-codec=nonsense", input=b"x", code=1)
    c.same("block", "put", input=b"x" * 2_200_000, code=1)
    big = c.same("block", "put", "--allow-big-block", input=b"x" * 2_200_000, code=0).decode().strip()
    c.same("block", "rm", big, code=0)
    cid = c.same("block", "put", input=b"a block of its own", code=0).decode().strip()
    c.same("block", "get", cid, code=0)
    c.same("block", "get", root, code=0)
    c.same("block", "stat", cid, code=0)
    c.same("block", "stat", f"{root}/sub/b.bin", code=0)
    c.same("block", "rm", cid, code=0)
    c.same("block", "rm", cid, code=1)
    c.same("block", "rm", "-f", cid, code=0)
    c.same("block", "rm", "-q", "-f", cid, code=0)
    c.same("block", "rm", root, code=1)
    c.same("--offline", "block", "get", cid, code=1)
    c.same("--offline", "block", "stat", cid, code=1)


def dags(c, root, tree):
    document = json.dumps({"a": [1, -2, 3.5, True, None, "t\u00e9xt"], "b": {"/": root}, "c": {"/": {"bytes": "AQID"}}}).encode()
    cid = c.same("dag", "put", input=document, code=0).decode().strip()
    for options in (["--store-codec=dag-json"], ["--pin"], ["--hash=sha2-512"], ["--cid-base=base58btc"]):
        c.same("dag", "put", *options, input=document, code=0)
    raw = c.same("block", "get", cid, code=0)
    c.same("dag", "put", "--input-codec=dag-cbor", input=raw, code=0)
    node = json.dumps({"Data": {"/": {"bytes": "CAE"}}, "Links": [{"Hash": {"/": root}, "Name": "x", "Tsize": 5}]}).encode()
    pb = c.same("dag", "put", "--store-codec=dag-pb", input=node, code=0).decode().strip()
    c.same("dag", "put", "--input-codec=raw", "--store-codec=raw", input=b"bytes", code=0)
    for bad in (b"nonsense", b'{"a":1,"a":2}'):
        c.same("dag", "put", input=bad, code=1)
    c.same("dag", "put", "--store-codec=dag-pb", input=b'{"Links":1}', code=1)
    check(c.ours.run("dag", "put", input=b"[1").returncode == 1, "half a document is an error (Kubo says nothing)")
    for path in (cid, f"{cid}/a", f"{cid}/a/2", f"{cid}/b", f"{cid}/c", pb, f"/ipld/{pb}/Links/0/Name", root, f"{root}/a.txt"):
        c.same("dag", "get", path, code=0)
    c.same("dag", "get", "--output-codec=dag-cbor", cid, code=0)
    c.same("dag", "get", "--output-codec=dag-json", pb, code=0)
    c.same("dag", "get", f"{cid}/missing", code=1)
    for path in (root, f"{root}/sub", f"{cid}/a/1", f"{cid}/b", f"/ipld/{pb}/Links/0/Hash"):
        c.same("dag", "resolve", path, code=0)
    c.same("dag", "stat", "--progress=false", root, code=0)
    c.same("dag", "stat", root, f"{root}/sub", code=0)
    car = c.same("dag", "export", root, code=0)
    c.same("dag", "export", "--progress=false", cid, code=0)
    c.same("dag", "export", "nonsense", code=1)
    twice = os.path.join(tree, "..", "twice")
    os.makedirs(os.path.join(twice, "x"))
    for name in ("x/one", "x/two", "three"):
        with open(os.path.join(twice, name), "wb") as f:
            f.write(b"z" * 600_000)
    same = c.same("add", "-r", "-Q", twice).decode().strip()
    c.same("dag", "export", same, code=0)
    c.same("dag", "stat", "--progress=false", same, code=0)
    path = os.path.join(tree, "..", "root.car")
    with open(path, "wb") as f:
        f.write(car)
    c.same("dag", "import", path, code=0)
    c.same("dag", "import", "--stats", "--pin-roots=false", path, code=0)
    c.same("dag", "import", "--silent", path, code=0)
    c.same("dag", "import", "--stats", input=car, code=0)
    c.same("dag", "import", "--local-only", "--pin-roots=true", path, code=1)
    c.same("dag", "import", input=car[:-1], code=1)
    c.same("dag", "import", input=b"nonsense", code=1)
    damaged = bytearray(car)
    damaged[-1] ^= 1
    c.same("dag", "import", input=bytes(damaged), code=1)


def the_node_itself(c):
    c.same("version", code=0)
    c.same("version", "-n", code=0)
    c.same("version", "--repo", code=0)
    c.same("version", "--all", view=lambda out: out.split(b"\n")[1], code=0)  # the build differs
    c.same("id", view=keys, code=0)
    c.same("id", "-f=<id>", view=lambda out: out[:6], code=0)
    c.same("id", "nonsense", code=1)
    c.same("swarm", "peers", code=0)
    c.same("swarm", "connect", "/ip4/127.0.0.1/tcp/1", code=1)
    c.same("swarm", "connect", "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWJo2K2XiphF1i7BkK6SvGS7BEAmPw5qQsnWoXXxPofqZ7", code=1)
    c.same("repo", "version", code=0)
    for options in ([], ["-s"]):
        c.same("repo", "stat", *options, view=lambda out: re.sub(rb"\S+$", b"", shape(out), flags=re.M), code=0)  # sizes, path
    check(c.ours.run("repo", "stat", "--human").returncode == 0, "repo stat --human")
    for side in (c.ours, c.theirs):
        for cid in side.run("pin", "ls", "-q", "--type=recursive").stdout.decode().split():
            side.run("pin", "rm", cid)
        for cid in side.run("pin", "ls", "-q", "--type=direct").stdout.decode().split():
            side.run("pin", "rm", cid)
    # Kubo keeps the root of its mutable file system, and both still hold what other tests of this list made.
    listed = set(c.ours.run("refs", "local").stdout.split())
    removed = {line.removeprefix(b"removed ") for line in c.ours.run("repo", "gc").stdout.splitlines()}
    check(listed and removed == listed, f"repo gc removes what nothing pins: {len(removed)} of {len(listed)}")
    check(c.ours.run("refs", "local").stdout == b"", "nothing is left")
    c.same("repo", "gc", "--silent", code=0)
    c.same("repo", "gc", "-q", view=lambda out: b"", code=0)


def commands_are_known(c, port):
    """Each of Kubo's commands is answered, or refused by name."""
    listed = c.theirs.run("commands").stdout.decode().splitlines()
    local = {"daemon", "init", "diag/datastore", "diag/datastore/get", "diag/datastore/put", "diag/datastore/count", "config/edit",
             "dht/findpeer", "dht/findprovs", "dht/get", "dht/provide", "dht/put"}  # only on the command line, or gone
    names = [line.removeprefix("ipfs ").replace(" ", "/") for line in listed if line.startswith("ipfs ")]
    unknown = []
    for name in names:
        group = any(other.startswith(name + "/") for other in names)
        if name in local or group:
            continue
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", f"/api/v0/{name}?arg=nonsense&timeout=5s")
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        if reply.status == 404:
            unknown.append(name)
        check(reply.status in (200, 400, 404, 500), f"{name}: {reply.status} {body[:200]}")
    check(not unknown, f"Kubo's commands that the node does not know at all: {unknown}")


def main():
    with ProcessTest(arguments(__doc__).parse_args()) as test:
        kubo = Kubo(test)
        kubo.daemon()
        peer = test.peer("peer1").init()
        peer.start()
        listen = peer.config()["ipfs_connector"]["embedded"]["api_listen_multiaddress"]
        listen = listen if isinstance(listen, str) else listen[0]
        with open(os.path.join(kubo.repo, "api")) as f:
            theirs = Side("Kubo", kubo, f.read().strip(), os.path.join(test.work, "theirs"))
        ours = Side("the node", kubo, listen, os.path.join(test.work, "ours"))
        tree = os.path.join(test.work, "data", "tree")
        make_tree(tree)
        c = Comparison(ours, theirs)
        root = adding(c, tree)
        reading(c, root)
        getting(c, root)
        pinning(c, root, tree)
        blocks(c, root)
        dags(c, root, tree)
        the_node_itself(c)
        commands_are_known(c, int(listen.rsplit("/", 1)[1]))
        check(not c.wrong, f"{len(c.wrong)} of {c.done} commands differ:\n" + "\n".join(c.wrong))
        print(f"{c.done} commands answer as Kubo does")


run(main)
