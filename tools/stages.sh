# Sourced by demo.sh and test.sh: `stage "text" expected-seconds command…` prints what runs, how long it took and how long it was
# expected to take (two cores, nothing cached); the first failing stage ends the script with its output.
stages_started=$SECONDS
stage() {
  local name=$1 expected=$2
  shift 2
  local start=$SECONDS
  printf '[%4ds] %s (up to about %ds)\n' $((SECONDS - stages_started)) "$name" "$expected"
  "$@" || { printf '[%4ds] FAILED: %s\n' $((SECONDS - stages_started)) "$name" >&2; exit 1; }
  printf '[%4ds] %s: done in %ds\n' $((SECONDS - stages_started)) "$name" $((SECONDS - start))
}

# Runs a command quietly; its output is shown when it fails.
quiet() {
  local log
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then rm -f "$log"; return 0; fi
  tail -n 60 "$log" >&2
  rm -f "$log"
  return 1
}

# configure_and_build PRESET [target…]
configure_and_build() {
  local preset=$1
  shift
  quiet cmake --preset "$preset" || return 1
  if (($#)); then quiet cmake --build --preset "$preset" --target "$@"; else quiet cmake --build --preset "$preset"; fi
}

# run_tests PRESET [ctest's arguments…]: tests count in quarters of a processor (cmake/IclModule.cmake).
run_tests() {
  local preset=$1
  shift
  ctest --test-dir "build/$preset" --output-on-failure -j $((4 * $(nproc))) "$@"
}
