"""The IPFS proxy in front of the embedded node: two peers, Kubo's calls over HTTP."""

import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, raw_cid, run, wait_until  # noqa: E402
from proxy import call, form, node_port, proxy_port  # noqa: E402

API = "/api/v0"


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        peers = test.cluster(2, env={"CLUSTER_EMBEDDED_PINTIMEOUT": "3s"})
        one, two = peers
        port = proxy_port(one)
        check("IPFS Proxy: /ip4/127.0.0.1/tcp/%d -> /ip4/127.0.0.1/tcp/%d" % (port, node_port(one)) in one.log_from(),
              "the log says where the proxy stands")

        def all_pinned(cid):
            wait_until(60, f"both peers hold {cid}; {one.status(cid)}",
                       lambda: all(sorted(row["status"] for row in p.status(cid).values()) == ["pinned"] * 2 for p in peers))

        # Passed on: the same answer as the node's own.
        direct, passed = call(node_port(one), f"{API}/version"), call(port, f"{API}/version")
        check((direct.status, direct.body) == (passed.status, passed.body) and passed.status == 200, f"version: {passed.body}")
        unknown = call(port, f"{API}/no/such/call")
        check(unknown.status == 404, f"an unknown call is the node's to refuse: {unknown.status}")
        check(call(port, f"{API}/version", "HEAD").body == b"", "HEAD has no body")

        # Added through the proxy: every peer holds it, and it is read back through it.
        data = random.Random(4).randbytes(3_000_000)
        body, headers = form({"big.bin": data, "small.txt": b"hello world"})
        added = call(port, f"{API}/add?progress=true&wrap-with-directory=true", body=body, headers=headers)
        check(added.status == 200 and not added.error, f"add: {added.status} {added.body[-300:]} {added.error}")
        rows = added.rows()
        names = [row["Name"] for row in rows if "Hash" in row]
        check(names == ["big.bin", "small.txt", ""], f"add names {names}")
        check(any("Bytes" in row for row in rows), "add shows progress")
        root = rows[-1]["Hash"]
        all_pinned(root)
        cat = call(port, f"{API}/cat?arg={root}/big.bin")
        check(cat.body == data, f"cat gives {len(cat.body)} bytes")
        again = call(proxy_port(two), f"{API}/cat?arg=/ipfs/{root}/small.txt")
        check(again.body == b"hello world", f"cat at the other peer: {again.body[:50]}")
        print("ok: add, cat", flush=True)

        # Lists, one pin, and what is not pinned.
        listed = call(port, f"{API}/pin/ls").json()["Keys"]
        check(listed == {root: {"Type": "recursive", "Name": ""}}, f"pin/ls: {listed}")
        streamed = call(port, f"{API}/pin/ls?stream=true").rows()
        check(streamed == [{"Cid": root, "Type": "recursive"}], f"pin/ls streamed: {streamed}")
        check(call(port, f"{API}/pin/ls?arg={root}").json()["Keys"] == listed, "pin/ls of the CID")
        absent = raw_cid(b"absent")
        refused = call(port, f"{API}/pin/ls?arg={absent}")
        check(refused.status == 500 and refused.json()["Message"] == f"path '{absent}' is not pinned", f"{refused.body}")

        # Blocks without a pin, then pinned by path argument, moved, and let go.
        def block(text):
            stored = call(port, f"{API}/add?pin=false&cid-version=1", body=form({"f": text})[0], headers=form({"f": text})[1])
            check(stored.rows()[-1]["Hash"] == raw_cid(text), f"add without a pin: {stored.body}")
            return raw_cid(text)

        a, b = block(b"content a"), block(b"content b")
        check(call(port, f"{API}/pin/ls?arg={a}").status == 500, "pin=false pins nothing")
        for target in (f"{API}/pin/add?arg=/ipfs/{a}&arg={b}", f"{API}/pin/add/{a}"):
            pinned = call(port, target)
            check(pinned.status == 200, f"{target}: {pinned.body}")
        check(call(port, f"{API}/pin/add?arg=/ipfs/{a}&arg={b}").json() == {"Pins": [a, b]}, "pin/add of two")
        for peer in peers:  # it has answered, so they hold it: no waiting here
            check({row["status"] for row in peer.status(a).values()} == {"pinned"}, f"{peer.name}: {peer.status(a)}")
        check(call(port, f"{API}/pin/add?progress=true&arg={a}").rows()[-1] == {"Pins": [a]}, "pin/add with progress")
        moved = call(port, f"{API}/pin/update?arg={a}&arg={root}/small.txt")
        check(moved.status == 200 and moved.json()["Pins"][0] == a, f"pin/update: {moved.body}")
        check(call(port, f"{API}/pin/ls?arg={a}").status == 500, "pin/update let go of the old pin")
        check(call(port, f"{API}/pin/rm?arg={b}").json() == {"Pins": [b]}, "pin/rm")
        gone = call(port, f"{API}/pin/rm?arg={b}")
        check(gone.status == 500 and gone.json()["Message"] == "not pinned or pinned indirectly", f"pin/rm again: {gone.body}")
        print("ok: pin/ls, pin/add, pin/update, pin/rm", flush=True)

        # A pin nobody can serve ends with the peers' own words, at once or in the trailer, and never as pinned.
        failed = call(port, f"{API}/pin/add?arg={absent}")
        check(failed.status == 500 and "peer1" in failed.json()["Message"], f"pin/add of an absent block: {failed.status} {failed.body}")
        late = call(port, f"{API}/pin/add?progress=true&arg={raw_cid(b'absent too')}")
        check(late.status == 200 and b"Pins" not in late.body and late.error, f"late failure: {late.body[-200:]} {late.error}")
        for cid in (absent, raw_cid(b"absent too")):
            check(call(port, f"{API}/pin/rm?arg={cid}").status == 200, "the failed pin is removed")
        print(f"ok: failures ({late.error[:80]}...)", flush=True)

        # The repositories of all peers.
        total = call(port, f"{API}/repo/stat").json()
        own = [call(node_port(p), f"{API}/repo/stat").json() for p in peers]
        check(total["StorageMax"] >= 2 * min(o["StorageMax"] for o in own) * 0.9, f"repo/stat: {total} {own}")
        check(total["RepoSize"] > max(o["RepoSize"] for o in own), f"repo/stat sums: {total} {own}")
        collected = call(port, f"{API}/repo/gc")
        check(collected.status == 200 and not collected.error, f"repo/gc: {collected.body[:200]} {collected.error}")
        check(all(set(row) == {"Key"} and set(row["Key"]) == {"/"} for row in collected.rows()), "rows of repo/gc")
        check(call(port, f"{API}/cat?arg={root}/big.bin").body == data, "what is pinned survives")
        print(f"ok: repo/stat {total}, repo/gc of {len(collected.rows())} blocks", flush=True)

        # Web pages may not call what we take over, any more than the node's own API.
        for headers in ({"Origin": "http://evil"}, {"User-Agent": "Mozilla/5.0"}):
            check(call(port, f"{API}/pin/rm?arg={root}", headers=headers).status == 403, f"{headers} is refused")
        check(call(port, f"{API}/pin/ls?arg={root}").status == 200, "nothing was unpinned")

        # With the other peer dead, its silence is said and what is held is still listed.
        two.kill()
        wait_until(60, "the dead peer is noticed", lambda: {row["status"] for row in one.status(root).values()} == {"pinned", "cluster_error"})
        check(call(port, f"{API}/pin/ls?arg={root}").status == 200, "pin/ls with a dead peer")

        # A port that is taken ends the start, and the reason names it.
        config = two.config()
        config["api"]["ipfsproxy"]["listen_multiaddress"] = f"/ip4/127.0.0.1/tcp/{port}"
        two.write_config(config)
        mark = os.path.getsize(two.log_path)
        two.spawn()
        check(two.process.wait(60) == 1, "the daemon ends with 1 when the proxy's port is taken")
        check(f"127.0.0.1/tcp/{port}" in two.log_from(mark) or f"127.0.0.1:{port}" in two.log_from(mark), f"the log names the port:\n{two.tail()}")


run(main)
