"""All holders of an item die, their pin goes to others who cannot have the content, the holders return and are collected as soon as
they know: the content is there all the same, and the old copies go once the new holders have theirs."""

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


def repaired(args, count, replicas):
    with ProcessTest(args) as test:
        peers = test.cluster(count, ENV)
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


run(main)
