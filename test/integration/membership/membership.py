"""Members that come and go, as real processes: removing a follower and the leader, through the leader and through others, what the
removed peer does, how it returns, `peers add`, and the last live copy of a pin."""

import glob
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
from peers import ProcessTest, arguments, check, free_port, run, wait_until  # noqa: E402

LEADER = re.compile(r"^(\S+)\tINFO\traft\tleader peer=(\S+) term=(\d+)", re.M)
REMOVED = "removed from the cluster"


def members(peer):
    return set(json.loads(peer.request("GET", "/id")[2]).get("cluster_peers") or [])


def agree(peers):
    """Every peer lists exactly these members."""
    ids = {p.id for p in peers}
    for p in peers:
        wait_until(60, f"{p.name} lists {len(ids)} members", lambda: members(p) == ids)


def leader(peers):
    """The peer that the newest term of any log names."""
    def look():
        found = [(int(term), name) for p in peers for _, name, term in LEADER.findall(p.log_from())]
        name = max(found)[1]
        return next((p for p in peers if p.id == name), None)
    return wait_until(30, "one of the running peers leads", look)


def ends_by_itself(peer, mark):
    """A removed peer stops with exit code 0 and says why."""
    wait_until(60, f"{peer.name} stops after its removal", lambda: not peer.alive())
    check(peer.process.returncode == 0, f"{peer.name} should end with 0 after its removal, not {peer.process.returncode}")
    check(REMOVED in peer.log_from(mark), f"the log of {peer.name} does not say that it was removed")


def put_aside(peer):
    """The consensus data a removed peer had, newest first."""
    return sorted(glob.glob(os.path.join(peer.folder, "raft.old.*")))


def returns(peer, through, everybody):
    """What a removed peer knew lies aside; it joins again as somebody new."""
    check(put_aside(peer), f"{peer.name} did not put the data of its membership aside")
    check(not os.path.exists(os.path.join(peer.folder, "raft")), f"{peer.name} kept the data of its membership in place")
    peer.start("--bootstrap", through.address)
    agree(everybody)


def removes(asker, gone, everybody):
    mark = os.path.getsize(gone.log_path)
    asker.ctl("peers", "rm", gone.id)
    ends_by_itself(gone, mark)
    agree([p for p in everybody if p is not gone])
    print(f"ok: {gone.name} was removed through {asker.name}", flush=True)


def only_copy_at(holder, text):
    path = os.path.join(holder.folder, "item")
    with open(path, "wb") as f:
        f.write(text)
    cid = holder.add("--local", "--rmin", "1", "--rmax", "1", "--allocations", holder.id, path)
    wait_until(30, f"{holder.name} holds {cid}", lambda: holder.status(cid)[holder.name]["status"] == "pinned")
    return cid


def last_copy(peers):
    """The holder of the last copy goes when another has it; with --force at once. It comes back, and has it still."""
    lead = leader(peers)
    holder, other = [p for p in peers if p is not lead]
    text = b"the only copy"
    cid = only_copy_at(holder, text)
    wait_until(30, f"{other.name} has the pin", lambda: cid in other.allocations())
    mark = os.path.getsize(holder.log_path)
    # Until the metrics of the others have come, nobody could take it: 409.
    status, _, body = wait_until(30, "the removal is taken",
                                 lambda: (r := other.request("DELETE", f"/peers/{holder.id}"))[0] != 409 and r)
    check(status == 202 and body == "", f"removing the last copy's holder should answer 202, not {status}: {body}")
    ends_by_itself(holder, mark)
    agree([lead, other])
    back = os.path.join(lead.folder, "back")
    lead.ctl("get", cid, "-o", back)
    with open(back, "rb") as f:
        check(f.read() == text, "the item is another one now")
    print("ok: the last copy's holder goes when another has it", flush=True)
    lead.ctl("pin", "rm", cid)
    returns(holder, lead, peers)

    cid = only_copy_at(holder, b"the only copy, and nobody waits for it")
    wait_until(30, f"{other.name} has the pin", lambda: cid in other.allocations())
    mark = os.path.getsize(holder.log_path)
    other.ctl("peers", "rm", "--force", holder.id)
    ends_by_itself(holder, mark)
    agree([lead, other])
    print("ok: with --force it goes at once", flush=True)
    returns(holder, lead, peers)
    lead.ctl("pin", "rm", cid)


