"""Runs the ```sh blocks of README.md and docs/*.md as they stand: all blocks of a file in order, each in an empty folder of its own,
inside a network namespace of its own, where the default ports are free. Needs root for the namespace."""

import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, clean_environment, die_with_parent, run, skip  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
LIMIT = 120


def blocks(path):
    with open(path) as f:
        return re.findall(r"^```sh\n(.*?)^```$", f.read(), re.M | re.S)


def run_block(test, name, text):
    folder = os.path.join(test.work, name)
    os.makedirs(folder)
    programs = os.path.join(test.work, "bin")
    env = clean_environment({"PATH": programs + ":" + os.environ["PATH"], "HOME": folder})
    # A shell stops at the first command that fails; what it started is in its process group and its PID namespace.
    script = f"ip link set lo up && cd {folder} && exec bash -euo pipefail {folder}.sh"
    with open(folder + ".sh", "w") as f:
        f.write(text)
    with open(folder + ".log", "w") as log:
        process = subprocess.Popen(["unshare", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-c", script], env=env, stdout=log,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        try:
            code = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            code = f"no end within {LIMIT} s"
    with open(folder + ".log") as log:
        said = log.read()
    if code != 0:
        for extra in sorted(os.listdir(folder)):
            if extra.endswith(".log"):
                with open(os.path.join(folder, extra)) as f:
                    said += f"--- {extra}\n" + f.read()[-3000:]
    check(code == 0, f"{name}: expected exit 0, saw {code}:\n{text}\n--- output\n{said[-8000:]}")
    print(f"ok: {name}: {len(text.splitlines())} lines", flush=True)


def main():
    args = arguments(__doc__).parse_args()
    tried = subprocess.run(["unshare", "--net", "--pid", "--fork", "--mount-proc", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        skip(f"a namespace of its own cannot be made (it needs root, and / to be a mount point): {tried.stderr.strip()}")
    if subprocess.run(["ip", "-V"], capture_output=True).returncode != 0:
        skip("the program ip (iproute2) is not installed")
    with ProcessTest(args) as test:
        os.makedirs(os.path.join(test.work, "bin"))
        for program in (test.service, test.ctl):
            os.symlink(program, os.path.join(test.work, "bin", os.path.basename(program)))
        documents = ["README.md"] + [os.path.join("docs", d) for d in sorted(os.listdir(os.path.join(ROOT, "docs"))) if d.endswith(".md")]
        count = 0
        for document in documents:
            for text in blocks(os.path.join(ROOT, document)):
                count += 1
                run_block(test, f"{os.path.basename(document)}-{count}", text)
        check(count >= 2, f"expected the README's two blocks at least, saw {count}")


run(main)
