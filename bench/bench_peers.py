"""Peers of any ipfs-cluster-service, the stub daemons behind them and what they use, for cluster_bench.py. Loopback only, ports chosen
by the kernel, everything in one temporary folder; whatever is started dies with the script."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "test", "integration", "process"))
from peers import Failure, check, clean_environment, die_with_parent, free_port, wait_until  # noqa: E402,F401

READY_LIMIT = 120
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
KEY_OF_SYNCS = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(fsync|fdatasync|sync_file_range)\s*$")


class Programs:
    """The load generator and the stub daemon of a build folder."""

    def __init__(self, build):
        self.load = os.path.join(build, "bench", "icl_bench_load")
        self.stub = os.path.join(build, "bench", "icl_bench_stub_daemon")
        for program in (self.load, self.stub):
            check(os.access(program, os.X_OK), f"{program} is not there; build the target {os.path.basename(program)} first")

    def run(self, *args, limit=3600):
        """The load generator's report as a dictionary."""
        done = subprocess.run([self.load, *map(str, args)], capture_output=True, text=True, timeout=limit, preexec_fn=die_with_parent)
        check(done.returncode == 0, f"icl_bench_load {' '.join(map(str, args))} exits {done.returncode}: {done.stderr[-1000:]}")
        return json.loads(done.stdout) if done.stdout else {}

    def start(self, *args):
        """The load generator in the background; its report is on standard output."""
        return subprocess.Popen([self.load, *map(str, args)], stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)


class Service:
    """One ipfs-cluster-service under comparison."""

    def __init__(self, name, path):
        self.name, self.path = name, os.path.abspath(path)
        check(os.access(self.path, os.X_OK), f"{path} is not a program")
        text = subprocess.run([self.path, "init", "--help"], capture_output=True, text=True, env=clean_environment(), timeout=60)
        # Ours chooses between a daemon and its own node; Go's program always has a daemon.
        self.chooses_ipfs = "--ipfs" in text.stdout + text.stderr


class Stubs:
    """Instant stub daemons, all in one process."""

    def __init__(self, bench, count, *args):
        self.process = subprocess.Popen([bench.programs.stub, "--count", str(count), *map(str, args)], stdout=subprocess.PIPE, text=True,
                                        preexec_fn=die_with_parent)
        bench.processes.append(self.process)
        self.addresses = [self.process.stdout.readline().strip() for _ in range(count)]
        check(all(self.addresses), "a stub daemon did not start")

    def counters(self, number):
        connection = http.client.HTTPConnection("127.0.0.1", int(self.addresses[number].rsplit("/", 1)[1]), timeout=30)
        try:
            connection.request("GET", "/bench/counters")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


