"""The demonstration of demo.sh on a small generated directory: every step of it must hold. With --kubo: with a real Kubo daemon beside each
peer."""

import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kubo import BUILD  # noqa: E402
from peers import ProcessTest, arguments, check, clean_environment, die_with_parent, run, skip  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
LIMIT = 380


def main():
    parser = arguments(__doc__)
    parser.add_argument("--kubo", action="store_true")
    args = parser.parse_args()
    if args.kubo and (built := subprocess.run([BUILD], capture_output=True, text=True)).returncode != 0:
        skip(f"Kubo cannot be built here: {built.stderr.strip()[-500:]}")
    with ProcessTest(args) as test:
        source, numbers = os.path.join(test.work, "source"), random.Random(1)
        for i in range(120):
            folder = os.path.join(source, f"d{i % 7}", f"e{i % 3}")
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"{i}.bin"), "wb") as f:
                f.write(numbers.randbytes(numbers.choice([0, 10, 5000, 262144, 400_000])))
        # run.sh takes the build folder and looks for the programs where a build puts them.
        build = os.path.join(test.work, "build")
        for program, place in ((test.service, "src/cli/service"), (test.ctl, "src/cli/ctl")):
            os.makedirs(os.path.join(build, place))
            os.symlink(program, os.path.join(build, place, os.path.basename(program)))
        demo = subprocess.Popen([os.path.join(ROOT, "tools/demo/run.sh"), build, "1", source, "kubo" if args.kubo else "embedded"], env=clean_environment({"TMPDIR": test.work}),
                                preexec_fn=die_with_parent)
        try:
            code = demo.wait(LIMIT)
        except subprocess.TimeoutExpired:
            demo.terminate()
            demo.wait(30)
            code = f"no end within {LIMIT} s"
        check(code == 0, f"the demonstration: expected exit 0, saw {code}")


run(main)
