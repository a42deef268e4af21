#!/usr/bin/env bash
# Writes test/data/cid/*.vectors from test/data/cid/*.cases with the Kubo this folder pins.
# Usage: make_vectors.sh [CASES…]   (default: all case files; slow.cases needs 3 GB of temporary space)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=$here/../../data/cid
ipfs=$("$here/build.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here" && GOFLAGS=-buildvcs=false go build -mod=readonly -o "$work/make_vectors" ./make_vectors)

if [ $# -eq 0 ]; then set -- "$data"/*.cases; fi
for cases in "$@"; do
  "$work/make_vectors" "$ipfs" < "$cases" > "$work/vectors"
  mv "$work/vectors" "${cases%.cases}.vectors"
done
