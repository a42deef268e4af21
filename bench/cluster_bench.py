#!/usr/bin/env python3
"""The same work for the peers of one or more ipfs-cluster-service programs, and a table of what it took: see README.md."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from bench_peers import BenchPeer, Failure, Programs, Service, Stubs, SyncCount, can_trace, check, wait_until

MB = 1024 * 1024
SECRET = "0badcafe" * 8

# How a figure is shown: unit, digits, and whether more is better (None: neither).
FIGURES = {
    "acknowledged/s": ("", 0, True),
    "latency p50": ("ms", 1, False),
    "latency p99": ("ms", 1, False),
    "errors": ("", 0, False),
    "done at every daemon after the last acknowledgement": ("s", 2, False),
    "not done in time": ("", 0, False),
    "from the first request until the last daemon holds the last": ("s", 2, False),
    "told p50": ("ms", 1, False),
    "told p99": ("ms", 1, False),
    "told, longest": ("ms", 1, False),
    "resident, largest peer": ("MB", 1, False),
    "peak resident, largest peer": ("MB", 1, False),
    "CPU, all peers, per 1000 acknowledged": ("s", 3, False),
    "CPU, all peers": ("s", 2, False),
    "disk written, all peers, per acknowledged": ("B", 0, False),
    "reads/s": ("", 0, True),
    "syncs, all peers": ("", 0, None),
    "acknowledged per sync of one peer": ("", 1, True),
    "time": ("s", 2, False),
    "pins on disk": ("MB", 1, False),
    "first row": ("ms", 1, False),
    "rows": ("", 0, None),
    "peak resident": ("MB", 1, False),
    "resident at rest": ("MB", 1, False),
    "until REST answers": ("ms", 0, False),
    "until ready": ("ms", 0, False),
    "until the newcomer has every pin": ("s", 2, False),
    "leader's growth": ("MB", 1, False),
    "acknowledged/s meanwhile": ("", 0, True),
}


class Bench:
    def __init__(self, args):
        self.args = args
        self.programs = Programs(args.build)
        self.work = tempfile.mkdtemp(prefix="icl-bench.", dir=args.work)
        self.processes = []
        self.folders = 0

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        if self.args.keep:
            print(f"kept: {self.work}", file=sys.stderr)
        else:
            shutil.rmtree(self.work, ignore_errors=True)

    def end_all(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def new_peer(self, service, daemon):
        self.folders += 1
        return BenchPeer(self, service, os.path.join(self.work, f"{self.folders}-{service.name}"), daemon).init(SECRET)

    def cluster(self, service, count, *stub_args):
        """Folders of founders that were not started, and their stub daemons."""
        stubs = Stubs(self, max(count, 1) + 1, *stub_args) if self.args.connector == "ipfshttp" else None
        peers = [self.new_peer(service, stubs and stubs.addresses[i]) for i in range(count)]
        for peer in peers:
            peer.found_with(peers)
        return peers, stubs

    def start(self, peers):
        for peer in peers:
            peer.spawn()
        for peer in peers:
            peer.wait_ready()
            wait_until(60, "every peer sees the others",
                       lambda p=peer: len(json.loads(p.request("GET", "/id")[1]).get("cluster_peers") or []) == len(peers))

    def load_args(self, peers, stubs, requests, seed, clients=None):
        out = ["pin", "--clients", clients or self.args.clients, "--requests", requests, "--seed", seed, "--query",
               "replication-min=-1&replication-max=-1", "--realised-limit", self.args.realised_limit]
        for peer in peers:
            out += ["--api", peer.api]
        for address in stubs.addresses[:len(peers)] if stubs else []:
            out += ["--daemon", address]
        return out

    def fill(self, peers, count):
        """Gives stopped peers a big pinset. Returns how, and the seconds it took. Afterwards they are stopped."""
        path = os.path.join(self.work, "pins.json")
        self.programs.run("make-pins", "--count", count, "--output", path, "--seed", 9)
        start = time.monotonic()
        how = "state import"
        # Side by side, as on machines of their own.
        imports = [p.begin("state", "import", "-f", path) for p in (peers if self.args.import_on == "all" else peers[:1])]
        for process in imports:
            said = process.communicate(timeout=3600)[0].strip().splitlines()
            if process.returncode != 0:
                how = "through REST, as state import failed: " + (said[-1][-200:] if said else f"exit {process.returncode}")
        if how != "state import":
            self.start(peers)
            start = time.monotonic()
            result = self.programs.run(*self.load_args(peers, None, count, 9))
            check(result["errors"] == 0, f"filling through REST: {result['first_error']}")
            for peer in peers:
                peer.stop()
        took = time.monotonic() - start
        os.remove(path)
        return how, took


def megabytes(value):
    return value / MB


def pin_scenario(bench, service, count):
    """A burst of pins by many clients, until every daemon holds them; the same for a short while under strace; then a mix that mostly reads."""
    peers, stubs = bench.cluster(service, count)
    bench.start(peers)
    bench.programs.run(*bench.load_args(peers, stubs, bench.args.clients * 4, 1))  # connections, caches
    before = [(p.cpu(), p.written()) for p in peers]
    for peer in peers:
        peer.forget_peak()
    result = bench.programs.run(*bench.load_args(peers, stubs, bench.args.burst, 2))
    after = [(p.cpu(), p.written()) for p in peers]
    memory = [p.memory() for p in peers]
    acknowledged = max(1, result["acknowledged"])
    out = {
        "acknowledged/s": result["acknowledged_per_second"],
        "latency p50": result["latency_ms"]["pin"]["p50"],
        "latency p99": result["latency_ms"]["pin"]["p99"],
        "errors": result["errors"],
        "resident, largest peer": megabytes(max(m[0] for m in memory)),
        "peak resident, largest peer": megabytes(max(m[1] for m in memory)),
        "CPU, all peers, per 1000 acknowledged": sum(a[0] - b[0] for a, b in zip(after, before)) * 1000 / acknowledged,
        "disk written, all peers, per acknowledged": sum(a[1] - b[1] for a, b in zip(after, before)) / acknowledged,
    }
    if result["errors"]:
        print(f"  first error: {result['first_error']}", file=sys.stderr)
    if stubs:
        out["done at every daemon after the last acknowledgement"] = result["realised_seconds"]
        out["not done in time"] = result["missing"]
        out["from the first request until the last daemon holds the last"] = result["seconds"] + result["realised_seconds"]
    if not can_trace():
        print("  strace is not there: syncs are not counted", file=sys.stderr)
    else:
        syncs = SyncCount(peers)
        traced = bench.programs.run(*bench.load_args(peers, None, max(bench.args.clients, bench.args.burst // 10), 3))
        counts = syncs.stop()
        check(all(counts) and traced["acknowledged"], f"syncs per peer: {counts}, acknowledged: {traced['acknowledged']}")
        out["syncs, all peers"] = sum(counts)
        out["acknowledged per sync of one peer"] = traced["acknowledged"] / (sum(counts) / len(counts))
    groups = {"pins": out}
    if stubs:
        groups[f"{bench.args.told_rate} pins/s"] = told(bench, peers, stubs)
    mixed = bench.programs.run(*bench.load_args(peers, None, bench.args.burst, 4), "--pins", 1, "--unpins", 1, "--gets", 8)
    if mixed["errors"]:
        print(f"  first error of the mix: {mixed['first_error']}", file=sys.stderr)
    groups["reads with pins and unpins"] = {"reads/s": mixed["reads_per_second"], "acknowledged/s": mixed["acknowledged_per_second"],
                                            "latency p50": mixed["latency_ms"]["get"]["p50"],
                                            "latency p99": mixed["latency_ms"]["get"]["p99"], "errors": mixed["errors"]}
    return groups


def told(bench, peers, stubs):
    """How long it takes from each request until the daemon beside the peer that was asked holds the pin, at a rate that is no burst."""
    rate = bench.args.told_rate
    got = bench.programs.run(*bench.load_args(peers, stubs, rate * bench.args.told_seconds, 6), "--rate", rate, "--told")
    if got["errors"]:
        print(f"  first error at {rate} pins/s: {got['first_error']}", file=sys.stderr)
    latency = got["latency_ms"]["told"]
    return {"acknowledged/s": got["acknowledged_per_second"], "told p50": latency["p50"], "told p99": latency["p99"],
            "told, longest": latency["max"], "errors": got["errors"]}


def big_scenario(bench, service, count):
    """A big pinset: import, start, rest, lists."""
    big = bench.args.big
    peers, stubs = bench.cluster(service, count, "--held", f"9:0:{big}")
    how, took = bench.fill(peers, big)
    print(f"  filled: {how}, {took:.1f} s", file=sys.stderr)
    groups = {}
    if how == "state import":
        groups["import"] = {"time": took, "pins on disk": megabytes(peers[0].disk())}
    for peer in peers:
        peer.spawn()
    answered = peers[0].wait_answers("/id", READY_REST)
    peers[0].wait_ready()
    groups["start"] = {"until REST answers": answered * 1000}
    for peer in peers[1:]:
        peer.wait_ready()
    time.sleep(bench.args.rest)
    groups["rest"] = {"resident at rest": megabytes(max(p.memory()[0] for p in peers)),
                      "peak resident": megabytes(max(p.memory()[1] for p in peers))}
    for name, target in (("GET /allocations", "/allocations"), ("GET /pins?local=true", "/pins?local=true"), ("GET /pins", "/pins")):
        for peer in peers:
            peer.forget_peak()
        got = bench.programs.run("list", "--api", peers[0].api, "--target", target)
        groups[name] = {"first row": got["first_row_seconds"] * 1000, "time": got["seconds"], "rows": got["rows"],
                        "errors": int(got["status"] != 200 or got["error"] != "" or got["rows"] != big),
                        "peak resident": megabytes(max(p.memory()[1] for p in peers))}
        if groups[name]["errors"]:
            print(f"  {name}: {got}", file=sys.stderr)
    groups["POST /pins/recover"] = compare(bench, peers)
    if count > 1:
        groups["a blank peer joins while pins flow"] = join(bench, service, peers, stubs, big)
    return groups


def compare(bench, peers):
    """Every peer compares all its records with the list of its daemon, which holds everything: nothing is found that must be queued again.
    `recover`, as Go's program has no `sync`; in ours both begin with the same comparison."""
    before = [p.cpu() for p in peers]
    for peer in peers:
        peer.forget_peak()
    start = time.monotonic()
    status, body = peers[0].request("POST", "/pins/recover", timeout=3600)
    took = time.monotonic() - start
    rows = body.count(b"\n")
    if status not in (200, 204) or rows:
        print(f"  POST /pins/recover: {status}, {rows} rows: {body[:500]}", file=sys.stderr)
    return {"time": took, "errors": int(status not in (200, 204)), "rows": rows, "peak resident": megabytes(max(p.memory()[1] for p in peers)),
            "CPU, all peers": sum(p.cpu() - b for p, b in zip(peers, before))}


