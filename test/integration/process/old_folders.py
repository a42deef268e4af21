"""The folders that version 1 left (test/data/folders-v1, made by make_old_folders.py) open in place in this build: pinset, content, members
and the cluster's id are as they were, and what was interrupted goes on. A folder of a later format is refused by name."""

import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from make_old_folders import CHANGED, GONE, MORE, NOTE, PINS, cid_of, content, statuses  # noqa: E402
from peers import ProcessTest, arguments, check, clean_environment, free_port, raw_cid, run, wait_until  # noqa: E402
from rows import Rows, check_agreement, check_blocks_version_1, check_version_1, cid_text, lone_founders_cluster  # noqa: E402
from stub import Stub, put_beside  # noqa: E402

DATA = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "data", "folders-v1"))
LIMIT = 90
# What the folders' settings say would take minutes.
QUICK = {"CLUSTER_EMBEDDED_PINTIMEOUT": "1m", "CLUSTER_STATESYNCINTERVAL": "5m"}


class OldPeers:
    """The peers of one archive, with ports of now, and what they held."""

    def __init__(self, test, name, rows):
        self.test, self.rows = test, rows
        with tarfile.open(os.path.join(DATA, name + ".tar.xz")) as archive:
            archive.extractall(test.work)
        with open(os.path.join(DATA, name + ".json")) as f:
            self.facts = json.load(f)
        # Where the clock is behind the folders', what is due by the clock comes with the next round of recovery.
        early = {"CLUSTER_PINRECOVERINTERVAL": "5s"} if time.time() < self.facts["made"] else {}
        self.peers = [test.peer(peer, {**QUICK, **early}) for peer in sorted(self.facts["peers"])]
        self.before = {}
        for peer in self.peers:
            check(peer.id == self.of(peer)["id"], f"{peer.name}: the identity of the manifest")
            self.before[peer.name] = Rows(rows, peer.folder)
            check_version_1(self.before[peer.name])
            if os.path.isdir(os.path.join(peer.folder, "blocks")):
                check_blocks_version_1(rows, peer.folder)
            self.give_ports(peer)
        for peer in self.peers:
            with open(os.path.join(peer.folder, "peerstore"), "w") as f:
                f.write("".join(p.address + "\n" for p in self.peers if p is not peer))

    def of(self, peer):
        return self.facts["peers"][peer.name]

    def give_ports(self, peer):
        def renew(value):
            if isinstance(value, dict):
                return {key: old if key == "node_multiaddress" else renew(old) for key, old in value.items()}
            if isinstance(value, list):
                return [renew(old) for old in value]
            if isinstance(value, str) and re.fullmatch(r"/ip4/127\.0\.0\.1/tcp/\d+", value):
                return f"/ip4/127.0.0.1/tcp/{free_port()}"
            return value

        config = peer.config()
        for section in ("cluster", "api", "ipfs_connector"):
            config[section] = renew(config[section])
        peer.write_config(config)

    def start(self):
        """All together, each as it was started before."""
        marks = {p.name: os.path.getsize(p.log_path) if os.path.exists(p.log_path) else 0 for p in self.peers}
        for peer in self.peers:
            through = self.of(peer).get("bootstrap")
            peer.spawn(*(["--bootstrap", next(p.address for p in self.peers if p.name == through)] if through else []))

        def ready(peer):
            check(peer.alive(), f"{peer.name} ended while starting:\n{peer.tail()}")
            return "IPFS Cluster is READY" in peer.log_from(marks[peer.name])

        for peer in self.peers:
            wait_until(LIMIT, f"{peer.name} is ready", lambda peer=peer: ready(peer))
        # What the feature level of this build allows: all have told theirs to the leader.
        for peer in self.peers:
            for word in ("cordon", "uncordon"):
                wait_until(LIMIT, f"{peer.name} may be told: {word}",
                           lambda peer=peer, word=word: peer.request("POST", f"/peers/{peer.id}/{word}")[0] == 200)

    def stop(self):
        for peer in self.peers:
            check(peer.stop() == 0, f"{peer.name} stops in order:\n{peer.tail()}")

    def pins(self, peer):
        code, _, body = peer.request("GET", "/allocations?filter=all")
        check(code in (200, 204), f"GET /allocations of {peer.name}: {code} {body}")
        return {pin["cid"]: pin for pin in map(json.loads, body.splitlines())}

    def check_members(self, members, peers=None):
        """Each names all and reaches all."""
        members = sorted(members)
        for peer in peers or self.peers:
            wait_until(LIMIT, f"{peer.name} has the members {members}",
                       lambda peer=peer: sorted(json.loads(peer.request("GET", "/id")[2]).get("cluster_peers") or []) == members)
            wait_until(LIMIT, f"{peer.name} reaches all members", lambda peer=peer: sorted(
                p["id"] for p in map(json.loads, peer.request("GET", "/peers")[2].splitlines()) if not p.get("error")) == members)

    def check_left(self, peer, cluster_id=None):
        """Of a peer that has stopped: the cluster is the same, and nothing that was interrupted is left."""
        rows = Rows(self.rows, peer.folder)
        check_agreement(rows)
        cluster_id = cluster_id or self.of(peer)["cluster_id"]
        check(rows.cluster_id == cluster_id, f"{peer.name}: the cluster's id was {cluster_id}, is {rows.cluster_id}")
        check(rows["raft_meta"][b"incarnation"].hex() == self.of(peer)["incarnation"] or not self.of(peer)["incarnation"],
              f"{peer.name}: it is the same node")
        check(int.from_bytes(rows["raft_meta"].get(b"feature_level", b""), "big") > 0, f"{peer.name}: all know this build's feature level")
        check(rows.comparing is None, f"{peer.name}: no comparison stands in the middle")
        check(set(rows.generations()) <= {rows.generation}, f"{peer.name}: one generation of pins: {rows.generations()}")
        # Nobody has what the pin that expires holds: before it has expired it is tried again.
        left = [c for c in (cid_text(key[9:]) for key in rows["work"]) if c not in rows.pins() or c != self.facts.get("soon")]
        check(not left, f"{peer.name}: work is left: {left}")
        return rows


