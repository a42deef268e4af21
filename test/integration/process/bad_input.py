"""Bad input to a running peer's REST API, to ctl, and to init and daemon: each gets the documented status or exit code and a text
that names what is wrong, and nothing is changed, lost or left running."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import Failure, ProcessTest, arguments, check, clean_environment, free_port, raw_cid, run, wait_until  # noqa: E402

CID = raw_cid(b"a pin that nobody asks for")
MULTIPART = {"Content-Type": "multipart/form-data; boundary=B"}


def part(data=b"hello", name="a.txt"):
    return (f'--B\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n").encode() + data + b"\r\n"


GOOD = part() + b"--B--\r\n"
JSON = {"Content-Type": "application/json"}

# method, target, body, header fields, status, texts of which one must be in the answer (any case)
REQUESTS = [
    ("POST", "/pins/notacid", None, {}, 400, ["notacid", "cid"]),
    ("DELETE", "/pins/notacid", None, {}, 400, ["cid"]),
    ("GET", "/pins/notacid", None, {}, 400, ["cid"]),
    ("GET", "/allocations/notacid", None, {}, 400, ["cid"]),
    ("POST", "/pins/notacid/recover", None, {}, 400, ["cid"]),
    ("POST", "/pins/ipfs/notacid", None, {}, 400, ["notacid", "path"]),
    ("GET", "/pins?cids=notacid", None, {}, 400, ["cid"]),
    ("GET", "/pins?filter=nonsense", None, {}, 400, ["filter"]),
    ("GET", "/allocations?filter=nonsense", None, {}, 400, ["filter"]),
    ("GET", f"/allocations/{CID}", None, {}, 404, ["pin is not part of the pinset"]),
    ("DELETE", f"/pins/{CID}", None, {}, 404, ["pin is not part of the pinset"]),
    ("POST", f"/pins/{CID}?replication-min=-2", None, {}, 500, ["replication"]),
    ("POST", f"/pins/{CID}?replication-min=3&replication-max=2", None, {}, 500, ["replication"]),
    ("POST", f"/pins/{CID}?replication-min=2&replication-max=2", None, {}, 500, ["not enough", "allocat"]),
    ("POST", f"/pins/{CID}?replication-min=many", None, {}, 400, ["replication-min"]),
    ("POST", f"/pins/{CID}?expire-at=tomorrow", None, {}, 400, ["expire-at"]),
    ("POST", f"/pins/{CID}?expire-at=2001-01-01T00:00:00Z", None, {}, 500, ["expire"]),
    ("POST", f"/pins/{CID}?expire-in=soon", None, {}, 400, ["expire-in"]),
    ("POST", f"/pins/{CID}?pin-update=notacid", None, {}, 400, ["pin-update", "notacid"]),
    ("POST", f"/pins/{CID}?pin-update={raw_cid(b'absent')}", None, {}, 404, ["not part of the pinset"]),
    ("POST", f"/pins/{CID}?name=%zz", None, {}, 400, ["%zz", "escape"]),
    ("POST", "/peers", b"{", JSON, 400, ["json"]),
    ("POST", "/peers", b'{"peer_id":"nopeer"}', JSON, 400, ["nopeer", "peer"]),
    ("POST", "/peers", b"[]", JSON, 400, ["json", "peer_id", "object"]),
    ("POST", "/peers", b'{"peer_id":"' + b"x" * 20000 + b'"}', JSON, 413, ["large", "bytes"]),
    ("DELETE", "/peers/nopeer", None, {}, 400, ["nopeer", "peer"]),
    ("POST", "/add", b"hello", {"Content-Type": "text/plain"}, 400, ["multipart"]),
    ("POST", "/add", b"hello", {}, 400, ["multipart"]),
    ("POST", "/add", b"hello", {"Content-Type": "multipart/form-data"}, 400, ["boundary"]),
    ("POST", "/add?stream-channels=false", b"--B--\r\n", MULTIPART, 500, ["no parts"]),
    ("POST", "/add?stream-channels=false", b"no boundary anywhere", MULTIPART, 500, ["multipart"]),
    ("POST", "/add?stream-channels=false", part(), MULTIPART, 500, ["multipart"]),
    ("POST", "/add?stream-channels=false", part(name="../../escape") + b"--B--\r\n", MULTIPART, None, []),
    ("POST", "/add?layout=spiral", GOOD, MULTIPART, 400, ["layout"]),
    ("POST", "/add?format=zip", GOOD, MULTIPART, 400, ["format"]),
    ("POST", "/add?raw-leaves=maybe", GOOD, MULTIPART, 400, ["raw-leaves"]),
    ("POST", "/add?cid-version=x", GOOD, MULTIPART, 400, ["cid-version"]),
    ("POST", "/add?stream-channels=false&chunker=saw", GOOD, MULTIPART, (400, 500), ["chunker"]),
    ("POST", "/add?stream-channels=false&chunker=size-0", GOOD, MULTIPART, (400, 500), ["chunk", "size"]),
    ("POST", "/add?stream-channels=false&chunker=size-99999999999", GOOD, MULTIPART, (400, 500), ["chunk", "size"]),
    ("POST", "/add?stream-channels=false&hash=md17", GOOD, MULTIPART, (400, 500), ["hash"]),
    ("POST", "/add?stream-channels=false&cid-version=7", GOOD, MULTIPART, (400, 500), ["version"]),
    ("POST", "/add?stream-channels=false&replication-min=-2", GOOD, MULTIPART, (400, 500), ["replication"]),
    ("POST", "/add?stream-channels=false&replication-min=3&replication-max=2", GOOD, MULTIPART, (400, 500), ["replication"]),
    ("GET", "/nowhere", None, {}, 404, ["not found"]),
    ("PUT", "/id", None, {}, 405, None),
    ("GET", "/id", None, {"X-Long": "x" * 20000}, 431, None),
]

# ctl: arguments, exit code, stream with the text, text
COMMANDS = [
    (["pin", "add", "notacid"], (1, 2), "notacid"),
    (["pin", "rm", "notacid"], (1, 2), "notacid"),
    (["status", "notacid"], (1, 2), "cid"),
    (["pin", "rm", CID], 2, "pin is not part of the pinset"),
    (["pin", "add", "--rmin", "-2", CID], 1, "replication-min"),
    (["pin", "add", "--allocations", "nopeer", CID], 1, "nopeer"),
    (["pin", "add", "--rmin", "3", "--rmax", "2", CID], 2, "replication"),
    (["pin", "add", "--rmin", "many", CID], 1, "rmin"),
    (["pin", "add", "--expire-in", "soon", CID], 1, "soon"),
    (["pin", "add"], 1, "cid"),
    (["peers", "rm", "nopeer"], (1, 2), "peer id"),
    (["add", "/there/is/no/such/file"], 1, "/there/is/no/such/file"),
    (["add", "DIRECTORY"], 1, "recursive"),
    (["add", "--chunker", "saw", "FILE"], (1, 2), "chunker"),
    (["add", "--hash", "md17", "FILE"], (1, 2), "hash"),
    (["add", "--layout", "spiral", "FILE"], (1, 2), "layout"),
    (["add", "--rmin", "-2", "FILE"], (1, 2), "replication"),
    (["--enc", "xml", "id"], 1, "enc"),
    (["--host", "nonsense", "id"], 1, "nonsense"),
    (["--host", "/ip4/127.0.0.1/tcp/1", "id"], 1, "code: 0"),
    (["nonsense"], 3, "nonsense"),
    (["id", "--nonsense"], 1, "nonsense"),
    (["get", "notacid", "-o", "DIRECTORY/out"], (1, 2), "cid"),
]


class Problems:
    """Collects what did not hold, so that one run shows all of it."""

    def __init__(self):
        self.list, self.count = [], 0

    def expect(self, condition, text):
        self.count += 1
        if not condition:
            self.list.append(text)

    def raise_if_any(self):
        check(not self.list, f"{len(self.list)} of {self.count} expectations did not hold:\n  " + "\n  ".join(self.list))


def fits(code, wanted):
    return wanted is None or code == wanted or (isinstance(wanted, tuple) and code in wanted)


def requests(peer, problems):
    for method, target, body, fields, status, texts in REQUESTS:
        what = f"{method} {target}" + (f" {body[:40]!r}" if body else "")
        try:
            got, _, text = peer.request(method, target, body, fields)
        except Exception as error:
            problems.expect(False, f"{what}: expected {status}, the connection failed: {error!r}")
            continue
        problems.expect(fits(got, status), f"{what}: expected {status}, saw {got} {text[:200]!r}")
        if texts is None or status is None:
            continue
        problems.expect(any(t.lower() in text.lower() for t in texts), f"{what}: expected one of {texts} in {text[:300]!r}")
        try:
            problems.expect(json.loads(text).get("code") == got, f"{what}: the body's code is not {got}: {text[:200]!r}")
        except ValueError:
            problems.expect(False, f"{what}: the body is not a JSON error: {text[:200]!r}")


def streamed_trailer(peer, problems):
    """In streaming form the status is out before the fault is seen: the trailer must say it."""
    target = "/add?chunker=saw"
    with socket.create_connection(("127.0.0.1", peer.api_port), timeout=20) as s:
        s.sendall((f"POST {target} HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nContent-Type: {MULTIPART['Content-Type']}\r\n"
                   f"Content-Length: {len(GOOD)}\r\nConnection: close\r\n\r\n").encode() + GOOD)
        text = b""
        while True:
            more = s.recv(65536)
            if not more:
                break
            text += more
    good = b"HTTP/1.1 400" in text or (b"HTTP/1.1 200" in text and b"X-Stream-Error: " in text)
    problems.expect(good and b"chunker" in text, f"{target}: expected 400 or an X-Stream-Error naming the chunker, saw {text[:400]!r}")


def cut_uploads(peer, problems):
    """Connections cut in the middle of an upload leave no pin and no session; the peer answers others meanwhile."""
    head = (f"POST /add?stream-channels=false HTTP/1.1\r\nHost: x\r\nContent-Type: {MULTIPART['Content-Type']}\r\n"
            "Content-Length: 10000000\r\n\r\n").encode()
    chunked = (f"POST /add HTTP/1.1\r\nHost: x\r\nContent-Type: {MULTIPART['Content-Type']}\r\n"
               "Transfer-Encoding: chunked\r\n\r\n").encode()
    body = part(b"x" * 600000)[:-2]
    starts = [head, head + body[:30], head + body, chunked + b"%x\r\n" % len(body) + body + b"\r\n", chunked + b"zz\r\n", b"POST /add HT"]
    open_before = connections(peer)
    for start in starts:
        s = socket.create_connection(("127.0.0.1", peer.api_port), timeout=20)
        s.sendall(start)
        time.sleep(0.2)
        s.close()
    for _ in range(20):
        s = socket.create_connection(("127.0.0.1", peer.api_port), timeout=20)
        s.sendall(head + body)
        s.close()
    problems.expect(peer.request("GET", "/id")[0] == 200, "the peer does not answer after cut uploads")
    try:
        wait_until(20, "no session left", lambda: connections(peer) <= open_before)
    except Failure:
        problems.expect(False, f"sessions of cut uploads are left: {connections(peer)} connections, {open_before} before")


def connections(peer):
    """Established TCP connections on the REST port, as the kernel lists them for the peer's side."""
    port = f":{peer.api_port:04X}"
    with open(f"/proc/{peer.process.pid}/net/tcp") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return sum(1 for r in rows if r[1].endswith(port) and r[3] in ("01", "08"))


