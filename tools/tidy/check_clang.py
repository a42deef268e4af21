#!/usr/bin/env python3
"""The sources as clang reads them, without the precompiled header, and every header alone; clang-tidy (.clang-tidy) over the modules that decide
what is kept and over what changed since it last passed here.

    check_clang.py BUILD [--budget SECONDS] [--all]

BUILD has the compile_commands.json. What passed is remembered in the user's cache folder with the text of all that it includes, and is looked at
again when one of these changes: a run costs what the change costs. After SECONDS nothing new is begun; what was touched last goes first, the
next run goes on with the rest, and how much that is gets said. `--all` runs clang-tidy over all of src/. 77 where clang 19 is missing."""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLANG, TIDY = "clang++-19", "clang-tidy-19"
STORE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ipfscluster" / "clang"
WATCHED = re.compile(r"src/(consensus|tracker|cluster|state)/")
# Of the flags that g++ gets, what clang does not know or what only makes code.
DROPPED = re.compile(r"-fpch-preprocess|-Winvalid-pch|-f(no-)?sanitize.*|-fno-omit-frame-pointer|-O.|-g.|-c")
# g++ 12's library uses its own deprecated functions; a header is compiled as the main file here.
ADDED = ["-Werror", "-Wno-unknown-warning-option", "-Wno-deprecated-declarations", "-Wno-pragma-once-outside-header", "-fsyntax-only"]


class Store:
    """What passed: a file per kind of check and source, with the digest of each file that was read."""

    def __init__(self):
        STORE.mkdir(parents=True, exist_ok=True)
        self.digests, self.lock = {}, threading.Lock()

    def digest(self, path):
        """Of a file of ours its text, of the system's its size and time."""
        if path not in self.digests:
            try:
                at = ROOT / path
                value = os.stat(path).st_mtime_ns if os.path.isabs(path) else hashlib.sha256(at.read_bytes()).hexdigest()
            except OSError:
                value = None
            with self.lock:
                self.digests[path] = value
        return self.digests[path]

    def passed(self, key):
        try:
            return all(self.digest(path) == seen for path, seen in json.loads((STORE / key).read_text()).items())
        except (OSError, ValueError):
            return False

    def remember(self, key, files):
        with tempfile.NamedTemporaryFile("w", dir=STORE, delete=False) as out:
            json.dump({path: self.digest(path) for path in files}, out)
        os.replace(out.name, STORE / key)


class Check:
    """One source or header, read by clang or clang-tidy."""

    def __init__(self, kind, path, flags, salt):
        self.kind, self.path, self.flags = kind, path, flags
        self.key = hashlib.sha256("\0".join([kind, path, salt, *(f.replace(str(ROOT), ".") for f in flags)]).encode()).hexdigest()

    def run(self, store):
        """None when it passes, else what was found."""
        with tempfile.NamedTemporaryFile(suffix=".d") as deps:
            language = ["-x", "c++"]
            command = [CLANG, *self.flags, *ADDED, "-MD", "-MF", deps.name, *language, self.path]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode == 0 and self.kind == "tidy":
                command = [TIDY, "--quiet", self.path, "--", *self.flags, *ADDED, *language]
                done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode != 0:
                return f"{done.stdout}\n{done.stderr}".strip()
            files = shlex.split(pathlib.Path(deps.name).read_text().replace("\\\n", " ").partition(":")[2])
        store.remember(self.key, sorted({os.path.relpath(f, ROOT) if os.path.abspath(os.path.join(ROOT, f)).startswith(f"{ROOT}/") else f
                                         for f in files} | ({".clang-tidy"} if self.kind == "tidy" else set())))
        return None


def first_include(path):
    found = re.search(r'^#include "([^"]+)"', (ROOT / path).read_text(), re.M)
    return found and found.group(1)


def units(build):
    """(source or header, flags) of all that is to be read. A source that includes its header first reads it alone."""
    flags_in, found = {}, []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), ROOT)
        if not path.startswith(("src/", "test/", "bench/")):
            continue
        words, flags = shlex.split(entry["command"]), []
        start = next(i for i, word in enumerate(words) if word.startswith("-"))
        if "ccache" in words[0] or words[0].endswith("cmake"):
            start = next(i for i, word in enumerate(words) if word.endswith("c++")) + 1
        rest = iter(words[start:])
        for word in rest:
            if word in ("-o", "-include", "-MF", "-MT"):
                next(rest)
            elif word != entry["file"] and not DROPPED.fullmatch(word):
                flags.append(word)
        found.append((path, flags))
        flags_in.setdefault(os.path.dirname(path), flags)
    alone = {os.path.join("src", first_include(p)) for p, _ in found if p.startswith("src/") and first_include(p)
             and os.path.splitext(first_include(p))[0] == os.path.splitext(p)[0].removeprefix("src/")}
    any_of_src = next(flags for folder, flags in flags_in.items() if folder == "src/cli/service")
    for header in sorted((ROOT / "src").rglob("*.hpp")):
        path = header.relative_to(ROOT).as_posix()
        if path not in alone:
            found.append((path, flags_in.get(os.path.dirname(path), any_of_src)))
    return found


def git(*args):
    done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.split("\n") if done.returncode == 0 else []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--budget", type=float, default=float("inf"))
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    if not shutil.which(CLANG) or not shutil.which(TIDY):
        print(f"{CLANG} or {TIDY} is not installed: the sources were not checked")
        return 77
    begin, store = time.monotonic(), Store()
    # Since the last commit that passed here, or of the last one.
    mark = STORE / "commit"
    since = mark.read_text().strip() if mark.exists() else "HEAD~1"
    changed = set(git("diff", "--name-only", since)) or set(git("diff", "--name-only", "HEAD~1"))
    salt = subprocess.run([CLANG, "--version"], capture_output=True, text=True).stdout
    checks = []
    for path, flags in units(args.build):
        tidy = path.startswith("src/") and path.endswith(".cpp") and (args.all or WATCHED.match(path) or path in changed)
        checks.append(Check("tidy" if tidy else "syntax", path, flags, salt))
    newest = {path: i for i, path in reversed(list(enumerate(git("log", "-200", "--format=", "--name-only"))))}
    todo = sorted((c for c in checks if not store.passed(c.key)),
                  key=lambda c: (c.path not in changed, not WATCHED.match(c.path), newest.get(c.path, len(newest))))
    failed, left = [], 0

    def run(check):
        return "left" if time.monotonic() - begin > args.budget else check.run(store)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for check, said in zip(todo, pool.map(run, todo)):
            if said == "left":
                left += 1
            elif said:
                failed.append(check.path)
                print(f"--- {check.path}\n" + "\n".join(line for line in said.splitlines() if " warnings generated" not in line)[:6000], flush=True)
    print(f"clang: {len(todo) - left} of {len(checks)} sources and headers read in {time.monotonic() - begin:.0f} s, {len(failed)} with findings"
          + (f"; {left} ARE LEFT for the next run" if left else ""))
    if not failed and not left:
        mark.write_text("".join(git("rev-parse", "HEAD")))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
