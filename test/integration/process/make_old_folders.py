"""Makes the folders of test/data/folders-v1 from the programs given: peers' folders as these programs leave them, each set packed with a
manifest of what it holds. To be run with the programs of the version whose folders are to be kept; what it made is never made anew."""

import hashlib
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, clean_environment, raw_cid, run, wait_until  # noqa: E402
from rows import RETRY, UNPIN, Rows, check_version_1  # noqa: E402
from stub import Stub, put_beside  # noqa: E402

LIMIT = 60

# Kills the process at a write to a write-ahead log that holds a given text: before the n-th such write, after it, or in its middle.
KILL_AT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int writes_left = -1;

static int is_log(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 4) return 0;
    path[n] = 0;
    return strcmp(path + n - 4, ".log") == 0 && strstr(path, "/raft/db/") != NULL;
}

ssize_t write(int fd, const void* data, size_t size) {
    static ssize_t (*next)(int, const void*, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "write");
    const char* text = getenv("KILL_TEXT");
    const char* how = getenv("KILL_HOW");
    if (!text || !how || !is_log(fd) || !memmem(data, size, text, strlen(text))) return next(fd, data, size);
    if (writes_left < 0) writes_left = atoi(getenv("KILL_COUNT"));
    if (--writes_left > 0) return next(fd, data, size);
    if (strcmp(how, "after") == 0) next(fd, data, size);
    if (strcmp(how, "middle") == 0) next(fd, data, size / 2);
    kill(getpid(), SIGKILL);
    return -1;
}
"""


def content(name, size):
    """Bytes that the test can make again."""
    out = b""
    while len(out) < size:
        out += hashlib.sha256(f"{name}/{len(out)}".encode()).digest()
    return out[:size]


def cid_of(name):
    """Of a block that nobody has."""
    return raw_cid(content(name, 100))


class Set:
    """Peers that are stored together, and what is written down of them."""

    def __init__(self, test, name, to, rows):
        self.test, self.name, self.to, self.rows = test, name, to, rows
        self.facts = {"made": int(time.time()), "peers": {}}

    def pins_of(self, peer):
        lines = peer.request("GET", "/allocations?filter=all")[2].splitlines()
        return {pin["cid"]: pin for pin in map(json.loads, lines)}

    def left(self, peer, stopped, **more):
        """Writes down what is in the folder of a peer that has ended."""
        rows = Rows(self.rows, peer.folder)
        check_version_1(rows)
        nodes, removed = rows.nodes()
        self.facts["peers"][peer.name] = {
            "id": peer.id, "stopped": stopped, "cluster_id": rows.cluster_id, "incarnation": rows["raft_meta"].get(b"incarnation", b"").hex(),
            "members": sorted(p for n, p in nodes.items() if n not in removed), "removed": sorted(nodes[n] for n in removed), **more}
        return rows

    def pack(self):
        """Without locks, RocksDB's own logs and the copies of its options, which hold nothing of the peer."""
        names = sorted(self.facts["peers"])
        for name in names:
            for where, _, files in os.walk(os.path.join(self.test.work, name)):
                for file in files:
                    if file == "LOG" or file.startswith(("LOG.old", "OPTIONS-")):
                        os.remove(os.path.join(where, file))
        archive = os.path.join(self.to, self.name + ".tar.xz")
        subprocess.run(["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--sparse", "--exclude=cluster.lock", "-C",
                        self.test.work, "-I", "xz -9e", "-cf", archive, *names], check=True)
        with open(os.path.join(self.to, self.name + ".json"), "w") as f:
            json.dump(self.facts, f, indent=1, sort_keys=True)
            f.write("\n")
        print(f"{archive}: {os.path.getsize(archive)} bytes", flush=True)


def statuses(peer, cid):
    return {name: row["status"] for name, row in peer.status(cid).items()}


def know_room(peers):
    """Waits until every peer can allocate to every other."""
    for peer in peers:
        wait_until(LIMIT, f"{peer.name} knows of {len(peers)} how much room they have",
                   lambda: len({m["peer"] for m in json.loads(peer.request("GET", "/monitor/metrics/freespace")[2]) or []}) == len(peers))


