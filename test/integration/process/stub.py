"""The stub daemon of bench/ beside a peer: an IPFS daemon without content that counts the calls."""

import http.client
import json
import subprocess

from peers import check, clean_environment, die_with_parent


class Stub:
    def __init__(self, test, program, *args):
        self.process = subprocess.Popen([program, *args], stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        test.processes.append(self.process)
        self.address = self.process.stdout.readline().strip()
        check(self.address, "the stub daemon did not start")

    def ask(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", int(self.address.rsplit("/", 1)[1]), timeout=30)
        try:
            connection.request(method, path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def calls(self):
        return self.ask("GET", "/bench/counters")["calls"]

    def hold(self, cids):
        """As if it had been told to pin them before."""
        for cid in cids:
            check(self.ask("POST", f"/api/v0/pin/add?arg={cid}") == {"Pins": [cid]}, f"the stub holds {cid}")
        self.ask("POST", "/bench/reset")

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def put_beside(peer, stub):
    """Makes `peer`, which does not run, one that tells the daemon `stub` to pin."""
    config = peer.config()
    config["ipfs_connector"] = {"ipfshttp": {"node_multiaddress": stub.address}}
    peer.write_config(config)
    return peer


def count_by_status(peer):
    counts = {}
    code, _, body = peer.request("GET", "/pins?local=true", timeout=120)
    check(code == 200, f"GET /pins: {code} {body[:300]}")
    for line in body.splitlines():
        for row in json.loads(line)["peer_map"].values():
            counts[row["status"]] = counts.get(row["status"], 0) + 1
    return counts


def make_pins(load, output, seed, count):
    """A file of made-up pins, years old, as `state export` writes them. `load`: path of icl_bench_load."""
    subprocess.run([load, "make-pins", "--count", str(count), "--output", output, "--seed", str(seed)], check=True, timeout=120)
    return output


def import_pins(test, peer, pins):
    done = subprocess.run([test.service, "-c", peer.folder, "state", "import", "-f", pins], env=clean_environment(),
                          capture_output=True, text=True, timeout=900)
    check(done.returncode == 0, f"state import: {done.stdout}{done.stderr}")
