"""Kubo's own command line against Kubo and against the proxy: each command gives the same standard output.

Two fresh daemons: "plain" is asked directly, "behind" stands behind a peer and its proxy. What changes something runs once at each, so
both go through the same states. What only passes through the proxy is asked of "behind" twice, directly and through the proxy.
With --embedded the peer carries its own node instead, and what passes through is compared with the plain daemon, where content decides.
The exceptions are in EXCEPTIONS, with their reasons; src/api/ipfsproxy/README.md lists them for users."""

import os
import random
import shutil
import sys
import tarfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kubo import Kubo  # noqa: E402
from peers import ProcessTest, arguments, check, run  # noqa: E402
from proxy import proxy_port  # noqa: E402

# Output that may differ, and how it is compared instead.
EXCEPTIONS = {
    "order": "Kubo prints pins in no particular order: compared sorted",
    "garbage": "repo gc, also in no order: Kubo's importer leaves nodes behind that nobody asked for (empty and half-made directories), ours "
               "does not; all that goes behind the proxy goes at Kubo too",
    "indirect": "pins within pins are the daemons' knowledge: pin ls is compared for roots, by --type or by CID",
    "sizes": "repo stat is the sum of all members and has no object count, path or version: RepoSize and StorageMax are there",
}


class Comparison:
    def __init__(self, plain, behind, proxy):
        self.plain, self.behind, self.proxy = plain, behind, proxy
        self.count, self.wrong = 0, []

    def ask(self, kubo, api, args, input, cwd):
        return kubo.run("--api", api, *args, input=input, ok=False, timeout=120)

    def compare(self, args, input, reference, other, how):
        args = [str(a) for a in args]
        want = self.ask(reference[0], reference[1], args, input, None)
        got = self.ask(other[0], other[1], args, input, None)
        self.count += 1
        shape = {None: lambda out: out, "garbage": len, "order": lambda out: b"\n".join(sorted(out.splitlines())),
                 "sizes": lambda out: [line.split(b":")[0] for line in out.splitlines() if line.startswith((b"RepoSize", b"StorageMax"))]}[how]
        same = shape(want.stdout) == shape(got.stdout)
        if how == "garbage":
            lines = [set(done.stdout.splitlines()) for done in (want, got)]
            same = lines[1] <= lines[0] and bool(lines[0]) == bool(lines[1])
        if not same or want.returncode != got.returncode:
            self.wrong.append(f"ipfs {' '.join(args)}\n  Kubo  ({want.returncode}): {want.stdout[-600:]!r} {want.stderr[-300:]!r}\n"
                              f"  proxy ({got.returncode}): {got.stdout[-600:]!r} {got.stderr[-300:]!r}")
        return want.stdout.decode(errors="replace").strip()

    def both(self, *args, input=None, how=None):
        """The same command at both daemons, one of them through the proxy."""
        return self.compare(args, input, (self.plain, self.plain.api), (self.behind, self.proxy), how)

    def passed(self, *args, input=None):
        """The same command at one daemon, directly and through the proxy."""
        if self.behind is self.plain:
            return self.both(*args, input=input)
        return self.compare(args, input, (self.behind, self.behind.api), (self.behind, self.proxy), None)


def files(work):
    numbers = random.Random(11)
    tree = os.path.join(work, "tree")
    os.makedirs(os.path.join(tree, "sub", "deep"))
    for name, size in (("a.txt", 11), ("b.bin", 700_000), ("sub/c.bin", 3_000), ("sub/deep/d", 0), ("sub/with space & more", 5)):
        with open(os.path.join(tree, name), "wb") as f:
            f.write(numbers.randbytes(size))
    big = os.path.join(work, "big")
    with open(big, "wb") as f:
        f.write(numbers.randbytes(3_000_000))
    return tree, big


