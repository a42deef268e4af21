#!/usr/bin/env bash
# add_vs_kubo.sh BUILD_FOLDER [RUNS] [MEGABYTES]: see README.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd) runs=${2:-5} megabytes=${3:-1024}
service=$build/src/cli/service/ipfs-cluster-service
ctl=$build/src/cli/ctl/ipfs-cluster-ctl
kubo=$("$here/../test/tools/kubo/build.sh")
work=$(mktemp -d "${TMPDIR:-/tmp}/add-vs-kubo.XXXXXX")
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; sleep 1; rm -rf "$work"' EXIT

export IPFS_PATH=$work/kubo
"$kubo" init >/dev/null
"$kubo" config --json Bootstrap '[]'
"$kubo" config --json Addresses.Swarm '["/ip4/127.0.0.1/tcp/0"]'
"$kubo" config Addresses.API /ip4/127.0.0.1/tcp/0
"$kubo" config Addresses.Gateway /ip4/127.0.0.1/tcp/0
"$kubo" daemon >"$work/kubo.log" 2>&1 &
pids+=($!)

CLUSTER_LISTENMULTIADDRESS=/ip4/127.0.0.1/tcp/0 "$service" -c "$work/peer" init --ipfs embedded --randomports 2>/dev/null
sed -i 's#"/ip4/0.0.0.0/tcp/#"/ip4/127.0.0.1/tcp/#' "$work/peer/service.json"
"$service" -c "$work/peer" daemon >"$work/peer.log" 2>&1 &
peer=$!
pids+=($peer)
api=$(sed -n '/"restapi"/,$s/^ *"http_listen_multiaddress": "\([^"]*\)".*/\1/p' "$work/peer/service.json" | head -n1)
for _ in $(seq 100); do grep -q 'Daemon is ready' "$work/kubo.log" && grep -q 'READY' "$work/peer.log" && break; sleep 0.2; done

# A failed add ends the comparison: it would be the fastest of all.
seconds() {
  local start end
  start=$(date +%s.%N)
  "$@" >"$work/said" || { echo "FAILED: $*" >&2; cat "$work/said" >&2; return 1; }
  end=$(date +%s.%N)
  echo "$end - $start" | bc
}
ours() { "$ctl" --host "$api" add "$@"; }
theirs() { "$kubo" add "$@"; }
median() { sort -n | awk '{v[NR]=$1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

for i in $(seq "$runs"); do
  openssl enc -aes-128-ctr -pass "pass:$RANDOM$i" -nosalt -pbkdf2 -in /dev/zero 2>/dev/null | head -c "$((megabytes << 20))" >"$work/large" || true
  mkdir "$work/many"
  openssl enc -aes-128-ctr -pass "pass:$RANDOM$i" -nosalt -pbkdf2 -in /dev/zero 2>/dev/null | head -c 20000000 | (cd "$work/many" && split -b 2000 -a 5 -d -) || true
  sync
  if ((i % 2)); then order="ours theirs"; else order="theirs ours"; fi
  for who in $order; do
    for what in large many; do
      sync
      t=$(seconds "$who" -r -Q "$work/$what")
      echo "$t" >>"$work/$who.$what"
      echo "run $i $who $what: $t s"
    done
  done
  rm -rf "$work/large" "$work/many"
done
for what in large many; do
  a=$(median <"$work/ours.$what") b=$(median <"$work/theirs.$what")
  echo "$what: median ours $a s, Kubo $b s, ratio $(echo "scale=2; $a / $b" | bc)"
done
echo "largest resident memory of the peer: $(awk '/VmHWM/ {print $2}' "/proc/$peer/status") kB"
