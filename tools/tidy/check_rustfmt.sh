#!/usr/bin/env bash
# check_rustfmt.sh CARGO: rust/bridge is as rustfmt writes it. 77 where there is none.
cd "$(dirname "$0")/../../rust/bridge" || exit 1
"$1" fmt --version >/dev/null 2>&1 || { echo "rustfmt is not installed: the format was not checked"; exit 77; }
"$1" fmt --check || { echo "run cargo fmt in rust/bridge"; exit 1; }
