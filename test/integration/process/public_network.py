"""The embedded node on a public network of real Kubo nodes: a network namespace whose loopback device carries addresses that count as
public, with a hash table of its own and nobody else in it. Our peer bootstraps, learns from AutoNAT that it can be reached, pins what
only a Kubo has by finding it in the hash table, and a Kubo finds and fetches what only our peer has, also over QUIC."""

import hashlib
import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kubo import Kubo  # noqa: E402
from peers import ProcessTest, arguments, check, raw_cid, run, skip, wait_until  # noqa: E402

OURS = "55.1.0.1"
PORT = 4001  # the namespace is ours alone
INSIDE = "ICL_PUBLIC_NETWORK_NAMESPACE"


def enter_namespace(addresses):
    """Runs this program again inside a namespace that has these addresses and no way out."""
    if os.environ.get(INSIDE):
        return
    if subprocess.run(["ip", "-V"], capture_output=True).returncode != 0:
        skip("the program ip (iproute2) is not installed")
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        skip("a network namespace needs root")
    setup = " && ".join(["ip link set lo up"] + [f"ip addr add {a}/32 dev lo" for a in addresses] +
                        # Whoever dials without choosing an address comes from ours, as over a real link; by default it would be the one dialed.
                        [f"ip route replace local {a} dev lo proto kernel scope host src {OURS} table local" for a in addresses])
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--net", "sh", "-c", f'{setup} && exec "$@"', "sh", sys.executable, "-B", *sys.argv])


class PublicKubo(Kubo):
    """A Kubo at one of the public addresses. A server answers the hash table's queries; the others only ask."""

    def __init__(self, test, name, ip, bootstrap, server, quic=False):
        super().__init__(test, name=name)
        self.configure()
        self.at = f"/ip4/{ip}/tcp/{PORT}/p2p/{self.run('config', 'Identity.PeerID').stdout.decode().strip()}"
        for key, value in (("Addresses.Swarm", [f"/ip4/{ip}/tcp/{PORT}"]), ("Bootstrap", bootstrap),
                           ("Routing.Type", "dhtserver" if server else "dhtclient"), ("Swarm.DisableNatPortMap", True),
                           ("Internal.Libp2pForceReachability", "public"), ("Swarm.Transports.Network.QUIC", quic),
                           ("Provide.Enabled", True), ("Provide.DHT.SweepEnabled", False)):
            self.run("config", "--json", key, json.dumps(value))
        self.daemon()

    def peers(self):
        return self.run("swarm", "peers").stdout.decode().splitlines()


def main():
    args = arguments(__doc__).parse_args()
    enter_namespace([OURS, "11.1.0.1", "22.1.0.1", "33.1.0.1", "44.1.0.1"])
    numbers = random.Random(11)
    with ProcessTest(args, network=True) as test:
        first = PublicKubo(test, "first", "11.1.0.1", [], server=True)
        second = PublicKubo(test, "second", "22.1.0.1", [first.at], server=True)
        wait_until(60, "the two servers of the hash table know each other", lambda: any(first.at.split("/")[-1] in p for p in second.peers()))

        def random_file(name, size):
            path = os.path.join(test.work, name)
            with open(path, "wb") as f:
                f.write(numbers.randbytes(size))
            return path, hashlib.sha256(open(path, "rb").read()).hexdigest()

        holder = PublicKubo(test, "holder", "33.1.0.1", [first.at, second.at], server=False, quic=True)
        path, theirs_sha = random_file("theirs", 3_000_000)
        theirs = holder.add(path)

        def provide():
            return holder.run("routing", "provide", theirs, timeout=60, ok=False).returncode == 0

        wait_until(60, "the holder tells the hash table what it has", provide, pause=1)
        wait_until(60, "the hash table knows the holder",
                   lambda: second.run("routing", "findprovs", "-n", "1", theirs, ok=False, timeout=30).stdout.strip())

        peer = test.peer("peer1", {"CLUSTER_EMBEDDED_PINTIMEOUT": "20s"}).init()
        config = peer.config()
        config["ipfs_connector"]["embedded"].update({
            "network": "public", "public_listen_multiaddress": [f"/ip4/{OURS}/tcp/{PORT}", f"/ip4/{OURS}/udp/{PORT}/quic-v1"],
            "bootstrap": [first.at, second.at]})
        peer.write_config(config)
        peer.start()
        own = json.loads(peer.request("GET", "/id")[2])
        public_id = own["ipfs"]["id"]
        check(public_id != peer.id, "the node is somebody else on the public network than in the cluster")
        wait_until(60, "our peer is among the first server's peers", lambda: any(public_id in p for p in first.peers()))
        check(not any(peer.id in p for p in first.peers()), "the cluster's host stays out of the public network")
        wait_until(120, "AutoNAT says that our peer can be reached", lambda: "others can reach this peer" in peer.log_from())
        print("ok: bootstrapped and reachable", flush=True)

        check(not any(public_id in p for p in holder.peers()), "the holder and our peer are not connected before the pin")
        peer.ctl("pin", "add", "--no-status", theirs)
        wait_until(90, f"our peer pins {theirs}", lambda: peer.status(theirs)["peer1"]["status"] == "pinned")
        got = peer.ctl("cat", theirs).stdout
        check(hashlib.sha256(got).hexdigest() == theirs_sha, f"what our peer read of {theirs} differs ({len(got)} bytes)")
        print(f"ok: our peer found the provider of {theirs} in the hash table and pinned {len(got)} bytes", flush=True)

        path, ours_sha = random_file("ours", 3_000_000)
        ours = peer.add(path)
        wait_until(90, "the hash table names our peer as a provider",
                   lambda: public_id.encode() in second.run("routing", "findprovs", "-n", "1", ours, ok=False, timeout=30).stdout)
        reader = PublicKubo(test, "reader", "44.1.0.1", [first.at, second.at], server=False)

        def read():
            """Kubo never asks peers that its hash table had connected before its bitswap was listening: such a connection is ended first,
            so that it finds and dials our peer anew."""
            reader.run("swarm", "disconnect", f"/p2p/{public_id}", ok=False)
            try:
                return reader.run("cat", ours, timeout=20, ok=False).stdout
            except subprocess.TimeoutExpired:
                return None

        got = wait_until(120, f"the reader finds and reads {ours}", read)
        check(hashlib.sha256(got).hexdigest() == ours_sha, f"what the reader got of {ours} differs ({len(got)} bytes)")
        print(f"ok: a Kubo that knew nothing of our peer found it and read {len(got)} bytes", flush=True)

        def over_quic():
            holder.run("swarm", "disconnect", f"/p2p/{public_id}", ok=False)
            holder.run("swarm", "connect", f"/ip4/{OURS}/udp/{PORT}/quic-v1/p2p/{public_id}", ok=False, timeout=30)
            return any("/quic-v1" in p and public_id in p for p in holder.peers())

        wait_until(60, "a Kubo is connected with our peer over QUIC", over_quic, pause=1)
        print("ok: connected over QUIC", flush=True)

        nobody_has = raw_cid(b"nobody has this")
        peer.ctl("pin", "add", "--no-status", nobody_has)
        row = wait_until(90, "a pin that nobody can serve is an error", lambda: (lambda r: r if r["status"] == "pin_error" else None)(
            peer.status(nobody_has)["peer1"]))
        for words in ("on the public network (", "others can reach us", "found 0 providers"):
            check(words in row["error"], f"the error says where it looked ({words!r}): {row['error']}")
        print(f"ok: {row['error']}", flush=True)
        code = peer.stop()
        check(code == 0, f"the peer stops in order: exit {code}\n{peer.tail()}")


run(main)
