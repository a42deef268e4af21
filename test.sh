#!/usr/bin/env bash
# Sets up, builds one optimised preset with assertions, runs the tests and ends with ctest's closing lines.
# `--all` runs the slow and the sanitizer tests too.
set -uo pipefail
cd "$(dirname "$0")"
. tools/stages.sh
all=0
[[ "${1:-}" == --all ]] && all=1

stage "install what is missing" 240 tools/setup.sh --tests
stage "build (dev preset, with the Rust bridge)" 1500 configure_and_build dev
stage "build a real Kubo for the tests that need one" 600 test/tools/kubo/ensure.sh
status=0
if ((all)); then
  stage "build with AddressSanitizer" 1200 configure_and_build asan
  stage "build with ThreadSanitizer" 1200 configure_and_build tsan
  tools/run_sanitized.sh asan 'unit|sim|process' || status=1
  tools/run_sanitized.sh tsan 'threaded' || status=1
  run_tests dev || status=1
else
  run_tests dev -LE slow || status=1
fi
exit $status