def commands(test, peer, problems):
    file, directory = os.path.join(test.work, "file.txt"), os.path.join(test.work, "directory")
    os.makedirs(os.path.join(directory, "sub"))
    for path in (file, os.path.join(directory, "one")):
        with open(path, "w") as f:
            f.write("some text")
    for words, code, text in COMMANDS:
        words = [w.replace("FILE", file).replace("DIRECTORY", directory) for w in words]
        done = peer.ctl(*words, ok=False, timeout=30)
        said = (done.stdout + done.stderr).decode(errors="replace")
        problems.expect(fits(done.returncode, code), f"ctl {' '.join(words)}: expected exit {code}, saw {done.returncode}: {said[:300]!r}")
        problems.expect(text.lower() in said.lower(), f"ctl {' '.join(words)}: expected {text!r} in {said[:400]!r}")


def service(test, problems, words, code, text, env=None, feed=None, limit=30):
    """One run of ipfs-cluster-service that must end by itself."""
    what = "service " + " ".join(words)
    try:
        done = subprocess.run([test.service, *words], env=clean_environment(env), input=feed or "", capture_output=True, text=True,
                              timeout=limit)
    except subprocess.TimeoutExpired as late:
        problems.expect(False, f"{what}: still running after {limit} s: {(late.stderr or b'')[-400:]!r}")
        return ""
    said = done.stdout + done.stderr
    problems.expect(fits(done.returncode, code), f"{what}: expected exit {code}, saw {done.returncode}: {said[-300:]!r}")
    for t in text if isinstance(text, list) else [text]:
        problems.expect(t.lower() in said.lower(), f"{what}: expected {t!r} in {said[-500:]!r}")
    return said


