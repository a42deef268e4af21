"""Peers beside a real Kubo each: pin, status, unpin, add and get through the peer; a pin whose block is missing; progress of a large pin
and an unpin in its middle (400 MB, or ICL_LARGE_MB of them); three peers with their three daemons."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kubo import Kubo, peer_beside  # noqa: E402
from peers import ProcessTest, arguments, check, raw_cid, run, wait_until  # noqa: E402

MB = 1 << 20
NUMBERS = random.Random(11)
LARGE = int(os.environ.get("ICL_LARGE_MB", "400")) * MB  # of the pin that is watched and unpinned


def random_file(folder, name, size):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        while size > 0:
            f.write(NUMBERS.randbytes(min(size, MB)))
            size -= MB
    return path


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def until_status(peer, cid, wanted, limit=60):
    def probe():
        row = peer.status(cid)[peer.name]
        return row if row["status"] == wanted else None
    return wait_until(limit, f"{peer.name} says {wanted} of {cid}; it says {peer.status(cid)[peer.name]}", probe)


def pins_and_unpins(test, peer, kubo):
    cid = kubo.add(random_file(test.work, "known", 3 * MB), "--pin=false")
    peer.ctl("pin", "add", "--no-status", cid)
    until_status(peer, cid, "pinned")
    check(cid in kubo.pins("recursive"), f"Kubo must hold {cid} recursively: {kubo.pins()}")
    direct = kubo.add(random_file(test.work, "direct", 2 * MB), "--pin=false")
    peer.ctl("pin", "add", "--no-status", "--mode", "direct", direct)
    until_status(peer, direct, "pinned")
    check(direct in kubo.pins("direct"), f"Kubo must hold {direct} directly: {kubo.pins()}")
    # An update: the new item is pinned, the old one stays until it is unpinned.
    new = kubo.add(random_file(test.work, "new", MB), "--pin=false")
    peer.ctl("pin", "update", "--no-status", cid, new)
    until_status(peer, new, "pinned")
    check({cid, new} <= kubo.pins("recursive"), "an update must keep the old pin")
    for item in (cid, direct, new):
        peer.ctl("pin", "rm", "--no-status", item)
    wait_until(30, f"Kubo holds nothing of it any more: {kubo.pins('recursive')} {kubo.pins('direct')}",
               lambda: not {cid, direct, new} & (kubo.pins("recursive") | kubo.pins("direct")))
    # Behind the cluster's back it is gone already.
    peer.ctl("pin", "add", "--no-status", cid)
    until_status(peer, cid, "pinned")
    kubo.run("pin", "rm", cid)
    peer.ctl("pin", "rm", "--no-status", cid)
    wait_until(30, "the unpin of what is not pinned is done", lambda: peer.status(cid)[peer.name]["status"] == "unpinned")
    print("ok: pin, direct pin, update, unpin", flush=True)


def adds_and_reads(test, peer, kubo):
    tree = os.path.join(test.work, "tree")
    os.makedirs(os.path.join(tree, "sub"))
    for name, size in (("small", 10), ("large", 5 * MB), ("sub/empty", 0), ("sub/a b", 300_000)):
        random_file(tree, name, size)
    os.symlink("small", os.path.join(tree, "link"))
    for options in ([], ["--cid-version", "1"], ["--hash", "sha2-512", "--cid-version", "1"]):
        root = peer.add("-r", *options, tree)
        expected = kubo.run("add", "-r", "-Qn", *[o.replace("--hash", "--hash") for o in options], tree).stdout.decode().strip()
        check(root == expected, f"ctl add {options}: {root}, Kubo says {expected}")
        until_status(peer, root, "pinned")
        check(root in kubo.pins("recursive"), f"{root} must be pinned in Kubo")
    out = os.path.join(test.work, "back")
    peer.ctl("get", root, "-o", out)
    compared = subprocess.run(["diff", "-r", "--no-dereference", tree, out], capture_output=True, text=True)
    check(compared.returncode == 0, f"what was read back differs: {compared.stdout}")
    single = random_file(test.work, "single", 4 * MB)
    cid = peer.add(single)
    check(hashlib.sha256(peer.ctl("cat", cid).stdout).hexdigest() == digest(single), "ctl cat gives other bytes")
    with open(single, "rb") as f:
        data = f.read()
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", peer.api_port, timeout=30)
    connection.request("GET", f"/ipfs/{cid}", headers={"Range": "bytes=1000000-2999999"})
    reply = connection.getresponse()
    check(reply.status == 206 and reply.read() == data[1000000:3000000], f"GET /ipfs with a range: {reply.status}")
    connection.close()
    missing = peer.request("GET", f"/ipfs/{root}/nothing")
    check(missing[0] == 404, f"a name that is not there: {missing}")
    print("ok: ctl add gives Kubo's CIDs and pins them, ctl get and GET /ipfs give them back", flush=True)


def missing_blocks(peer):
    cid = raw_cid(b"nobody has these bytes")
    peer.ctl("pin", "add", "--no-status", cid)
    row = until_status(peer, cid, "pin_error")
    check("found nothing more for 3s" in row["error"] and "0 blocks" in row["error"], f"the reason must be named: {row}")
    peer.ctl("pin", "rm", "--no-status", cid)
    print(f"ok: a missing block: {row['error']}", flush=True)


def late_error(test):
    """A daemon without network says by itself, in the middle of its answer, that a block is missing."""
    kubo = Kubo(test, name="offline")
    kubo.daemon("--offline")
    peer = peer_beside(test, kubo, "beside-offline").start()
    root = kubo.add(random_file(test.work, "holed", 20 * MB), "--pin=false")
    leaf = kubo.run("refs", root).stdout.decode().split()[-1]
    kubo.run("block", "rm", leaf)
    peer.ctl("pin", "add", "--no-status", root)
    row = until_status(peer, root, "pin_error")
    check("IPFS error (pin/add)" in row["error"] and "could not find" in row["error"], f"the daemon's words must be shown: {row}")
    check(root not in kubo.pins("recursive"), "a failed pin is no pin")
    print(f"ok: a late error: {row['error']}", flush=True)
    check(peer.stop() == 0, "the peer must stop in order")


def large_pin(test, peer, kubo):
    """Progress shows while a pin runs; an unpin in its middle stops the fetch."""
    source = Kubo(test, name="source")
    source.daemon()
    root = source.add(random_file(test.work, "huge", LARGE), "--pin=false")
    total = 1 + len(source.run("refs", "-r", "--unique", root).stdout.split())
    kubo.run("swarm", "connect", source.address)
    peer.ctl("pin", "add", "--no-status", root)
    # The source runs for short moments only, so that the pin cannot end by itself; Kubo counts twice a second.
    seen, end = set(), time.monotonic() + 60
    while len(seen) < 2:
        source.process.send_signal(signal.SIGCONT)
        time.sleep(0.1)
        source.process.send_signal(signal.SIGSTOP)
        time.sleep(0.7)
        row = peer.status(root)[peer.name]
        check(row["status"] in ("pin_queued", "pinning"), f"the pin is over too soon: {row}")
        if row.get("fetched_blocks"):
            seen.add(row["fetched_blocks"])
        check(time.monotonic() < end, f"status must show progress: {row}")
    try:
        peer.ctl("pin", "rm", "--no-status", root)
        wait_until(30, "the unpin is done", lambda: peer.status(root)[peer.name]["status"] == "unpinned")
    finally:
        source.process.send_signal(signal.SIGCONT)
    # What was asked for before may still come; then nothing more does.
    counts = []

    def settled():
        counts.append(kubo.run("refs", "local").stdout.count(b"\n"))
        return len(counts) > 4 and len(set(counts[-4:])) == 1

    wait_until(60, f"Kubo's fetch ends; blocks held {counts[-5:]}", settled, pause=0.5)
    check(counts[-1] < total, f"Kubo fetched all {total} blocks after the unpin")
    check(root not in kubo.pins("recursive"), "Kubo must not hold the pin")
    print(f"ok: progress {sorted(seen)} of {total} blocks; the unpin left {counts[-1]} blocks in the repository", flush=True)


def three_peers(test):
    kubos = [Kubo(test, name=f"kubo{i}") for i in (1, 2, 3)]
    for kubo in kubos:
        kubo.daemon()
    peers = []
    for i, kubo in enumerate(kubos, 1):
        peer = peer_beside(test, kubo, f"p{i}", secret=peers[0].secret if peers else None)
        peers.append(peer.start(*(["--bootstrap", peers[0].address] if peers else [])))
    first = peers[0]
    wait_until(60, "every peer sees three members",
               lambda: all(len(json.loads(p.request("GET", "/id")[2]).get("cluster_peers") or []) == 3 for p in peers))
    wait_until(60, "the daemons of the members are connected",
               lambda: all(len(k.run("swarm", "peers").stdout.split()) >= 1 for k in kubos))
    path = random_file(test.work, "shared", 5 * MB)
    root = first.add("--rmin", "2", "--rmax", "2", path)

    def holders(cid):
        return [k.name for k in kubos if cid in k.pins("recursive")]

    wait_until(60, f"two daemons hold {root}: {holders(root)}", lambda: len(holders(root)) == 2)
    for p in peers:
        check(hashlib.sha256(p.ctl("cat", root).stdout).hexdigest() == digest(path), f"{p.name} gives other bytes")
    # What one daemon has, the others fetch from it.
    known = kubos[1].add(random_file(test.work, "at-one", 2 * MB), "--pin=false")
    first.ctl("pin", "add", "--no-status", "--rmin", "3", "--rmax", "3", known)
    wait_until(90, f"three daemons hold {known}: {holders(known)}", lambda: len(holders(known)) == 3)
    first.ctl("pin", "rm", "--no-status", root)
    wait_until(60, f"no daemon holds {root}: {holders(root)}", lambda: not holders(root))
    print("ok: three peers beside three daemons", flush=True)
    for p in peers:
        check(p.stop() == 0, f"{p.name} must stop in order")


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        kubo = Kubo(test)
        kubo.daemon()
        peer = peer_beside(test, kubo, env={"CLUSTER_IPFSHTTP_PINTIMEOUT": "3s"}).start()
        pins_and_unpins(test, peer, kubo)
        adds_and_reads(test, peer, kubo)
        missing_blocks(peer)
        # The source stands still on purpose: that must not look like a pin that has stopped.
        check(peer.stop() == 0, "the peer must stop in order")
        peer.env["CLUSTER_IPFSHTTP_PINTIMEOUT"] = "60s"
        peer.start()
        large_pin(test, peer, kubo)
        check(peer.stop() == 0, "the peer must stop in order")
        late_error(test)
        three_peers(test)


run(main)
