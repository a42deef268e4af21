#!/usr/bin/env bash
# Builds the real Kubo for the tests that need one, if this machine can, and says aloud when it cannot: those tests then count as skipped.
# Always ends with status 0. Usage: ensure.sh
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! command -v go >/dev/null; then
  echo "NO KUBO: Go is not installed; tests labelled \"kubo\" will be skipped"
elif path=$(timeout 900 "$here/build.sh" 2>"$log"); then
  echo "Kubo: $path"
else
  tail -n 5 "$log"
  echo "NO KUBO: it could not be built (see above); tests labelled \"kubo\" will be skipped"
fi
exit 0