def join(bench, service, peers, stubs, big):
    for peer in peers:
        peer.forget_peak()
    before = [p.memory()[0] for p in peers]
    flow = bench.programs.start(*bench.load_args(peers, None, 10**9, 5, clients=8), "--rate", bench.args.join_rate, "--limit",
                                bench.args.join_limit)
    newcomer = bench.new_peer(service, stubs and stubs.addresses[len(peers)])
    start = time.monotonic()
    newcomer.spawn("--bootstrap", peers[0].address)
    newcomer.wait_ready()
    ready = time.monotonic() - start

    def has_all():
        got = bench.programs.run("list", "--api", newcomer.api, "--target", "/allocations")
        return got["rows"] >= big

    wait_until(bench.args.join_limit, "the newcomer has every pin", has_all, 0.5)
    took = time.monotonic() - start
    grown = max(p.memory()[1] - b for p, b in zip(peers, before))
    flow.terminate() if flow.poll() is None and took > bench.args.join_limit else None
    report = json.loads(flow.communicate(timeout=bench.args.join_limit + 60)[0] or "{}")
    return {"until ready": ready * 1000, "until the newcomer has every pin": took, "leader's growth": megabytes(grown),
            "peak resident": megabytes(max(p.memory()[1] for p in peers + [newcomer])),
            "acknowledged/s meanwhile": report.get("acknowledged_per_second", 0), "errors": report.get("errors", 0)}


