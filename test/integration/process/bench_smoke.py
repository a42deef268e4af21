"""The benchmark with small numbers: peers beside stub daemons are started, loaded, counted and listed, and every figure that says
whether something went wrong says no. How fast it was is not looked at."""

import json
import os
import subprocess
import sys
import tempfile

from peers import arguments, check, clean_environment, die_with_parent, own_network, run, skip

BENCH = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..", "bench", "cluster_bench.py"))
BIG = 2000  # of --quick


def figures(path, scenario):
    with open(path) as f:
        return json.load(f)[f"{scenario} ours"][0]


def check_pins(groups, scenario):
    pins = groups["pins"]
    for name in ("acknowledged/s", "resident, largest peer", "CPU, all peers, per 1000 acknowledged", "disk written, all peers, per acknowledged"):
        check(pins[name] > 0, f"{scenario}: {name} is {pins[name]}")
    check(pins["errors"] == 0 and pins["not done in time"] == 0, f"{scenario}: {pins}")
    told = groups["100 pins/s"]
    check(told["errors"] == 0 and 0 < told["told p50"] <= told["told, longest"], f"{scenario}: {told}")
    check(groups["reads with pins and unpins"]["reads/s"] > 0, f"{scenario}: {groups}")


def check_big(groups):
    for name in ("GET /allocations", "GET /pins?local=true", "GET /pins"):
        check(groups[name]["rows"] == BIG and groups[name]["errors"] == 0, f"{name}: {groups[name]}")
    joined = groups["a blank peer joins while pins flow"]
    check(joined["errors"] == 0 and joined["acknowledged/s meanwhile"] > 0, f"a blank peer joins: {joined}")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--build", required=True, help="build folder of the bench programs")
    args = parser.parse_args()
    if not os.access(os.path.join(args.build, "bench", "icl_bench_load"), os.X_OK):
        skip("the bench programs are not built (target bench/all)")
    own_network()
    with tempfile.TemporaryDirectory(prefix="icl-bench-smoke.") as work:
        out = os.path.join(work, "table.md")
        done = subprocess.run([sys.executable, "-B", BENCH, "--quick", "--service", f"ours={args.service}", "--build", args.build, "--work", work,
                               "--scenario", "pin1", "--scenario", "pin3", "--scenario", "big3", "--output", out],
                              env=clean_environment(), capture_output=True, text=True, timeout=220, preexec_fn=die_with_parent)
        check(done.returncode == 0, f"cluster_bench.py exits {done.returncode}: {done.stdout[-2000:]}{done.stderr[-3000:]}")
        print(done.stdout)
        for scenario in ("pin1", "pin3"):
            check_pins(figures(out + ".json", scenario), scenario)
        check_big(figures(out + ".json", "big3"))


if __name__ == "__main__":
    run(main)