def make_cluster(test, to, rows):
    """A founder and two that joined, with embedded nodes: content, every kind of pin, a member that was removed, pins that failed."""
    kept = Set(test, "cluster", to, rows)
    peers = test.cluster(3, {"CLUSTER_EMBEDDED_PINTIMEOUT": "2s"})
    first, second, third = peers
    gone = test.peer("gone").init(secret=first.secret).start("--bootstrap", first.address)
    code = first.request("DELETE", f"/peers/{gone.id}")[0]
    check(code == 204 and gone.process.wait(LIMIT) == 0, f"a member leaves: {code}")
    know_room(peers)
    files = {"small.txt": b"kept by the first version\n", "large.bin": content("large.bin", 60_000), "tree/a": content("a", 300),
             "tree/sub/b": content("b", 5000)}
    for name, data in files.items():
        path = os.path.join(test.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
    kept.facts["files"] = {}

    def added(cid, path, name):
        kept.facts["files"][cid + path] = hashlib.sha256(files[name]).hexdigest()

    one = first.add("--name", "everywhere", os.path.join(test.work, "small.txt"))
    added(one, "", "small.txt")
    two = second.add("--name", "one copy", "--rmin", "1", "--rmax", "1", "--chunker", "size-16384", os.path.join(test.work, "large.bin"))
    added(two, "", "large.bin")
    tree = third.add("-r", "--name", "two copies", "--rmin", "2", "--rmax", "2", os.path.join(test.work, "tree"))
    added(tree, "/a", "tree/a")
    added(tree, "/sub/b", "tree/sub/b")
    options = third.add("--name", "options", "--raw-leaves", os.path.join(test.work, "tree", "a"))
    added(options, "", "tree/a")
    for target in (f"/pins/{options}?name=options&meta-colour=blue&meta-n=1&expire-in=1000000h&user-allocations={third.id},{first.id}"
                   "&replication-min=1&replication-max=2",
                   f"/pins/{cid_of('lost')}?name=lost&replication-min=1&replication-max=1&user-allocations={second.id}",
                   f"/pins/{cid_of('lost everywhere')}?name=lost%20everywhere"):
        code, _, body = second.request("POST", target)
        check(code == 200, f"{target}: {code} {body}")
    third.request("POST", f"/pins/{raw_cid(b'unpinned')}")
    check(first.request("DELETE", f"/pins/{raw_cid(b'unpinned')}")[0] == 200, "unpinned")
    kept.facts["lost"] = {"lost": [second.name], "lost everywhere": [p.name for p in peers]}
    for name, holders in kept.facts["lost"].items():
        wait_until(LIMIT, f"{name} failed on {holders}", lambda: all(second.status(cid_of(name))[h]["status"] == "pin_error" for h in holders))
    good = [one, two, tree, options]
    wait_until(LIMIT, "what can be pinned is", lambda: all(
        "pinned" in set(statuses(first, c).values()) <= {"pinned", "remote"} for c in good))
    code, _, body = first.request("POST", f"/pins/{raw_cid(b'expires soon')}?name=soon&expire-in=2m&replication-min=1&replication-max=1")
    check(code == 200, f"a pin that expires soon: {code} {body}")
    kept.facts["soon"] = raw_cid(b"expires soon")
    wait_until(LIMIT, "all peers have the same pinset", lambda: kept.pins_of(first) == kept.pins_of(second) == kept.pins_of(third))
    kept.facts["pins"] = kept.pins_of(first)
    kept.facts["statuses"] = {c: statuses(first, c) for c in good}
    check(first.stop() == 0, "the founder stops in order")
    check(second.stop() == 0, "a joiner stops in order")
    third.kill()
    kept.left(first, "in order", role="founder")
    second_rows = kept.left(second, "in order", role="joiner")
    kept.left(third, "killed", role="joiner")
    check(cid_of("lost") in second_rows.work(RETRY), "a retry waits")
    kept.facts["retries"] = {p.name: Rows(rows, p.folder).work(RETRY) for p in peers}
    kept.pack()


PINS, MORE, GONE, CHANGED = 500, 400, 150, 50
NOTE = "a note that makes a snapshot longer than one piece; " * 10


def make_interrupted(test, to, rows, stub_program, library):
    """Beside daemons: a member that was killed while it compared two pinsets, and a newcomer that was killed in its first snapshot."""
    kept = Set(test, "interrupted", to, rows)
    stubs = [Stub(test, stub_program) for _ in range(4)]
    few = {"CLUSTER_RAFT_SNAPSHOTTHRESHOLD": "40", "CLUSTER_RAFT_TRAILINGLOGS": "20"}
    peers = [put_beside(test.peer("peer1", few).init(), stubs[0])]
    peers[0].start()
    for i in (2, 3):
        peer = put_beside(test.peer(f"peer{i}", few).init(secret=peers[0].secret), stubs[i - 1])
        peers.append(peer.start("--bootstrap", peers[0].address))
    first, second, third = peers
    know_room(peers)

    def ask_for(peer, n, **options):
        options = {"name": f"pin {n}", "meta-note": NOTE, "replication-min": 2, "replication-max": 2, **options}
        query = "&".join(f"{k}={str(v).replace(' ', '%20')}" for k, v in options.items())
        code, _, body = peer.request("POST", f"/pins/{cid_of(f'pin {n}')}?{query}")
        check(code == 200, f"pin {n}: {code} {body}")

    for n in range(PINS):
        ask_for(peers[n % 3], n)
    wait_until(LIMIT, "the third peer has all", lambda: len(third.allocations()) == PINS)
    third.kill()
    for n in range(GONE):
        check(first.request("DELETE", f"/pins/{cid_of(f'pin {n}')}")[0] == 200, f"unpin {n}")
    for n in range(GONE, GONE + CHANGED):
        ask_for(second, n, **{"replication-min": -1, "replication-max": -1, "name": f"changed {n}"})
    for n in range(PINS, PINS + MORE):
        ask_for(first, n, **{"replication-min": -1, "replication-max": -1})

    def killed_at(peer, text, count, how, *args):
        peer.env = {**peer.env, "LD_PRELOAD": library, "KILL_TEXT": text, "KILL_COUNT": str(count), "KILL_HOW": how}
        peer.spawn(*args)
        code = peer.process.wait(LIMIT)
        check(code == -9, f"{peer.name} is killed at a write: {code}\n{peer.tail()}")

    # The row is written with the switch, and again after each 256 CIDs compared.
    killed_at(third, "state/reconcile", 2, "after")
    newcomer = put_beside(test.peer("peer4", few).init(secret=first.secret), stubs[3])
    # The first piece of the snapshot is written, the second one half.
    killed_at(newcomer, NOTE[:40], 2, "middle", "--bootstrap", first.address)
    pins = kept.pins_of(first)
    check(kept.pins_of(second) == pins and len(pins) == PINS - GONE + MORE, "the pinset of the two others")
    # By number, whose the pin is, by the numbers of the peers; nothing: everybody's. See `pins_by_number` in old_folders.py.
    ids = {p.id: i for i, p in enumerate(peers, 1)}
    kept.facts["allocations"] = {}
    for n in range(GONE, PINS + MORE):
        pin = pins[cid_of(f"pin {n}")]
        check(pin["metadata"] == {"note": NOTE}, "the note")
        kept.facts["allocations"][str(n)] = ",".join(str(ids[p]) for p in pin["allocations"])
    check(first.stop() == 0 and second.stop() == 0, "the others stop in order")
    kept.left(first, "in order", role="founder")
    kept.left(second, "in order", role="joiner")
    stands = kept.left(third, "killed while comparing", role="joiner")
    check(stands.comparing and len(stands.generations()) == 2, "the comparison stands in the middle")
    kept.facts["peers"][third.name]["compared up to"] = stands.comparing.hex()
    kept.facts["peers"][third.name]["work"] = len(stands["work"])
    staged = kept.left(newcomer, "killed while staging", role="newcomer", bootstrap=first.name)
    check(staged.generations() and staged.generation not in staged.generations(), f"rows are staged: {staged.generations()}")
    kept.facts["peers"][newcomer.name]["staged"] = sum(staged.generations().values())
    for stub in stubs:
        stub.stop()
    kept.pack()


def make_import(test, to, rows, stub_program):
    """Beside daemons: a peer with an imported pinset that founds with its next start, and one that has founded with it."""
    kept = Set(test, "import", to, rows)
    stub = Stub(test, stub_program)
    imported, founded = (put_beside(test.peer(name).init(), stub) for name in ("imported", "founded"))
    kept.facts["files"] = {}
    path = os.path.join(test.work, "pins.json")
    with open(path, "w") as f:
        for n in range(4):
            f.write(json.dumps({"cid": cid_of(f"imported {n}"), "name": f"imported {n}", "metadata": {"n": str(n)}}) + "\n")
        f.write(json.dumps({"cid": cid_of("imported 4"), "name": "one copy", "replication_factor_min": 1, "replication_factor_max": 1,
                            "allocations": [imported.id], "expire_at": "2099-01-01T00:00:00Z"}) + "\n")
    for peer in (imported, founded):
        done = subprocess.run([test.service, "-c", peer.folder, "state", "import", "-f", path], env=clean_environment(), capture_output=True,
                              text=True, timeout=LIMIT)
        check(done.returncode == 0, f"state import: {done.stderr}")
    founded.start()
    code, _, body = founded.request("POST", f"/pins/{cid_of('pinned later')}?name=later")
    check(code == 200, f"a pin after founding: {code} {body}")
    wait_until(LIMIT, "the daemon holds it", lambda: statuses(founded, cid_of("pinned later")) == {"founded": "pinned"})
    kept.facts["pins"] = kept.pins_of(founded)
    kept.facts["later"] = cid_of("pinned later")
    check(founded.stop() == 0, "stops in order")
    before = kept.left(imported, "not started", role="imported")
    check(before.imported and not before.cluster_id, "the import waits for its cluster")
    kept.facts["peers"]["imported"]["imported"] = before.imported
    after = kept.left(founded, "in order", role="founder")
    check(not after.imported and after.cluster_id, "the import has become a cluster")
    stub.stop()
    kept.pack()


def make_founders(test, to, rows, stub_program):
    """Beside daemons: two peers that founded their cluster together (`init_peerset`)."""
    kept = Set(test, "founders", to, rows)
    stubs = [Stub(test, stub_program) for _ in range(2)]
    peers = [test.peer(name).init() for name in ("alpha", "beta")]
    for peer, other, stub in zip(peers, reversed(peers), stubs):
        config = put_beside(peer, stub).config()
        config["cluster"]["secret"] = peers[0].secret
        config["consensus"]["raft"]["init_peerset"] = [p.id for p in peers]
        peer.write_config(config)
        with open(os.path.join(peer.folder, "peerstore"), "w") as f:
            f.write(other.address + "\n")
    for peer in peers:
        peer.spawn()
    for peer in peers:
        wait_until(LIMIT, f"{peer.name} is ready", lambda peer=peer: "IPFS Cluster is READY" in peer.log_from())
    for n, peer in enumerate(peers):
        code, _, body = peer.request("POST", f"/pins/{cid_of(f'founders {n}')}?name=founders%20{n}")
        check(code == 200, f"a pin of {peer.name}: {code} {body}")
    both = {p.name: "pinned" for p in peers}
    wait_until(LIMIT, "both hold both", lambda: all(statuses(peers[0], cid_of(f"founders {n}")) == both for n in range(2)))
    kept.facts["pins"] = kept.pins_of(peers[0])
    for peer in peers:
        check(peer.stop() == 0, "stops in order")
        left = kept.left(peer, "in order", role="founder")
        check(any(key.startswith(b"seen/") for key in left["raft_meta"]), "a founder has written down whom it heard")
        check(left.cluster_id == left["raft_meta"][b"incarnation"].hex(), "founders take the cluster's id as incarnation")
    for stub in stubs:
        stub.stop()
    kept.pack()


def make_moved(test, to, rows, stub_program):
    """Beside daemons: two pins were given from one peer to the other, which could not pin them; the first could not be told to unpin them."""
    kept = Set(test, "moved", to, rows)
    stub, refusing = Stub(test, stub_program), Stub(test, stub_program, "--fail-every", "1")
    holder = put_beside(test.peer("holder").init(), stub).start()
    # The unpin of the first will have failed, that of the second waits since.
    moved = [cid_of("moved1"), cid_of("moved2")]

    def ask(cid, query):
        code, _, body = holder.request("POST", f"/pins/{cid}?{query}")
        check(code == 200, f"{query}: {code} {body}")

    for cid in moved:
        ask(cid, "replication-min=-1&replication-max=-1")
        wait_until(LIMIT, "the first one holds it", lambda cid=cid: statuses(holder, cid) == {"holder": "pinned"})
    heir = put_beside(test.peer("heir").init(secret=holder.secret), refusing).start("--bootstrap", holder.address)
    know_room([holder, heir])
    stub.stop()
    for cid in moved:
        ask(cid, f"replication-min=1&replication-max=1&user-allocations={heir.id}")
        check(kept.pins_of(holder)[cid]["allocations"] == [heir.id], "the pin is the heir's")
        wait_until(LIMIT, "the heir failed, and the holder waits for its daemon", lambda cid=cid: (
            statuses(heir, cid)["heir"] == "pin_error" and "the IPFS daemon cannot be reached; waiting" in holder.log_from()))
    kept.facts["pins"] = kept.pins_of(heir)
    kept.facts["moved"] = moved
    for peer in (holder, heir):
        peer.kill()
    refusing.stop()
    left = kept.left(holder, "killed", role="founder")
    check(left.work(RETRY) == moved[:1] and left.work(UNPIN) == moved[1:], f"the unpins wait: {left.work(RETRY)}, {left.work(UNPIN)}")
    check(set(kept.left(heir, "killed", role="joiner").work(RETRY)) == set(moved), "the retries wait")
    kept.pack()


def make_retries(test, to, rows, stub_program):
    """Beside a daemon: pins it refused, and pins and unpins that wait for it."""
    kept = Set(test, "retries", to, rows)
    stub = Stub(test, stub_program)
    peer = put_beside(test.peer("waiting").init(), stub).start()

    def ask(method, *names):
        for name in names:
            code, _, body = peer.request(method, f"/pins/{cid_of(name)}?name={name}")
            check(code == 200, f"{method} {name}: {code} {body}")

    def all_are(status, *names):
        wait_until(LIMIT, f"{names} are {status}", lambda: all(statuses(peer, cid_of(n)) == {"waiting": status} for n in names))

    ask("POST", "held1", "held2", "unpinned")
    all_are("pinned", "held1", "held2", "unpinned")
    address = stub.address
    stub.stop()
    refusing = Stub(test, stub_program, "--listen", address, "--fail-every", "1")
    ask("POST", "refused1", "refused2", "refused3")
    all_are("pin_error", "refused1", "refused2", "refused3")
    refusing.stop()
    ask("POST", "queued1", "queued2")
    ask("DELETE", "unpinned")
    kept.facts["pins"] = kept.pins_of(peer)
    kept.facts["held"] = [cid_of(n) for n in ("held1", "held2")]
    kept.facts["refused"] = [cid_of(n) for n in ("refused1", "refused2", "refused3")]
    kept.facts["queued"] = [cid_of(n) for n in ("queued1", "queued2")]
    kept.facts["unpinned"] = cid_of("unpinned")
    peer.kill()
    left = kept.left(peer, "killed", role="founder")
    check(set(kept.facts["refused"]) <= set(left.work(RETRY)), f"retries wait: {left.work(RETRY)}")
    check(left.work(UNPIN) == [kept.facts["unpinned"]], "an unpin waits")
    kept.pack()


def main():
    parser = arguments(__doc__)
    parser.add_argument("--stub", required=True, help="path of icl_bench_stub_daemon")
    parser.add_argument("--rows", required=True, help="path of icl_store_rows")
    parser.add_argument("--to", required=True, help="folder for the archives")
    parser.add_argument("--only", help="one of cluster, interrupted, import, founders, moved, retries")
    args = parser.parse_args()
    os.makedirs(args.to, exist_ok=True)

    def make(name, maker, *more):
        if args.only in (None, name):
            with ProcessTest(args) as test:
                if name == "interrupted":
                    library = os.path.join(test.work, "kill_at.so")
                    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", library, "-ldl"], input=KILL_AT, text=True, check=True)
                    more = (*more, library)
                maker(test, args.to, args.rows, *more)

    make("cluster", make_cluster)
    make("interrupted", make_interrupted, args.stub)
    make("import", make_import, args.stub)
    make("founders", make_founders, args.stub)
    make("moved", make_moved, args.stub)
    make("retries", make_retries, args.stub)


if __name__ == "__main__":
    run(main)