def adds(c, tree, big):
    one = c.both("add", "-Q", big)
    c.both("add", big)
    c.both("add", "--progress", big)
    c.both("add", "-q", "-r", tree)
    whole = c.both("add", "-r", tree).splitlines()[-1].split()[1]
    c.both("add", "-w", big)
    c.both("add", "--cid-version=1", "-r", tree)
    c.both("add", "--raw-leaves", "--chunker=size-65536", big)
    c.both("add", "-t", big)
    c.both("add", "--chunker=rabin-65536-131072-262144", "-Q", big)
    c.both("add", "--chunker=buzhash", "-Q", big)
    c.both("add", "--hash=sha2-512", "-Q", big)
    c.both("add", "--cid-base=base32", big)
    c.both("add", "--only-hash", "-r", tree)
    c.both("add", "--pin=false", "--cid-version=1", "--chunker=size-500000", big)
    c.both("add", "--pin-name=given", "--cid-version=1", "--chunker=size-400000", big)
    c.both("add", input=b"from standard input")
    c.both("add", "--chunker=nonsense", big)
    c.both("add", "-Q", "--hash=nonsense", big)
    return one, whole


def pins(c, one, whole, big):
    direct = c.both("add", "-Q", "--pin=false", input=b"a lonely block")
    c.both("pin", "add", one)
    c.both("pin", "add", "/ipfs/" + whole, one)
    c.both("pin", "add", "--progress", one)
    c.both("pin", "add", "-r=false", direct)
    c.both("pin", "add", whole + "/sub")
    c.both("pin", "add", "--name=called so", whole + "/a.txt")
    c.both("pin", "add", input=f"{one}\n{whole}\n".encode())
    c.both("pin", "add", "nonsense")
    c.both("pin", "add", whole + "/no/such/name")
    for extra in ([], ["--stream"], ["-q"], ["-q", "--stream"], ["--names"], ["--names", "--stream"], ["--name=called"]):
        c.both("pin", "ls", "--type=recursive", *extra, how="order")
    c.both("pin", "ls", "--type=direct", how="order")
    c.both("pin", "ls", "--type=wrong")
    for cid in (one, direct, "/ipfs/" + whole, whole + "/sub"):
        c.both("pin", "ls", cid)
        c.both("pin", "ls", "--stream", "-q", cid)
    c.both("pin", "ls", "--type=direct", one)
    c.both("pin", "ls", "--cid-base=base32", one)
    never = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
    c.both("pin", "rm", never)
    other = c.both("add", "-Q", "--pin=false", "--raw-leaves", "--chunker=size-100000", big)
    c.both("pin", "update", "--unpin=false", one, other)
    c.both("pin", "rm", other)
    c.both("pin", "update", one, other)
    c.both("pin", "update", one, other)  # the old one is gone
    c.both("pin", "ls", "--type=recursive", one)  # other pins hold it indirectly, which the cluster does not know
    c.both("pin", "update", other, one)
    c.both("pin", "rm", direct)
    c.both("pin", "rm", direct)
    c.both("pin", "rm", whole + "/sub", whole + "/a.txt")


def puts(c):
    c.both("block", "put", input=b"a block")
    c.both("block", "put", "--pin", "--cid-codec=raw", input=b"a pinned block")
    c.both("dag", "put", input=b'{"a":1}')
    c.both("dag", "put", "--pin", input=b'{"pinned":[1,2]}')
    c.both("dag", "put", "--pin", "--store-codec=dag-json", input=b'{"pinned":[1,2]}')
    c.both("dag", "put", "--pin", input=b"nonsense")
    c.both("pin", "ls", "--type=recursive", how="order")


def unpacked(path):
    with tarfile.open(path) as archive:
        return sorted((m.name, m.type, archive.extractfile(m).read() if m.isfile() else b"") for m in archive)


# Of what passes through, that which content alone decides: any node gives the same.
CONTENT = {"cat", "ls", "block", "refs", "dag", "resolve", "cid", "no"}


