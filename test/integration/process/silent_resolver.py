"""A name server that falls silent stops nothing but look-ups: three peers whose daemons have names (/dns4/...), each in a mount
namespace with its own resolv.conf, in a network namespace with our name servers. These answer at first; then they swallow every
question and the daemons' connections break. Pins go on being acknowledged, no peer grows, and each stops in order.
--variant two: two name servers (a look-up takes 20 s). search: one, with two search domains (30 s). leader: two, of the leader only."""

import os
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import Peer, ProcessTest, arguments, check, die_with_parent, free_port, raw_cid, run, skip, wait_until  # noqa: E402
from stub import Stub  # noqa: E402

INSIDE = "ICL_SILENT_RESOLVER_NAMESPACE"
SERVERS = ("127.0.53.1", "127.0.53.2")  # these fall silent
OTHER_SERVER = "127.0.53.3"
RESOLV = {
    "two": "".join(f"nameserver {s}\n" for s in SERVERS),
    "search": f"nameserver {SERVERS[0]}\nsearch one.test two.test\n",
    "good": f"nameserver {OTHER_SERVER}\n",
}
ANSWER_LIMIT = 20
SHARE = 0.8
GROWTH_MB = 20
STOP_LIMIT = 15


def enter_namespace():
    """Runs this program again where the ports of name servers are ours."""
    if os.environ.get(INSIDE):
        return
    if subprocess.run(["ip", "-V"], capture_output=True).returncode != 0:
        skip("the program ip (iproute2) is not installed")
    if subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True).returncode != 0:
        skip("namespaces for network and mounts need root")
    if not os.path.exists("/etc/resolv.conf"):
        skip("there is no /etc/resolv.conf to put another one over")
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, "-B", *sys.argv])


class NameServers(threading.Thread):
    """Every name that begins with "ipfs" is at 127.0.0.1 and has no other address."""

    def __init__(self):
        super().__init__(daemon=True)
        self.silent, self.swallowed = threading.Event(), 0
        self.sockets = []
        for address in (*SERVERS, OTHER_SERVER):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((address, 53))
            self.sockets.append(s)

    def run(self):
        while True:
            for s in select.select(self.sockets, [], [])[0]:
                question, asker = s.recvfrom(4096)
                if self.silent.is_set() and s.getsockname()[0] in SERVERS:
                    self.swallowed += 1
                else:
                    s.sendto(self.answer(question), asker)

    @staticmethod
    def answer(question):
        end = 12
        while question[end]:
            end += question[end] + 1
        asked, known = struct.unpack("!H", question[end + 1:end + 3])[0], question[13:17] == b"ipfs"
        found = asked == 1 and known
        head = question[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, int(found), 0, 0)
        record = b"\xc0\x0c" + struct.pack("!HHIH4B", 1, 1, 1, 4, 127, 0, 0, 1) if found else b""
        return head + question[12:end + 5] + record


