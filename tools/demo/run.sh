#!/usr/bin/env bash
# run.sh BUILD_FOLDER ONCE [DIRECTORY [embedded|kubo]]: the demonstration itself, on three peers that it starts and ends; with `kubo` each
# has a real Kubo daemon beside it, which shares its fate.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1 once=$2 dir=${3:-} ipfs=${4:-embedded}
service=$build/src/cli/service/ipfs-cluster-service
ctl=$build/src/cli/ctl/ipfs-cluster-ctl
work=$(mktemp -d "${TMPDIR:-/tmp}/ipfs-cluster-demo.XXXXXX")
. "$here/lib.sh"
if [[ $ipfs == kubo ]]; then . "$here/kubo.sh"; fi
trap 'end_peers; [[ -n ${ICL_DEMO_KEEP:-} ]] || rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say "three peers on loopback, a fresh secret, $(ipfs_in_words), raft"
# Short intervals, so that a death is noticed and repaired while you watch.
export CLUSTER_MONITORPINGINTERVAL=1s CLUSTER_PEERWATCHINTERVAL=1s CLUSTER_REPINGRACE=3s
export CLUSTER_PUBSUBMON_CHECKINTERVAL=1s CLUSTER_PUBSUB_HEARTBEATINTERVAL=1s
export CLUSTER_DISK_METRICTTL=4s CLUSTER_TAGS_METRICTTL=4s CLUSTER_PINQUEUE_METRICTTL=4s
set_up_ipfs
env | grep '^CLUSTER_' | sort | sed 's/^/    /'

started=$SECONDS
start_first
start_next 2
start_next 3
for i in 1 2 3; do step 20 "peer $i sees 2 other peers" sees_peers "$i" 2; done
say "three peers are up after $((SECONDS - started)) s"

source_dir=$(choose_directory "$dir")
say "storing $source_dir: $(find "$source_dir" -type f | wc -l) files, $(du -sh "$source_dir" | cut -f1)"
(cd "$source_dir" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$work/source.sha256"
echo "a second item" >"$work/second.txt"
# A peer is given content once its metrics have come.
add_second() { on 1 add -Q --no-pin --rmin 3 --rmax 3 "$work/second.txt" >"$work/second.cid"; }
step 20 "a small file is stored at all three peers" add_second
second=$(<"$work/second.cid")
# Measured after a first small add, so that what an empty node keeps for itself does not count as content.
before_kb=$(disk_use_kb)

root=$(on 1 add -r -Q --hidden --rmin 2 --rmax 2 --name demo "$source_dir") || fail_step "the directory is added through peer 1" "ctl add exits 0" "it failed"
say "added with replication 2: $root"
step 60 "two peers say PINNED" holders_are 1 "$root" 2
on 1 pin ls "$root"
on 1 status "$root"
copy_kb=$(($(disk_use_kb) - before_kb))

step 10 "peer 2 pins a second item by its CID" on 2 pin add --rmin 1 --rmax 2 --name second "$second"
step 30 "the second item is pinned" pinned_somewhere 2 "$second"

say "round 1: kill -9 a peer that holds the directory"
victim=$(a_holder 1 "$root")
kill_and_repair "$victim" "$root"

say "round 2: kill -9 the leader, which holds a directory of its own"
leader=$(leader_number)
[[ -n $leader ]] || fail_step "the peers' logs name a leader" "one leader" "none"
mkdir "$work/small" && for n in $(seq 50); do head -c 4000 /dev/urandom >"$work/small/$n.bin"; done
(cd "$work/small" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$work/small.sha256"
small=$(on 1 add -r -Q --rmin 2 --rmax 2 --allocations "$(peer_id "$leader")" --name small "$work/small") || fail_step "a small directory is added" "ctl add exits 0" "it failed"
step 60 "the small directory is pinned by two peers" holders_are 1 "$small" 2
kill_and_repair "$leader" "$small" "$work/small.sha256"
for i in 1 2 3; do check_content "$i" "$root" "$work/source.sha256"; done

say "taking everything out again"
for cid in "$root" "$second" "$small"; do step 10 "unpin $cid" on 1 pin rm --no-status "$cid"; done
step 60 "nothing is pinned any more" nothing_pinned 1
sleep_until_leases_end
step 120 "garbage is collected" on 1 ipfs gc
back_kb=$((copy_kb - ($(disk_use_kb) - before_kb)))
show_repo_stat
((back_kb * 100 >= copy_kb * 90)) || fail_step "at least 90 % of the space comes back" "$((copy_kb * 90 / 100)) kB" "$back_kb kB"
say "ok: $back_kb of $copy_kb kB came back"

say "every step held"
if [[ $once == 1 ]]; then exit 0; fi
say "the peers keep running; Ctrl-C ends them"
for i in 1 2 3; do echo "    peer $i: ipfs-cluster-ctl --host $(api_address "$i")    folder $work/peer$i"; done
wait_for_interrupt
