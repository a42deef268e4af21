#!/usr/bin/env bash
# Prints the path of a `go` that can build the module in FOLDER: the machine's own where it is new enough or fetches toolchains by
# itself (Go 1.21 and later); else the toolchain that FOLDER/go.mod asks for, taken through the Go module proxy.
# Usage: ensure.sh FOLDER
set -euo pipefail

wanted=$(awk '$1 == "toolchain" {sub(/^go/, "", $2); t = $2} $1 == "go" {g = $2} END {print t ? t : g}' "$1/go.mod")
own=$(command -v go) || { echo "Go is not installed" >&2; exit 1; }
# Run outside the module: an old Go stumbles over the version line of a newer go.mod.
version=$(cd / && go env GOVERSION)
version=${version#go}
newest=$(printf '%s\n%s\n' "$version" 1.21 | sort -V | tail -n1)
if [ "$newest" = "$version" ]; then
  echo "$own"
  exit 0
fi

case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64) arch=arm64 ;;
  *) echo "no Go toolchain is known for $(uname -m)" >&2; exit 1 ;;
esac
# Since 1.21 a release without a patch number is spelled with .0.
[[ $wanted =~ ^[0-9]+\.[0-9]+$ ]] && wanted=$wanted.0
module=golang.org/toolchain@v0.0.1-go$wanted.linux-$arch
(cd / && GOFLAGS=-modcacherw go mod download "$module") >&2
root=$(cd / && go env GOMODCACHE)/$module
# Module archives carry no permission bits.
chmod +x "$root"/bin/* "$root"/pkg/tool/*/*
echo "$root/bin/go"
