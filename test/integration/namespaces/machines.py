"""Peers on machines of their own: each in a network namespace with one link to the wire (wire.py), a name server and a small disk (a tmpfs).
All of it lives in namespaces of the program that calls `enter_namespaces`; the kernel takes it away with them."""

import contextlib
import ctypes
import fcntl
import http.client
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
from peers import Peer, check, die_with_parent, skip  # noqa: E402

INSIDE = "ICL_NAMESPACES_INSIDE"
CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
MTU = 9000  # fewer packets, less of the processors for the wire
NAME_SERVER = "127.0.53.1"  # in every namespace another one
CLUSTER_PORT = 9096
DISK_MB = 256
WORK_PLACES = ("/mnt", "/media", "/srv")

libc = ctypes.CDLL(None, use_errno=True)


def enter_namespaces(paths, arguments):
    """Runs this program again, with more `arguments`, as the first process of its own namespaces for processes, mounts and network, with a
    tmpfs for its files at a place where none of `paths` is. Ends as skipped where that cannot be done."""
    if os.environ.get(INSIDE):
        return
    if os.geteuid() != 0:
        skip("namespaces for network, mounts and processes need root")
    if subprocess.run(["ip", "-V"], capture_output=True).returncode != 0:
        skip("the program ip (iproute2) is not installed")
    if not os.path.exists("/dev/net/tun"):
        skip("there is no /dev/net/tun, which the links between the namespaces are made of")
    if not os.path.exists("/etc/resolv.conf"):
        skip("there is no /etc/resolv.conf to put another one over")
    place = next((p for p in WORK_PLACES if os.path.isdir(p) and not any(os.path.realpath(x).startswith(p + "/") for x in paths)), None)
    if place is None:
        skip(f"none of {', '.join(WORK_PLACES)} is free for a tmpfs")
    namespaces = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    tried = subprocess.run([*namespaces, "sh", "-c", f"mount -t tmpfs tmpfs {place} && ip link set lo up && ip tuntap add dev try mode tun"],
                           capture_output=True, text=True)
    if tried.returncode != 0:
        skip(f"namespaces of its own with a tmpfs and a TUN device cannot be made: {tried.stderr.strip()}")
    os.environ[INSIDE], os.environ["TMPDIR"] = place, place
    setup = (f"mount -t tmpfs tmpfs {place} && echo nameserver {NAME_SERVER} >{place}/resolv.conf && "
             f"mount --bind {place}/resolv.conf /etc/resolv.conf && ip link set lo up")
    os.execvp("unshare", [*namespaces, "sh", "-c", f'{setup} && exec "$@"', "sh", sys.executable, "-B", *sys.argv, *arguments])


