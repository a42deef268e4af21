#!/usr/bin/env bash
# run_sanitized.sh PRESET LABELS: runs the tests with these labels in a sanitizer build. Suppressions, where there are any, stand in
# tools/sanitizers/ with their reason; none is library-wide.
set -uo pipefail
cd "$(dirname "$0")/.."
. tools/stages.sh
preset=$1 labels=$2
export ASAN_OPTIONS=detect_stack_use_after_return=0:strict_string_checks=1:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tools/sanitizers/tsan.supp
run_tests "$preset" -L "$labels" -LE slow
