#!/usr/bin/env python3
"""Fails on an include that looks upward or sideways, on a source that names a kind of consensus where none is to be known, on a source or test
that no target lists, and on a module without a README.

A folder of src/ may include itself, what the DEPS of its CMakeLists.txt name and whatever those may use; each of these stands in a lower layer of
the picture in docs/architecture.md.
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


MODULE = re.compile(r"add_library\((?:icl::)?(?:icl_)?(\w+) (?:INTERFACE|ALIAS)|icl_module\((\w+)")
LINKED = re.compile(r"icl::(\w+)")


def read_modules():
    """Of each folder of src/ with a CMakeLists.txt the folders that its targets link."""
    texts, folder_of_module = {}, {}
    for path in (ROOT / "src").rglob("CMakeLists.txt"):
        folder = path.parent.relative_to(ROOT / "src").as_posix()
        texts[folder] = re.sub(r"#[^\n]*|add_library\([^)]*ALIAS[^)]*\)", "", path.read_text())
        for names in MODULE.findall(texts[folder]):
            folder_of_module["".join(names)] = folder
    # Not of src/: icl::bridge, and what a folder's program has of its own module.
    return {folder: sorted({folder_of_module[m] for m in LINKED.findall(text) if m in folder_of_module} - {folder}) for folder, text in texts.items()}


def allowed(folder, uses, seen=None):
    seen = set() if seen is None else seen
    for other in uses[folder]:
        if other not in seen:
            seen.add(other)
            allowed(other, uses, seen)
    return seen


def folder_of(path, folders):
    best = ""
    for folder in folders:
        if path.startswith(folder + "/") and len(folder) > len(best):
            best = folder
    return best


def read_picture():
    """The layer of each folder in the picture of docs/architecture.md."""
    block = re.search(r"```text\n(.*?)```", (ROOT / "docs/architecture.md").read_text(), re.S)
    rows = [line.split() for line in block.group(1).splitlines()] if block else []
    return {folder: int(number) for number, *folders in rows for folder in folders}


def check_picture(uses):
    layers = read_picture()
    problems = [f"docs/architecture.md: the picture and the folders of src/ disagree about {folder}" for folder in sorted(set(layers) ^ set(uses))]
    return problems + [f"src/{folder}/CMakeLists.txt: {folder} (layer {layers[folder]}) may not link {other} (layer {layers[other]})"
                       for folder in sorted(uses) for other in uses[folder]
                       if folder in layers and other in layers and layers[other] >= layers[folder]]


def main():
    uses = read_modules()
    problems = check_picture(uses)
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".hpp", ".cpp", ".ipp"):
            continue
        rel = path.relative_to(ROOT / "src").as_posix()
        own = folder_of(rel, uses)
        if not own:
            problems.append(f"src/{rel}: its folder has no CMakeLists.txt")
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
    for folder in uses:
        if not (ROOT / "src" / folder / "README.md").exists():
            problems.append(f"src/{folder}: has no README.md")
    for line in problems:
        print(line)
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
