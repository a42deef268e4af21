"""Two of three peers are lost for good: the pinset of the survivor is exported, its consensus data cleaned up, and a new cluster founded
with it ("Without a quorum" in src/consensus/raft/README.md). Nothing that was acknowledged is lost."""

import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from migration import service  # noqa: E402
from peers import ProcessTest, arguments, check, run, wait_until  # noqa: E402

LIMIT = 120
FILES = 20


def pinned_everywhere(peer, cids, names):
    def probe():
        return all({n: s.get(n, {}).get("status") for n in names} == dict.fromkeys(names, "pinned")
                   for s in (peer.status(c) for c in cids))
    wait_until(LIMIT, f"{len(cids)} items are pinned on {names} as {peer.name} sees it", probe, pause=0.5)


def main():
    args = arguments(__doc__).parse_args()
    with ProcessTest(args) as test:
        peers = test.cluster(3)
        cids = set()
        for i in range(FILES):
            path = os.path.join(test.work, f"file{i}")
            with open(path, "wb") as f:
                f.write(b"content %d " % i * 1000)
            cids.add(peers[i % 3].add("--name", f"file {i}", path))
        pinned_everywhere(peers[0], cids, [p.name for p in peers])
        survivor = peers[2]
        for lost in peers[:2]:
            lost.kill()
            shutil.rmtree(lost.folder)
        check(survivor.stop() == 0, "the survivor stops")

        export = os.path.join(test.work, "pins.json")
        done = service(test, survivor.folder, "state", "export", "-f", export)
        check(done.returncode == 0 and f"pins={FILES}" in done.stderr and "log_index=" in done.stderr, f"export: {done}")
        done = service(test, survivor.folder, "state", "cleanup", "-f")
        check(done.returncode == 0, f"cleanup: {done.stderr}")
        done = service(test, survivor.folder, "state", "import", "-f", export)
        check(done.returncode == 0 and f"pins={FILES}" in done.stderr, f"import: {done}")

        survivor.start(limit=LIMIT)
        check(survivor.allocations() == cids, "every pin is there again")
        members = json.loads(survivor.request("GET", "/id")[2]).get("cluster_peers")
        check(members == [survivor.id], f"it is the only member: {members}")
        # Its node has kept the blocks, so nothing has to be fetched.
        pinned_everywhere(survivor, cids, [survivor.name])
        for name in ("peer4", "peer5"):
            test.peer(name).init(secret=survivor.secret).start("--bootstrap", survivor.address, limit=LIMIT)
        names = [survivor.name, "peer4", "peer5"]
        pinned_everywhere(test.peers[-1], cids, names)
        text = test.peers[-1].ctl("cat", sorted(cids)[0]).stdout
        check(text.startswith(b"content "), "a new peer gives the bytes back")

        # One more: of a cluster that lives, an import on a member is not taken over by it in silence.
        member = test.peers[-1]
        check(member.stop() == 0, "a member stops")
        with open(export) as f:
            one = f.readline()
        done = subprocess.run([test.service, "-c", member.folder, "state", "import", "-f"], input=one, text=True, capture_output=True,
                              env=member.env, timeout=LIMIT)
        check(done.returncode == 0, f"import on a member: {done.stderr}")
        mark = os.path.getsize(member.log_path)
        member.start(limit=LIMIT)
        check("joining anew" in member.log_from(mark), f"the cluster goes on as it was:\n{member.tail()}")
        wait_until(LIMIT, "the member has the cluster's pinset again", lambda: member.allocations() == cids, pause=0.5)


if __name__ == "__main__":
    run(main)
