#!/usr/bin/env python3
"""Fails on a citation `reference/FOLDER NUMBER` (or `QNUMBER`) that no heading or quirk of docs/reference/FOLDER answers, and on a citation of a
document that is not part of this project."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs/reference"
CITATION = re.compile(r"reference/(http|programs|internals) ((?:Q?\d+(?:\.\d+)?)(?:(?:, | and | to )Q?\d+(?:\.\d+)?)*)")
DEAD = re.compile(r"(?<!reference/)\b(?:internals|http-api|config-and-cli|raft-engine|network-bridge|style-anchors|design)(?:\.md)? (?:reference )?Q?\d")
SOURCES = ("src", "rust", "test", "bench", "tools", "docs")
ENDINGS = {".cpp", ".hpp", ".ipp", ".h", ".rs", ".py", ".md", ".sh", ".txt", ".cmake"}


def answers(folder):
    text = "\n".join(path.read_text() for path in sorted((REFERENCE / folder).glob("*.md")))
    numbers = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", text, re.M))
    return numbers | set(re.findall(r"^\| (Q\d+) \|", text, re.M))


def files():
    for top in SOURCES:
        for path in sorted((ROOT / top).rglob("*")):
            hidden = {"target", "node_modules"} & set(path.parts)
            if path.suffix in ENDINGS and path.is_file() and not hidden and path != pathlib.Path(__file__).resolve():
                yield path


def main():
    known = {folder: answers(folder) for folder in ("http", "programs", "internals")}
    faults, cited = [], 0
    for path in files():
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            where = f"{path.relative_to(ROOT)}:{number}"
            if REFERENCE not in path.parents:
                faults += [f"{where}: '{dead}' is no document of this project" for dead in DEAD.findall(line)]
            for folder, numbers in CITATION.findall(line):
                for one in re.findall(r"Q?\d+(?:\.\d+)?", numbers):
                    cited += 1
                    if one not in known[folder]:
                        faults.append(f"{where}: docs/reference/{folder} has no {one}")
    if cited < 20:
        faults.append(f"only {cited} citations were found: the pattern no longer fits how the sources cite")
    print("\n".join(faults) or f"{cited} citations lead somewhere")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
