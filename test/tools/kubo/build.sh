#!/usr/bin/env bash
# Builds the Kubo this folder's go.mod pins and prints the path of its `ipfs` program.
# The program lands in the user's cache folder and is built again only when the pin changes.
# Usage: build.sh [-p JOBS]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
jobs=2
while getopts p: option; do
  case $option in
    p) jobs=$OPTARG ;;
    *) exit 2 ;;
  esac
done

cache=${XDG_CACHE_HOME:-$HOME/.cache}/ipfscluster/kubo
stamp=$(cat "$here/go.mod" "$here/go.sum" | sha256sum | cut -d' ' -f1)
if [ -x "$cache/ipfs" ] && [ "$(cat "$cache/stamp" 2>/dev/null)" = "$stamp" ]; then
  echo "$cache/ipfs"
  exit 0
fi

mkdir -p "$cache"
go=$("$here/../go/ensure.sh" "$here")
(cd "$here" && GOTOOLCHAIN=${GOTOOLCHAIN:-auto} GOFLAGS=-buildvcs=false CGO_ENABLED=0 \
  "$go" build -mod=readonly -trimpath -p "$jobs" -o "$cache/ipfs.new" github.com/ipfs/kubo/cmd/ipfs) >&2
mv "$cache/ipfs.new" "$cache/ipfs"
echo "$stamp" > "$cache/stamp"
echo "$cache/ipfs"
