"""Peers as real processes, for the tests of this folder: folders in a temporary place, listeners on 127.0.0.1, ports chosen by
`init --randomports`. Whatever a test starts dies with it, also when the test itself is killed."""

import argparse
import base64
import ctypes
import fcntl
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

SKIPPED = 77

# Short intervals, so that elections, metrics and repairs take seconds.
FAST = {
    "CLUSTER_MONITORPINGINTERVAL": "1s",
    "CLUSTER_PEERWATCHINTERVAL": "1s",
    "CLUSTER_PUBSUBMON_CHECKINTERVAL": "1s",
    "CLUSTER_PUBSUB_HEARTBEATINTERVAL": "1s",
    "CLUSTER_DISK_METRICTTL": "4s",
    "CLUSTER_TAGS_METRICTTL": "4s",
    "CLUSTER_PINQUEUE_METRICTTL": "4s",
}

# What sanitizers and assertions leave in a log.
REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:", "a broken invariant stops", "terminate called")
STOP_LIMIT = 30


class Failure(Exception):
    """A check that did not hold; the text says what was expected and what was seen."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def skip(why):
    print(f"SKIPPED: {why}", flush=True)
    sys.exit(SKIPPED)


def clean_environment(extra=None):
    """This process's environment without the settings of clusters that it may carry."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("CLUSTER_", "IPFS_", "LIBP2P_", "GOLOG_"))}
    env.update(extra or {})
    return env


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
outside = None  # the network namespace this program came from, once it has one of its own


def own_network():
    """As root: from here on this thread and what it starts have a loopback device of their own, so that no test that runs at the same
    time is given a port that this one has chosen and does not listen on yet."""
    global outside
    if outside is not None or os.geteuid() != 0:
        return
    before = os.open("/proc/self/ns/net", os.O_RDONLY)
    if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
        os.close(before)
        return
    outside = before
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


def in_outside_network():
    """preexec_fn of what may have to fetch something."""
    if outside is not None:
        ctypes.CDLL(None).setns(outside, CLONE_NEWNET)


def wait_until(limit, what, probe, pause=0.1):
    """Repeats `probe` until it returns something true, which is returned."""
    end = time.monotonic() + limit
    while True:
        seen = probe()
        if seen:
            return seen
        if time.monotonic() > end:
            raise Failure(f"expected within {limit} s: {what}")
        time.sleep(pause)


def free_port(given=set()):  # noqa: B006: what this process was given is remembered
    """A port of loopback that nobody listens on, another one at each call."""
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in given:
            given.add(port)
            return port


def raw_cid(data):
    """CIDv1 of `data` as one raw block."""
    return "b" + base64.b32encode(b"\x01\x55\x12\x20" + hashlib.sha256(data).digest()).decode().lower().rstrip("=")


