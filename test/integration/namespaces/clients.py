"""Clients of a cluster under faults and the history of what they asked and heard (format: checker/main.go).

Items are of two kinds: *kept* ones are added and given other replication factors, but never unpinned, so their bytes must be there at the end;
*shared* ones are pinned and unpinned by several clients at once."""

import json
import random
import sys
import os
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
from peers import check, raw_cid  # noqa: E402
from machines import NotSent  # noqa: E402

ANSWER_LIMIT = 20
FACTORS = ((1, 1), (1, 2), (2, 2), (1, 3), (2, 3), (3, 3))
SHARED_AT_ONCE = 10
CALLS_MAX = 60  # of one shared item; then another takes its place
UNKNOWN_MAX = 5  # outcomes of one item: each doubles what the checker may have to try
KEPT_MAX = 500
PAUSE = (0.02, 0.2)


class Item:
    def __init__(self, cid, data, kept):
        self.cid, self.data, self.kept = cid, data, kept
        self.calls = self.unknown = 0


class History:
    """Every call with its answer, by all clients; and the items they are about."""

    def __init__(self):
        self.lock = threading.Lock()
        self.calls, self.wrong, self.names = [], [], set()
        self.kept, self.shared, self.retired, self.uncertain = [], [], [], []
        self.acknowledged = self.unknown = self.not_sent = 0

    def next_name(self, what):
        with self.lock:
            name = f"{what}{len(self.names) + 1}"
            self.names.add(name)
            return name

    def add_item(self, item, added):
        """What may be stored and may not is asked for no more: a pin of it would promise nothing about its bytes."""
        with self.lock:
            (self.uncertain if not added else self.kept if item.kept else self.shared).append(item)

    def record(self, item, **call):
        with self.lock:
            call["cid"] = item.cid
            self.calls.append(call)
            if call["op"] in ("pin", "unpin"):
                self.acknowledged += call["outcome"] == "done"
                self.unknown += call["outcome"] == "unknown"
                item.unknown += call["outcome"] == "unknown"
            item.calls += 1
            if item in self.shared and (item.calls >= CALLS_MAX or item.unknown >= UNKNOWN_MAX):
                self.shared.remove(item)
                self.retired.append(item)

    def must_be_whole(self, pinned):
        """Of the CIDs in `pinned`: what was added and never unpinned. An add of unknown outcome counts when its pin stands, because that
        comes after the bytes."""
        return [i for i in (*self.kept, *self.uncertain) if i.cid in pinned]

    def may_be_whole(self, pinned):
        return [i for i in (*self.shared, *self.retired) if i.cid in pinned]

    def write(self, path):
        with open(path, "w") as f:
            f.writelines(json.dumps(call, separators=(",", ":")) + "\n" for call in self.calls)


class Client(threading.Thread):
    """Asks one call after the other until `stop` is set."""

    def __init__(self, number, seed, peers, history, stop):
        super().__init__(daemon=True)
        self.number, self.random = number, random.Random(f"{seed}/client/{number}")
        self.peers, self.history, self.stop = peers, history, stop
        self.error = None

    def run(self):
        try:
            while not self.stop.is_set():
                self.one_call()
                self.stop.wait(self.random.uniform(*PAUSE))
        except Exception as error:  # a mistake of this program must not end as silence
            self.error = error
            raise

    def one_call(self):
        history, peer = self.history, self.random.choice(self.peers)
        with history.lock:
            shared, kept = list(history.shared), [i for i in history.kept if i.unknown < UNKNOWN_MAX]
            room = len(history.kept) < KEPT_MAX
        if len(shared) < SHARED_AT_ONCE:
            return self.add(peer, kept=False)
        what = self.random.choices(("add", "move", "pin", "unpin", "look"), (25 if room else 0, 12 if kept else 0, 25, 18, 20))[0]
        if what == "add":
            self.add(peer, kept=True)
        elif what == "move":
            self.pin(peer, self.random.choice(kept))
        elif what == "pin":
            self.pin(peer, self.random.choice(shared))
        elif what == "unpin":
            self.unpin(peer, self.random.choice(shared))
        else:
            self.look(peer, self.random.choice(shared if not kept or self.random.random() < 0.7 else kept))

    def ask(self, peer, method, target, body=None, headers=None):
        """(life, begin, end, status, body); status 0: sent, but the answer was lost; none: not sent."""
        life, begin = peer.lives, time.monotonic_ns()
        try:
            status, _, text = peer.request(method, target, body, headers, timeout=ANSWER_LIMIT)
        except NotSent:
            with self.history.lock:
                self.history.not_sent += 1
            return None
        except Exception as error:  # cut off, or nothing came in time
            status, text = 0, str(error)
        if status and 400 <= status < 500 and status != 404:
            with self.history.lock:
                self.history.wrong.append(f"{method} {target} through {peer.name}: {status} {text[:300]}")
        return life, begin, time.monotonic_ns(), status, text

    def write_call(self, peer, item, answer, op, **more):
        life, begin, end, status, _ = answer
        self.history.record(item, op=op, outcome="done" if status in (200, 404) else "unknown", begin=begin, end=end, peer=peer.name, life=life,
                            client=self.number, **more)

    def options(self, name):
        low, high = self.random.choice([f for f in FACTORS if f[1] <= len(self.peers)])
        return f"name={name}&replication-min={low}&replication-max={high}"

    def add(self, peer, kept):
        size = self.random.choices((self.random.randint(1, 16_000), self.random.randint(16_000, 250_000)), (3, 1))[0]
        data, name = self.random.randbytes(size), self.history.next_name("add")
        item = Item(raw_cid(data), data, kept)
        boundary = "icl-boundary"
        body = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
                .encode() + data + f"\r\n--{boundary}--\r\n".encode())
        answer = self.ask(peer, "POST", f"/add?stream-channels=false&raw-leaves=true&cid-version=1&{self.options(name)}", body,
                          {"Content-Type": f"multipart/form-data; boundary={boundary}"})
        if answer is None:
            return
        if answer[3] == 200:
            said = [row["cid"] for row in json.loads(answer[4])]
            check(said == [item.cid], f"an add through {peer.name} answers {said} where the CID is {item.cid}")
        self.write_call(peer, item, answer, "pin", name=name)
        self.history.add_item(item, added=answer[3] == 200)

    def pin(self, peer, item):
        name = self.history.next_name("pin")
        answer = self.ask(peer, "POST", f"/pins/{item.cid}?{self.options(name)}")
        if answer is None:
            return
        if answer[3] == 200:
            check(json.loads(answer[4])["name"] == name, f"a pin named {name} answers {answer[4][:300]}")
        self.write_call(peer, item, answer, "pin", name=name)

    def unpin(self, peer, item):
        answer = self.ask(peer, "DELETE", f"/pins/{item.cid}")
        if answer is None:
            return
        self.write_call(peer, item, answer, "unpin", found=json.loads(answer[4])["name"] if answer[3] == 200 else "")

    def look(self, peer, item):
        answer = self.ask(peer, "GET", f"/allocations/{item.cid}")
        if answer is None or answer[3] not in (200, 404):
            return
        # The life after the answer: what another process acknowledged binds nobody.
        self.history.record(item, op="look", outcome="done", found=json.loads(answer[4])["name"] if answer[3] == 200 else "", begin=answer[1],
                            end=answer[2], peer=peer.name, life=peer.lives, client=self.number)
