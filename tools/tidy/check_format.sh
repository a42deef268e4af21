#!/usr/bin/env bash
# Every C++ file is as clang-format 14 (Debian 12's) writes it; other releases differ in details. 77 where there is none.
set -uo pipefail
cd "$(dirname "$0")/../.."
formatter=""
for name in clang-format-14 clang-format; do
  [[ "$("$name" --version 2>/dev/null)" == *"version 14."* ]] && { formatter=$name; break; }
done
[[ -n "$formatter" ]] || { echo "clang-format 14 is not installed: the format was not checked"; exit 77; }
mapfile -t files < <(find src test bench -name '*.[chi]pp' -type f | sort)
((${#files[@]} > 100)) || { echo "only ${#files[@]} files found"; exit 1; }
printf '%s\n' "${files[@]}" | xargs -n 50 -P 2 "$formatter" --dry-run -Werror || { echo "run: $formatter -i on the files above"; exit 1; }
echo "${#files[@]} files are formatted"
