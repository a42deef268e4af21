"""A founder whose consensus data is gone does not found a second cluster while the others are away: it waits for the members that it
remembers, says so, and comes back as a newcomer that lacks nothing. Variants: the others start long after it; it is told to found anew; it
is cleaned up; a peer that was to join and was killed before it was taken in."""

import json
import os
import shutil
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from migration import service  # noqa: E402
from peers import ProcessTest, arguments, check, raw_cid, run, wait_until  # noqa: E402

LIMIT = 60
# What the program waited for before it founded, and a little.
PATIENCE = 12
FOUND_ALONE = "--found-alone"


def pin(peer, text, timeout=30):
    """The status of a pin with as many copies as there are members."""
    cid = raw_cid(text.encode())
    status, _, body = peer.request("POST", f"/pins/{cid}?replication-min=-1&replication-max=-1&name={urllib.parse.quote(text)}", timeout=timeout)
    return cid, status, body


def members(peer):
    return sorted(json.loads(peer.request("GET", "/id")[2]).get("cluster_peers") or [])


def waits(peer):
    """It says on /health, /id and in ctl id that it waits."""
    status, _, body = peer.request("GET", "/health")
    if status != 503:
        return None
    text = json.loads(body)["message"]
    said = json.loads(peer.request("GET", "/id")[2])["error"]
    check(said == text, f"/id says {said!r}, /health {text!r}")
    shown = peer.ctl("id").stdout.decode()
    check(text in shown, f"ctl id shows {shown}")
    return text


def lose_data(peer):
    peer.kill()
    shutil.rmtree(os.path.join(peer.folder, "raft"))


def refuses_pins(peer):
    before = time.monotonic()
    _, status, body = pin(peer, "must not be acknowledged")
    check(status >= 500 and FOUND_ALONE in body, f"POST /pins of a peer that waits: {status} {body}")
    check(time.monotonic() - before < 5, "it refuses at once")


def waits_and_comes_back(test):
    a, b, c = test.cluster(3)
    everybody = sorted([a.id, b.id, c.id])
    acknowledged = {cid for cid, status, _ in (pin(p, f"item of {p.name}") for p in (a, b, c)) if status == 200}
    check(len(acknowledged) == 3, f"three pins are acknowledged: {acknowledged}")
    wait_until(LIMIT, "the founder has written down whom to wait for", lambda: set(remembered(a)["members"]) == {b.id, c.id})
    for p in (b, c):
        p.kill()
    lose_data(a)
    mark = os.path.getsize(a.log_path)
    a.spawn()
    text = wait_until(PATIENCE + LIMIT, "the founder says that it waits", lambda: a.alive() and rest_answers(a) and waits(a))
    check("remembers 2 other members" in text and FOUND_ALONE in text, f"it says: {text}")
    check("remembers 2 other members" in a.log_from(mark), f"its log says it, too:\n{a.tail()}")
    refuses_pins(a)
    check("READY" not in a.log_from(mark), "it is not ready alone")
    for p in (b, c):
        p.spawn()
    wait_until(LIMIT, "the founder is a member again", lambda: a.request("GET", "/health")[0] == 204 and members(a) == everybody)
    for p in (a, b, c):
        wait_until(LIMIT, f"{p.name} has every acknowledged pin", lambda: p.allocations() == acknowledged)
    cid, status, body = pin(a, "after it came back")
    check(status == 200, f"it accepts pins again: {status} {body}")
    wait_until(LIMIT, "all three hold it", lambda: set(s["status"] for n, s in b.status(cid).items()) <= {"pinned", "pinning", "pin_queued"}
               and len(b.status(cid)) == 3)
    return a, b, c


def remembered(peer):
    path = os.path.join(peer.folder, "members.json")
    if not os.path.exists(path):
        return {"members": [], "joining": None}
    with open(path) as f:
        return json.load(f)


def rest_answers(peer):
    try:
        return peer.request("GET", "/version")[0] == 200
    except OSError:
        return False


def founds_when_told_to(test, a, b, c):
    """Once by the flag, once by a cleanup: a cluster of its own, and the old members are told."""
    for p in (b, c):
        p.kill()
    lose_data(a)
    a.start(FOUND_ALONE, limit=LIMIT)
    check(members(a) == [a.id], f"it is alone: {members(a)}")
    check(pin(a, "in the new cluster")[1] == 200, "the new cluster agrees on pins")
    marks = {p: os.path.getsize(p.log_path) for p in (b, c)}
    for p in (b, c):
        p.spawn()  # they are two of three
    wait_until(LIMIT, "whoever leads them says that the founder is in another cluster",
               lambda: any("belongs to another cluster" in p.log_from(marks[p]) for p in (b, c)))
    for p in (b, c):
        wait_until(LIMIT, f"{p.name} serves", lambda: rest_answers(p) and pin(p, "without the founder")[1] == 200)
        check(a.id in members(p), "it counts it as a member until it is removed")
    check(a.stop() == 0, "it stops")
    done = service(test, a.folder, "state", "cleanup", "-f")
    check(done.returncode == 0 and remembered(a)["members"] == [], f"cleanup: {done.stderr}")
    # Somebody knows it: it joins them instead.
    a.start(limit=LIMIT)
    wait_until(LIMIT, "it is back in the first cluster", lambda: members(a) == sorted([a.id, b.id, c.id]))


def a_joiner_founds_nothing(test):
    d = test.peer("peer4").init()
    d.spawn("--bootstrap", f"/ip4/127.0.0.1/tcp/1/p2p/{test.peers[0].id}")
    wait_until(LIMIT, "it has noted that it is to join", lambda: remembered(d)["joining"])
    d.kill()
    shutil.rmtree(os.path.join(d.folder, "raft"), ignore_errors=True)
    mark = os.path.getsize(d.log_path)
    d.spawn()
    text = wait_until(PATIENCE + LIMIT, "it says that it is in no cluster", lambda: d.alive() and rest_answers(d) and waits(d))
    check("in no cluster yet" in text, f"it says: {text}")
    check("READY" not in d.log_from(mark) and members(d) == [], f"it has founded nothing:\n{d.tail()}")
    check(d.stop() == 0, "it stops")
    d.start(FOUND_ALONE, limit=LIMIT)
    check(members(d) == [d.id], "told to, it founds")


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        founds_when_told_to(test, *waits_and_comes_back(test))
        a_joiner_founds_nothing(test)


if __name__ == "__main__":
    run(main)