def passed(c, one, whole, work, embedded):
    for args in (["id"], ["id", "-f=<id> <aver>"], ["version"], ["version", "--all"], ["cat", one], ["cat", "-o=100", "-l=50", one],
                 ["cat", whole + "/a.txt"], ["cat", whole], ["ls", whole], ["ls", "-v", "--size=false", whole], ["ls", whole + "/sub"], ["block", "stat", one],
                 ["block", "get", one], ["refs", whole], ["refs", "-r", "-u", whole], ["refs", "-r", "--format=<src> <dst> <linkname>", whole],
                 ["swarm", "peers"], ["swarm", "addrs", "listen"], ["dag", "get", whole], ["dag", "resolve", whole + "/sub"], ["dag", "stat", "--progress=false", whole],
                 ["dag", "export", "--progress=false", whole], ["files", "stat", "/"], ["files", "stat", "/ipfs/" + whole], ["files", "ls", "/"],
                 ["key", "list"], ["config", "Addresses.API"], ["bootstrap", "list"], ["cid", "base32", one], ["resolve", "/ipfs/" + whole + "/sub"],
                 ["name", "publish", "--allow-offline", "/ipfs/" + whole], ["name", "resolve", "--offline", "--nocache"], ["no", "such", "command"],
                 ["repo", "version"], ["stats", "bw"], ["pin", "remote", "service", "ls"]):
        if not embedded or args[0] in CONTENT:
            c.passed(*args)
    for form in ([], ["-a"], ["-a", "-C"]):
        out = []
        for side, api in (("direct", c.behind.api), ("proxy", c.proxy)):
            target = os.path.join(work, "got." + side)
            shutil.rmtree(target, ignore_errors=True)
            done = c.behind.run("--api", api, "get", "--progress=false", *form, "-o", target, whole, ok=False, timeout=120)
            found = [(os.path.relpath(os.path.join(folder, name), target), open(os.path.join(folder, name), "rb").read())
                     for folder, _, names in os.walk(target) for name in names]
            for suffix in ("", ".tar", ".tar.gz"):
                if os.path.isfile(target + suffix):
                    found.append((suffix, unpacked(target + suffix)))
                    os.remove(target + suffix)
            out.append((done.returncode, done.stdout.replace(side.encode(), b"SIDE"), sorted(found), done.stderr[-300:]))
        c.count += 1
        if out[0][:3] != out[1][:3] or not out[0][2]:
            c.wrong.append(f"ipfs get {form}: {[(o[0], o[1], [n for n, _ in o[2]], o[3]) for o in out]}")
    if embedded:
        return
    # Files are written through the proxy and read directly.
    c.both("files", "write", "--create", "/x", input=b"written through the proxy")
    c.passed("files", "read", "/x")
    check(c.behind.run("--api", c.behind.api, "files", "read", "/x").stdout == b"written through the proxy", "files write through the proxy")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--embedded", action="store_true", help="the peer carries its own node")
    args = parser.parse_args()
    with ProcessTest(args) as test:
        plain = Kubo(test, name="plain")
        behind = plain if args.embedded else Kubo(test, name="behind")
        for kubo in {plain, behind}:
            kubo.daemon()
            # What `ipfs init` has pinned is no business of the cluster.
            for cid in kubo.run("pin", "ls", "-q", "--type=recursive").stdout.decode().split():
                kubo.run("pin", "rm", cid)
            kubo.run("repo", "gc", "-q")
        peer = test.peer("peer1", {"CLUSTER_EMBEDDED_GCLEASE": "1s"}).init()  # what was added is not kept for an hour
        if not args.embedded:
            config = peer.config()
            config["ipfs_connector"] = {"ipfshttp": {"node_multiaddress": behind.api}}
            config["api"]["ipfsproxy"]["node_multiaddress"] = behind.api
            peer.write_config(config)
        peer.start()
        c = Comparison(plain, behind, f"/ip4/127.0.0.1/tcp/{proxy_port(peer)}")
        tree, big = files(test.work)
        one, whole = adds(c, tree, big)
        pins(c, one, whole, big)
        puts(c)
        passed(c, one, whole, test.work, args.embedded)
        c.both("repo", "stat", how="sizes")
        c.both("repo", "stat", "-s", how="sizes")
        c.both("pin", "rm", one)
        c.both("repo", "gc", how="garbage")
        c.both("pin", "rm", whole)
        c.both("repo", "gc", "-q", how="garbage")
        c.both("repo", "gc", how="garbage")
        print(f"{c.count} commands compared, exceptions: {', '.join(EXCEPTIONS)}", flush=True)
        check(not c.wrong, f"{len(c.wrong)} of {c.count} differ:\n" + "\n".join(c.wrong))


run(main)