class BenchPeer:
    def __init__(self, bench, service, folder, daemon):
        """`daemon`: the address of a stub daemon, or None for the node inside the peer."""
        self.bench, self.service, self.folder, self.daemon = bench, service, folder, daemon
        self.log_path = folder + ".log"
        self.env = clean_environment({"CLUSTER_PEERNAME": os.path.basename(folder)})
        self.process = None

    def run(self, *args, limit=3600, ok=True):
        done = subprocess.run([self.service.path, "-c", self.folder, *args], env=self.env, capture_output=True, text=True, timeout=limit,
                              preexec_fn=die_with_parent)
        if ok:
            check(done.returncode == 0, f"{self.service.name} {' '.join(args)} exits {done.returncode}: {done.stderr[-1000:]}")
        return done

    def begin(self, *args):
        """A command beside others; what it says is on standard output."""
        process = subprocess.Popen([self.service.path, "-c", self.folder, *args], env=self.env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=die_with_parent)
        self.bench.processes.append(process)
        return process

    def init(self, secret):
        choice = ["--ipfs", "kubo" if self.daemon else "embedded"] if self.service.chooses_ipfs else []
        self.env["CLUSTER_SECRET"] = secret
        self.run("init", "--consensus", "raft", *choice)
        config = self.config()
        config["cluster"]["secret"] = secret
        self.port, self.api_port = free_port(), free_port()
        config["cluster"]["listen_multiaddress"] = [f"/ip4/127.0.0.1/tcp/{self.port}"]
        config["api"] = {"restapi": config["api"]["restapi"]}
        config["api"]["restapi"]["http_listen_multiaddress"] = self.api
        if self.daemon:
            config["ipfs_connector"]["ipfshttp"]["node_multiaddress"] = self.daemon
        else:
            config["ipfs_connector"]["embedded"]["api_listen_multiaddress"] = []
        self.write_config(config)
        return self

    def found_with(self, others):
        """All of them together found a cluster at their first start."""
        config = self.config()
        config["consensus"]["raft"]["init_peerset"] = [p.id for p in others]
        self.write_config(config)
        with open(os.path.join(self.folder, "peerstore"), "w") as f:
            f.writelines(p.address + "\n" for p in others if p is not self)

    def config(self):
        with open(os.path.join(self.folder, "service.json")) as f:
            return json.load(f)

    def write_config(self, config):
        with open(os.path.join(self.folder, "service.json"), "w") as f:
            json.dump(config, f, indent=2)

    @property
    def id(self):
        with open(os.path.join(self.folder, "identity.json")) as f:
            return json.load(f)["id"]

    @property
    def address(self):
        return f"/ip4/127.0.0.1/tcp/{self.port}/p2p/{self.id}"

    @property
    def api(self):
        return f"/ip4/127.0.0.1/tcp/{self.api_port}"

    def spawn(self, *args):
        self.mark = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([self.service.path, "-c", self.folder, "daemon", *args], env=self.env, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.bench.processes.append(self.process)
        return self

    def log(self):
        with open(self.log_path, "rb") as f:
            f.seek(self.mark)
            return f.read().decode(errors="replace")

    def wait_ready(self):
        def ready():
            check(self.process.poll() is None, f"{self.service.name} ended while starting:\n{self.log()[-3000:]}")
            return "IPFS Cluster is READY" in self.log()

        wait_until(READY_LIMIT, f"{self.folder} is ready; its log:\n{self.log()[-3000:]}", ready, 0.05)

    def request(self, method, target, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=timeout)
        try:
            connection.request(method, target)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def wait_answers(self, target, limit, status=200):
        """Seconds until a request is answered with success, asked again every millisecond."""
        start = time.monotonic()

        def answered():
            check(self.process.poll() is None, f"{self.service.name} ended while starting:\n{self.log()[-3000:]}")
            try:
                return self.request("GET", target, 10)[0] == status
            except (OSError, http.client.HTTPException):
                return False

        wait_until(limit, f"{target} is answered", answered, 0.001)
        return time.monotonic() - start

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"{self.folder} did not stop within 120 s; its log:\n{self.log()[-3000:]}") from None

    # What the kernel says of the process.

    def memory(self):
        """Resident and peak resident bytes."""
        with open(f"/proc/{self.process.pid}/status") as f:
            values = dict(re.findall(r"^(VmRSS|VmHWM):\s*(\d+) kB", f.read(), re.M))
        return int(values["VmRSS"]) * 1024, int(values["VmHWM"]) * 1024

    def forget_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as f:
            f.write("5")

    def cpu(self):
        """Seconds of processor time, own and in the kernel."""
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def written(self):
        """Bytes sent to the block layer."""
        with open(f"/proc/{self.process.pid}/io") as f:
            return int(re.search(r"^write_bytes: (\d+)", f.read(), re.M).group(1))

    def disk(self):
        return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(self.folder) for name in names)


class SyncCount:
    """Counts fsync and fdatasync of some peers with strace, which slows them: for a short run of its own."""

    def __init__(self, peers):
        self.traces = []
        for peer in peers:
            out = peer.log_path + ".strace"
            trace = subprocess.Popen(["strace", "-f", "-c", "-e", "trace=fsync,fdatasync,sync_file_range", "-o", out, "-p", str(peer.process.pid)],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
            # "strace: Process N attached"; one such line per thread.
            check("attached" in trace.stderr.readline(), "strace cannot attach; the syncs are not counted")
            self.traces.append((trace, out))

    def stop(self):
        """Syncs per peer."""
        counts = []
        for trace, out in self.traces:
            trace.send_signal(signal.SIGINT)
            trace.communicate(timeout=60)
            with open(out) as f:
                counts.append(sum(int(m.group(1)) for m in map(KEY_OF_SYNCS.match, f) if m))
        return counts


def can_trace():
    return shutil.which("strace") is not None
