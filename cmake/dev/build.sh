# shellcheck shell=bash
# Configuring and building with the presets of CMakePresets.json. Sourced by ./dev.

# The program, below a preset's build folder; also the name of its ninja target.
readonly PROGRAM=src/pipeline/tools/caracal

export CCACHE_DIR=${CCACHE_DIR:-$ROOT/.cache/ccache}
# Presets that differ in their build folder alone share objects and precompiled headers.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$ROOT} CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}

build_dir() { printf '%s/build/%s' "$ROOT" "$1"; }

# One job per processor, but no more than memory allows: a compiler takes up to 1.2 GB here.
jobs_wanted() {
  local by_memory processors
  by_memory=$(awk '/^MemAvailable:/ { print int($2 / 1200000) }' /proc/meminfo)
  processors=$(nproc)
  if [[ -n ${CARACAL_JOBS:-} ]]; then
    printf '%s' "$CARACAL_JOBS"
  elif ((by_memory < 1)); then
    printf 1
  else
    printf '%s' $((processors < by_memory ? processors : by_memory))
  fi
}

# configure PRESET: once; afterwards ninja does it again by itself when a CMake file has changed.
configure() {
  local log
  log=$ROOT/build/logs/configure-$1.log
  [[ ! -e $(build_dir "$1")/build.ninja ]] || return 0
  check_preset "$1"
  mkdir -p "${log%/*}"
  say "Configuring $1"
  (cd "$ROOT" && nice cmake --preset "$1") >"$log" 2>&1 || {
    tail -n 25 "$log" >&2
    say "./dev: the preset '$1' cannot be configured; the whole log: $log"
    return 1
  }
}

check_preset() {
  (cd "$ROOT" && cmake --list-presets=configure) | grep -q "\"$1\"" ||
    usage_error "there is no preset '$1'; see 'cmake --list-presets' in $ROOT"
}

# build PRESET [TARGET...]: all targets unless some are named. Goes on after an error, so that one
# run shows all of them.
build() {
  local preset=$1 dir
  shift
  dir=$(build_dir "$preset")
  configure "$preset" || return
  local -a command=(nice cmake --build "$dir" --parallel "$(jobs_wanted)")
  (($# == 0)) || command+=(--target "$@")
  command+=(-- -k 0)
  [[ $(ninja -C "$dir" -n "$@" 2>&1) != *'no work to do'* ]] || return 0
  say "Building $preset"
  if [[ -t 2 ]]; then
    "${command[@]}" >&2
  else
    "${command[@]}" 2>&1 </dev/null | thin_out_progress >&2
  fi
}

# Files that the build makes and sources include must be there before a tool can read the sources.
build_generated_headers() {
  local dir
  local -a headers
  dir=$(build_dir "$1")
  configure "$1" || return
  mapfile -t headers < <(ninja -C "$dir" -t targets all |
    sed -n 's/\.pb\.h: CUSTOM_COMMAND$/.pb.h/p')
  ((${#headers[@]} == 0)) || build "$1" "${headers[@]}"
}

# Builds the optimised program if anything has changed, and prints its path.
build_program() {
  ensure_packages build
  [[ -x $(build_dir release)/$PROGRAM ]] || say "This takes some minutes the first time."
  build release "$PROGRAM" || die "the build failed"
  printf '%s/%s' "$(build_dir release)" "$PROGRAM"
}
