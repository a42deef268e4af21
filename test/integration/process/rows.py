"""A peer's database as docs/formats.md describes it, read without the peer's code: icl_store_rows gives the bytes, everything else is here.
`check_version_1` knows every row that version 1 writes; `check_agreement` is what holds of a later version's rows, too."""

import base64
import hashlib
import os
import subprocess

from peers import check

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
UNPIN, PIN, RETRY, LATER, KEPT = 1, 2, 3, 4, 5  # lanes of `work`
PHASES = {1: "pinned", 2: "pin_error", 3: "unpin_error", 4: "unexpectedly_unpinned"}
WINDOW_BYTES = 1024 // 8


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = BASE58[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def cid_text(data):
    if data[:2] == b"\x12\x20" and len(data) == 34:
        return base58(data)
    return "b" + base64.b32encode(data).decode().lower().rstrip("=")


class Fields:
    """Takes the parts of a row in order."""

    def __init__(self, what, data):
        self.what, self.data, self.at = what, data, 0

    def take(self, size):
        check(self.at + size <= len(self.data), f"{self.what}: cut short: {self.data.hex()}")
        self.at += size
        return self.data[self.at - size:self.at]

    def u8(self):
        return self.take(1)[0]

    def be32(self):
        return int.from_bytes(self.take(4), "big")

    def be64(self):
        return int.from_bytes(self.take(8), "big")

    def uvarint(self):
        value, shift = 0, 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                check(byte != 0 or shift == 7, f"{self.what}: a number is longer than it has to be")
                return value

    def bytes(self):
        return self.take(self.uvarint())

    def rest(self):
        return self.take(len(self.data) - self.at)

    def more(self):
        return self.at < len(self.data)

    def end(self):
        check(not self.more(), f"{self.what}: has {len(self.data) - self.at} bytes too many: {self.data.hex()}")


def protobuf(what, data):
    """Fields by number, each a list in their order; numbers or bytes."""
    fields, out = Fields(what, data), {}
    while fields.more():
        tag = fields.uvarint()
        check(tag & 7 in (0, 2), f"{what}: wire type {tag & 7}")
        out.setdefault(tag >> 3, []).append(fields.uvarint() if tag & 7 == 0 else fields.bytes())
    return out


def signed(number):
    return (number >> 1) ^ -(number & 1)


def pin_of(what, data):
    """What the REST API calls these fields of api.pb.Pin."""
    pin = protobuf(what, data)
    options = protobuf(what, pin.get(6, [b""])[0])
    entries = [protobuf(what, entry) for entry in options.get(10, [])]
    return {
        "cid": cid_text(pin[1][0]),
        "allocations": sorted(base58(peer) for peer in pin.get(3, [])),
        "max_depth": signed(pin.get(4, [0])[0]),
        "name": options.get(3, [b""])[0].decode(),
        "replication_factor_min": signed(options.get(1, [0])[0]),
        "replication_factor_max": signed(options.get(2, [0])[0]),
        "metadata": {e.get(1, [b""])[0].decode(): e.get(2, [b""])[0].decode() for e in entries},
        "expire_at": options.get(8, [0])[0],
    }


class Rows:
    """All rows of a database of `folder`, a peer's, as they stand: that of the pinset, or `blocks/index`. Nobody may have it open."""

    def __init__(self, program, folder, database="raft/db"):
        self.program, self.database = program, os.path.join(folder, database)
        done = subprocess.run([program, self.database], capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, f"the rows of {self.database}: {done.stderr}")
        self.families = {}
        for line in done.stdout.splitlines():
            family, key, value = line.split("\t")
            self.families.setdefault(family, {})[bytes.fromhex(key)] = bytes.fromhex(value)

    def __getitem__(self, family):
        return self.families.get(family, {})

    def put(self, family, key, value):
        done = subprocess.run([self.program, self.database, "put", family, key.hex(), value.hex()], capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, f"a row of {family} could not be written: {done.stderr}")

    @property
    def format(self):
        return int.from_bytes(self["meta"][b"format"], "big")

    @property
    def generation(self):
        return int.from_bytes(self["meta"][b"state/counters"][:4], "big")

    @property
    def comparing(self):
        """The place of an interrupted comparison of two generations: the last CID compared, or None."""
        row = self["meta"].get(b"state/reconcile")
        return None if row is None else row[4:]

    @property
    def cluster_id(self):
        return self["raft_meta"].get(b"cluster_id", b"").hex()

    @property
    def imported(self):
        return self["raft_meta"].get(b"imported", b"").hex()

    def generations(self):
        """Of pins: how many rows each has."""
        counts = {}
        for key in self["pins"]:
            generation = int.from_bytes(key[:4], "big")
            counts[generation] = counts.get(generation, 0) + 1
        return counts

    def pins(self):
        """The live pinset: modification index and pin by CID."""
        out = {}
        for key, value in self["pins"].items():
            if int.from_bytes(key[:4], "big") == self.generation:
                out[cid_text(key[4:])] = (int.from_bytes(value[:8], "big"), pin_of("pin row", value[8:]))
        return out

    def work(self, lane):
        return [cid_text(key[9:]) for key in sorted(self["work"]) if key[0] == lane]

    def nodes(self):
        """Peer id by node id, and the ids that were removed."""
        peers, removed = {}, set()
        for key, value in self["raft_meta"].items():
            if key.startswith(b"node/"):
                row = Fields("node", value)
                peer, _, gone = base58(row.bytes()), row.uvarint(), row.uvarint()
                peers[key[5:].hex()] = peer
                if gone:
                    removed.add(key[5:].hex())
        return peers, removed


def check_meta(rows):
    """Returns the counters, and the rows it does not know."""
    meta = dict(rows["meta"])
    check(len(meta.pop(b"format")) == 4, "meta format: be32")
    row = Fields("meta state/counters", meta.pop(b"state/counters"))
    counters = {"generation": row.be32(), "pins": row.be64(), "sessions": row.be64(), "work_added": row.be64()}
    row.end()
    reconcile = meta.pop(b"state/reconcile", None)
    if reconcile is not None:
        row = Fields("meta state/reconcile", reconcile)
        check(row.be32() < counters["generation"], "state/reconcile names an older generation")
    tracker = meta.pop(b"tracker/counters", None)
    done = waiting = 0
    if tracker is not None:
        row = Fields("meta tracker/counters", tracker)
        done, waiting = row.be64(), row.be64()
        row.end()
    lanes = {lane: len(rows.work(lane)) for lane in (UNPIN, PIN, RETRY, LATER)}
    check(lanes[RETRY] == waiting, f"tracker/counters says {waiting} retry rows, there are {lanes[RETRY]}")
    due = (counters["work_added"] - done) % 2**64
    check(due == sum(lanes.values()), f"the counters say {due} work rows, there are {lanes}")
    for key, value in rows["work"].items():
        row = Fields("work row", value)
        if key[0] == KEPT:
            check(key[1:9] == bytes(8) and row.u8() == 1, "a kept copy: number 0, version 1")
            row.take(4 + 8 + 8)
        row.end()
    return counters, meta


def check_pinset(rows, counters):
    generation = counters["generation"]
    expiring = set()
    for key, value in rows["pins"].items():
        pin = pin_of("pin row", value[8:])
        check(pin["cid"] == cid_text(key[4:]), f"the pin row of {cid_text(key[4:])} holds {pin['cid']}")
        check(int.from_bytes(value[:8], "big") > 0, "a modification index is a log index")
        if pin["expire_at"]:
            expiring.add(key[:4] + b"e" + pin["expire_at"].to_bytes(8, "big") + key[4:])
    check(set(rows["pin_index"]) == expiring, "pin_index holds just the pins that expire")
    check(not any(rows["pin_index"].values()), "rows of pin_index are empty")
    live = sum(1 for key in rows["pins"] if int.from_bytes(key[:4], "big") == generation)
    check(live == counters["pins"], f"state/counters says {counters['pins']} pins, there are {live}")
    windows, ages = set(), set()
    live = 0
    for key, value in rows["sessions"].items():
        row = Fields("sessions key", key)
        of, kind = row.be32(), row.take(1)
        if kind == b"a":
            last = row.be64()
            check(value == b"", "an age of a session is empty")
            ages.add((of, last, row.rest()))
            continue
        check(kind == b"s", f"sessions: a row of the kind {kind}")
        window = Fields("session", value)
        last, highest, bits = window.be64(), window.be64(), window.take(WINDOW_BYTES)
        window.end()
        check(highest > 0 and any(bits), "a session has seen a number")
        windows.add((of, last, row.rest()))
        live += of == generation
    check(windows == ages, "each session stands once in the order of their ages")
    check(live == counters["sessions"], f"state/counters says {counters['sessions']} sessions, there are {live}")


def check_tracker(rows):
    retries = set(rows.work(RETRY))
    for key, value in rows["tracker"].items():
        row = Fields("tracker row", value)
        check(row.u8() == 1, "tracker row: version 1")
        check(row.u8() in PHASES, "tracker row: a known phase")
        row.be64()
        row.be64()
        due = row.be64()
        row.uvarint()
        row.uvarint()
        row.rest().decode()
        wanted = bytes([RETRY]) + due.to_bytes(8, "big") + key
        check((wanted in rows["work"]) == (cid_text(key) in retries), f"the retry row of {cid_text(key)} has the time of its record")


def check_log(rows):
    """Returns the rows it does not know."""
    meta = dict(rows["raft_meta"])
    if b"hard_state" in meta:
        row = Fields("hard_state", meta.pop(b"hard_state"))
        row.take(24)
        row.end()
    ends = {}
    for name in ("applied", "compacted"):
        if name.encode() in meta:
            row = Fields(name, meta.pop(name.encode()))
            ends[name] = row.be64()
            row.be64()
            row.end()
    meta.pop(b"conf_state", None)
    check(len(meta.pop(b"rounds", bytes(8))) == 8, "raft_meta rounds: be64")
    if rows.format > 1:
        check(len(meta.pop(b"feature_level", bytes(4))) == 4, "raft_meta feature_level: be32")
    for name in (b"cluster_id", b"incarnation", b"imported"):
        check(len(meta.pop(name, bytes(32))) == 32, f"raft_meta {name}: 32 bytes")
    incarnation = rows["raft_meta"].get(b"incarnation")
    for key in list(meta):
        if key.startswith(b"seen/"):
            check(len(key) == 13 and meta.pop(key) == b"", "a seen row: be64 and nothing")
        elif key.startswith(b"node/"):
            row = Fields("node", meta.pop(key))
            peer, _, gone = row.bytes(), row.uvarint(), row.uvarint()
            row.end()
            check(len(key) == 13 and gone in (0, 1) and peer, "a node row: be64, peer, index, removed")
    check(incarnation is not None or not rows["raft_log"], "who has a log has an incarnation")
    indexes = []
    for key, value in sorted(rows["raft_log"].items()):
        check(len(key) == 8, "raft_log: the index as be64")
        indexes.append(int.from_bytes(key, "big"))
        row = Fields("raft_log", value)
        row.be64()
        kind, data = row.u8(), row.rest()
        check(kind in (0, 2), f"raft_log: an entry of type {kind}")
        if kind == 0 and data:
            check_operations(data)
        check(rows.format > 1 or data[:1] == b"\1" or kind == 2 or not data, "an entry of the log: version 1")
    check(indexes == list(range(ends.get("compacted", 0) + 1, ends.get("compacted", 0) + 1 + len(indexes))), "raft_log has no holes")
    return meta


def check_operations(data):
    row = Fields("entry", data)
    version = row.u8()
    check(version in (1, 2), "an entry of the log: version 1 or 2")
    level = row.uvarint() if version > 1 else 0
    for _ in range(row.uvarint()):
        kind = row.u8()
        check(kind in (1, 2) or kind in (3, 4) and level > 0, f"an operation of kind {kind} at level {level}")
        row.bytes()
        row.uvarint()
        if kind > 2:
            payload = row.bytes()
            check(kind != 3 or len(payload) == 4 and int.from_bytes(payload, "big") == level, "a raise needs the level it raises to")
            continue
        row.uvarint()
        row.uvarint()
        cid = row.bytes()
        if kind == 1:
            check(pin_of("operation", row.bytes())["cid"] == cid_text(cid), "an operation's pin has the operation's CID")
    row.end()


def crc32c(data, table=[]):  # noqa: B006: made once
    if not table:
        for number in range(256):
            for _ in range(8):
                number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
            table.append(number)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def records(path):
    """The records of a segment: multihash and data by offset, and where the last one ends."""
    with open(path, "rb") as f:
        segment = Fields(path, f.read())
    check(segment.take(16) == b"ICLBLKS1\0\0\0\1\0\0\0\0", f"{path}: the header")
    out = {}
    while segment.more():
        at = segment.at
        head = Fields(path, segment.take(5))
        length, digest_length = head.be32(), head.u8()
        checksum, multihash, data = segment.be32(), segment.take(digest_length), segment.take(length)
        check(crc32c(head.data + multihash + data) == checksum, f"{path}: the checksum of the record at {at}")
        check(multihash[:2] != b"\x12\x20" or hashlib.sha256(data).digest() == multihash[2:], f"{path}: the block at {at} has its hash")
        out[at] = (multihash, data)
    return out, segment.at


def check_blocks_version_1(program, folder):
    """The same for the node's blocks and their index; returns the number of blocks."""
    segments = os.path.join(folder, "blocks", "segments")
    read = {int(name[:8]): records(os.path.join(segments, name)) for name in os.listdir(segments) if name.endswith(".blocks")}
    index = Rows(program, folder, "blocks/index")
    check(set(index.families) <= {"blocks"}, f"the index has rows in {set(index.families)}")
    rows = dict(index["blocks"])
    log = Fields("index s log", rows.pop(b"slog"))
    check(log.be32() == 1, "index s log: format 1")
    end, _, blocks, size = (log.be32(), log.be64()), log.be64(), log.be64(), log.be64()
    log.end()
    found = total = 0
    for key, value in rows.items():
        row = Fields("index " + chr(key[0]), value)
        if key[:1] == b"b":
            segment, offset, length, _ = row.be32(), row.be64(), row.be32(), row.be64()
            check((segment, offset) < end, "a row is of a record before the place up to which rows are written")
            multihash, data = read[segment][0][offset]
            check(multihash == key[1:] and len(data) == length, f"the record at {segment}/{offset} is that of its row")
            found, total = found + 1, total + length
        elif key[:1] == b"p":
            depth, complete = row.be32(), row.u8()
            check(depth < 2**31 or depth >= 2**32 - 2, f"a pin's depth: {depth}")
            check(complete in (0, 1) and cid_text(key[1:]), "a pin: whole or not")
            check(len(row.rest().decode()) <= 255, "a pin's name")
        elif key[:1] == b"l":
            check(len(key) == 9, "a lease: be64")
            row.take(16)
            row.rest()
        else:
            check(False, f"the index has a row that docs/formats.md does not know: {key!r}")
        row.end()
    check(found == blocks and total == size, f"the state says {blocks} blocks of {size} bytes, there are {found} of {total}")
    return found


def uvarint(number):
    out = b""
    while number >= 0x80:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def as_bytes(data):
    return uvarint(len(data)) + data


def import_digest(rows):
    """Of the live pinset, as if it had been imported."""
    digest = since = b""
    live = sorted(key for key in rows["pins"] if int.from_bytes(key[:4], "big") == rows.generation)
    for number, key in enumerate(live, 1):
        since += as_bytes(key[4:]) + as_bytes(rows["pins"][key])
        if number % 512 == 0:
            digest, since = hashlib.sha256(digest + since).digest(), b""
    return hashlib.sha256(digest + since).digest()


def lone_founders_cluster(rows, imported):
    """The id of the cluster that this peer has founded alone under version 2, with the digest of an import or b""."""
    key = next(k for k, v in rows["raft_meta"].items() if k.startswith(b"node/"))
    founder = Fields("node", rows["raft_meta"][key]).bytes()
    all_of_it = as_bytes(founder) + as_bytes(rows["raft_meta"][b"incarnation"])
    return hashlib.sha256(all_of_it + (uvarint(0) + imported if imported else b"")).hexdigest()


def check_agreement(rows):
    """Every row that is known has the fields that docs/formats.md names, and the rows agree with each other. Returns the keys of others."""
    counters, others = check_meta(rows)
    check_pinset(rows, counters)
    check_tracker(rows)
    return [*others, *check_log(rows), *(key for key in rows["work"] if key[0] > KEPT)]


def check_version_1(rows):
    """The same, and there is no row that docs/formats.md does not describe for version 1."""
    known = {"default", "meta", "pins", "pin_index", "sessions", "work", "tracker", "raft_log", "raft_meta", "blocks"}
    check(rows.format == 1, f"format {rows.format}")
    check(set(rows.families) <= known, f"families that docs/formats.md does not know: {set(rows.families) - known}")
    others = check_agreement(rows) + rows.work(KEPT)
    check(not others, f"rows that docs/formats.md does not know: {others}")
    if rows.imported:
        check(rows.imported == import_digest(rows).hex(), "the digest of the import")
