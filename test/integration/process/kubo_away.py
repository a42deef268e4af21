"""Kubo stopped (SIGSTOP) and killed while pins wait: the peer goes on acknowledging, hardly asks, does not grow, and every pin is done
after the daemon is back."""

import os
import select
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kubo import Kubo, peer_beside  # noqa: E402
from peers import ProcessTest, arguments, check, run, wait_until  # noqa: E402

PINS = int(os.environ.get("ICL_PINS", "300"))


def judge_growth(grown):
    if os.environ.get("ICL_SANITIZE"):
        print("growth is not judged under a sanitizer, which keeps what was freed", flush=True)
    else:
        check(grown < 20, f"the peer grew by {grown:.1f} MB")


def resident_mb(process):
    with open(f"/proc/{process.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


class Doorbell(threading.Thread):
    """Stands where the dead daemon listened and counts who comes; never answers."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", port))
        self.done, self.rings = threading.Event(), []

    def run(self):
        held = []
        while not self.done.is_set():
            if select.select([self.socket], [], [], 0.1)[0]:
                held.append(self.socket.accept()[0])
                self.rings.append(time.monotonic())
        for connection in held + [self.socket]:
            connection.close()


def write_blocks(kubo, test, prefix):
    """Small raw blocks in Kubo's repository; their CIDs."""
    folder = os.path.join(test.work, prefix)
    os.makedirs(folder)
    for n in range(PINS):
        with open(os.path.join(folder, str(n)), "w") as f:
            f.write(f"{prefix} {n}")
    paths = [os.path.join(folder, str(n)) for n in range(PINS)]
    return kubo.run("add", "-q", "--pin=false", "--cid-version=1", *paths).stdout.decode().split()


def pin_all(peer, cids):
    slowest = 0.0
    for cid in cids:
        start = time.monotonic()
        status, _, text = peer.request("POST", f"/pins/{cid}", timeout=20)
        slowest = max(slowest, time.monotonic() - start)
        check(status == 200, f"POST /pins/{cid}: {status} {text}")
    return slowest


def used_again(peer, cids, since, what):
    """How long after `since` the first of these is pinned. Kubo has all of their blocks."""
    def first():
        return any(peer.status(cid)[peer.name]["status"] == "pinned" for cid in cids[:20])

    wait_until(30, f"{what}: the daemon is used again", first, pause=0.05)
    took = time.monotonic() - since
    check(took < 3, f"{what}: the first pin was done {took:.2f} s after the daemon came back")
    return took


def all_done(peer, kubo, cids, what):
    wanted = set(cids)
    wait_until(180, f"{what}: Kubo holds every pin; missing {len(wanted - kubo.pins('recursive'))}",
               lambda: wanted <= kubo.pins("recursive"), pause=1)
    wait_until(60, f"{what}: every status is pinned",
               lambda: all(peer.status(cid)[peer.name]["status"] == "pinned" for cid in cids[::10]), pause=1)


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        kubo = Kubo(test)
        kubo.daemon()
        peer = peer_beside(test, kubo).start()
        stopped, killed = write_blocks(kubo, test, "stopped"), write_blocks(kubo, test, "killed")
        pin_all(peer, [kubo.add(peer.config_path(), "--pin=false")])
        before = resident_mb(peer.process)

        kubo.process.send_signal(signal.SIGSTOP)
        try:
            slowest = pin_all(peer, stopped)
            time.sleep(30)  # long enough for its silence to be noticed many times over
            grown = resident_mb(peer.process) - before
            ran = [cid for cid in stopped[::10] if peer.status(cid)[peer.name]["status"] == "pinned"]
            check(not ran, f"nothing can be pinned while Kubo is stopped: {ran}")
            check("is away" in peer.log_from(), f"the peer must notice that Kubo is silent:\n{peer.tail()}")
        finally:
            kubo.process.send_signal(signal.SIGCONT)
        resumed = used_again(peer, stopped, time.monotonic(), "after SIGCONT")
        judge_growth(grown)
        all_done(peer, kubo, stopped, "after SIGCONT")
        print(f"ok: stopped for 30 s: slowest acknowledgement {slowest:.2f} s, grown by {grown:.1f} MB, "
              f"used {resumed:.2f} s after it, all {PINS} done", flush=True)

        kubo.process.kill()
        kubo.process.wait(30)
        pin_all(peer, killed)
        wait_until(30, "the peer notices that Kubo is gone", lambda: peer.log_from().count("is away") >= 2)
        door = Doorbell(kubo.api_port)
        door.start()
        time.sleep(15)
        door.done.set()
        door.join()
        rings = door.rings
        close = [b - a for a, b in zip(rings, rings[1:]) if b - a < 0.9]
        check(rings and not close, f"at most one probe a second may come: {len(rings)} in 15 s, pauses {close[:5]}")
        grown = resident_mb(peer.process) - before
        judge_growth(grown)
        lock = os.path.join(kubo.repo, "api")
        if os.path.exists(lock):
            os.unlink(lock)
        kubo.daemon()
        restarted = used_again(peer, killed, time.monotonic(), "after a restart")
        all_done(peer, kubo, killed, "after a restart")
        print(f"ok: killed: {len(rings)} probes in 15 s, grown by {grown:.1f} MB, used {restarted:.2f} s after the restart, "
              f"all {PINS} done", flush=True)
        check(peer.stop() == 0, "the peer must stop in order")


run(main)
