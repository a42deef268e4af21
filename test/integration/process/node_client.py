"""kubo-rpc-client, Kubo's JavaScript client, against the embedded node's RPC listener. Skipped, aloud, where Node or its packages cannot
be had."""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, in_outside_network, run, skip  # noqa: E402
from proxy import node_port  # noqa: E402

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "kubo_rpc_client"))
NODE_MIN = 20


def install(work):
    """The locked packages in a folder of the test, or a skip."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            skip(f"{program} is not installed: kubo-rpc-client was not tried")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=30).stdout
    number = re.match(r"v(\d+)", version)
    if not number or int(number.group(1)) < NODE_MIN:
        skip(f"Node {version.strip()} is older than {NODE_MIN}: kubo-rpc-client was not tried")
    folder = os.path.join(work, "client")
    os.makedirs(folder)
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(os.path.join(SOURCE, name), folder)
    try:
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True, text=True,
                              timeout=240, preexec_fn=in_outside_network)
    except subprocess.TimeoutExpired:
        skip("npm could not install kubo-rpc-client in time")
    if done.returncode != 0:
        skip(f"npm cannot install kubo-rpc-client here: {done.stderr.strip()[-500:]}")
    return folder


def main():
    with ProcessTest(arguments(__doc__).parse_args()) as test:
        folder = install(test.work)
        peer = test.peer("peer1").init()
        peer.start()
        done = subprocess.run(["node", "client.mjs", f"http://127.0.0.1:{node_port(peer)}/api/v0"], cwd=folder, capture_output=True,
                              text=True, timeout=240)
        print(done.stdout, end="")
        check(done.returncode == 0, f"kubo-rpc-client: {done.stderr[-3000:]}")


run(main)
