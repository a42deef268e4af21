"""All holders of an item die. Where the others could fetch it from outside their pin goes to them, who cannot have the content; the
holders return and are collected as soon as they know: the content is there all the same, and the old copies go once the new holders
have theirs. Where nobody could fetch it the pin stays and waits for its holders."""

import hashlib
import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, run, wait_until  # noqa: E402

GRACE = 5
SIZE = 700_000
ENV = {"CLUSTER_REPINGRACE": f"{GRACE}s", "CLUSTER_EMBEDDED_PINTIMEOUT": "2s"}


def allocations(peer, cid):
    status, _, body = peer.request("GET", f"/allocations/{cid}")
    check(status == 200, f"GET /allocations/{cid} of {peer.name}: {status} {body}")
    return set(json.loads(body)["allocations"])


def reads(peer, cid, sha):
    done = peer.ctl("cat", cid, ok=False, timeout=60)
    return done.returncode == 0 and hashlib.sha256(done.stdout).hexdigest() == sha


def start_all(test, count, public):
    """A cluster whose peers could fetch from outside, or not. Of the public network there is nobody but themselves, on loopback."""
    peers = []
    for i in range(1, count + 1):
        peer = test.peer(f"peer{i}", ENV).init(secret=peers[0].secret if peers else None)
        if public:
            config = peer.config()
            config["ipfs_connector"]["embedded"].update(
                network="public", public_listen_multiaddress=["/ip4/127.0.0.1/tcp/0"], bootstrap=[], provide="off")
            peer.write_config(config)
        peer.start(*(["--bootstrap", peers[0].address] if peers else []))
        peers.append(peer)
    for peer in peers:
        wait_until(60, f"{peer.name} sees {count} members",
                   lambda: len(json.loads(peer.request("GET", "/id")[2]).get("cluster_peers") or []) == count)
    return peers


def stays(rest, holders, cid, old):
    """The pin of an item that nobody else has or could fetch waits for its holders, and says so."""
    wait_until(30, "the item waits for its holders",
               lambda: any("waits for this peer" in row["error"] for row in rest[0].status(cid).values()))
    for peer in rest:
        peer.ctl("ipfs", "gc")
    check(allocations(rest[0], cid) == old, "the pin has not moved")
    for holder in holders:
        holder.start()
    holders[0].ctl("ipfs", "gc")


def repaired(args, count, replicas, public=True):
    with ProcessTest(args) as test:
        peers = start_all(test, count, public)
        path = os.path.join(test.work, "content")
        data = random.SystemRandom().randbytes(SIZE)
        sha = hashlib.sha256(data).hexdigest()
        with open(path, "wb") as f:
            f.write(data)
        holders = peers[-replicas:]
        cid = holders[0].add("--rmin", str(replicas), "--rmax", str(replicas), "--allocations", ",".join(p.id for p in holders), path)
        old = {p.id for p in holders}
        check(allocations(peers[0], cid) == old, "the item is on the last peers")
        wait_until(20, "the holders have pinned it",
                   lambda: all(peers[0].status(cid)[p.name]["status"] == "pinned" for p in holders))
        holders[0].ctl("ipfs", "gc")
        check(all(reads(p, cid, sha) for p in holders), "a collection before keeps it")

        for holder in holders:
            holder.kill()
        rest = peers[:-replicas]
        if not public:
            stays(rest, holders, cid, old)
            for peer in peers:
                check(reads(peer, cid, sha), f"the content is read through {peer.name}")
            print(f"{count} peers, {replicas} holders returned to their pin", flush=True)
            return
        wait_until(30, "the pin was given to others", lambda: not allocations(rest[0], cid) & old)
        for holder in holders:
            holder.start()
        for holder in holders:
            wait_until(20, f"{holder.name} knows that others hold the pin now", lambda: not allocations(holder, cid) & old)
            row = json.loads(holder.request("GET", f"/pins/{cid}?local=true")[2])["peer_map"][holder.id]
            check(row["status"] == "remote", f"{holder.name} says {row}")
        holders[0].ctl("ipfs", "gc")

        now = [p for p in rest if p.id in allocations(rest[0], cid)]
        check(len(now) == replicas, f"{replicas} new holders, saw {len(now)}")
        rest[0].request("POST", f"/pins/{cid}/recover")
        wait_until(60, "the new holders have it", lambda: all(rest[0].status(cid)[p.name]["status"] == "pinned" for p in now), pause=0.5)
        for peer in peers:
            check(reads(peer, cid, sha), f"the content is read through {peer.name}")
        # What they kept for the others is theirs no more.
        for holder in holders:
            wait_until(60, f"{holder.name} has let its copy go", lambda: holder.status(cid)[holder.name]["error"] == "" and
                       "kept copies were let go" in holder.log_from(), pause=0.5)
        holders[0].ctl("ipfs", "gc")
        for peer in peers:
            check(reads(peer, cid, sha), f"the content is read through {peer.name} after the last collection")
        print(f"{count} peers, {replicas} holders replaced and returned", flush=True)


def main():
    args = arguments(__doc__).parse_args()
    repaired(args, 3, 1)
    repaired(args, 5, 2)
    repaired(args, 3, 1, public=False)


run(main)