ANY = object()  # a field of a pin that may be anything


def differences(now, then):
    """Pins of `then` that are not in `now` with the same fields, and those `now` has beyond; fields may have been added since."""
    changed = [c for c, pin in then.items() if c not in now or any(v is not ANY and now[c].get(k) != v for k, v in pin.items())]
    return changed + sorted(set(now) - set(then))


def service(test, peer, *args):
    return subprocess.run([test.service, "-c", peer.folder, *args], env=clean_environment(), capture_output=True, text=True, timeout=LIMIT)


def exported(test, peer):
    done = service(test, peer, "state", "export")
    check(done.returncode == 0, f"state export of {peer.name}: {done.stderr}")
    return {pin["cid"]: pin for pin in map(json.loads, done.stdout.splitlines())}


def has_passed(text):
    """Of a time in a pin."""
    return text[:4] != "0001" and time.strptime(text, "%Y-%m-%dT%H:%M:%SZ") < time.gmtime()


def give_block(peer, data):
    """To the node of `peer`, by its own API: no operation of the cluster. Returns the CID."""
    port = int(peer.config()["ipfs_connector"]["embedded"]["api_listen_multiaddress"].rsplit("/", 1)[1])
    body = b'--icl\r\nContent-Disposition: form-data; name="data"; filename="data"\r\n\r\n' + data + b"\r\n--icl--\r\n"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        connection.request("POST", "/api/v0/block/put?cid-codec=raw", body, {"Content-Type": "multipart/form-data; boundary=icl"})
        reply = connection.getresponse()
        text = reply.read().decode()
    finally:
        connection.close()
    check(reply.status == 200, f"block/put: {reply.status} {text}")
    return json.loads(text)["Key"]


def check_content(peer, files):
    for path, sha in files.items():
        got = hashlib.sha256(peer.ctl("cat", path).stdout).hexdigest()
        check(got == sha, f"{path} through {peer.name}: expected SHA-256 {sha}, saw {got}")