class NamedPeer(Peer):
    """A peer with a resolv.conf of its own, beside a stub daemon at /dns4/<name>."""

    def prepare(self, stub, number, secret=None):
        self.stub, self.port, self.resolv = stub, free_port(), os.path.join(self.test.work, self.name + ".resolv.conf")
        self.set_resolv("good")
        self.init(secret=secret)
        config = self.config()
        config["ipfs_connector"] = {"ipfshttp": {"node_multiaddress": f"/dns4/ipfs{number}/tcp/{self.port}"}}
        self.write_config(config)
        self.start_daemon()
        return self

    def set_resolv(self, variant):
        """A mount shows the file, so it is changed in its place."""
        with open(self.resolv, "w") as f:
            f.write(RESOLV[variant])

    def start_daemon(self):
        self.daemon = Stub(self.test, self.stub, "--listen", f"/ip4/127.0.0.1/tcp/{self.port}")

    def restart_daemon(self):
        self.daemon.process.kill()
        self.daemon.process.wait()
        self.start_daemon()

    def spawn(self, *args):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "sh", "-c", 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"',
                 "sh", self.resolv, self.test.service, "-c", self.folder, "daemon", *args],
                env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.test.processes.append(self.process)
        return self

    def resident_mb(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


class Client(threading.Thread):
    """A pin a second through one peer."""

    def __init__(self, peer, seconds):
        super().__init__(daemon=True)
        self.peer, self.seconds = peer, seconds
        self.asked, self.acknowledged, self.longest, self.errors = 0, 0, 0.0, []

    def run(self):
        begin = time.monotonic()
        while (left := begin + self.seconds - time.monotonic()) > 0:
            at = time.monotonic()
            self.asked += 1
            try:
                status, _, body = self.peer.request("POST", f"/pins/{raw_cid(f'{self.peer.name} {self.asked}'.encode())}", timeout=ANSWER_LIMIT)
                self.acknowledged += status == 200
                if status != 200:
                    self.errors.append(f"{status} {body[:200]}")
            except OSError as error:
                self.errors.append(f"no answer within {ANSWER_LIMIT} s: {error}")
            took = time.monotonic() - at
            self.longest = max(self.longest, took)
            time.sleep(max(0.0, min(1.0 - took, left)))


def leader(peers):
    """As the log of the first peer names it."""
    named = re.findall(r"leader peer=(\S+)", peers[0].log_from())
    return next((p for p in peers if named and p.id == named[-1]), None)


def serve_in_silence(peers, affected, names, seconds):
    before = {p: p.resident_mb() for p in peers}
    names.silent.set()
    for p in affected:
        p.restart_daemon()
    clients = [Client(p, seconds) for p in peers]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    for c in clients:
        print(f"{c.peer.name}: {c.acknowledged} of {c.asked} asked acknowledged, the longest answer {c.longest:.2f} s {c.errors[:2]}", flush=True)
    check(names.swallowed > 0, "somebody asks the silent name servers")
    for c in clients:
        check(c.acknowledged >= SHARE * seconds,
              f"{c.peer.name} acknowledges at least {SHARE:.0%} of {seconds} pins, a pin a second; it was {c.acknowledged}: {c.errors[:3]}")
    for p in peers if not os.environ.get("ICL_SANITIZE") else []:
        check(p.resident_mb() - before[p] < GROWTH_MB, f"{p.name} grew from {before[p]:.0f} to {p.resident_mb():.0f} MB")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--stub", required=True, help="path of icl_bench_stub_daemon")
    parser.add_argument("--variant", choices=("two", "search", "leader"), default="two")
    parser.add_argument("--seconds", type=int, default=60)
    args = parser.parse_args()
    enter_namespace()
    names = NameServers()
    names.start()
    with ProcessTest(args, network=True) as test:
        peers = []
        for number in range(1, 4):
            peer = NamedPeer(test, f"peer{number}")
            test.peers.append(peer)
            peer.prepare(args.stub, number, secret=peers[0].secret if peers else None)
            peer.set_resolv("search" if args.variant == "search" else "two")
            peer.start(*(["--bootstrap", peers[0].address] if peers else []))
            peers.append(peer)
        affected = peers
        if args.variant == "leader":
            first = wait_until(20, "somebody leads", lambda: leader(peers))
            affected = [first]
            for p in peers:
                if p is not first:
                    p.set_resolv("good")  # glibc looks at the file again
        for p in peers:
            cid = raw_cid(p.name.encode())
            p.ctl("pin", "add", "--no-status", cid)
            wait_until(30, f"the daemon of {p.name} is asked by name", lambda: p.status(cid)[p.name]["status"] == "pinned")
        print(f"ok: named daemons; the name servers of {[p.name for p in affected]} fall silent", flush=True)
        serve_in_silence(peers, affected, names, args.seconds)
        for p in peers:
            begin = time.monotonic()
            check(p.stop(STOP_LIMIT) == 0, f"{p.name} stops in order:\n{p.tail()}")
            print(f"ok: {p.name} stopped in {time.monotonic() - begin:.1f} s", flush=True)


run(main)
