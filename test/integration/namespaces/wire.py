"""The wire between the network namespaces of a test: a program that carries packets from one TUN device to another and may lose or
delay them on the way, for each direction of each pair by itself. It needs nothing of the kernel but TUN devices (no netem, no nft).

wire.py SEED FD...: the devices of machines 1, 2, …, where 10.77.0.N is machine N. Each line on standard input is a command in JSON, answered by
one line: {"links": {"1-2": [loss, delay, jitter], …}} says how packets from 1 to 2 fare (seconds; what is not named is whole and
at once); {"count": true} asks for what happened so far. Ends with standard input."""

import heapq
import json
import os
import random
import select
import sys
import time

PACKET_MAX = 65536
BURST_MAX = 64  # packets of one device before the others have their turn
LATE_MAX = 20000  # packets under way; more are lost, as in a router whose memory is full


class Wire:
    def __init__(self, seed, devices):
        self.devices = devices  # by number, from 1 on
        self.random = random.Random(seed)
        self.links, self.late, self.last, self.order = {}, [], {}, 0
        self.counts = {"carried": 0, "lost": 0, "delayed": 0}

    def take(self, number):
        """Packets that machine `number` sent."""
        for _ in range(BURST_MAX):
            try:
                packet = os.read(self.devices[number], PACKET_MAX)
            except BlockingIOError:
                return
            # IPv4 to one of us; the rest is the kernel looking for neighbours and routers.
            if len(packet) < 20 or packet[0] >> 4 != 4 or packet[16:19] != b"\x0a\x4d\x00" or packet[19] not in self.devices:
                continue
            self.carry(number, packet[19], packet)

    def carry(self, source, target, packet):
        loss, delay, jitter = self.links.get((source, target), (0, 0, 0))
        if loss > 0 and self.random.random() < loss:
            self.counts["lost"] += 1
            return
        due = time.monotonic() + delay + self.random.uniform(0, jitter) if delay or jitter else 0
        due = max(due, self.last.get((source, target), 0))  # one overtakes no other
        if due <= time.monotonic():
            self.put(target, packet)
        elif len(self.late) >= LATE_MAX:
            self.counts["lost"] += 1
        else:
            self.counts["delayed"] += 1
            self.last[source, target] = due
            self.order += 1
            heapq.heappush(self.late, (due, self.order, target, packet))

    def put(self, target, packet):
        try:
            os.write(self.devices[target], packet)
            self.counts["carried"] += 1
        except OSError:  # the device's queue is full
            self.counts["lost"] += 1

    def obey(self, line):
        command = json.loads(line)
        if "links" in command:
            self.links = {tuple(int(n) for n in pair.split("-")): how for pair, how in command["links"].items()}
        return self.counts

    def run(self):
        poll = select.epoll()
        commands = sys.stdin.fileno()
        os.set_blocking(commands, False)
        by_fd = {fd: number for number, fd in self.devices.items()}
        for fd in (*by_fd, commands):
            poll.register(fd, select.EPOLLIN)
        pending = b""
        while True:
            wait = max(0, self.late[0][0] - time.monotonic()) if self.late else -1
            for fd, _ in poll.poll(wait):
                if fd != commands:
                    self.take(by_fd[fd])
                    continue
                data = os.read(commands, PACKET_MAX)
                if not data:
                    return
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    print(json.dumps(self.obey(line)), flush=True)
            while self.late and self.late[0][0] <= time.monotonic():
                _, _, target, packet = heapq.heappop(self.late)
                self.put(target, packet)


if __name__ == "__main__":
    fds = [int(a) for a in sys.argv[2:]]
    for each in fds:
        os.set_blocking(each, False)
    Wire(sys.argv[1], dict(enumerate(fds, 1))).run()
