# shellcheck shell=bash
# ./dev bench: builds the benchmarks and hands over to bench/run.py. Sourced by ./dev.

cmd_bench() {
  local -a runner targets
  runner=(python3 -B "$ROOT/bench/run.py" --build "$(build_dir bench)" "$@")
  ensure_packages build bench
  read -r -a targets < <("${runner[@]}" --targets) || exit 64
  build bench "${targets[@]}" || die "the build failed"
  if [[ " ${targets[*]} " == *' bare_consumer '* ]]; then
    fetch_stack || die "the drain benchmark needs Kafka"
  fi
  "${runner[@]}"
}
