# shellcheck shell=bash
# ./dev chaos: faults, for hours. Sourced by ./dev.

readonly CHAOS_SEEDS=1..100000
# The program with its failpoints.
readonly FAILPOINT_PROGRAM=$PROGRAM-failpoints

cmd_chaos() {
  case ${1:-} in
    '' | --*) chaos_rows "$@" ;;
    *..*) simulate --seeds="$1" "${@:2}" ;;
    *[!0-9]*) usage_error "chaos takes options, a seed or a range of seeds A..B, not '$1'" ;;
    *) simulate --seed="$1" "${@:2}" ;;
  esac
}

# chaos_rows OPTION...: the rows against a real Kafka, then the simulation unless rows are named.
chaos_rows() {
  local size=--full simulation=1 rows=1 code=0
  local -a options=()
  while (($# > 0)); do
    case $1 in
      --small) size= ;;
      --row)
        (($# > 1)) || usage_error "--row takes the name of a row"
        if [[ $2 == simulation ]]; then
          rows=
        else
          simulation=
          options+=(--row "$2")
        fi
        shift
        ;;
      --list)
        python3 -B "$ROOT/tests/chaos/run.py" --list
        echo 'simulation     a simulated group in a failing cluster, 100,000 seeds'
        return
        ;;
      *) options+=("$1") ;;
    esac
    shift
  done
  if [[ -n $rows ]]; then
    run_rows ${size:+"$size"} "${options[@]}" || code=$?
  fi
  if [[ -n $simulation ]]; then
    simulate --seeds=$CHAOS_SEEDS || code=$?
  fi
  return $code
}

run_rows() {
  ensure_packages build stack
  build release "$FAILPOINT_PROGRAM" || die "the build failed"
  fetch_stack || die "the components could not be fetched"
  CARACAL_BINARY=$(build_dir release)/$FAILPOINT_PROGRAM CARACAL_E2E=1 \
    CHAOS_CACHE=$ROOT/.cache/chaos \
    python3 -B "$ROOT/tests/chaos/run.py" --results "$ROOT/build/logs/chaos.json" "$@"
}

# simulate OPTION...: members of a group against a simulated cluster.
simulate() {
  ensure_packages build check
  build release simulation_test || die "the build failed"
  "$(build_dir release)/tests/simulation/simulation_test" "$@"
}
