# Sourced by run.sh: peers, steps and checks of the demonstration. Needs $service, $ctl, $work. kubo.sh replaces what is different beside
# Kubo daemons.

declare -A pids
# A second copy is made within this many seconds.
copy_limit=60

ipfs_in_words() { echo "embedded IPFS nodes"; }
# Content stays protected for this long after an add, so that its pin can follow: short, to see the space come back.
set_up_ipfs() { export CLUSTER_EMBEDDED_GCLEASE=10s; }
init_ipfs() { :; } # before peer NUMBER is initialised
run_ipfs() { :; }  # before peer NUMBER starts
kill_ipfs() { :; } # with peer NUMBER
end_ipfs() { :; }
blocks_of() { echo "$work/peer$1/blocks"; }

say() { printf '== %s\n' "$*"; }

# fail_step WHAT EXPECTED SEEN
fail_step() {
  printf 'FAILED: %s\n  expected: %s\n  seen:     %s\n' "$1" "$2" "$3" >&2
  for i in 1 2 3; do
    [[ -f $work/peer$i.log ]] || continue
    printf -- '--- last lines of peer %s\n' "$i" >&2
    tail -n 15 "$work/peer$i.log" >&2
  done
  exit 1
}

# step SECONDS "what" command…: repeats the command until it succeeds or the time is over.
step() {
  local limit=$1 what=$2
  shift 2
  local end=$((SECONDS + limit)) start=$SECONDS out
  while true; do
    if out=$("$@" 2>&1); then
      printf 'ok: %s (%d s)\n' "$what" $((SECONDS - start))
      return 0
    fi
    ((SECONDS < end)) || fail_step "$what" "within $limit s" "${out:-no success}"
    sleep 0.2
  done
}

init_peer() {
  local i=$1
  init_ipfs "$i"
  "$service" -c "$work/peer$i" init --consensus raft --ipfs "$ipfs" --randomports >"$work/init$i.out" 2>&1 ||
    fail_step "peer $i is initialised" "init exits 0" "$(cat "$work/init$i.out")"
}

run_peer() {
  local i=$1
  shift
  run_ipfs "$i"
  "$service" -c "$work/peer$i" daemon "$@" >>"$work/peer$i.log" 2>&1 &
  pids[$i]=$!
  disown "${pids[$i]}"
}

start_first() {
  CLUSTER_PEERNAME=peer1 CLUSTER_LISTENMULTIADDRESS=/ip4/127.0.0.1/tcp/0 init_peer 1
  set_listen_port 1
  run_peer 1
  step 20 "peer 1 answers" on 1 id
}

# The next peer needs the secret and an address of a member.
start_next() {
  local i=$1
  CLUSTER_PEERNAME=peer$i CLUSTER_SECRET=$(config_value 1 secret) init_peer "$i"
  set_listen_port "$i"
  run_peer "$i" --bootstrap "$(cluster_address 1)"
  step 20 "peer $i answers" on "$i" id
}

config_value() { sed -n "s/^ *\"$2\": \"\([^\"]*\)\".*/\1/p" "$work/peer$1/service.json" | head -n1; }
peer_id() { sed -n 's/^ *"id": "\([^"]*\)".*/\1/p' "$work/peer$1/identity.json"; }
# The REST API's listener: the pinning service API before it in the file has a key of the same name.
api_address() { sed -n '/"restapi"/,$s/^ *"http_listen_multiaddress": "\([^"]*\)".*/\1/p' "$work/peer$1/service.json" | head -n1; }
cluster_address() { on 1 id | sed -n 's/^ *- \(.*\/tcp\/.*\/p2p\/.*\)$/\1/p' | head -n1; }
on() { local i=$1; shift; "$ctl" --host "$(api_address "$i")" "$@"; }

# --randomports has chosen the ports; the listener is moved to loopback.
set_listen_port() { sed -i 's#"/ip4/0.0.0.0/tcp/#"/ip4/127.0.0.1/tcp/#' "$work/peer$1/service.json"; }

sees_peers() { on "$1" id | grep -q "Sees $2 other peers"; }
alive_peers() { local i; for i in 1 2 3; do [[ -n ${pids[$i]:-} ]] && echo "$i"; done; }
# A peer that answers: the first one that is running.
any_peer() { alive_peers | head -n1; }

# holders_are VIA CID COUNT: exactly COUNT peers say PINNED.
holders_are() {
  local n
  n=$(on "$1" status "$2" | grep -c ': PINNED |')
  [[ $n == "$3" ]] || { on "$1" status "$2"; return 1; }
}
pinned_somewhere() { on "$1" status "$2" | grep -q ': PINNED |'; }
nothing_pinned() { [[ -z "$(on "$1" pin ls)" ]]; }

