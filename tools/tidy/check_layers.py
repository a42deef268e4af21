#!/usr/bin/env python3
"""Fails on an include that looks upward or sideways, on a source that names a kind of consensus where none is to be known, on a source or test
that no target lists, and on a module without a README.

The table is tools/tidy/layers.txt: a folder may include itself, what its row names and whatever those may use.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Who may name a kind of consensus: itself, what is configured of it, and whoever makes a peer with it. The database lists the families of all
# kinds, and the loggers are called by name.
KIND = re.compile(r"(?<![a-z])raft", re.I)
KNOWS_KINDS = re.compile(r"consensus/raft/|config/|cli/service/peer(_\w+)?\.[ch]pp$|storage/store\.[ch]pp$|base/log\.hpp$")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def read_table():
    layers, uses = {}, {}
    for line in (ROOT / "tools/tidy/layers.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        head, _, rest = line.partition(":")
        number, folder = head.split()
        layers[folder], uses[folder] = int(number), rest.split()
    return layers, uses


def allowed(folder, uses, seen=None):
    seen = set() if seen is None else seen
    for other in uses[folder]:
        if other == "*":
            seen.update(uses)
        elif other not in seen:
            seen.add(other)
            allowed(other, uses, seen)
    return seen


def folder_of(path, folders):
    best = ""
    for folder in folders:
        if path.startswith(folder + "/") and len(folder) > len(best):
            best = folder
    return best


def check_picture(layers):
    """The picture in docs/architecture.md shows every folder in its layer."""
    text = (ROOT / "docs/architecture.md").read_text()
    block = re.search(r"```text\n(.*?)```", text, re.S)
    drawn = {}
    for line in block.group(1).splitlines() if block else []:
        number, *folders = line.split()
        for folder in folders:
            drawn[folder] = int(number)
    wrong = sorted(set(layers.items()) ^ set(drawn.items()))
    return [f"docs/architecture.md: the picture disagrees about {folder} in layer {number}" for folder, number in wrong]


def main():
    layers, uses = read_table()
    problems = []
    for folder, others in uses.items():
        for other in others:
            if other != "*" and layers[other] >= layers[folder]:
                problems.append(f"layers.txt: {folder} (layer {layers[folder]}) may not name {other} (layer {layers[other]})")
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".hpp", ".cpp", ".ipp"):
            continue
        rel = path.relative_to(ROOT / "src").as_posix()
        own = folder_of(rel, uses)
        if not own:
            problems.append(f"src/{rel}: its folder has no row in tools/tidy/layers.txt")
            continue
        may = allowed(own, uses) | {own}
        text = path.read_text()
        if not KNOWS_KINDS.match(rel):
            for number, line in enumerate(text.splitlines(), 1):
                if KIND.search(line):
                    problems.append(f"src/{rel}:{number}: names a kind of consensus; component::PinsetLog, Membership and Duty do not")
        for target in INCLUDE.findall(text):
            used = folder_of(target, uses)
            if used and used not in may:
                problems.append(f"src/{rel}: includes {target}, but {own} may not use {used}")
    for base in ("src", "test"):
        # icl_fuzz(name …) builds name_fuzz.cpp.
        lists = [re.sub(r"icl_fuzz\((\w+) ", r"\1_fuzz.cpp ", p.read_text()) for p in (ROOT / base).rglob("CMakeLists.txt")]
        for path in sorted((ROOT / base).rglob("*.cpp")):
            if not any(re.search(rf"(?<![\w.]){re.escape(path.name)}(?![\w.])", text) for text in lists):
                problems.append(f"{path.relative_to(ROOT)}: no CMakeLists.txt lists it")
    problems += check_picture(layers)
    for folder in uses:
        if (ROOT / "src" / folder / "CMakeLists.txt").exists() and not (ROOT / "src" / folder / "README.md").exists():
            problems.append(f"src/{folder}: has no README.md")
    for line in problems:
        print(line)
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
