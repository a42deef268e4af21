"""After an import the daemon's list is read once, and what it holds already is not pinned again: 100 000 pins cost no pin/add. A list
that the daemon breaks off changes no status. With the stub daemon of bench/, which counts the calls."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, run, wait_until  # noqa: E402
from stub import Stub, count_by_status, import_pins, make_pins, put_beside  # noqa: E402

SEED = 9
MORE = 40  # of the imported ones, not held


def resident_mb(peer):
    with open(f"/proc/{peer.process.pid}/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM:"))


def main():
    parser = arguments(__doc__)
    parser.add_argument("--stub", required=True, help="path of icl_bench_stub_daemon")
    parser.add_argument("--load", required=True, help="path of icl_bench_load")
    parser.add_argument("--pins", type=int, default=100_000)
    args = parser.parse_args()
    pins_held = args.pins
    with ProcessTest(args) as test:
        stub = Stub(test, args.stub, "--held", f"{SEED}:0:{pins_held}")
        peer = put_beside(test.peer("peer1").init(), stub)
        import_pins(test, peer, make_pins(args.load, os.path.join(test.work, "pins.json"), SEED, pins_held + MORE))
        peer.start()
        wait_until(600, "every imported pin is pinned", lambda: count_by_status(peer) == {"pinned": pins_held + MORE}, pause=2)
        calls = stub.calls()
        check(calls.get("pin/add", 0) == MORE, f"{pins_held} pins were held already, {MORE} were not: {calls}")
        # Some of the first rows are asked about one by one, before it shows that they are many.
        check(calls.get("pin/ls", 0) <= pins_held // 100, f"one list, not a question for each: {calls}")
        print(f"ok: {pins_held + MORE} imported, calls {calls}, peak memory {resident_mb(peer):.0f} MB", flush=True)
        check(peer.stop() == 0, "the peer must stop in order")
        # The same records beside a daemon whose list breaks off.
        broken = Stub(test, args.stub, "--held", f"{SEED}:0:10", "--cut-listing-after", "5")
        put_beside(peer, broken).start()
        code, _, body = peer.request("POST", "/pins/sync", timeout=120)
        check(code == 500, f"sync over a list that breaks off: {code} {body[:300]}")
        check(count_by_status(peer) == {"pinned": pins_held + MORE}, "a list that broke off must change no status")
        print(f"ok: a list that breaks off: {json.loads(body)['message'][-200:]}", flush=True)
        check(peer.stop() == 0, "the peer must stop in order")


run(main)
