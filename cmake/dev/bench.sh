# shellcheck shell=bash
# ./dev bench: builds the benchmarks and hands over to bench/run.py. Sourced by ./dev.

cmd_bench() {
  local -a runner targets names
  runner=(python3 -B "$ROOT/bench/run.py" --build "$(build_dir bench)" "$@")
  if [[ " $* " == *' --help '* ]]; then
    "${runner[@]}"
    return
  fi
  ensure_packages build bench
  read -r -a targets < <("${runner[@]}" --targets) || exit 64
  read -r -a names < <("${runner[@]}" --names)
  build bench "${targets[@]}" || die "the build failed"
  if [[ " ${targets[*]} " =~ ' '(bare_consumer|honest_peer|echo_peer)' ' ]]; then
    fetch_stack || die "a benchmark needs Kafka"
  fi
  if [[ " ${names[*]}" == *' peers'* ]]; then
    local -a peers
    read -r -a peers < <(peers_wanted "$@")
    ensure_packages peers
    prepare_peers "$(build_dir bench)/peers" "${peers[@]}"
  fi
  "${runner[@]}"
}
