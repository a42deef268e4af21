"""Pins removed behind the peer's back, with a real Kubo: status of one CID shows it at once, the lists after a sync, recover pins them
again. Foreign pins stay. With the daemon stopped a sync is an error."""

import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kubo import Kubo, peer_beside  # noqa: E402
from peers import ProcessTest, arguments, check, run, wait_until  # noqa: E402

COUNT = 10


def add_file(test, kubo, name, *args):
    path = os.path.join(test.work, name)
    with open(path, "w") as f:
        f.write(f"content of {name}\n" * 40)
    return kubo.add(path, "--pin=false", *args)


def listed(peer, *query):
    """Status by CID, from the list."""
    code, _, body = peer.request("GET", "/pins" + "".join(query))
    check(code in (200, 204), f"GET /pins: {code} {body}")
    rows = [json.loads(line) for line in body.splitlines() if line]
    return {row["cid"]: [p["status"] for p in row["peer_map"].values()] for row in rows}


def behind_the_back(test, kubo, peer):
    recursive = [add_file(test, kubo, f"recursive-{i}", "--cid-version", "1") for i in range(COUNT)]
    direct = [add_file(test, kubo, f"direct-{i}") for i in range(COUNT)]
    foreign = kubo.add(os.path.join(test.work, "direct-0"), "--wrap-with-directory")
    for cid in recursive:
        peer.ctl("pin", "add", "--no-status", cid)
    for cid in direct:
        peer.ctl("pin", "add", "--no-status", "--mode", "direct", cid)
    every = recursive + direct
    wait_until(60, "everything is pinned", lambda: listed(peer) == {cid: ["pinned"] for cid in every})
    check(set(direct) <= kubo.pins("direct") and set(recursive) <= kubo.pins("recursive"), "Kubo must hold each pin as asked")

    kubo.run("pin", "rm", *every)
    for cid in (recursive[3], direct[3]):
        row = peer.status(cid)[peer.name]
        check(row["status"] == "unexpectedly_unpinned", f"status of one CID must ask the daemon: {row}")
    now = listed(peer)
    check(now[recursive[3]] == now[direct[3]] == ["unexpectedly_unpinned"], f"what was seen must be recorded: {now}")
    check(now[recursive[4]] == ["pinned"], f"lists show the records: {now}")

    code, _, body = peer.request("POST", "/pins/sync")
    check(code == 200, f"POST /pins/sync: {code} {body}")
    rows = json.loads(body)
    check({row["cid"] for row in rows} == set(every), f"sync must list what was lost: {body}")
    first = next(iter(rows[0]["peer_map"].items()))
    check(first[1]["peer"] == first[0] and first[1]["cid"] == rows[0]["cid"], f"each row repeats cid and peer: {rows[0]}")
    check(listed(peer, "?filter=unexpectedly_unpinned").keys() == set(every), "the whole list must show it after one reconciliation")
    check(set(every).isdisjoint(kubo.pins("recursive") | kubo.pins("direct")), "sync only looks")
    said = peer.ctl("sync").stdout.decode()
    check(said.count("UNEXPECTEDLY_UNPINNED") == 2 * COUNT, f"ctl sync: {said}")

    peer.ctl("recover")
    wait_until(60, "everything is pinned again", lambda: listed(peer) == {cid: ["pinned"] for cid in every})
    check(set(direct) <= kubo.pins("direct") and set(recursive) <= kubo.pins("recursive"), "Kubo must hold each pin as asked, again")
    check(foreign in kubo.pins("recursive"), "a pin that the cluster does not know was touched")
    log = peer.log_from()
    foreigners = len(kubo.pins("recursive") | kubo.pins("direct")) - len(every)
    check(f"unknown={foreigners} " in log, f"the log must count foreign pins:\n{peer.tail()}")
    check(peer.ctl("sync").stdout == b"", "nothing is wrong any more")
    said = peer.ctl("sync", recursive[0]).stdout.decode()
    check(": PINNED" in said, f"ctl sync CID: {said}")
    print(f"ok: {2 * COUNT} pins removed behind the peer's back were noticed and pinned again", flush=True)
    return every


def stopped_daemon(kubo, peer, every):
    before = listed(peer)
    kubo.process.send_signal(signal.SIGKILL)
    kubo.process.wait()
    for target in ("/pins/sync", f"/pins/{every[0]}/sync", "/pins/sync?local=true", f"/pins/{every[0]}/sync?local=true"):
        code, _, body = peer.request("POST", target, timeout=90)
        check(code == 500 and "message" in body, f"POST {target} with the daemon stopped: {code} {body}")
    cause = json.loads(body)["message"]
    done = peer.ctl("sync", ok=False)
    check(done.returncode == 2 and b"onnect" in done.stdout, f"ctl sync with the daemon stopped exits {done.returncode}: {done.stdout}")
    check(listed(peer) == before, "no status may change")
    kubo.daemon()
    wait_until(90, "sync works again", lambda: peer.ctl("sync", ok=False).returncode == 0)
    check(listed(peer) == before, "everything is still pinned")
    print(f"ok: with the daemon stopped a sync says: {cause}", flush=True)


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        kubo = Kubo(test)
        kubo.daemon()
        peer = peer_beside(test, kubo).start()
        every = behind_the_back(test, kubo, peer)
        stopped_daemon(kubo, peer, every)
        check(peer.stop() == 0, "the peer must stop in order")


run(main)
