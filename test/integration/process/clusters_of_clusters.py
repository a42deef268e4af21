"""Three levels: the IPFS daemon of the top peer is the proxy of the middle peer, whose daemon is the proxy of the bottom cluster of
two peers with embedded nodes."""

import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, raw_cid, run, wait_until  # noqa: E402
from proxy import call, form, node_port, proxy_port  # noqa: E402

API = "/api/v0"


PIN_TIMEOUT = "4s"  # the same at all levels, as with the defaults


def above(test, name, below):
    """A peer of its own cluster whose daemon is the proxy of `below`."""
    peer = test.peer(name).init()
    config = peer.config()
    daemon = f"/ip4/127.0.0.1/tcp/{proxy_port(below)}"
    config["ipfs_connector"] = {"ipfshttp": {"node_multiaddress": daemon, "pin_timeout": PIN_TIMEOUT}}
    config["api"]["ipfsproxy"]["node_multiaddress"] = daemon
    peer.write_config(config)
    return peer.start()


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        bottom = test.cluster(2, env={"CLUSTER_EMBEDDED_PINTIMEOUT": PIN_TIMEOUT})
        middle = above(test, "middle", bottom[0])
        top = above(test, "top", middle)

        def status(peer, cid):
            return {row["status"] for row in peer.status(cid).values()}

        def recorded(peer, cid):
            """The peer's own record, without a question to its daemon, which would correct it."""
            _, _, body = peer.request("GET", "/pins?local=true")
            rows = [row for row in map(json.loads, body.splitlines()) if row["cid"] == cid]
            return {info["status"] for row in rows for info in row["peer_map"].values()}

        def everywhere(cid, wanted):
            for peer in (top, middle, *bottom):
                wait_until(60, f"{peer.name} says {wanted} of {cid}; it says {peer.status(cid)}", lambda: status(peer, cid) == {wanted})

        # Content that only the bottom has, pinned by nobody.
        data = random.Random(5).randbytes(2_000_000)
        body, headers = form({"f": data})
        stored = call(proxy_port(bottom[0]), f"{API}/add?pin=false&cid-version=1", body=body, headers=headers)
        cid = stored.rows()[-1]["Hash"]
        check(status(bottom[0], cid) == {"unpinned"}, f"nobody pins it yet: {bottom[0].status(cid)}")

        # A pin at the top reaches the bottom; the top says pinned only when the bottom holds it.
        top.ctl("pin", "add", "--no-status", cid)
        wait_until(60, f"the top says pinned; it says {top.status(cid)}", lambda: status(top, cid) == {"pinned"})
        for peer in bottom:
            check(status(peer, cid) == {"pinned"}, f"the top was ahead of {peer.name}: {peer.status(cid)}")
        everywhere(cid, "pinned")
        check(top.allocations() == middle.allocations() == bottom[1].allocations() == {cid}, "all three pinsets hold the CID")
        print("ok: pinned at all levels", flush=True)

        # The whole stack answers as one daemon: content passes through two proxies.
        check(call(proxy_port(top), f"{API}/cat?arg={cid}").body == data, "cat through the stack")
        check(call(proxy_port(top), f"{API}/version").body == call(node_port(bottom[0]), f"{API}/version").body, "version through the stack")

        # Unpinned at the top, it goes at the bottom.
        top.ctl("pin", "rm", "--no-status", cid)
        everywhere(cid, "unpinned")
        check(not top.allocations() and not middle.allocations() and not bottom[0].allocations(), "all three pinsets are empty")
        call(proxy_port(bottom[0]), f"{API}/repo/gc")
        print("ok: unpinned at all levels", flush=True)

        # What the bottom cannot get is an error at the top, in the bottom's words.
        absent = raw_cid(b"nobody has this")
        top.ctl("pin", "add", "--no-status", absent)
        wait_until(90, f"the top says pin_error; it says {top.status(absent)}", lambda: status(top, absent) == {"pin_error"})
        words = next(iter(top.status(absent).values()))["error"]
        check("peer1" in words or "peer2" in words, f"the error at the top names a peer of the bottom: {words}")
        print(f"ok: a failure comes up: {words[:160]}", flush=True)

        # The pinset of the level below holds it all the same: a comparison with what that level lists must not take it for pinned.
        listing = call(proxy_port(bottom[0]), f"{API}/pin/ls?stream=true")
        check(absent not in listing.body.decode(), f"the bottom lists what nobody holds: {listing.body[:300]}")
        for peer in (middle, top):
            wait_until(60, f"{peer.name} says pin_error; it says {recorded(peer, absent)}", lambda p=peer: recorded(p, absent) == {"pin_error"})
            peer.ctl("recover")
            found = recorded(peer, absent)
            check(found and found <= {"pin_error", "pin_queued", "pinning"}, f"after recover {peer.name} says {found} of what nobody has")
            wait_until(60, f"{peer.name} fails again; it says {recorded(peer, absent)}", lambda p=peer: recorded(p, absent) == {"pin_error"})
        print("ok: a comparison of all pins leaves a failure one", flush=True)
        top.ctl("pin", "rm", "--no-status", absent)
        everywhere(absent, "unpinned")

        # Added at the top: blocks go down, and the pin with them.
        path = os.path.join(test.work, "file")
        with open(path, "wb") as f:
            f.write(data[:600_000])
        added = top.add(path)
        wait_until(60, f"the bottom holds what was added at the top; {bottom[1].status(added)}", lambda: status(bottom[1], added) == {"pinned"})
        everywhere(added, "pinned")
        check(call(proxy_port(bottom[1]), f"{API}/cat?arg={added}").body == data[:600_000], "the file reads back at the bottom")
        print("ok: added at the top, held at the bottom", flush=True)


run(main)
