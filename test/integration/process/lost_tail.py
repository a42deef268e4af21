"""Peers whose database gives back less than was synced. One alone puts its data aside and comes back as a new peer that lacks nothing;
when all of them have lost something they stop, keep everything, and go on once somebody accepts the loss."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from founder_without_disk import members, pin  # noqa: E402
from migration import service  # noqa: E402
from peers import ProcessTest, arguments, check, run, wait_until  # noqa: E402

LIMIT = 60
# How long a peer asks the others, and a little.
PATIENCE = 20 + 20
PINS = 30


def floor(peer):
    path = os.path.join(peer.folder, "raft", "floor.json")
    if not os.path.exists(path):
        return 0
    with open(path) as f:
        return int(json.load(f)["last_index"])


def pin_some(peers, name):
    """Acknowledged pins whose syncs the floor of each peer covers."""
    before = max(floor(p) for p in peers)
    cids = set()
    for i in range(PINS):
        cid, status, body = pin(peers[i % len(peers)], f"{name} {i}")
        check(status == 200, f"a pin is acknowledged: {status} {body}")
        cids.add(cid)
    for p in peers:
        wait_until(LIMIT, f"the floor of {p.name} follows", lambda: floor(p) >= before + PINS)
    return cids


def cut_log(peer):
    """Takes the last part of the newest write-ahead log away."""
    folder = os.path.join(peer.folder, "raft", "db")
    newest = max(n for n in os.listdir(folder) if n.endswith(".log"))
    path = os.path.join(folder, newest)
    os.truncate(path, os.path.getsize(path) * 9 // 10)


def one_alone(peers):
    cids = pin_some(peers, "one alone")
    hurt = peers[1]
    hurt.kill()
    cut_log(hurt)
    mark = os.path.getsize(hurt.log_path)
    hurt.start(limit=LIMIT)
    log = hurt.log_from(mark)
    check("synced data is missing" in log and "comes back as a new one" in log, f"it says what it does:\n{hurt.tail(40)}")
    check(os.path.isdir(os.path.join(hurt.folder, "raft.old.0", "db")), "the old data is kept")
    for p in peers:
        wait_until(LIMIT, f"{p.name} has every acknowledged pin and three members",
                   lambda: cids <= p.allocations() and members(p) == sorted(x.id for x in peers))
    return cids


def all_of_them(test, peers, cids):
    pin_some(peers, "all of them")
    for p in peers:
        p.kill()
        cut_log(p)
    for p in peers:
        p.spawn()
    for p in peers:
        check(p.process.wait(PATIENCE) == 1, f"{p.name} stops with an error:\n{p.tail()}")
        check("state accept-loss" in p.tail() and "too few say that their data is whole" in p.tail(), f"it says why:\n{p.tail()}")
    for p in peers:
        done = service(test, p.folder, "state", "accept-loss", "-f")
        check(done.returncode == 0 and "The log ends with entry" in done.stdout, f"accept-loss: {done}")
        p.spawn()
    # One that kept more than the two that went on first finds that out, ends, and comes back as a new peer when it is started again.
    for p in peers:
        wait_until(2 * LIMIT, f"{p.name} serves again", lambda: (p.alive() or p.spawn()) and serves(p))
    for p in peers:
        wait_until(LIMIT, f"{p.name} has what was not lost", lambda: cids <= p.allocations())


def serves(peer):
    try:
        return pin(peer, f"after the loss, {peer.name}")[1] == 200
    except OSError:
        return False


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        peers = test.cluster(3)
        all_of_them(test, peers, one_alone(peers))


if __name__ == "__main__":
    run(main)
