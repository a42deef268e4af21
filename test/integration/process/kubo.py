"""A real Kubo for these tests: found or built by test/tools/kubo/build.sh, with a repository in the test's folder."""

import os
import subprocess

from peers import check, clean_environment, die_with_parent, free_port, in_outside_network, skip, wait_until

BUILD = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "tools", "kubo", "build.sh"))


class Kubo:
    def __init__(self, test, swarm_key=None, name="kubo", repo=None):
        """A new repository, `name` in the test's folder or at `repo`. With `swarm_key` (hex) the node speaks only within that private
        network."""
        try:
            built = subprocess.run([BUILD], capture_output=True, text=True, timeout=int(os.environ.get("ICL_KUBO_BUILD_LIMIT", "600")),
                                   preexec_fn=in_outside_network)
        except subprocess.TimeoutExpired:
            skip("Kubo could not be built in time")
        if built.returncode != 0:
            skip(f"Kubo cannot be built here: {built.stderr.strip()[-500:]}")
        self.program = built.stdout.strip().splitlines()[-1]
        self.name = name
        self.repo = repo or os.path.join(test.work, name)
        self.env = clean_environment({"IPFS_PATH": self.repo, "IPFS_TELEMETRY": "off", "LIBP2P_FORCE_PNET": "1" if swarm_key else "0"})
        self.test = test
        self.run("init", "--profile=test")
        if swarm_key:
            with open(os.path.join(self.repo, "swarm.key"), "w") as f:
                f.write(f"/key/swarm/psk/1.0.0/\n/base16/\n{swarm_key}\n")

    def run(self, *args, input=None, timeout=300, ok=True):
        done = subprocess.run([self.program, *args], env=self.env, input=input, capture_output=True, timeout=timeout)
        if ok:
            check(done.returncode == 0, f"ipfs {' '.join(args)} exits {done.returncode}: {done.stderr.decode(errors='replace')[-1000:]}")
        return done

    def daemon(self, *args):
        """Starts the node on loopback, over TCP alone, knowing nobody; again after it was killed."""
        if not hasattr(self, "api_port"):
            self.configure()
        self.log = os.path.join(self.test.work, self.name + ".log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([self.program, "daemon", *args], env=self.env, stdout=log, stderr=log,
                                            preexec_fn=die_with_parent)
        self.test.processes.append(self.process)

        def ready():
            with open(self.log) as f:
                said = f.read()
            check(self.process.poll() is None, f"Kubo's daemon ended:\n{said[-2000:]}")
            return "Daemon is ready" in said

        wait_until(60, "Kubo's daemon is ready", ready)

    @property
    def api(self):
        return f"/ip4/127.0.0.1/tcp/{self.api_port}"

    @property
    def address(self):
        """Where other nodes reach it."""
        return f"/ip4/127.0.0.1/tcp/{self.port}/p2p/{self.run('config', 'Identity.PeerID').stdout.decode().strip()}"

    def configure(self):
        self.port, self.api_port = free_port(), free_port()
        for key, value in (("Addresses.Swarm", f'["/ip4/127.0.0.1/tcp/{self.port}"]'), ("Addresses.API", f'"{self.api}"'),
                           ("Addresses.Gateway", '""'), ("Bootstrap", "[]"), ("Swarm.Transports.Network.QUIC", "false"),
                           ("Swarm.Transports.Network.Websocket", "false"), ("Swarm.Transports.Network.WebTransport", "false"),
                           ("Swarm.Transports.Network.WebRTCDirect", "false"), ("Swarm.RelayClient.Enabled", "false"),
                           ("Swarm.EnableHolePunching", "false"), ("AutoTLS.Enabled", "false"), ("AutoConf.Enabled", "false"),
                           ("DNS.Resolvers", "{}"), ("Routing.DelegatedRouters", "[]"), ("Ipns.DelegatedPublishers", "[]"),
                           ("Discovery.MDNS.Enabled", "false"), ("Routing.Type", '"none"')):
            self.run("config", "--json", key, value)

    def add(self, path, *args):
        """`ipfs add -Q`: the root CID."""
        return self.run("add", "-Q", *args, path).stdout.decode().strip()

    def pins(self, kind="all"):
        """CIDs the node holds in that way."""
        return set(self.run("pin", "ls", "--quiet", "--type", kind).stdout.decode().split())


def peer_beside(test, kubo, name="peer1", env=None, secret=None):
    """An initialised peer whose IPFS daemon is `kubo`."""
    peer = test.peer(name, env).init(secret=secret)
    config = peer.config()
    config["ipfs_connector"] = {"ipfshttp": {"node_multiaddress": kubo.api, "connect_swarms_delay": "1s"}}
    peer.write_config(config)
    return peer
