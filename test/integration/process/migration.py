"""People bring what they have: folders of Go peers and of version 0.0.3 start as they are, folders with Go's consensus data are refused
with the commands that help, settings and pinsets are carried over, and an import changes everything or nothing."""

import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import FAST, ProcessTest, arguments, check, clean_environment, free_port, raw_cid, run, wait_until  # noqa: E402

OLD = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "data", "old_folders"))
LIMIT = 120


def service(test, folder, *args, env=None, stdin=""):
    return subprocess.run([test.service, "-c", folder, *args], env=clean_environment(env), capture_output=True, text=True, input=stdin,
                          timeout=LIMIT)


def copy_old(test, name, to):
    folder = os.path.join(test.work, to)
    shutil.copytree(os.path.join(OLD, name), folder)
    return folder


def pins_of(text):
    """Pins by CID, without what Go writes as null and we as empty."""
    return {p["cid"]: {k: v for k, v in p.items() if v not in (None, [], {}, "")} for p in map(json.loads, text.splitlines())}


def starts_as_it_is(test, name):
    folder = copy_old(test, name, "asis-" + name)
    path = os.path.join(folder, "service.json")
    with open(path) as f:
        text = f.read()
    # The one place in these files that names the machine they were made on.
    text = text.replace("/home/cluster/.ipfs-cluster/data", os.path.join(folder, "data"))
    with open(path, "w") as f:
        f.write(text)
    peer = test.peer("asis-" + name)
    rest = free_port()
    peer.env = clean_environment({**FAST, "CLUSTER_LISTENMULTIADDRESS": "/ip4/127.0.0.1/tcp/0",
                                  "CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS": f"/ip4/127.0.0.1/tcp/{rest}",
                                  "CLUSTER_IPFSPROXY_LISTENMULTIADDRESS": "/ip4/127.0.0.1/tcp/0",
                                  "CLUSTER_PINSVCAPI_HTTPLISTENMULTIADDRESS": "/ip4/127.0.0.1/tcp/0",
                                  "CLUSTER_IPFSHTTP_NODEMULTIADDRESS": f"/ip4/127.0.0.1/tcp/{free_port()}"})
    peer.spawn()
    test_peer_port = rest

    def answers():
        check(peer.alive(), f"{name} ended with {peer.process.poll()}:\n{peer.tail()}")
        done = subprocess.run([test.ctl, "--host", f"/ip4/127.0.0.1/tcp/{test_peer_port}", "--enc", "json", "id"], capture_output=True,
                              env=clean_environment(), timeout=30)
        return json.loads(done.stdout) if done.returncode == 0 else None

    seen = wait_until(LIMIT, f"a peer on the folder {name} answers", answers)
    wanted = json.loads(text).get("id") or peer.id
    check(seen["id"] == wanted, f"{name}: expected the id {wanted}, saw {seen['id']}")
    check(peer.stop() == 0, f"{name}: an orderly stop")
    with open(path) as f:
        check(f.read() == text, f"{name}: service.json is left as it is")
    print(f"ok: {name} starts as it is", flush=True)


def go_data_is_refused(test):
    for number, data in enumerate(("raft/raft.db", "pebble/x", "badger/x", "badger3/x", "leveldb/x", "data/raft.db")):
        folder = copy_old(test, "go-1.1.6-raft", f"ran{number}")
        os.makedirs(os.path.join(folder, os.path.dirname(data)))
        with open(os.path.join(folder, data), "w") as f:
            f.write("x")
        for command in (["daemon"], ["state", "export"], ["state", "cleanup", "-f"]):
            done = service(test, folder, *command)
            check(done.returncode == 1, f"{data}, {command}: expected exit 1, saw {done.returncode}: {done.stderr}")
            for wanted in (f"-c {folder} state export -f pins.json", f"init --consensus raft --from {folder}", "state import pins.json"):
                check(wanted in done.stderr, f"{data}: expected \"{wanted}\" in: {done.stderr}")
        check(os.path.exists(os.path.join(folder, data)), f"{data} is still there")
    crdt = service(test, copy_old(test, "go-1.1.6-crdt", "crdt"), "daemon")
    check(crdt.returncode == 1 and "state export" in crdt.stderr and "--from" in crdt.stderr, f"a crdt folder: {crdt}")
    print("ok: Go's consensus data is refused with the commands that help", flush=True)