def a_cluster(test, rows):
    old = OldPeers(test, "cluster", rows)
    first, second, third = old.peers
    facts = old.facts
    for peer in old.peers:
        check(not differences(exported(test, peer), facts["pins"]), f"{peer.name}: the export before the start")
        check(old.of(peer)["removed"], f"{peer.name} remembers a member that was removed")
    old.start()
    members = old.of(first)["members"]
    check(members == sorted(p.id for p in old.peers), "the manifest's members")
    old.check_members(members)
    pins = {c: pin for c, pin in facts["pins"].items() if not has_passed(pin["expire_at"])}
    for peer in old.peers:
        wait_until(LIMIT, f"{peer.name} has the pinset, without what has expired", lambda peer=peer: not differences(old.pins(peer), pins))
        check_content(peer, facts["files"])
    for cid, then in facts["statuses"].items():
        wait_until(LIMIT, f"{cid} is held as before: {then}", lambda: statuses(first, cid) == then)
    # The retries go on: nobody asks again, and what was missing is there now.
    for name, holders in facts["lost"].items():
        check(give_block(third, content(name, 100)) == cid_of(name), f"the block of {name}")
        wait_until(LIMIT, f"{name} is pinned on {holders}", lambda: all(statuses(first, cid_of(name))[h] == "pinned" for h in holders))
    goes_on(test, old, pins)
    old.stop()
    for peer in old.peers:
        old.check_left(peer)
    a_later_format_is_refused(test, second, rows)
    print(f"ok: a cluster of three, {len(pins)} pins, {len(facts['files'])} files", flush=True)


def goes_on(test, old, pins):
    """Pins, collections, kill -9, a newcomer: the old cluster is one to work with."""
    new = []
    for peer in old.peers:
        new.append(peer.add_body({peer.name: peer.name.encode()}, "raw-leaves=true&cid-version=1")[1])
    new = {json.loads(text)[0]["cid"] for text in new}
    code, _, body = old.peers[1].request("POST", "/ipfs/gc")
    check(code == 200, f"a collection: {code} {body}")
    for peer in old.peers:
        peer.kill()
    old.start()
    newcomer = test.peer("newcomer").init(secret=old.peers[0].secret).start("--bootstrap", old.peers[2].address)
    for peer in (*old.peers, newcomer):
        wait_until(LIMIT, f"{peer.name} has the pinset and what came since", lambda peer=peer: peer.allocations() == set(pins) | new)
        check_content(peer, old.facts["files"])
    old.check_members([p.id for p in (*old.peers, newcomer)], (*old.peers, newcomer))
    check(newcomer.stop() == 0, "the newcomer stops in order")


def a_later_format_is_refused(test, peer, rows):
    """The folder of `peer` with a format one higher than this build's."""
    now = Rows(rows, peer.folder)
    now.put("meta", b"format", (now.format + 1).to_bytes(4, "big"))
    for command in (["daemon"], ["state", "export"]):
        done = service(test, peer, *command)
        check(done.returncode == 1, f"{command} on a later format: exit {done.returncode}, {done.stderr}")
        for number in (now.format, now.format + 1):
            check(re.search(rf"\b(format|up to) {number}\b", done.stderr),
                  f"expected the formats {now.format} and {now.format + 1} in: {done.stderr}")
    after = Rows(rows, peer.folder)
    now.families["meta"][b"format"] = (now.format + 1).to_bytes(4, "big")
    check(after.families == now.families, "a folder that is refused stays as it is")


def pins_by_number(facts):
    """The rule by which make_old_folders.py pinned them."""
    ids = [facts["peers"][f"peer{i}"]["id"] for i in (1, 2, 3)]
    pins = {}
    for number, holders in facts["allocations"].items():
        n = int(number)
        name = f"changed {n}" if n < GONE + CHANGED else f"pin {n}"
        factor = 2 if holders else -1
        pins[cid_of(f"pin {n}")] = {"name": name, "replication_factor_min": factor, "replication_factor_max": factor,
                                    "metadata": {"note": NOTE}, "allocations": [ids[int(i) - 1] for i in holders.split(",") if i]}
    return pins


