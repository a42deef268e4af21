"""A peer's IPFS proxy, as the tests of this folder call it."""

import http.client
import json
import urllib.parse


def proxy_port(peer):
    listen = peer.config()["api"]["ipfsproxy"]["listen_multiaddress"]
    return int((listen if isinstance(listen, str) else listen[0]).rsplit("/", 1)[1])


def node_port(peer):
    """Of the embedded node's own API."""
    listen = peer.config()["ipfs_connector"]["embedded"]["api_listen_multiaddress"]
    return int((listen if isinstance(listen, str) else listen[0]).rsplit("/", 1)[1])


def form(files):
    """A multipart body of {name: bytes}: (body, headers)."""
    boundary = "icl-boundary"
    body = b"".join(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{urllib.parse.quote(name, safe="")}"\r\n'
                    f"Content-Type: application/octet-stream\r\n\r\n".encode() + data + b"\r\n" for name, data in files.items())
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


class Answer:
    """A whole answer. `error` is what stood in the X-Stream-Error trailer."""

    def __init__(self, status, headers, body, error):
        self.status, self.headers, self.body, self.error = status, headers, body, error

    def json(self):
        return json.loads(self.body)

    def rows(self):
        return [json.loads(line) for line in self.body.splitlines() if line]


def call(port, target, method="POST", body=None, headers=None, timeout=120):
    """One request on a connection of its own, with the trailer, which http.client throws away."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, target, body=body, headers=headers or {})
        reply = connection.getresponse()
        trailers = []

        def read_trailer():
            while True:
                line = reply.fp.readline()
                if line in (b"\r\n", b"\n", b""):
                    return
                trailers.append(line.decode(errors="replace").strip())

        reply._read_and_discard_trailer = read_trailer
        data = reply.read()
        errors = [t.split(":", 1)[1].strip() for t in trailers if t.lower().startswith("x-stream-error:")]
        return Answer(reply.status, reply.headers, data, "; ".join(errors))
    finally:
        connection.close()
