#!/usr/bin/env python3
"""Fails when the path through the code in CONTRIBUTING.md names a file that is not there, or has become much longer than it says."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
text = (ROOT / "CONTRIBUTING.md").read_text()
steps = re.findall(r"^\d\. .*$", text, re.M)
files = [name for step in steps for name in re.findall(r"\]\(([^)]+)\)", step)]
said = re.search(r"The path has (\d+) words", text)
missing = [name for name in files if not (ROOT / name).is_file()]
if missing or not said or len(steps) < 5:
    sys.exit(f"the path has {len(steps)} steps; missing: {missing}; its length is {'said' if said else 'not said'}")
words = sum(len((ROOT / name).read_text().split()) for name in files)
if abs(words - int(said[1])) > int(said[1]) // 10:
    sys.exit(f"the path has {words} words and says {said[1]}")
print(f"the path has {words} words")
