"""What this program exports, the Go program imports, and the other way round. Needs a Go ipfs-cluster-service 1.1.x, named by
ICL_GO_SERVICE."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from migration import LIMIT, OLD, copy_old, pins_of, service  # noqa: E402
from peers import ProcessTest, arguments, check, clean_environment, raw_cid, run, skip  # noqa: E402


def go(test, folder, *args):
    done = subprocess.run([os.environ["ICL_GO_SERVICE"], "-c", folder, *args], capture_output=True, text=True, timeout=LIMIT,
                          env=clean_environment({"TZ": "UTC", "HOME": test.work}))
    check(done.returncode == 0, f"the Go program, {args}: {done.stderr}")
    return done.stdout


def main():
    args = arguments(__doc__).parse_args()
    if not os.access(os.environ.get("ICL_GO_SERVICE", ""), os.X_OK):
        skip("ICL_GO_SERVICE does not name a Go ipfs-cluster-service")
    with ProcessTest(args) as test:
        ours = test.peer("ours").init()
        with open(os.path.join(OLD, "pins-go-1.1.6.json")) as f:
            wanted = pins_of(f.read())
        more = [{"cid": raw_cid(b"item %d" % i), "name": f"item {i} <&> \u2028 \"", "metadata": {"k": str(i)},
                 "replication_factor_min": 1 + i % 2, "replication_factor_max": 2, "allocations": [ours.id]} for i in range(1000)]
        text = "\n".join(json.dumps(p) for p in more) + "\n"
        with open(os.path.join(OLD, "pins-go-1.1.6.json")) as f:
            text += f.read()
        done = service(test, ours.folder, "state", "import", "-f", stdin=text)
        check(done.returncode == 0, f"import: {done.stderr}")
        first = os.path.join(test.work, "ours.json")
        check(service(test, ours.folder, "state", "export", "-f", first).returncode == 0, "export")
        with open(first) as f:
            exported = pins_of(f.read())
        check({c: exported[c] for c in wanted} == wanted and len(exported) == 1003, f"our export has {len(exported)} pins")
        for kind in ("raft", "crdt"):
            theirs = copy_old(test, "go-1.1.6-" + kind, kind)
            go(test, theirs, "state", "import", "-f", first)
            back = go(test, theirs, "state", "export")
            check(pins_of(back) == exported, f"Go's {kind} peer gives back other pins than it was given")
            # Now the folder holds Go's data: refused; and what Go exported is taken.
            check(service(test, theirs, "daemon").returncode == 1, "a folder that Go used")
            check(service(test, ours.folder, "state", "import", "-f", stdin=back).returncode == 0, "Go's export")
            check(pins_of(service(test, ours.folder, "state", "export").stdout) == exported, "the same pins again")
            print(f"ok: {len(exported)} pins to Go's {kind} peer and back", flush=True)


if __name__ == "__main__":
    run(main)
