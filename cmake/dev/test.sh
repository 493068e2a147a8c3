# shellcheck shell=bash
# ./dev test: builds and runs the tests, preset by preset. Sourced by ./dev.

# One entry per phase, in the order they ran.
PHASE_NAMES=() PHASE_RESULTS=() PHASE_SECONDS=()
PASSED=0 FAILED=0 SKIPPED=0

cmd_test() {
  local quick=
  case ${1:-} in
    '') ;;
    --quick) quick=1 ;;
    *) usage_error "test takes --quick or nothing, not '$1'" ;;
  esac
  local -a groups=(build check)
  [[ -n $quick ]] || groups+=(bench stack clang)
  ensure_packages "${groups[@]}"
  # Each of these counts its failures; none of them ends the run.
  if [[ -n $quick ]]; then
    test_dev || true
  else
    test_dev build_headers build_release || true
    test_release || true
    test_tsan || true
    # Measured by hand only; that they still compile is seen here.
    phase 'bench: build' build_benchmarks || true
    test_clang || true
  fi
  print_summary
  ((FAILED == 0))
}

# test_dev [BUILD...]: the sanitized build and everything that needs no server. Meanwhile, BUILD.
test_dev() {
  phase 'dev: build' build dev || return
  start_building_ahead "$@"
  # Those of groups mostly wait: more at a time than there are processors.
  phase 'dev: tests' run_tests dev -LE '^e2e$' --parallel $(($(jobs_wanted) + 2)) || true
  stop_building_ahead
  phase 'dev: headers' build_headers
}

test_release() {
  phase 'release: build' build_release || return
  phase 'release: tests' run_tests release -L "^($RELEASE_TESTS)$" || true
  test_end_to_end
}

test_tsan() {
  phase 'tsan: build' build_tsan && phase 'tsan: tests' run_tests tsan -L '^threads$'
}

test_clang() {
  if ! has_clang; then
    skip_phase 'clang: tests' 'no clang-14 here'
    return 0
  fi
  phase 'clang: build' build_clang && phase 'clang: tests' run_tests clang -L '^digest$'
}

has_clang() { command -v clang++-14 >/dev/null; }

readonly RELEASE_TESTS='property|digest|simulation'

# Every header must compile by itself.
build_headers() { build dev all_verify_interface_header_sets; }
build_release() {
  build_labelled release "^($RELEASE_TESTS|e2e)$" "$PROGRAM" "$FAILPOINT_PROGRAM" example_list
}
build_tsan() { build_labelled tsan '^threads$'; }
build_benchmarks() { build bench bench/all; }
build_clang() { ! has_clang || build_labelled clang '^digest$'; }

# start_building_ahead BUILD...: calls them in the background. Many tests wait as much as they
# compute; what later phases build is built meanwhile, in time that nobody else wants. What fails
# here fails again in its phase, and is told. A session of its own, since Linux shares processors
# out between sessions first.
start_building_ahead() {
  setsid bash "$ROOT/cmake/dev/build_ahead.sh" "$ROOT" "$@" >"$ROOT/build/logs/ahead.log" 2>&1 \
    </dev/null &
  BUILDING_AHEAD=$!
  trap stop_building_ahead EXIT
}

stop_building_ahead() {
  kill -- "-$BUILDING_AHEAD" 2>/dev/null || true
  wait "$BUILDING_AHEAD" 2>/dev/null || true
  # ninja removes what it has half written; it must have ended before another begins there.
  while kill -0 -- "-$BUILDING_AHEAD" 2>/dev/null; do sleep 0.1; done
  trap - EXIT
}

# Against the real components, two at a time.
test_end_to_end() {
  export CARACAL_E2E=1
  phase 'stack: fetch' fetch_stack || return
  start_building_ahead build_tsan build_benchmarks build_clang
  phase 'release: e2e' run_tests release -L '^e2e$' -j 2 || true
  phase 'chaos: rows' run_tests release -L '^chaos$' -j 2 || true
  stop_building_ahead
}

# phase NAME COMMAND...: runs it, notes result and time; a failure counts and does not end the run.
phase() {
  local name=$1 start=$SECONDS passed=$PASSED failed=$FAILED result=ok code=0
  shift
  heading "$name"
  "$@" || code=$?
  passed=$((PASSED - passed)) failed=$((FAILED - failed))
  if ((code != 0 && failed == 0)); then
    FAILED=$((FAILED + 1))
    result=FAILED
  elif ((passed + failed > 0)); then
    result="$passed passed, $failed failed"
  fi
  PHASE_NAMES+=("$name") PHASE_RESULTS+=("$result") PHASE_SECONDS+=($((SECONDS - start)))
  return $code
}

skip_phase() {
  PHASE_NAMES+=("$1") PHASE_RESULTS+=("skipped: $2") PHASE_SECONDS+=(0)
}

# build_labelled PRESET LABELS [TARGET...]: builds the tests that carry one of the labels, not all.
build_labelled() {
  local preset=$1 labels=$2 dir
  local -a targets
  shift 2
  dir=$(build_dir "$preset")
  configure "$preset" || return
  # Refreshes the list of tests where a CMake file has changed since.
  nice ninja -C "$dir" build.ninja >/dev/null || return
  mapfile -t targets < <(comm -12 \
    <(ctest --test-dir "$dir" -N -L "$labels" | sed -n 's/^ *Test *#[0-9]*: //p' | sort -u) \
    <(ninja -C "$dir" -t targets all | sed -n 's/: phony$//p' | sort -u))
  (($# + ${#targets[@]} > 0)) || {
    say "./dev: no test of the preset '$preset' has a label like $labels"
    return 1
  }
  build "$preset" "$@" "${targets[@]}"
}

# run_tests PRESET CTEST-ARGUMENT...: runs ctest and adds to the counts.
run_tests() {
  local preset=$1 report code=0
  shift
  report=$ROOT/build/logs/$preset-${*//[^a-z0-9]/}.xml
  mkdir -p "${report%/*}"
  rm -f "$report"
  nice ctest --test-dir "$(build_dir "$preset")" --parallel "$(jobs_wanted)" \
    --no-tests=error --output-on-failure --output-junit "$report" "$@" >&2 </dev/null || code=$?
  [[ ! -r $report ]] || count_results "$report"
  return $code
}

# count_results REPORT: adds the totals of a JUnit file, which head its first element.
count_results() {
  local total failures skipped
  total=$(report_total "$1" tests)
  failures=$(report_total "$1" failures)
  skipped=$(($(report_total "$1" skipped) + $(report_total "$1" disabled)))
  PASSED=$((PASSED + total - failures - skipped))
  FAILED=$((FAILED + failures))
  SKIPPED=$((SKIPPED + skipped))
}

report_total() {
  grep -o -m 1 "\b$2=\"[0-9]*\"" "$1" | head -n 1 | tr -dc 0-9
}

print_summary() {
  local i
  heading "summary"
  for i in "${!PHASE_NAMES[@]}"; do
    printf '%-16s %-24s %6s\n' "${PHASE_NAMES[i]}" "${PHASE_RESULTS[i]}" \
      "$(duration "${PHASE_SECONDS[i]}")"
  done
  printf '%-16s %-24s %6s\n' total '' "$(duration $SECONDS)"
  if ((SKIPPED > 0)); then
    printf '%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
  else
    printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
  fi
}
