# Sourced by run.sh after lib.sh: a real Kubo daemon beside each peer, on loopback, in a repository of its own, knowing nobody. Ports are
# chosen by the kernel at the first start and kept.

declare -A kubo_pids
kubo=$("$here/../../test/tools/kubo/build.sh") || { echo "FAILED: Kubo cannot be built" >&2; exit 1; }
# Kubo syncs every block by itself, and there are tens of thousands.
copy_limit=300

ipfs_in_words() { echo "a Kubo daemon beside each ($("$kubo" version))"; }
# The daemons are told of each other by the peers.
set_up_ipfs() { export CLUSTER_IPFSHTTP_CONNECTSWARMSDELAY=1s; }
in_kubo() { local i=$1; shift; IPFS_PATH=$work/kubo$i IPFS_TELEMETRY=off "$kubo" "$@"; }

init_ipfs() {
  local i=$1 setting
  in_kubo "$i" init --profile=test >"$work/kubo$i.init" 2>&1 || fail_step "Kubo $i is initialised" "ipfs init exits 0" "$(cat "$work/kubo$i.init")"
  for setting in 'Addresses.Gateway ""' 'Bootstrap []' 'AutoConf.Enabled false' 'AutoTLS.Enabled false' 'DNS.Resolvers {}' \
    'Routing.Type "none"' 'Routing.DelegatedRouters []' 'Ipns.DelegatedPublishers []' 'Discovery.MDNS.Enabled false' \
    'Swarm.RelayClient.Enabled false' 'Swarm.EnableHolePunching false'; do
    in_kubo "$i" config --json "${setting%% *}" "${setting#* }" || fail_step "Kubo $i is configured" "$setting" "it failed"
  done
  run_ipfs "$i"
  in_kubo "$i" config Addresses.API "$(cat "$work/kubo$i/api")"
  export CLUSTER_IPFSHTTP_NODEMULTIADDRESS
  CLUSTER_IPFSHTTP_NODEMULTIADDRESS=$(cat "$work/kubo$i/api")
}

run_ipfs() {
  local i=$1
  # Each peer has the address of its daemon in its file.
  unset CLUSTER_IPFSHTTP_NODEMULTIADDRESS
  [[ -z ${kubo_pids[$i]:-} ]] || return 0
  rm -f "$work/kubo$i/api"
  : >"$work/kubo$i.log"
  IPFS_PATH=$work/kubo$i IPFS_TELEMETRY=off "$kubo" daemon >"$work/kubo$i.log" 2>&1 &
  kubo_pids[$i]=$!
  disown "${kubo_pids[$i]}"
  step 30 "Kubo $i is ready" grep -q 'Daemon is ready' "$work/kubo$i.log"
}

kill_ipfs() {
  kill -9 "${kubo_pids[$1]}"
  kubo_pids[$1]=""
}

end_ipfs() {
  local i
  for i in "${!kubo_pids[@]}"; do [[ -n ${kubo_pids[$i]} ]] && kill -9 "${kubo_pids[$i]}" 2>/dev/null; done
}

blocks_of() { echo "$work/kubo$1/blocks"; }
# Files alone: Kubo keeps the thousand folders that it spreads its blocks over.
disk_use_kb() { find "$(blocks_of 1)" "$(blocks_of 2)" "$(blocks_of 3)" -type f -printf '%k\n' 2>/dev/null | awk '{ kb += $1 } END { print kb + 0 }'; }
sleep_until_leases_end() { :; }