class Peer:
    """One peer: its folder, its process and its REST API."""

    def __init__(self, test, name, env=None):
        self.test, self.name = test, name
        self.folder = os.path.join(test.work, name)
        self.log_path = os.path.join(test.work, name + ".log")
        self.env = clean_environment({**FAST, "CLUSTER_PEERNAME": name, **(env or {})})
        self.process = None

    def init(self, *args, secret=None):
        env = dict(self.env)
        if secret is not None:
            env["CLUSTER_SECRET"] = secret
        done = subprocess.run([self.test.service, "-c", self.folder, "init", "--consensus", "raft", "--ipfs", "embedded",
                               "--randomports", *args], env=env, capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"init of {self.name} failed: {done.stderr}")
        config = self.config()
        config["cluster"]["listen_multiaddress"] = [f"/ip4/127.0.0.1/tcp/{self.cluster_port(config)}"]
        self.write_config(config)
        return self

    def config_path(self):
        return os.path.join(self.folder, "service.json")

    def config(self):
        with open(self.config_path()) as f:
            return json.load(f)

    def write_config(self, config):
        with open(self.config_path(), "w") as f:
            json.dump(config, f, indent=2)

    def cluster_port(self, config=None):
        listen = (config or self.config())["cluster"]["listen_multiaddress"]
        listen = [listen] if isinstance(listen, str) else listen
        return next(re.search(r"/tcp/(\d+)", a).group(1) for a in listen if "/tcp/" in a)

    @property
    def id(self):
        with open(os.path.join(self.folder, "identity.json")) as f:
            return json.load(f)["id"]

    @property
    def secret(self):
        return self.config()["cluster"]["secret"]

    @property
    def address(self):
        return f"/ip4/127.0.0.1/tcp/{self.cluster_port()}/p2p/{self.id}"

    @property
    def api(self):
        listen = self.config()["api"]["restapi"]["http_listen_multiaddress"]
        return listen if isinstance(listen, str) else listen[0]

    @property
    def api_port(self):
        return int(self.api.rsplit("/", 1)[1])

    def spawn(self, *args):
        """Starts the daemon without waiting for it."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([self.test.service, "-c", self.folder, "daemon", *args], env=self.env, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.test.processes.append(self.process)
        return self

    def start(self, *args, limit=60):
        """Starts the daemon and waits until it is ready to agree on pins."""
        mark = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        self.spawn(*args)

        def ready():
            check(self.process.poll() is None, f"{self.name} ended with {self.process.returncode} while starting:\n{self.tail()}")
            return "IPFS Cluster is READY" in self.log_from(mark)

        wait_until(limit, f"{self.name} is ready; its log ends with:\n{self.tail()}", ready)
        return self

    def log_from(self, mark=0):
        with open(self.log_path, "rb") as f:
            f.seek(mark)
            return f.read().decode(errors="replace")

    def tail(self, lines=20):
        """The end of the log without the lines that tell of requests."""
        if not os.path.exists(self.log_path):
            return ""
        return "\n".join([line for line in self.log_from().splitlines() if "\trestapilog\t" not in line][-lines:])

    def kill(self):
        """kill -9, and reaped."""
        self.process.kill()
        self.process.wait(30)

    def stop(self, limit=60):
        """Orderly stop; returns the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not stop within {limit} s; its log ends with:\n{self.tail()}") from None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def request(self, method, target, body=None, headers=None, timeout=30):
        """One REST request on a connection of its own: (status, headers, body text)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=timeout)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read().decode(errors="replace")
        finally:
            connection.close()

    def allocations(self):
        """CIDs of the pinset as this peer sees it."""
        status, _, body = self.request("GET", "/allocations?filter=all")
        check(status in (200, 204), f"GET /allocations of {self.name}: {status} {body}")
        return {json.loads(line)["cid"] for line in body.splitlines() if line}

    def ctl(self, *args, timeout=120, ok=True):
        """ipfs-cluster-ctl against this peer. With `ok` a failure ends the test."""
        done = subprocess.run([self.test.ctl, "--host", self.api, *args], env=clean_environment(), capture_output=True,
                              timeout=timeout)
        if ok:
            check(done.returncode == 0, f"ctl {' '.join(args)} exits {done.returncode}: "
                  f"{done.stdout[-2000:].decode(errors='replace')}{done.stderr[-2000:].decode(errors='replace')}")
        return done

    def add(self, *args, timeout=120):
        """ctl add -Q: the root CID."""
        return self.ctl("add", "-Q", *args, timeout=timeout).stdout.decode().strip()

    def status(self, cid):
        _, _, body = self.request("GET", f"/pins/{cid}")
        return {row["peername"]: row for row in json.loads(body)["peer_map"].values()}

    def add_body(self, files, query="", timeout=60):
        """POST /add of {name: bytes} as one JSON answer: (status, body)."""
        boundary = "icl-boundary"
        body = b"".join(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{urllib.parse.quote(name, safe="")}"\r\n'
                        f"Content-Type: application/octet-stream\r\n\r\n".encode() + data + b"\r\n" for name, data in files.items())
        body += f"--{boundary}--\r\n".encode()
        status, _, text = self.request("POST", f"/add?stream-channels=false&{query}", body,
                                       {"Content-Type": f"multipart/form-data; boundary={boundary}"}, timeout)
        return status, text


class ProcessTest:
    """Temporary folder, programs and everything started; `with` cleans up and shows the logs after a failure. `network` says that the
    test has made its network itself."""

    def __init__(self, args, network=False):
        if not network:
            own_network()
        self.service, self.ctl = os.path.abspath(args.service), os.path.abspath(args.ctl)
        for program in (self.service, self.ctl):
            check(os.access(program, os.X_OK), f"{program} is not there; build it first")
        self.work = tempfile.mkdtemp(prefix="icl-process.")
        self.processes, self.peers = [], []

    def peer(self, name, env=None):
        peer = Peer(self, name, env)
        self.peers.append(peer)
        return peer

    def cluster(self, count, env=None):
        """A founder and the peers that joined through it, all ready and seeing each other."""
        first = self.peer("peer1", env).init()
        first.start()
        for i in range(2, count + 1):
            self.peer(f"peer{i}", env).init(secret=first.secret).start("--bootstrap", first.address)
        peers = self.peers[-count:]
        for p in peers:
            wait_until(60, f"{p.name} sees {count} members",
                       lambda: len(json.loads(p.request("GET", "/id")[2]).get("cluster_peers") or []) == count)
        return peers

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and kind is not SystemExit:
            print(f"--- {kind.__name__}: {error}", file=sys.stderr)  # also first: who keeps only an end keeps one of them
            for peer in self.peers:
                print(f"--- {peer.name}: last lines of its log\n{peer.tail(40)}", file=sys.stderr)
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        end, slow = time.monotonic() + STOP_LIMIT, []
        for process in self.processes:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                slow.append(" ".join(process.args))
        reports = [f"{p.name}: {line}" for p in self.peers if os.path.exists(p.log_path) for line in p.log_from().splitlines()
                   if any(mark in line for mark in REPORTS)]
        if os.environ.get("ICL_KEEP"):
            print(f"kept: {self.work}")
        else:
            shutil.rmtree(self.work, ignore_errors=True)
        if kind is None:
            check(not slow, f"did not stop within {STOP_LIMIT} s: {slow}")
            check(not reports, f"a peer's log reports: {reports[:5]}")
        return False


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--service", required=True, help="path of ipfs-cluster-service")
    parser.add_argument("--ctl", required=True, help="path of ipfs-cluster-ctl")
    return parser


def run(main):
    """Runs main() and turns a failed check into exit status 1 with its text."""
    started = time.monotonic()
    try:
        main()
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
    print(f"ok ({time.monotonic() - started:.1f} s)")