def carried_over(test):
    """A crdt peer's settings, identity and pinset in a raft peer of ours."""
    old = copy_old(test, "go-1.1.6-crdt", "old")
    export = os.path.join(OLD, "pins-go-1.1.6.json")
    peer = test.peer("carried")
    # The tests pins nothing really: what nobody has stays queued.
    peer.init("--from", old)
    with open(os.path.join(old, "service.json")) as f:
        before = json.load(f)
    check(peer.secret == before["cluster"]["secret"], "the secret is taken over")
    with open(os.path.join(old, "identity.json")) as f:
        check(peer.id == json.load(f)["id"], "the identity is taken over")

    bad = os.path.join(test.work, "bad.json")
    with open(export) as f, open(bad, "w") as out:
        out.write(f.read() + '{"cid":"nonsense"}\n')
    done = service(test, peer.folder, "state", "import", "-f", bad)
    check(done.returncode == 1 and "bad.json: line 4" in done.stderr, f"a bad file: {done}")
    check(service(test, peer.folder, "state", "export").stdout == "", "nothing was imported")
    check(service(test, peer.folder, "state", "import", export, stdin="n\n").returncode == 0, "declined")
    check(service(test, peer.folder, "state", "export").stdout == "", "nothing was imported")
    done = service(test, peer.folder, "state", "import", export, stdin="y\n")
    check(done.returncode == 0 and done.stdout.endswith("Continue? [y/n]: "), f"import: {done}")
    with open(export) as f:
        wanted = pins_of(f.read())
    done = service(test, peer.folder, "state", "export")
    check(done.returncode == 0 and pins_of(done.stdout) == wanted, f"expected {wanted}, saw {done.stdout}")

    refused = service(test, peer.folder, "daemon", "--bootstrap", f"/ip4/127.0.0.1/tcp/1/p2p/{'12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo'}")
    check(refused.returncode == 1 and "imported pinset" in refused.stderr, f"joining would lose the import: {refused}")
    peer.start(limit=LIMIT)
    _, _, body = peer.request("GET", "/allocations?filter=all")
    check(pins_of(body) == wanted, f"over REST: expected {wanted}, saw {body}")
    done = service(test, peer.folder, "state", "export")
    check(done.returncode == 1 and "lock" in done.stderr and done.stdout == "", f"while the peer runs: {done}")
    check(service(test, peer.folder, "state", "cleanup", "-f").returncode == 1, "cleanup while the peer runs")
    # What is pinned from now on is in the next export, too.
    cid = raw_cid(b"later")
    check(peer.request("POST", f"/pins/{cid}?name=later")[0] == 200, "a pin after the import")
    check(peer.stop() == 0, "an orderly stop")
    file = os.path.join(test.work, "after.json")
    check(service(test, peer.folder, "state", "export", "-f", file).returncode == 0, "export to a file")
    with open(file) as f:
        after = pins_of(f.read())
    check(set(after) == set(wanted) | {cid}, f"after a run: {after}")
    check(service(test, peer.folder, "state", "cleanup", "--force").returncode == 0, "cleanup")
    check(service(test, peer.folder, "state", "export").stdout == "", "nothing is left")
    check(os.path.isdir(os.path.join(peer.folder, "raft.old.0")), "the old data is kept aside")
    print("ok: settings, identity and pinset of a crdt peer are carried over", flush=True)


def founders(test, prefix, count):
    """Peers that name each other as founders, not started."""
    peers = [test.peer(f"{prefix}{i}") for i in range(count)]
    secret = None
    for p in peers:
        p.init(secret=secret)
        secret = p.secret
    for p in peers:
        config = p.config()
        config["consensus"]["raft"]["init_peerset"] = [q.id for q in peers]
        p.write_config(config)
        with open(os.path.join(p.folder, "peerstore"), "w") as f:
            f.writelines(q.address + "\n" for q in peers if q is not p)
    return peers


def three_founders(test):
    """The same file in each founder, in a different order: one cluster. Different files: none."""
    peers = founders(test, "founder", 3)
    lines = [json.dumps({"cid": raw_cid(b"item %d" % i), "name": f"item {i}", "allocations": [peers[i % 3].id],
                         "replication_factor_min": 1, "replication_factor_max": 1}) for i in range(5000)]
    for i, p in enumerate(peers):
        done = service(test, p.folder, "state", "import", "--force", stdin="\n".join(lines[i:] + lines[:i]))
        check(done.returncode == 0, f"import on {p.name}: {done.stderr}")
    for p in peers:
        p.spawn()
    for p in peers:
        wait_until(LIMIT, f"{p.name} is ready", lambda: "IPFS Cluster is READY" in p.log_from() or check(p.alive(), p.tail()))
    wanted = {json.loads(line)["cid"] for line in lines}
    later = raw_cid(b"later")
    check(peers[0].request("POST", f"/pins/{later}")[0] == 200, "the new cluster takes pins")
    for p in peers:
        wait_until(LIMIT, f"{p.name} has all pins", lambda: p.allocations() == wanted | {later}, pause=0.5)
        check(p.stop() == 0, f"{p.name} stops")
    print("ok: three founders begin with 5000 imported pins", flush=True)

    peers = founders(test, "quarrel", 2)
    for i, p in enumerate(peers):
        done = service(test, p.folder, "state", "import", "--force", stdin=lines[i])
        check(done.returncode == 0, f"import on {p.name}: {done.stderr}")
        p.spawn()
    wait_until(LIMIT, "founders with different pinsets refuse each other", lambda: any("refuses us" in p.log_from() for p in peers))
    check(not any("READY" in p.log_from() for p in peers), "no cluster of founders that disagree")
    for p in peers:
        check(p.stop() == 0, f"{p.name} stops")
    print("ok: founders with different imports refuse each other", flush=True)


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        go_data_is_refused(test)
        carried_over(test)
        three_founders(test)
        starts_as_it_is(test, "go-1.1.6-raft")
        starts_as_it_is(test, "v0.0.3")


if __name__ == "__main__":
    run(main)