def interrupted_work(test, rows, stub_program):
    old = OldPeers(test, "interrupted", rows)
    first, _, third, newcomer = old.peers
    check(old.before[third.name].comparing.hex() == old.of(third)["compared up to"], "a comparison stands in the middle")
    check(sum(old.before[newcomer.name].generations().values()) == old.of(newcomer)["staged"], "a snapshot was being staged")
    stubs = [Stub(test, stub_program) for _ in old.peers]
    for peer, stub in zip(old.peers, stubs):
        put_beside(peer, stub)
    old.start()
    old.check_members([p.id for p in old.peers])
    pins = pins_by_number(old.facts)
    check(len(pins) == PINS - GONE + MORE, "the manifest's pins")
    for peer in old.peers:
        wait_until(LIMIT, f"{peer.name} has the pinset", lambda peer=peer: not differences(old.pins(peer), pins), pause=0.5)
    # Each is told all that is its own, also what only the rest of the comparison finds.
    for peer in old.peers:
        def all_pinned(peer=peer):
            seen = {}
            for line in peer.request("GET", "/pins?local=true", timeout=60)[2].splitlines():
                status = json.loads(line)
                seen[status["cid"]] = status["peer_map"][peer.id]["status"]
            mine = {c for c, pin in pins.items() if not pin["allocations"] or peer.id in pin["allocations"]}
            return {c for c, status in seen.items() if status == "pinned"} == mine and set(seen.values()) <= {"pinned", "remote"}
        wait_until(LIMIT, f"{peer.name} holds what is its own, and nothing waits", all_pinned, pause=0.5)
    gone = stubs[2].calls().get("pin/rm", 0)
    check(gone > 0, "the rest of the comparison unpins what the other pinset has no more")
    old.stop()
    for peer in old.peers:
        old.check_left(peer, old.of(first)["cluster_id"])
    print(f"ok: a comparison and a first snapshot go on, {len(pins)} pins, {gone} unpins told", flush=True)


def an_import(test, rows, stub_program):
    old = OldPeers(test, "import", rows)
    founded, imported = old.peers
    facts = old.facts
    check(old.before[imported.name].imported == old.of(imported)["imported"], "the import's digest waits")
    stub = Stub(test, stub_program)
    for peer in old.peers:
        put_beside(peer, stub)
    # Whoever joins another cluster would throw the import away.
    done = service(test, imported, "daemon", "--bootstrap", founded.address)
    check(done.returncode == 1 and "holds an imported pinset" in done.stderr, f"--bootstrap with an import: exit {done.returncode}, {done.stderr}")
    # Two clusters: they do not know each other.
    for peer in old.peers:
        with open(os.path.join(peer.folder, "peerstore"), "w"):
            pass
    pins = {}
    for peer in old.peers:
        then = pins[peer.name] = {c: p for c, p in facts["pins"].items() if peer is founded or c != facts["later"]}
        check(not differences(exported(test, peer), then), f"{peer.name}: the export before the start")
    old.start()
    ids = {}
    for peer in old.peers:
        now = old.pins(peer)
        then = pins[peer.name]
        # A pin of somebody who is no member gets a new holder soon.
        strangers = {c: {**p, "allocations": ANY, "timestamp": ANY} for c, p in then.items() if peer.id not in (p["allocations"] or [peer.id])}
        check(not differences(now, {**then, **strangers}), f"{peer.name}: the imported pins: {differences(now, {**then, **strangers})}")
        for cid, pin in then.items():
            if not pin["allocations"] or peer.id in pin["allocations"]:
                wait_until(LIMIT, f"{cid} is pinned at {peer.name}", lambda peer=peer, cid=cid: statuses(peer, cid) == {peer.name: "pinned"})
        check(peer.request("POST", f"/pins/{raw_cid(b'after the import')}")[0] == 200, f"{peer.name} goes on")
        old.check_members([peer.id], [peer])
    old.stop()
    for peer in old.peers:
        left = Rows(rows, peer.folder)
        check(not left.imported and left.cluster_id, f"{peer.name}: the import has become a cluster")
        ids[peer.name] = left.cluster_id
        old.check_left(peer, left.cluster_id)
    check(ids["founded"] == old.of(founded)["cluster_id"], "the cluster that was founded before keeps its id")
    digest = bytes.fromhex(old.of(imported)["imported"])
    check(ids["imported"] == lone_founders_cluster(Rows(rows, imported.folder), digest), "the new cluster's id contains the import's digest")
    print("ok: an import founds, and one that founded goes on", flush=True)


def founders(test, rows, stub_program):
    old = OldPeers(test, "founders", rows)
    stubs = [Stub(test, stub_program) for _ in old.peers]
    for peer, stub in zip(old.peers, stubs):
        put_beside(peer, stub)
    old.start()
    old.check_members([p.id for p in old.peers])
    new = raw_cid(b"founders go on")
    check(old.peers[0].request("POST", f"/pins/{new}")[0] == 200, "the founders go on")
    both = {p.name: "pinned" for p in old.peers}
    for peer in old.peers:
        wait_until(LIMIT, f"{peer.name} has the pinset and the new pin",
                   lambda peer=peer: differences(old.pins(peer), old.facts["pins"]) == [new])
        wait_until(LIMIT, "both hold the new pin", lambda peer=peer: statuses(peer, new) == both)
    old.stop()
    for peer in old.peers:
        old.check_left(peer)
    print("ok: two that founded together", flush=True)