def inits(test, problems):
    where = os.path.join(test.work, "never")
    for words, text in ((["--consensus", "crdt"], "crdt"), (["--consensus", "paxos"], "paxos"), (["--ipfs", "floppy"], "floppy"),
                        (["--peers", "nonsense"], "nonsense"), (["--peers", "/ip4/127.0.0.1/tcp/9096"], "/p2p/"),
                        (["--nonsense"], "nonsense"), (["http://127.0.0.1:1/x"], "remote")):
        service(test, problems, ["-c", where, "init", *words], 1, text)
    service(test, problems, ["-c", where, "init", "--custom-secret"], 1, "secret", feed="abc\n")
    service(test, problems, ["-c", where, "init"], 1, "secret", env={"CLUSTER_SECRET": "abc"})
    service(test, problems, ["-c", where, "init"], 1, "replication_factor", env={"CLUSTER_REPLICATIONFACTORMIN": "-7"})
    service(test, problems, ["help", "nonsense"], 3, "nonsense")
    service(test, problems, ["nonsense"], 1, "")
    service(test, problems, ["-c", os.path.join(test.work, "fine"), "init", "--ipfs", "embedded", "--randomports"], 0,
            ["CLUSTER_SECRET=", "daemon --bootstrap /ip4/"])
    problems.expect(not os.path.exists(os.path.join(where, "service.json")), "a refused init wrote a service.json")
    problems.expect(not os.path.exists(os.path.join(where, "identity.json")), "a refused init wrote an identity.json")