# Number of a peer that the pinset names as a holder.
a_holder() {
  local line i
  line=$(on "$1" pin ls "$2")
  for i in 2 3 1; do [[ $line == *"$(peer_id "$i")"* ]] && { echo "$i"; return; }; done
}

# The peer that the newest "leader" line of any log names.
leader_number() {
  local i id
  id=$(for i in $(alive_peers); do grep -P '\traft\tleader peer=' "$work/peer$i.log" | tail -n1; done | sort | tail -n1 | sed 's/.* peer=\([^ ]*\).*/\1/')
  for i in $(alive_peers); do [[ $(peer_id "$i") == "$id" ]] && { echo "$i"; return; }; done
}

check_content() {
  local i=$1 cid=$2 sums=$3 out
  rm -rf "$work/back"
  on "$i" get "$cid" -o "$work/back" >/dev/null || fail_step "peer $i gives the directory back" "ctl get exits 0" "it failed"
  out=$(cd "$work/back" && sha256sum --quiet --check "$sums" 2>&1) || fail_step "every byte read through peer $i is right" "equal SHA-256" "$(head -n5 <<<"$out")"
  [[ $(find "$work/back" -type f | wc -l) == $(wc -l <"$sums") ]] || fail_step "peer $i gives every file back" "$(wc -l <"$sums") files" "$(find "$work/back" -type f | wc -l)"
  printf 'ok: %s files read through peer %s, every SHA-256 equal\n' "$(wc -l <"$sums")" "$i"
}

# kill_and_repair NUMBER CID [SUMS]: death, alert, second copy, reading through the survivors, return of the dead.
kill_and_repair() {
  local victim=$1 cid=$2 sums=${3:-$work/source.sha256} id via i
  id=$(peer_id "$victim")
  kill -9 "${pids[$victim]}"
  kill_ipfs "$victim"
  pids[$victim]=""
  via=$(any_peer)
  say "killed peer $victim ($id)"
  step 30 "an alert names the dead peer" alert_for "$via" "$id"
  on "$via" health alerts | head -n 3
  step "$copy_limit" "a second copy is made without it" holders_without "$via" "$cid" "$id"
  on "$via" status "$cid"
  for i in $(alive_peers); do check_content "$i" "$cid" "$sums"; done
  run_peer "$victim"
  step 30 "peer $victim is back and sees 2 other peers" sees_peers "$victim" 2
  step "$copy_limit" "exactly two peers hold it, the surplus copy is unpinned" two_hold "$victim" "$cid"
  on "$victim" status "$cid"
}
alert_for() { on "$1" health alerts | grep -q "$2"; }
holders_without() {
  local out
  out=$(on "$1" pin ls "$2") || return 1
  [[ $out != *"$3"* ]] && holders_are "$1" "$2" 2
}
two_hold() {
  local out
  out=$(on "$1" status "$2")
  [[ $(grep -c ': PINNED |' <<<"$out") == 2 && $(grep -c ': REMOTE |' <<<"$out") == 1 ]] || { echo "$out"; return 1; }
  [[ $(on "$1" status --local "$2" | grep -c 'PINNED\|REMOTE') == 1 ]]
}

disk_use_kb() { du -sck "$(blocks_of 1)" "$(blocks_of 2)" "$(blocks_of 3)" 2>/dev/null | tail -n1 | cut -f1; }
show_repo_stat() {
  local i
  for i in $(alive_peers); do printf 'peer %s: %s bytes in its repository, du %s\n' "$i" "$(repo_size "$i")" "$(du -sh "$(blocks_of "$i")" | cut -f1)"; done
}
repo_size() { on "$1" --enc json health metrics freespace | tr ',' '\n' | sed -n 's/.*"value": "\([0-9]*\)".*/\1 free/p' | head -n1; }
sleep_until_leases_end() { sleep 12; }

# A real directory of the machine with some thousand files and at least 100 MB.
choose_directory() {
  local d
  if [[ -n $1 ]]; then echo "$1"; return; fi
  for d in /usr/include /usr/lib/gcc /usr/share /usr/lib; do
    if [[ -d $d ]] && (($(du -sk "$d" 2>/dev/null | cut -f1) >= 100000)) && (($(find "$d" -type f 2>/dev/null | wc -l) >= 2000)); then
      echo "$d"
      return
    fi
  done
  echo /usr/lib
}

end_peers() {
  local i
  for i in "${!pids[@]}"; do [[ -n ${pids[$i]} ]] && kill "${pids[$i]}" 2>/dev/null; done
  for i in "${!pids[@]}"; do
    [[ -n ${pids[$i]} ]] || continue
    for _ in $(seq 100); do kill -0 "${pids[$i]}" 2>/dev/null || break; sleep 0.1; done
    kill -9 "${pids[$i]}" 2>/dev/null
  done
  end_ipfs
}
wait_for_interrupt() { while true; do sleep 3600 & wait $!; done; }
