#!/usr/bin/env python3
"""A peer is drained while clients pin and another peer is killed: every item is read back, what the kill took is back at its
minimum, and the removal of the drained peer is immediate. A peer that alone holds items leaves by `peers rm`, which follows it until
it is gone; an unfinished leave is taken back by `peers uncordon`."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, raw_cid, run, wait_until  # noqa: E402

GRACE = 8
ENV = {"CLUSTER_REPINGRACE": f"{GRACE}s", "CLUSTER_REPINRATE": "500"}
FILES_PER_ADD = 200


def content(number):
    return f"item {number}\n".encode() * 20


def report(peer, of):
    status, _, body = peer.request("GET", f"/peers/{of.id}/drain")
    check(status == 200, f"GET drain of {of.name} at {peer.name}: {status} {body}")
    return json.loads(body)


def pin(peer, cid, replicas, extra=""):
    status, _, body = peer.request("POST", f"/pins/{cid}?replication-min={replicas}&replication-max={replicas}{extra}")
    check(status == 200, f"pin of {cid} at {peer.name}: {status} {body}")
    return json.loads(body)


def store(peer, numbers):
    """The items' blocks at one peer, not pinned yet."""
    numbers = list(numbers)
    for at in range(0, len(numbers), FILES_PER_ADD):
        files = {f"f{n}": content(n) for n in numbers[at:at + FILES_PER_ADD]}
        status, body = peer.add_body(files, "local=true&no-pin=true&raw-leaves=true&cid-version=1&wrap-with-directory=true")
        check(status == 200, f"add at {peer.name}: {status} {body[:300]}")


def rows(peer):
    """What the peer's own records say, by CID."""
    status, _, body = peer.request("GET", "/pins?local=true", timeout=120)
    check(status in (200, 204), f"GET /pins?local=true of {peer.name}: {status}")
    out = {}
    for line in body.splitlines():
        row = json.loads(line)
        out[row["cid"]] = next(iter(row["peer_map"].values()))["status"]
    return out


def held_by(peers, cids):
    """How many of the peers have each item, by their records."""
    said = [rows(p) for p in peers]
    return {cid: sum(s.get(cid) == "pinned" for s in said) for cid in cids}


def drain_and_kill(peers, items):
    drained, asked, killed, rest = peers[1], peers[0], peers[2], peers[3:]
    numbers = range(items)
    store(asked, numbers)
    cids = [raw_cid(content(n)) for n in numbers]
    for cid in cids:
        pin(asked, cid, 2)
    wait_until(60 + items / 50, "every item has two copies",
               lambda: min(held_by(peers, cids).values()) >= 2, pause=1)
    plan = json.loads(asked.ctl("--enc", "json", "peers", "drain", "--dry-run", drained.id).stdout)
    check(plan["kind"] == "draining" and plan["pins"] > 0 and plan["blocked"] == 0, f"the dry run says {plan}")
    check(report(asked, drained)["kind"] == "none", "a dry run tells nothing")
    began = time.monotonic()
    asked.ctl("peers", "drain", drained.id)
    status, _, body = asked.request("POST", f"/pins/{cids[0]}?replication-min=1&replication-max=1&user-allocations={drained.id}")
    check(status >= 400 and "takes no new pins" in body, f"an allocation to a drained peer: {status} {body}")
    wait_until(60, "pins move", lambda: report(asked, drained)["pins"] < plan["pins"], pause=0.05)
    killed.kill()
    late = range(items, items + max(10, items // 20))
    store(asked, late)
    for n in late:
        got = pin(asked, raw_cid(content(n)), 2)
        check(drained.id not in got["allocations"], f"a new pin comes to the drained peer: {got}")
    cids += [raw_cid(content(n)) for n in late]
    lines = asked.ctl("peers", "ls").stdout.decode()
    check("  > Draining since " in lines, f"peers ls does not tell of the drain:\n{lines}")
    wait_until(120 + items / 20, "everything has moved",
               lambda: (r := report(rest[0], drained))["left"] == 0 and r["kept"] == 0, pause=0.5)
    took = time.monotonic() - began
    wait_until(120 + items / 20, "what the kill took is back at its minimum",
               lambda: min(held_by([asked, *rest], cids).values()) >= 2, pause=1)
    again = time.monotonic() - began
    before = time.monotonic()
    status, _, body = asked.request("DELETE", f"/peers/{drained.id}", timeout=120)
    check(status == 204, f"the removal of an empty peer: {status} {body}")
    print(f"{items} items, {plan['pins']} of them drained in {took:.1f} s, all at their minimum after {again:.1f} s, "
          f"removed in {time.monotonic() - before:.2f} s")
    wait_until(60, "the removed peer ends", lambda: not drained.alive())
    for n in (0, items // 2, items - 1, late[-1]):
        done = rest[0].ctl("cat", raw_cid(content(n)))
        check(done.stdout == content(n), f"item {n} is another one")


def leave(peers):
    """The only holder of some items leaves; the first time it is told to stay."""
    asked, leaves, other = peers
    numbers = range(900000, 900020)
    store(leaves, numbers)
    cids = [raw_cid(content(n)) for n in numbers]
    for cid in cids:
        pin(asked, cid, 1, f"&user-allocations={leaves.id}")
    wait_until(60, "the items are held", lambda: min(held_by([leaves], cids).values()) >= 1, pause=0.5)
    other_cordoned = json.loads(asked.ctl("--enc", "json", "peers", "cordon", other.id).stdout)
    check(other_cordoned["kind"] == "cordoned", f"cordon says {other_cordoned}")
    asked.ctl("peers", "cordon", asked.id)
    done = asked.ctl("peers", "rm", leaves.id, ok=False)
    text = done.stdout.decode()
    check(done.returncode == 2 and "Code: 409" in text and "20 of its pins cannot be moved" in text, f"nobody could take them: {text}")
    asked.ctl("peers", "uncordon", asked.id)
    asked.ctl("peers", "uncordon", other.id)
    asked.ctl("peers", "rm", "--no-wait", leaves.id)
    asked.ctl("peers", "uncordon", leaves.id)
    wait_until(10, "it is told to stay", lambda: report(other, leaves)["kind"] == "none")
    for cid in cids:
        pin(asked, cid, 1, f"&user-allocations={leaves.id}")
    done = asked.ctl("peers", "rm", leaves.id)
    check(done.stdout == b"", f"peers rm prints {done.stdout}")
    wait_until(60, "the peer that left ends", lambda: not leaves.alive())
    for n in numbers:
        check(other.ctl("cat", raw_cid(content(n))).stdout == content(n), f"item {n} is another one")


def main(args):
    with ProcessTest(args) as test:
        drain_and_kill(test.cluster(5, ENV), args.items)
    with ProcessTest(args) as test:
        leave(test.cluster(3, ENV))


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--items", type=int, default=60, help="how many items are drained from")
    chosen = parser.parse_args()
    run(lambda: main(chosen))