def own_network():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def set_network(fd):
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Network:
    """The network namespace of machine `number`. `device` is the far end of its link."""

    def __init__(self, number):
        self.number, self.address, self.name = number, f"10.77.0.{number}", f"peer{number}.test"
        home = own_network()
        try:
            if libc.unshare(CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            self.fd = own_network()
            self.device = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(self.device, TUNSETIFF, struct.pack("16sH22x", b"wire", IFF_TUN | IFF_NO_PI))
            for command in ("link set lo up", f"link set wire mtu {MTU} up", f"addr add {self.address}/24 dev wire"):
                subprocess.run(["ip", *command.split()], check=True)
        finally:
            set_network(home)
            os.close(home)

    @contextlib.contextmanager
    def entered(self):
        """This thread, and what it starts, is in the namespace meanwhile. Sockets stay where they were made."""
        home = own_network()
        set_network(self.fd)
        try:
            yield
        finally:
            set_network(home)
            os.close(home)


class Wire:
    """The program wire.py, which holds the far ends of all links."""

    def __init__(self, seed, networks):
        devices = [n.device for n in networks]
        self.process = subprocess.Popen([sys.executable, "-B", os.path.join(os.path.dirname(os.path.abspath(__file__)), "wire.py"), str(seed),
                                         *map(str, devices)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=devices,
                                        preexec_fn=die_with_parent)

    def command(self, **what):
        print(json.dumps(what), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        check(answer, "the wire has ended")
        return json.loads(answer)


class NameServers(threading.Thread):
    """The name server of each machine. It knows peer1.test, peer2.test, …, and is silent while its machine is in `silent`."""

    def __init__(self, networks):
        super().__init__(daemon=True)
        self.silent, self.answered, self.swallowed, self.sockets = set(), 0, 0, {}
        self.known = {n.name: socket.inet_aton(n.address) for n in networks}
        for network in networks:
            with network.entered():
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((NAME_SERVER, 53))
            self.sockets[s] = network.number

    def run(self):
        while True:
            for s in select.select(list(self.sockets), [], [])[0]:
                question, asker = s.recvfrom(4096)
                if self.sockets[s] in self.silent:
                    self.swallowed += 1
                else:
                    self.answered += 1
                    s.sendto(self.answer(question), asker)

    def answer(self, question):
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode(errors="replace"))
            at += question[at] + 1
        address = self.known.get(".".join(labels).lower())
        found = address is not None and struct.unpack("!H", question[at + 1:at + 3])[0] == 1
        head = question[:2] + struct.pack("!HHHHH", 0x8180 if address else 0x8183, 1, int(found), 0, 0)
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + address if found else b""
        return head + question[12:at + 5] + record


class Connection(http.client.HTTPConnection):
    """From the peer's own machine, so that no fault of the wire is between client and peer."""

    def __init__(self, network, port, timeout):
        super().__init__("127.0.0.1", port, timeout=timeout)
        self.network = network

    def connect(self):
        with self.network.entered():
            self.sock = socket.create_connection((self.host, self.port), self.timeout)


class NotSent(Exception):
    """Nobody listens there: the request was not sent."""


class MachinePeer(Peer):
    """A peer on a machine of its own. `lives` counts its processes."""

    def __init__(self, test, network, stall, env):
        self.network, self.stall, self.lives, self.mark = network, stall, 0, 0
        self.stall_file = os.path.join(test.work, f"stall{network.number}")
        if stall:
            env = {**env, "LD_PRELOAD": stall, "ICL_STALL_FILE": self.stall_file}
        super().__init__(test, f"peer{network.number}", env)
        os.makedirs(self.folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", self.folder], check=True)
        self.ballast = os.path.join(self.folder, "ballast")

    def init(self, *args, secret=None):
        super().init(*args, secret=secret)
        config = self.config()
        config["cluster"]["listen_multiaddress"] = [f"/ip4/{self.network.address}/tcp/{CLUSTER_PORT}"]
        config["cluster"]["announce_multiaddress"] = [f"/dns4/{self.network.name}/tcp/{CLUSTER_PORT}"]
        self.write_config(config)
        self.identity, self.port = super().id, super().api_port
        return self

    @property
    def id(self):
        return self.identity

    @property
    def api_port(self):
        return self.port

    @property
    def address(self):
        return f"/dns4/{self.network.name}/tcp/{CLUSTER_PORT}/p2p/{self.id}"

    def spawn(self, *args):
        self.mark = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        self.lives += 1
        with self.network.entered():
            return super().spawn(*args)

    def ready(self):
        return self.alive() and "IPFS Cluster is READY" in self.log_from(self.mark)

    def request_bytes(self, method, target, body=None, headers=None, timeout=30):
        connection = Connection(self.network, self.port, timeout)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise NotSent(str(error)) from None
            connection.request(method, target, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def request(self, method, target, body=None, headers=None, timeout=30):
        status, fields, data = self.request_bytes(method, target, body, headers, timeout)
        return status, fields, data.decode(errors="replace")

    # Its disk and its processor.

    def fill_disk(self):
        """To the last page."""
        with open(self.ballast, "wb", buffering=0) as f:
            piece = b"\0" * (1 << 20)
            while piece:
                try:
                    f.write(piece)
                except OSError:
                    piece = piece[:len(piece) // 2]

    def free_disk(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.ballast)

    def was_held(self):
        """Whether its disk ever made it wait."""
        return os.path.exists(self.stall_file + ".held")

    def forget_held(self):
        os.remove(self.stall_file + ".held")

    def stall_disk(self):
        open(self.stall_file, "w").close()

    def move_disk(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.stall_file)

    def freeze(self):
        if self.alive():
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        if self.alive():
            self.process.send_signal(signal.SIGCONT)
