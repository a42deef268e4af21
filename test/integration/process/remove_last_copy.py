#!/usr/bin/env python3
"""A peer that holds the only whole copy of an item is not removed at once: its fellow holder, whose block store is too small for the
item, is allocated to it but has no copy. The item moves to a third peer, and the first one keeps it until as many have it as shall;
once one copy is enough it goes, and the content is read back through the peers that stay."""

import json
import os

import peers


def row_of(asked, cid, name):
    """What `asked` knows of the item at the peer of this name; nothing before that one's first ping."""
    return asked.status(cid).get(name, {})


def pin_on(asked, cid, *holders):
    """Until the metrics of all have come, there are too few candidates."""
    count = str(len(holders))
    words = ["pin", "add", "--no-status", "--rmin", count, "--rmax", count, "--allocations", ",".join(h.id for h in holders), cid]
    peers.wait_until(30, "the pin is taken", lambda: asked.ctl(*words, ok=False).returncode == 0, pause=0.5)


def main(args):
    with peers.ProcessTest(args) as test:
        small = {"CLUSTER_EMBEDDED_STORAGEMAX": "1MB", "CLUSTER_EMBEDDED_PINTIMEOUT": "3s"}
        first = test.peer("peer1").init()
        first.start()
        second = test.peer("peer2", small).init(secret=first.secret).start("--bootstrap", first.address)
        third = test.peer("peer3").init(secret=first.secret).start("--bootstrap", first.address)
        for peer in (first, second, third):
            peers.wait_until(60, f"{peer.name} sees three members",
                             lambda: len(json.loads(peer.request("GET", "/id")[2]).get("cluster_peers") or []) == 3)
        content = os.urandom(3_000_000)
        path = os.path.join(test.work, "item")
        with open(path, "wb") as f:
            f.write(content)
        # The content is there before anybody is told to hold it: an add to a peer without room fails, as it should.
        cid = first.add("--local", "--no-pin", path)
        pin_on(first, cid, first, second)
        peers.wait_until(30, "peer1 holds the item", lambda: row_of(first, cid, "peer1").get("status") == "pinned")
        failed = peers.wait_until(60, "peer2 cannot store it",
                                  lambda: (row := row_of(third, cid, "peer2")).get("status") == "pin_error" and row)
        # Until the metrics of all have come, nobody could take it: 409.
        status, _, body = peers.wait_until(30, "the removal is taken",
                                           lambda: (r := third.request("DELETE", f"/peers/{first.id}"))[0] != 409 and r)
        peers.check(status == 202 and body == "", f"the only whole copy goes at once: {status} {body}; peer2 says {failed}")
        peers.wait_until(60, "peer3 has it", lambda: row_of(third, cid, "peer3").get("status") == "pinned")
        kept = peers.wait_until(60, "peer1 keeps it for peer2",
                                lambda: (r := json.loads(third.request("GET", f"/peers/{first.id}/drain")[2]))["kept"] == 1 and r)
        peers.check(kept["kind"] == "leaving" and kept["pins"] == 0, f"what is told of peer1: {kept}")
        text = row_of(third, cid, "peer1").get("error", "")
        peers.check("kept until 2 holders have it" in text and "peer2" in text, f"whom peer1 waits for: {text}")
        peers.check(first.alive(), f"peer1 has ended:\n{first.tail()}")

        # One copy is enough now.
        pin_on(third, cid, third)
        peers.wait_until(60, "the removed peer ends", lambda: not first.alive())
        back = os.path.join(test.work, "back")
        third.ctl("get", cid, "-o", back)
        with open(back, "rb") as f:
            peers.check(f.read() == content, "peer3 gives other bytes")


if __name__ == "__main__":
    arguments = peers.arguments(__doc__).parse_args()
    peers.run(lambda: main(arguments))