READY_REST = 300

SCENARIOS = {
    "pin1": ("one peer", lambda b, s: pin_scenario(b, s, 1)),
    "pin3": ("three peers", lambda b, s: pin_scenario(b, s, 3)),
    "big1": ("one peer, big pinset", lambda b, s: big_scenario(b, s, 1)),
    "big3": ("three peers, big pinset", lambda b, s: big_scenario(b, s, 3)),
}


def shown(value, unit, digits):
    return f"{value:.{digits}f}{' ' + unit if unit else ''}"


def table(bench, results):
    names = [s.name for s in bench.services]
    two = len(names) == 2
    lines = ["| work | figure | " + " | ".join(names) + (f" | {names[0]} / {names[1]} |" if two else " |"),
             "|---|---|" + "---|" * (len(names) + two)]
    for scenario, (title, _) in SCENARIOS.items():
        groups = {}
        for name in names:
            for run in results.get((scenario, name), []):
                for group, figures in run.items():
                    for figure in figures:
                        groups.setdefault(group, {}).setdefault(figure, None)
        for group, figures in groups.items():
            for figure in figures:
                unit, digits, _ = FIGURES[figure]
                medians = []
                for name in names:
                    values = [run[group][figure] for run in results.get((scenario, name), []) if figure in run.get(group, {})]
                    medians.append(statistics.median(values) if values else None)
                cells = [shown(m, unit, digits) if m is not None else "–" for m in medians]
                if two:
                    both = None not in medians and medians[1] != 0
                    cells.append(f"{medians[0] / medians[1]:.2f}" if both else "–")
                lines.append(f"| {title}: {group} | {figure} | " + " | ".join(cells) + " |")
    return lines


