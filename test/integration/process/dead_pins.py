"""Pins that nobody has do not keep the others back: old pins that were imported are all done within the time that they need alone and ten seconds
of one worker for each dead one among them, with the settings of a new peer. With the stub daemon of bench/, which answers for a dead item as Kubo
does when nobody has it: it goes on saying that nothing has come. `--good 5000 --dead 400` takes seven minutes."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, run, wait_until  # noqa: E402
from stub import Stub, count_by_status, import_pins, make_pins, put_beside  # noqa: E402

GOOD_SEED, DEAD_SEED, FRESH_SEED = 9, 10, 11
WORKERS = 10
PATIENCE = 10  # seconds without progress until a pin gives its worker away
SLACK = 5  # of the machine; one dead pin more for each worker would take ten


def interleave(good, dead, output):
    with open(good) as g, open(dead) as d, open(output, "w") as out:
        out.write(g.read() + d.read())  # the import puts them in the order of their CIDs, which are spread like hashes
    return output


def time_for(test, args, name, good, dead):
    """Seconds from the start of a peer with these pins until the daemon holds all good ones; and the peer."""
    stub = Stub(test, args.stub, "--dead-seed", str(DEAD_SEED))
    peer = put_beside(test.peer(name).init(), stub)
    files = [make_pins(args.load, os.path.join(test.work, f"{name}.{seed}.json"), seed, count)
             for seed, count in ((GOOD_SEED, good), (DEAD_SEED, dead))]
    import_pins(test, peer, interleave(*files, os.path.join(test.work, f"{name}.json")))
    peer.start()
    begin = time.monotonic()
    limit = 60 + 2 * dead * PATIENCE / WORKERS
    wait_until(limit, f"all {good} good pins are held", lambda: stub.ask("GET", "/bench/counters")["pins"] == good, pause=0.2)
    return time.monotonic() - begin, peer


def main():
    parser = arguments(__doc__)
    parser.add_argument("--stub", required=True, help="path of icl_bench_stub_daemon")
    parser.add_argument("--load", required=True, help="path of icl_bench_load")
    parser.add_argument("--good", type=int, default=400)
    parser.add_argument("--dead", type=int, default=25)
    args = parser.parse_args()
    with ProcessTest(args) as test:
        alone, peer = time_for(test, args, "alone", args.good, 0)
        check(peer.stop() == 0, "the peer must stop in order")
        took, peer = time_for(test, args, "mixed", args.good, args.dead)
        bound = alone + args.dead * PATIENCE / WORKERS + SLACK
        print(f"{args.good} good pins: {alone:.1f} s alone, {took:.1f} s with {args.dead} dead ones among them, bound {bound:.1f} s", flush=True)
        check(took <= bound, f"{took:.1f} s instead of {bound:.1f} s")
        counts = count_by_status(peer)
        check(counts.pop("pinned", 0) == args.good, f"good ones are shown as pinned: {counts}")
        check(sum(counts.values()) == args.dead and set(counts) <= {"pinning", "pin_queued", "pin_error"},
              f"dead ones are shown as being tried, or failed: {counts}")
        with open(make_pins(args.load, os.path.join(test.work, "fresh.json"), FRESH_SEED, 1)) as file:
            fresh = json.loads(file.readline())["cid"]
        code, _, body = peer.request("POST", f"/pins/{fresh}")
        check(code == 200, f"POST /pins: {code} {body}")
        wait_until(5, "a new pin does not wait for dead ones", lambda: count_by_status(peer).get("pinned") == args.good + 1, pause=0.1)
        # Those that wait at the daemon end with the peer.
        begin = time.monotonic()
        check(peer.stop() == 0, "the peer must stop in order")
        check(time.monotonic() - begin < 10, f"stopping took {time.monotonic() - begin:.1f} s")


run(main)
