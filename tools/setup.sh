#!/usr/bin/env bash
# Installs what building and testing needs and is missing, from Debian's own packages. Says what it does; needs root or
# sudo only when something is missing. `--tests` adds what only the tests need (GoogleTest, Go for the real Kubo), `--checks` the linters.
set -euo pipefail

want_tests=0 want_checks=0
for argument in "$@"; do
  case $argument in
    --tests) want_tests=1 ;;
    --checks) want_checks=1 ;;
    *) echo "usage: $0 [--tests] [--checks]" >&2; exit 2 ;;
  esac
done

packages=(
  g++ cmake ninja-build ccache pkg-config lld ca-certificates git
  libboost1.81-dev libboost-json1.81-dev libboost-system1.81-dev
  libspdlog-dev libfmt-dev libssl-dev libsodium-dev librocksdb-dev libcli11-dev
  protobuf-compiler
)
((want_tests)) && packages+=(libgtest-dev clang-format curl iproute2 python3)

version_at_least() { [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1)" == "$2" ]]; }

# Rust 1.88 or newer: a rustup toolchain, or Debian's packages for browsers.
rust_ok() {
  local v
  v=$("$1" --version 2>/dev/null | awk '{print $2}') || return 1
  [[ -n "$v" ]] && version_at_least "$v" 1.88
}
rust_ok rustc || rust_ok /usr/bin/rustc || packages+=(cargo-web rustc-web)

if ((want_checks)); then
  packages+=(clang-19 clang-tidy-19)
  cargo fmt --version >/dev/null 2>&1 || packages+=(rustfmt-web)
  cargo clippy --version >/dev/null 2>&1 || packages+=(rust-web-clippy)
fi

# Go is only used by tests that need a real Kubo; any Go can fetch the one that Kubo asks for.
if ((want_tests)) && ! command -v go >/dev/null; then packages+=(golang-go); fi

missing=()
for p in "${packages[@]}"; do
  [[ "$(dpkg-query -W -f='${Status}' "$p" 2>/dev/null)" == "install ok installed" ]] || missing+=("$p")
done
if ((${#missing[@]} == 0)); then
  echo "setup: nothing is missing"
  exit 0
fi

echo "setup: installing from Debian: ${missing[*]}"
as_root=()
if [[ $EUID -ne 0 ]]; then
  command -v sudo >/dev/null || { echo "setup: run as root, or install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 || { tail -n 30 "$log" >&2; exit 1; }; }
run apt-get update
# Debian's first cargo-web is older than what we need; the security suite of the same mirror has a newer one. A root made by
# debootstrap does not name that suite yet.
if [[ " ${missing[*]} " == *" cargo-web "* ]]; then
  candidate=$(apt-cache policy cargo-web | awk '/Candidate:/ {print $2}')
  if ! version_at_least "${candidate%%+*}" 1.88; then
    mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -m1 '/debian/\?$' | sed 's#/$##')
    [[ -n "$mirror" ]] || { echo "setup: no Debian mirror is configured; Rust 1.88 or newer is needed" >&2; exit 1; }
    echo "setup: adding the security suite, which has a newer Rust"
    echo "deb $mirror-security bookworm-security main" |
      "${as_root[@]}" tee /etc/apt/sources.list.d/bookworm-security.list >/dev/null
    run apt-get update
  fi
fi
run apt-get install -y --no-install-recommends "${missing[@]}"
echo "setup: done"
