#!/usr/bin/env bash
# Builds the checker of histories and prints its path. With --test it runs the checker's own tests first. 77: Go is not installed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v go >/dev/null || { echo "SKIPPED: Go is not installed" >&2; exit 77; }
go=$("$here/../../../tools/go/ensure.sh" "$here")
cd "$here"
export GOTOOLCHAIN=${GOTOOLCHAIN:-auto} CGO_ENABLED=0
if [ "${1:-}" = --test ]; then
  "$go" vet -mod=readonly ./... >&2
  "$go" test -mod=readonly -count=1 ./... >&2
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ipfscluster/checker
mkdir -p "$cache"
"$go" build -mod=readonly -buildvcs=false -p 2 -o "$cache/checker" .
echo "$cache/checker"
