#!/usr/bin/env python3
"""No class of src/ has its members defined in more than one source file, none names a friend class, no function is longer than 70 lines: such a
class is several, such a function too. Exceptions stand in tools/tidy/shape.txt; one that is not needed any more fails as well, so the list only
shrinks. `--list` prints the exceptions that would be needed today."""

import collections
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cpp_outline import outline  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES_MAX = 70


def offenders():
    """What breaks a rule, as a line of the list: where, and in which words to tell it."""
    found, in_headers, sources = {}, set(), collections.defaultdict(set)
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".hpp", ".cpp", ".ipp"):
            continue
        seen = outline(path.read_text())
        file, folder = path.relative_to(ROOT / "src").as_posix(), path.parent.relative_to(ROOT / "src").as_posix()
        for owner, line in seen.friends:
            found[f"friend {file} {owner}"] = f"src/{file}:{line}: {owner} has a friend class"
        for f in seen.functions:
            if f.last - f.first >= LINES_MAX:
                found[f"long {file} {f.name}"] = f"src/{file}:{f.first}: {f.name} has {f.last - f.first + 1} lines, more than {LINES_MAX}"
        if path.suffix == ".cpp":
            for f in seen.functions:
                sources[folder, f.name.rpartition("::")[0]].add(path.name)
        else:
            in_headers |= {(folder, name) for name in seen.classes}
    for key in in_headers & set(sources):
        if len(sources[key]) > 1:
            folder, name = key
            found[f"split {folder} {name}"] = f"src/{folder}: the members of {name} are defined in {', '.join(sorted(sources[key]))}"
    return found


def main():
    found = offenders()
    if sys.argv[1:] == ["--list"]:
        print("\n".join(sorted(found)))
        return 0
    lines = (ROOT / "tools/tidy/shape.txt").read_text().splitlines()
    listed = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    problems = [text for rule, text in sorted(found.items()) if rule not in listed]
    problems += [f'tools/tidy/shape.txt: "{rule}" is not needed any more: take it out' for rule in sorted(listed - set(found))]
    for line in problems:
        print(line)
    print(f"{len(problems)} problems, {len(listed)} exceptions")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
