#!/usr/bin/env bash
# One command from a bare Debian 12 to a working cluster: sets up, builds, runs the demonstration and leaves three peers running until
# Ctrl-C. `--once` ends by itself, status 0 only if every step held. `--dir PATH` names the directory to store. `--kubo` puts a real
# Kubo daemon beside each peer instead of the embedded nodes.
set -uo pipefail
cd "$(dirname "$0")"
. tools/stages.sh

once=0 dir="" ipfs=embedded
while (($#)); do
  case $1 in
    --once) once=1 ;;
    --kubo) ipfs=kubo ;;
    --dir) dir=${2:?--dir needs a path}; shift ;;
    -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
    *) echo "demo.sh: unknown option $1 (try --help)" >&2; exit 2 ;;
  esac
  shift
done

stage "install what is missing" 240 tools/setup.sh
stage "build (release preset, with the Rust bridge)" 1200 configure_and_build release ipfs-cluster-service ipfs-cluster-ctl
if [[ $ipfs == kubo ]]; then stage "build Kubo, once (a pinned Go module)" 600 quiet test/tools/kubo/build.sh; fi
exec tools/demo/run.sh "$PWD/build/release" "$once" "$dir" "$ipfs"
