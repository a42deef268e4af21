"""A peer joins over a link that breaks all its connections for two seconds in every seven: a pinset that needs several of the times
between arrives, each row about once, and the peer is ready. Both peers reach each other through a proxy only."""

import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, raw_cid, run, wait_until  # noqa: E402

PINS = 30_000
NAME = "n" * 500  # of each pin: what a row takes on the wire, about
BYTES_PER_SECOND = 1_500_000
UP, DOWN = 5, 2
LIMIT = 55
# Not a member: nobody here pins anything.
HOLDER = "12D3KooWQfw8JwvVRNzj3GJLtvN75ntBNCgTZuB4MGXwmZVFRjwW"


class Proxy:
    """Listens on loopback and hands on to `port`, so fast at most in each direction of a connection, until it is cut."""

    def __init__(self, port):
        self.target = port
        self.cut = False
        self.passed = 0
        self.lock = threading.Lock()
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                self.reset([client])
                continue
            server.settimeout(None)
            # Little is on its way at a break.
            for one in (client, server):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            with self.lock:
                cut = self.cut
                self.open |= {client, server}
            if cut:
                self.reset([client, server])
                continue
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        try:
            while data := source.recv(16 * 1024):
                sink.sendall(data)
                with self.lock:
                    self.passed += len(data)
                time.sleep(len(data) / BYTES_PER_SECOND)
        except OSError:
            pass
        self.reset([source, sink])

    def reset(self, sockets):
        with self.lock:
            mine = [s for s in sockets if s.fileno() >= 0]
            self.open -= set(mine)
        for s in mine:
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def set_cut(self, cut):
        with self.lock:
            self.cut = cut
            broken = list(self.open) if cut else []
        self.reset(broken)


def behind(peer):
    """Lets others reach the peer through a proxy alone."""
    proxy = Proxy(int(peer.cluster_port()))
    config = peer.config()
    config["cluster"].update({"announce_multiaddress": [f"/ip4/127.0.0.1/tcp/{proxy.port}"], "mdns_interval": "0s",
                              "disable_repinning": True})
    peer.write_config(config)
    return proxy


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        founder = test.peer("founder").init()
        pins = os.path.join(test.work, "pins.json")
        with open(pins, "w") as f:
            for i in range(PINS):
                f.write(json.dumps({"cid": raw_cid(b"%d" % i), "name": NAME, "allocations": [HOLDER], "replication_factor_min": 1,
                                    "replication_factor_max": 1, "type": "pin", "mode": "recursive", "max_depth": -1}) + "\n")
        done = subprocess.run([args.service, "-c", founder.folder, "state", "import", "-f", pins], env=founder.env,
                              capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"state import: {done.stdout}{done.stderr}")
        joiner = test.peer("joiner").init(secret=founder.secret)
        proxies = [behind(founder), behind(joiner)]
        founder.start()
        begin = time.monotonic()
        joiner.spawn("--bootstrap", f"/ip4/127.0.0.1/tcp/{proxies[0].port}/p2p/{founder.id}")
        ended = threading.Event()
        cuts = []

        def weather():
            while not ended.wait(UP):
                cuts.append(time.monotonic() - begin)
                for p in proxies:
                    p.set_cut(True)
                time.sleep(DOWN)
                for p in proxies:
                    p.set_cut(False)

        thread = threading.Thread(target=weather, daemon=True)
        thread.start()
        try:
            wait_until(LIMIT, f"the joiner is ready; its log:\n{joiner.tail()}", lambda: "IPFS Cluster is READY" in joiner.log_from())
        finally:
            ended.set()
            thread.join()
        took, passed = time.monotonic() - begin, sum(p.passed for p in proxies)
        check(len(cuts) >= 2, f"it was to be broken at least twice: {cuts}")
        check(passed < 1.3 * PINS * (len(NAME) + 150), f"{passed} bytes passed: rows came more than once")
        count = joiner.request("GET", "/allocations?filter=all", timeout=60)[2].count("\n")
        check(count == PINS, f"the joiner has {count} of {PINS} pins")
        print(f"ok: ready after {took:.1f} s with {len(cuts)} breaks; {passed / 1e6:.1f} MB passed", flush=True)


if __name__ == "__main__":
    run(main)
