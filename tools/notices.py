#!/usr/bin/env python3
"""Writes THIRD_PARTY.md: every Rust crate that rust/bridge links on Linux, from `cargo metadata` of the locked versions, and the Debian
libraries. With --check it only says whether the file is up to date. Usage: tools/notices.py [--check]"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "THIRD_PARTY.md"

# Debian 12's versions; the licences are those of each package's copyright file.
DEBIAN = [
    ("Boost", "1.81", "BSL-1.0", "linked"),
    ("RocksDB", "7.8", "Apache-2.0 (or GPL-2.0)", "linked"),
    ("OpenSSL", "3.0", "Apache-2.0", "linked"),
    ("libsodium", "1.0.18", "ISC", "linked"),
    ("spdlog", "1.10", "MIT", "linked"),
    ("fmt", "9.1", "MIT", "linked"),
    ("GoogleTest", "1.12", "BSD-3-Clause", "tests only"),
    ("GCC's runtime libraries", "12", "GPL-3.0 with the GCC Runtime Library Exception", "linked"),
]
GO = [("Kubo", "0.43.0", "MIT OR Apache-2.0", "tests only: built and run beside"), ("go-libp2p-gorpc", "0.6.0", "MIT OR Apache-2.0", "tests only"),
      ("porcupine", "1.3.1", "MIT", "tests only: checks histories")]


def crates():
    """(name, version, licence) of every crate that is part of the library; build tools and dev dependencies are left out."""
    text = subprocess.run(["cargo", "metadata", "--manifest-path", str(ROOT / "rust/bridge/Cargo.toml"), "--locked", "--format-version", "1",
                           "--filter-platform", "x86_64-unknown-linux-gnu"], check=True, capture_output=True, text=True).stdout
    data = json.loads(text)
    packages = {p["id"]: p for p in data["packages"]}
    nodes = {n["id"]: n for n in data["resolve"]["nodes"]}
    seen, todo = set(), [data["resolve"]["root"]]
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        for dependency in nodes[at]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                todo.append(dependency["pkg"])
    seen.discard(data["resolve"]["root"])
    rows = [(packages[i]["name"], packages[i]["version"], packages[i]["license"] or "see its licence file") for i in seen]
    return sorted((n, v, licence.replace(" / ", "/").replace("/", " OR ")) for n, v, licence in rows)


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows), ""]


def text():
    lines = ["# Third parties", "", "What the programs link or the tests use, with versions and licences. Made by `tools/notices.py`; do not edit.", "",
             "## Libraries of Debian 12", "", *table(("library", "version", "licence", "use"), DEBIAN),
             "## Rust crates in `rust/bridge`", "", "The versions of `rust/bridge/Cargo.lock`.", "",
             *table(("crate", "version", "licence"), crates()), "## Go modules", "", *table(("module", "version", "licence", "use"), GO)]
    return "\n".join(lines).rstrip() + "\n"


def main():
    made = text()
    if "--check" in sys.argv[1:]:
        if not OUT.exists() or OUT.read_text() != made:
            sys.exit("THIRD_PARTY.md is out of date; run tools/notices.py")
        return
    OUT.write_text(made)


main()
