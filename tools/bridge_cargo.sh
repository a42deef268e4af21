#!/usr/bin/env bash
# bridge_cargo.sh lib OUT | test [ARGS…] | clippy: builds rust/bridge as a static library, builds and runs its tests, or lints both. cargo
# works on a copy that is named after its content: it compares times and paths, so that a fresh clone of the same sources would build
# everything anew, some five processor minutes. Takes CARGO, RUSTC and CARGO_TARGET_DIR; the copies lie beside the latter.
set -euo pipefail
source=$(cd "$(dirname "$0")/../rust/bridge" && pwd)
mode=$1
shift
copies=$(dirname "$CARGO_TARGET_DIR")/bridge
mkdir -p "$copies"
# All that compile here share one target folder, where cargo compares times only: what is built carries the digest.
digest=$(cd "$source" && find Cargo.toml Cargo.lock src tests -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-32)
copy=$copies/$digest
if [[ ! -d $copy ]]; then
  new=$(mktemp -d "$copies/new.XXXXXX")
  (cd "$source" && cp -r Cargo.toml Cargo.lock src tests "$new")
  mv -T "$new" "$copy" 2>/dev/null || rm -rf "$new" # another build was faster
fi
touch "$copy"
# Errors name the files that are to be mended.
errors() { sed "s#$copy#$source#g" >&2; }

if [[ $mode == test ]]; then
  ICL_CONTENT=$digest "$CARGO" test --release --locked --quiet --lib --tests --manifest-path "$copy/Cargo.toml" "$@" 2> >(errors)
  exit
fi
if [[ $mode == clippy ]]; then
  ICL_CONTENT=$digest "$CARGO" clippy --release --locked --quiet --all-targets --manifest-path "$copy/Cargo.toml" -- -D warnings 2> >(errors)
  exit
fi
out=$1
exec {lock}>"$copies/lock"
flock "$lock" # until the library, which has one name for all, is copied
ICL_CONTENT=$digest "$CARGO" rustc --release --locked --lib --quiet --manifest-path "$copy/Cargo.toml" -- -C "metadata=$digest" 2> >(errors)
cp "$CARGO_TARGET_DIR/release/libicl_bridge.a" "$out"
# A library has 300 MB: the newest eight stay, and the newest sixteen copies.
ls -td "$copies"/*/ | tail -n +17 | xargs -r rm -rf
ls -t "$CARGO_TARGET_DIR"/release/deps/libicl_bridge-*.a | tail -n +9 | xargs -r rm -f