def adding(test, peers):
    """`peers add`: nothing for a member; who waits is taken in; an unknown peer and another cluster's are errors."""
    peers[1].ctl("peers", "add", peers[2].id)
    agree(peers)
    waiting = test.peer("waiting").init(secret=peers[0].secret)
    config = waiting.config()
    config["cluster"]["peer_addresses"] = [peers[0].address]
    waiting.write_config(config)
    unknown = peers[1].ctl("peers", "add", waiting.id, ok=False)
    check(unknown.returncode != 0, "peers add of a peer that does not run should fail")
    # Its bootstrap peer is not there: it waits until somebody adds it.
    waiting.spawn("--bootstrap", f"/ip4/127.0.0.1/tcp/{free_port()}/p2p/{waiting_for(test)}")
    last = None

    def added():
        nonlocal last
        last = peers[0].ctl("peers", "add", waiting.id, ok=False)
        return last.returncode == 0

    try:
        wait_until(40, "peers add takes the waiting peer in", added, pause=1)
    except Exception:
        print(f"the last answer: {last.stdout!r} {last.stderr!r}", file=sys.stderr)
        raise
    agree(peers + [waiting])
    print("ok: peers add", flush=True)
    removes(peers[2], waiting, peers + [waiting])


def own_cluster(test, peers):
    """`--bootstrap` of a peer that has run alone: it stays what it is and says so, and what it says to do works."""
    lone = test.peer("lone").init(secret=peers[0].secret)
    lone.start()
    cid = lone.add(__file__)
    lone.stop()
    mark = len(lone.log_from())
    lone.start("--bootstrap", peers[0].address)
    wait_until(40, "it says that it has not joined", lambda: "NOT joined through" in lone.log_from(mark))
    check("state cleanup" in lone.log_from(mark), "the log must say how to join")
    check(members(lone) == {lone.id} and cid in lone.allocations(), "nothing may have changed")
    lone.stop()
    done = subprocess.run([test.service, "-c", lone.folder, "state", "cleanup", "--force"], env=lone.env, capture_output=True, text=True)
    check(done.returncode == 0, f"state cleanup: {done.stderr}")
    lone.start("--bootstrap", peers[0].address)
    agree(peers + [lone])
    print("ok: --bootstrap of a peer with a cluster of its own", flush=True)
    removes(peers[1], lone, peers + [lone])


def killed_when_ready(test, peers):
    """Who has joined finds the others again without --bootstrap, also when all die at the moment it says that it is ready."""
    late = test.peer("late").init(secret=peers[0].secret)
    late.start("--bootstrap", peers[0].address)
    for p in [late] + peers:
        p.process.kill()
    for p in [late] + peers:
        p.process.wait(30)
    with open(os.path.join(late.folder, "peerstore")) as f:
        known = f.read()
    for p in peers:
        check(p.address in known, f"the peerstore of a peer that said it is ready lacks {p.name}: {known}")
    marks = {p: os.path.getsize(p.log_path) for p in peers + [late]}
    for p in marks:
        p.spawn()
    for p, mark in marks.items():
        wait_until(60, f"{p.name} is ready again", lambda: "IPFS Cluster is READY" in p.log_from(mark))
    agree(peers + [late])
    cid = late.add("--local", __file__)
    wait_until(40, "the others have what it pinned", lambda: all(cid in p.allocations() for p in peers))
    late.ctl("pin", "rm", cid)
    print("ok: killed when ready", flush=True)
    removes(peers[1], late, peers + [late])


def waiting_for(test):
    """The id of a peer that never runs."""
    return test.peer("absent").init().id


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        peers = test.cluster(3)
        agree(peers)
        last_copy(peers)
        for who, how in (("follower", "leader"), ("leader", "leader"), ("leader", "follower"), ("follower", "itself")):
            lead = leader(peers)
            follower = next(p for p in peers if p is not lead)
            gone = lead if who == "leader" else follower
            asker = {"leader": lead, "follower": follower, "itself": gone}[how]
            removes(asker, gone, peers)
            returns(gone, next(p for p in peers if p is not gone), peers)
        adding(test, peers)
        own_cluster(test, peers)
        killed_when_ready(test, peers)
        # A majority must go on living: with one of three dead, no live one may go.
        lead = leader(peers)
        dead, other = [p for p in peers if p is not lead]
        mark = os.path.getsize(lead.log_path)
        dead.kill()
        # In the first second nobody can know that it is dead. A restart before may have left an older alert.
        wait_until(60, f"{lead.name} has a new alert for {dead.name}", lambda: f"metric=ping peer={dead.id}" in lead.log_from(mark))
        check(dead.id in lead.request("GET", "/health/alerts")[2], "the alert is in the list")
        for asker in (other, lead):
            started = time.monotonic()
            status, _, body = asker.request("DELETE", f"/peers/{other.id}?force=true")
            check(status == 409 and "quorum" in body, f"expected 409 with the reason from {asker.name}, got {status}: {body}")
            check(time.monotonic() - started < 10, f"{asker.name} took {time.monotonic() - started:.1f} s to refuse")
        check(other.alive() and members(lead) == {p.id for p in peers}, "a refused removal has changed something")
        lead.ctl("peers", "rm", "--force", dead.id)
        agree([lead, other])


run(main)