def a_moved_pin(test, rows, stub_program):
    old = OldPeers(test, "moved", rows)
    heir, holder = old.peers
    refusing, stub = Stub(test, stub_program, "--fail-every", "1"), Stub(test, stub_program)
    put_beside(heir, refusing)
    put_beside(holder, stub)
    stub.hold(old.facts["moved"])
    old.start()
    old.check_members([p.id for p in old.peers])
    for peer in old.peers:
        check(not differences(old.pins(peer), old.facts["pins"]), f"{peer.name}: the pins are the heir's")
    # What waited to be unpinned was the only copy: it stays until the heir has one.
    for cid in old.facts["moved"]:
        wait_until(LIMIT, f"the holder keeps {cid}", lambda cid=cid: holder.status(cid)["holder"]["error"].startswith("kept until "))
        wait_until(LIMIT, f"the heir fails at {cid} again", lambda cid=cid: f"cid={cid}" in heir.log_from())
    check(not stub.calls().get("pin/rm"), f"no copy goes before the heir has it: {stub.calls()}")
    refusing.stop()
    willing = Stub(test, stub_program, "--listen", refusing.address)
    for cid in old.facts["moved"]:
        code, _, body = heir.request("POST", f"/pins/{cid}/recover")  # at once: the pause has grown meanwhile
        check(code == 200, f"recover {cid}: {code} {body}")
        wait_until(LIMIT, f"the heir holds {cid}, and only the heir", lambda cid=cid: statuses(holder, cid) == {"heir": "pinned", "holder": "remote"})
    wait_until(LIMIT, "the holder's daemon is told to unpin both", lambda: stub.calls().get("pin/rm", 0) >= 2)
    check(willing.calls()["pin/add"] >= 2, "the heir's daemon was told")
    old.stop()
    for peer in old.peers:
        old.check_left(peer)
    print("ok: pins that were given away are kept until they have come", flush=True)


def retries(test, rows, stub_program):
    old = OldPeers(test, "retries", rows)
    peer, = old.peers
    facts = old.facts
    stub = Stub(test, stub_program)
    put_beside(peer, stub)
    old.start()
    check(not differences(old.pins(peer), facts["pins"]), "the pinset")
    for cid in facts["held"] + facts["refused"] + facts["queued"]:
        wait_until(LIMIT, f"{cid} is pinned", lambda cid=cid: statuses(peer, cid) == {peer.name: "pinned"})
    wait_until(LIMIT, "the unpin is told", lambda: stub.calls().get("pin/rm", 0) + stub.calls().get("pin/ls", 0) > 0
               and statuses(peer, facts["unpinned"]) == {peer.name: "unpinned"})
    calls = stub.calls()
    check(calls["pin/add"] >= len(facts["refused"] + facts["queued"]), f"what failed or waited is told: {calls}")
    old.stop()
    old.check_left(peer)
    print(f"ok: {len(facts['refused'])} retries, {len(facts['queued'])} queued pins and an unpin go on, calls {calls}", flush=True)


def the_first_folder(test, rows):
    """That of process.old_store, which opens it, is as docs/formats.md says, too."""
    with tarfile.open(os.path.join(DATA, "..", "store-v1.tar.gz")) as archive:
        archive.extractall(test.work)
    folder = os.path.join(test.work, "store-v1")
    check_version_1(Rows(rows, folder))
    check(check_blocks_version_1(rows, folder) > 0, "it has blocks")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--stub", required=True, help="path of icl_bench_stub_daemon")
    parser.add_argument("--rows", required=True, help="path of icl_store_rows")
    parser.add_argument("--only", help="one of first, cluster, interrupted, import, founders, moved, retries")
    args = parser.parse_args()
    for name, part, more in (("first", the_first_folder, ()), ("cluster", a_cluster, ()), ("interrupted", interrupted_work, (args.stub,)),
                             ("import", an_import, (args.stub,)), ("founders", founders, (args.stub,)), ("moved", a_moved_pin, (args.stub,)),
                             ("retries", retries, (args.stub,))):
        if args.only in (None, name):
            with ProcessTest(args) as test:
                part(test, args.rows, *more)


if __name__ == "__main__":
    run(main)