def header(bench, started):
    load = ", ".join(f"{v:.1f}" for v in started)
    a = bench.args
    return [f"{os.cpu_count()} processors, which also run the load and the stub daemons; load average before: {load}"
            + (" (**the machine was busy: only ratios mean something**)" if started[0] > 0.5 else "") + ".",
            f"{a.clients} clients, bursts of {a.burst}, big pinset {a.big}, medians of {a.runs} alternating runs, IPFS connector {a.connector}.", ""]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--service", action="append", required=True, metavar="[NAME=]PATH", help="an ipfs-cluster-service; repeat to compare")
    parser.add_argument("--build", default=os.path.join(here, "..", "build", "release"), help="build folder of the bench programs")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="repeat for several; default: all")
    parser.add_argument("--connector", choices=("ipfshttp", "embedded"), default="ipfshttp",
                        help="embedded: the node inside our peer, where pins of absent content only queue")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--burst", type=int, default=20000, help="pins per run")
    parser.add_argument("--big", type=int, default=1000000, help="pins of the big pinset")
    parser.add_argument("--rest", type=float, default=10, help="seconds of rest before memory is read")
    parser.add_argument("--told-rate", type=int, default=900, help="pins per second while it is measured how soon each is told")
    parser.add_argument("--told-seconds", type=int, default=5, help="seconds of that")
    parser.add_argument("--realised-limit", type=int, default=120, help="seconds to wait for the daemons")
    parser.add_argument("--import-on", choices=("all", "first"), default="all", help="which peers' folders state import is run on")
    parser.add_argument("--join-rate", type=int, default=200, help="pins per second while a peer joins")
    parser.add_argument("--join-limit", type=int, default=120, help="seconds of that")
    parser.add_argument("--quick", action="store_true", help="small numbers, one run: shows that it works, not how fast")
    parser.add_argument("--work", help="where the peers' folders are made (default: the temporary folder)")
    parser.add_argument("--output", help="also write the table to this file, and every run to FILE.json")
    parser.add_argument("--keep", action="store_true", help="keep the peers' folders and logs")
    args = parser.parse_args()
    if args.quick:
        args.runs, args.clients, args.burst, args.big, args.rest, args.join_limit = 1, 16, 800, 2000, 1, 8
        args.told_rate, args.told_seconds = 100, 2
    return args


def main():
    args = arguments()
    bench, started, results = None, os.getloadavg(), {}
    try:
        bench = Bench(args)
        bench.services = []
        for number, text in enumerate(args.service):
            name, _, path = text.rpartition("=")
            bench.services.append(Service(name or f"service{number + 1}", path))
        for run in range(args.runs):
            for scenario in args.scenario or SCENARIOS:
                order = bench.services if run % 2 == 0 else bench.services[::-1]
                for service in order:
                    print(f"run {run + 1}: {SCENARIOS[scenario][0]}, {service.name}", file=sys.stderr, flush=True)
                    figures = SCENARIOS[scenario][1](bench, service)
                    print("  " + json.dumps(figures), file=sys.stderr, flush=True)
                    results.setdefault((scenario, service.name), []).append(figures)
                    bench.end_all()
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    finally:
        if bench:
            bench.close()
    lines = header(bench, started) + table(bench, results)
    print("\n".join(lines))
    if args.output:
        with open(args.output, "w") as f:
            f.write("\n".join(lines) + "\n")
        with open(args.output + ".json", "w") as f:
            json.dump({f"{scenario} {name}": runs for (scenario, name), runs in results.items()}, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
