#!/usr/bin/env bash
# Builds the Go program and lets it call gorpc_peer (or any peer's address) under a fresh secret.
# Usage: run.sh PATH_OF_GORPC_PEER
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peer_program=$1
command -v go >/dev/null || { echo "skipped: Go is not installed"; exit 77; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/ipfscluster/gorpc
mkdir -p "$cache"
go=$("$here/../../tools/go/ensure.sh" "$here")
(cd "$here" && GOTOOLCHAIN=${GOTOOLCHAIN:-auto} CGO_ENABLED=0 "$go" build -mod=readonly -buildvcs=false -p 2 -o "$cache/gorpc" .)

work=$(mktemp -d)
peer_pid=
cleanup() {
  exec 7>&- || true
  if [ -n "$peer_pid" ]; then kill "$peer_pid" 2>/dev/null || true; wait "$peer_pid" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

secret=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
mkfifo "$work/in"
"$peer_program" "$secret" <"$work/in" >"$work/address" 2>"$work/log" &
peer_pid=$!
exec 7>"$work/in"
for _ in $(seq 300); do
  [ -s "$work/address" ] && break
  kill -0 "$peer_pid" 2>/dev/null || { cat "$work/log"; exit 1; }
  sleep 0.1
done
address=$(head -n1 "$work/address")

status=0
"$cache/gorpc" -secret "$secret" -peer "$address" >"$work/out" || status=$?
cut -c1-300 "$work/out"
# The list of 1000 rows must be complete, with the fields the peer made up.
rows=$(grep '"call":"PinTracker.StatusAll"' "$work/out" | grep -o '"name":"item [0-9]*"' | sort -u | wc -l)
[ "$rows" -eq 1000 ] || { echo "StatusAll: expected 1000 rows, saw $rows"; status=1; }

# A wrong secret must not get through.
if "$cache/gorpc" -secret "${secret//[0-9]/7}" -peer "$address" -timeout 10s >"$work/wrong" 2>&1; then
  echo "expected a refusal under another secret, saw:"; cat "$work/wrong"; status=1
fi
exec 7>&-
wait "$peer_pid" || { echo "the peer ended with an error:"; cat "$work/log"; status=1; }
peer_pid=
exit "$status"