def broken_folder(test, source, name, change):
    """A copy of a good configuration folder with `change` done to it."""
    folder = os.path.join(test.work, name)
    os.makedirs(folder)
    for file in ("service.json", "identity.json"):
        shutil.copy(os.path.join(source.folder, file), folder)
    change(folder)
    return folder


def set_key(*path_and_value):
    *path, value = path_and_value

    def change(folder):
        file = os.path.join(folder, "service.json")
        with open(file) as f:
            config = json.load(f)
        section = config
        for word in path[:-1]:
            section = section.setdefault(word, {})
        section[path[-1]] = value
        with open(file, "w") as f:
            json.dump(config, f)
    return change


def rewrite(file, how):
    def change(folder):
        path = os.path.join(folder, file)
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(how(text))
    return change


def in_its_place(file):
    def change(folder):
        os.remove(os.path.join(folder, file))
        os.makedirs(os.path.join(folder, file))
    return change


def daemons(test, good, problems):
    other = test.peer("other").init()
    cases = [
        ("missing", lambda f: os.remove(os.path.join(f, "service.json")), ["service.json"]),
        ("unreadable", in_its_place("service.json"), ["service.json"]),
        ("half", rewrite("service.json", lambda t: t[:len(t) // 2]), ["service.json"]),
        ("empty", rewrite("service.json", lambda t: ""), ["service.json"]),
        ("array", rewrite("service.json", lambda t: "[]"), ["service.json"]),
        ("secret", set_key("cluster", "secret", "abc"), ["secret"]),
        ("minmax", set_key("cluster", "replication_factor_min", 9), ["replication_factor"]),
        ("below", set_key("cluster", "replication_factor_min", -2), ["replication_factor_min"]),
        ("interval", set_key("cluster", "monitor_ping_interval", "soon"), ["monitor_ping_interval", "soon"]),
        ("type", set_key("cluster", "peername", 7), ["peername"]),
        ("listen", set_key("api", "restapi", "http_listen_multiaddress", "nowhere"), ["http_listen_multiaddress", "nowhere"]),
        ("auth", set_key("api", "restapi", "basic_auth_credentials", {}), ["basic_auth_credentials"]),
        ("election", set_key("consensus", "raft", "election_timeout", "1ms"), ["election_timeout"]),
        ("storage", set_key("ipfs_connector", "embedded", "storage_max", "-1"), ["storage_max"]),
        ("network", set_key("ipfs_connector", "embedded", "network", "everywhere"), ["network"]),
        ("two", set_key("ipfs_connector", "ipfshttp", {"node_multiaddress": "/ip4/127.0.0.1/tcp/5001"}), ["ipfshttp"]),
        ("crdt", set_key("consensus", {"crdt": {}}), ["crdt"]),
        ("informer", set_key("informer", {}), ["informer"]),
        ("noidentity", lambda f: os.remove(os.path.join(f, "identity.json")), ["identity.json"]),
        ("halfidentity", rewrite("identity.json", lambda t: t[:len(t) // 2]), ["identity.json"]),
        ("badkey", rewrite("identity.json", lambda t: json.dumps({**json.loads(t), "private_key": "AAAA"})), ["identity.json", "private_key"]),
        ("otherid", rewrite("identity.json", lambda t: json.dumps({**json.loads(t), "id": good.id})), ["identity.json"]),
        ("certificate", set_key("api", "restapi", "ssl_cert_file", "absent.pem"), ["ssl"]),
    ]
    for name, change, texts in cases:
        folder = broken_folder(test, other, "broken-" + name, change)
        service(test, problems, ["-c", folder, "daemon"], 1, texts)
        problems.expect(not os.path.isdir(os.path.join(folder, "raft")), f"daemon with a broken {name} made a database")
    service(test, problems, ["-c", other.folder, "daemon", "--bootstrap", "nonsense"], 1, "nonsense")
    service(test, problems, ["-c", other.folder, "daemon", "--bootstrap", "/ip4/127.0.0.1/tcp/9"], 1, "/p2p/")
    service(test, problems, ["-c", good.folder, "daemon"], 1, "lock")
    service(test, problems, ["-c", good.folder, "init", "-f"], 1, "lock")
    service(test, problems, ["-c", os.path.join(test.work, "absent"), "daemon"], 1, "service.json")
    busy = broken_folder(test, other, "broken-busy", set_key("api", "restapi", "http_listen_multiaddress", good.api))
    service(test, problems, ["-c", busy, "daemon"], 1, str(good.api_port), limit=60)
    busy = broken_folder(test, other, "broken-api", set_key("ipfs_connector", "embedded", "api_listen_multiaddress", good.api))
    service(test, problems, ["-c", busy, "daemon"], 1, str(good.api_port), limit=60)
    # The port that was not in use is free again: nothing is left running.
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", int(other.cluster_port())))
    # The same folder works once the fault is mended.
    set_key("api", "restapi", "http_listen_multiaddress", f"/ip4/127.0.0.1/tcp/{free_port()}")(other.folder)
    set_key("cluster", "no_such_key", 1)(other.folder)
    set_key("no_such_section", {"a": 1})(other.folder)
    other.start()
    problems.expect("no_such_key" in other.log_from(), "an unknown key is not warned about")
    problems.expect("no_such_section" in other.log_from(), "an unknown section is not warned about")
    problems.expect(other.stop() == 0, "an orderly stop must exit 0")


def wrong_secret(test, good, problems):
    stranger = test.peer("stranger").init(secret="ab" * 32)
    stranger.spawn("--bootstrap", good.address)
    try:
        wait_until(10, "the log says that the secret differs", lambda: "secret" in stranger.log_from().lower())
    except Failure:
        problems.expect(False, f"a joiner with the wrong secret does not say so within 10 s:\n{stranger.tail()}")
    members = json.loads(good.request("GET", "/id")[2])["cluster_peers"]
    problems.expect(stranger.id not in members, "a peer with the wrong secret has joined")
    problems.expect("is READY" not in stranger.log_from(), "a peer that could not join says that it is ready")
    problems.expect(stranger.alive(), "a peer that cannot join should keep trying")
    problems.expect(stranger.stop() == 0, "a joiner must stop in order")


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        problems = Problems()
        peer = test.cluster(1)[0]
        kept = peer.add_body({"kept.txt": b"this stays"}, "name=kept")
        check(kept[0] == 200, f"a good add failed: {kept}")
        before = peer.allocations()
        check(len(before) == 1, f"expected one pin before, saw {before}")
        requests(peer, problems)
        # A path that tries to leave may be cleaned or refused, but must not be pinned twice; it is taken out again.
        for cid in peer.allocations() - before:
            peer.request("DELETE", f"/pins/{cid}")
        streamed_trailer(peer, problems)
        cut_uploads(peer, problems)
        commands(test, peer, problems)
        inits(test, problems)
        daemons(test, peer, problems)
        wrong_secret(test, peer, problems)
        problems.expect(peer.allocations() == before, f"the pinset changed: {before} before, {peer.allocations()} after")
        problems.expect(peer.alive(), "the peer died")
        problems.expect(peer.stop() == 0, f"the peer must stop in order:\n{peer.tail()}")
        print(f"{problems.count} expectations")
        problems.raise_if_any()


run(main)
