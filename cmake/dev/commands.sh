# shellcheck shell=bash
# The command line of ./dev: its commands, their help, and the short ones. Sourced by ./dev.

readonly COMMANDS=(demo test chaos build run bench lint format stack clean help)

main() {
  local command=${1:-help}
  (($# == 0)) || shift
  case $command in -h | --help) command=help ;; esac
  if [[ " ${COMMANDS[*]} " != *" $command "* ]]; then
    usage_error "there is no command '$command'; the commands are: ${COMMANDS[*]}"
  fi
  # demo and run pass everything on to the program, except a request for our own help.
  if [[ ${1:-} == --help && ($# -eq 1) && $command != run ]]; then
    "help_$command"
  else
    "cmd_$command" "$@"
  fi
}

cmd_demo() {
  local program
  program=$(build_program) || exit
  exec "$program" demo "$@"
}

cmd_run() {
  local program
  program=$(build_program) || exit
  exec "$program" "$@"
}

cmd_build() {
  local preset=${1:-dev}
  (($# <= 1)) || usage_error "build takes one preset, not '$*'"
  case $preset in
    clang | fuzz) ensure_packages build clang ;;
    bench) ensure_packages build bench ;;
    *) ensure_packages build ;;
  esac
  build "$preset" || die "the build failed"
}

cmd_clean() {
  case ${1:-} in
    '') rm -rf "$ROOT/build" ;;
    --all) rm -rf "$ROOT/build" "$ROOT/.cache" ;;
    *) usage_error "clean takes --all or nothing, not '$1'" ;;
  esac
}

cmd_help() {
  local command=${1:-}
  if [[ -z $command ]]; then
    help_all
  elif [[ " ${COMMANDS[*]} " == *" $command "* ]]; then
    "help_$command"
  else
    usage_error "there is no command '$command'; the commands are: ${COMMANDS[*]}"
  fi
}

help_all() {
  cat <<'TEXT'
./dev COMMAND [ARGUMENTS]

  demo             build caracal and watch it find planted fraud (no Kafka, no network)
  test [--quick]   build and run the tests
  chaos            hours of faults: a real Kafka row by row, then the simulation
  build [PRESET]   build everything of a preset (dev)
  run ARGUMENTS    build and run caracal
  bench [NAME]     build and run the benchmarks
  lint [--all]     format, static analysis, scripts, YAML, alert rules, links
  format           format the C++ sources
  stack ACTION     real Kafka, Debezium and PostgreSQL on this machine: up, down, status
  clean [--all]    remove what was built
  help [COMMAND]   this, or one command in more detail

On Debian 12 or newer, missing packages are installed (as root, or with sudo). Elsewhere install
them yourself and set CARACAL_NO_INSTALL=1.
TEXT
}

help_demo() {
  cat <<'TEXT'
./dev demo [ARGUMENTS]

Builds the optimised program if anything has changed and runs `caracal demo`: an embedded broker, a
generator with planted fraud, the engine, and a comparison of what was planted with what was found.
ARGUMENTS go to it; `./dev run demo --help` lists them.

  ./dev demo
  ./dev demo --duration 30s
TEXT
}

help_test() {
  cat <<'TEXT'
./dev test [--quick]

  dev      gcc, ASan + UBSan    every header by itself, and every test but the end-to-end ones
  tsan     gcc, ThreadSanitizer tests labelled `threads`
  release  gcc, optimised       tests labelled `property`, `digest` and `simulation`, then `e2e`
                                against a real Kafka, Debezium and PostgreSQL (downloaded once, kept
                                in .cache), then `chaos`: the rows of ./dev chaos in their small
                                sizes
  clang    clang 14, optimised  tests labelled `digest`: two compilers, the same alerts

A failing phase does not end the run. The last line is "N passed, N failed"; a phase that could not
be built counts as one failure. Exit code 0 only when nothing failed. Reports: build/logs.

  --quick    the dev preset only

  ./dev test --quick
  ctest --test-dir build/dev -R agents -L unit      once it is built: some tests of your choice
TEXT
}

help_chaos() {
  cat <<'TEXT'
./dev chaos [--row NAME]... [--resume] [--small] [--kafka VERSION]
./dev chaos A..B | N [--trace]

Builds caracal-failpoints and runs, against a real Kafka, one row of faults after the other in its
full size (8 hours together, each below 90 minutes), each with its control: the same without the
mitigation, which must fail. Then 100,000 seeds of the simulation. Ends with a table.
tests/chaos/README.md explains it.

  --row NAME   only this row; --list says which there are, `simulation` is one of them
  --resume     leave out what has passed with this program before
  --small      the sizes that ./dev test runs
  --kafka V    brokers of this version instead of that of deploy/stack, fetched into a cache of
               their own

With seeds, the simulation alone: the range A..B, or the one seed N. It ends at the first seed that
fails and says how to replay it. tests/simulation/README.md explains it.

  ./dev chaos
  ./dev chaos --row kill
  ./dev chaos --resume
  ./dev chaos 100000..500000
  ./dev chaos 4711 --trace
TEXT
}

help_build() {
  cat <<'TEXT'
./dev build [PRESET]

Configures and builds everything of one preset of CMakePresets.json: dev (the default), tsan,
release, bench, clang, fuzz. The result is in build/PRESET. CARACAL_JOBS sets the number of jobs.

  ./dev build
  ./dev build release
TEXT
}

help_run() {
  cat <<'TEXT'
./dev run ARGUMENTS

Builds the optimised program if anything has changed and runs it with ARGUMENTS in the current
folder.

  ./dev run --help
  ./dev run validate -c caracal.yaml
TEXT
}

help_bench() {
  cat <<'TEXT'
./dev bench [NAME] [ARGUMENTS]

Builds and runs the benchmarks, or one: engine, decode, agents, key_table, generate, drain, latency,
low_load, echo, peers, and more. Every figure is a median of five repetitions (--repetitions), with
the smallest and the largest; reports go to build/bench/NAME_bench.json. Stop everything else on the
machine first. drain, latency, low_load, echo and peers start a Kafka broker on this machine; peers
also needs Maven Central and PyPI, once. ARGUMENTS go to the benchmark: ./dev bench low_load --help.
bench/README.md explains the method.

  ./dev bench
  ./dev bench engine
  ./dev bench decode --benchmark_filter=bare_text
  ./dev bench drain --repetitions 3 --records=10000000
  ./dev bench echo --delivery=exactly_once
  ./dev bench peers --only honest,flink
TEXT
}

help_lint() {
  cat <<'TEXT'
./dev lint [--all]

clang-format, clang-tidy (files changed since the main branch; --all: every file), shellcheck,
yamllint, promtool on the alert rules and their tests, and the project's own rules: layers, limits,
banned text, links between documents. Changes nothing; `./dev format` mends the format.

  ./dev lint
  ./dev lint --all
TEXT
}

help_format() {
  cat <<'TEXT'
./dev format

Formats every C and C++ file with clang-format 14, in place.

  ./dev format
TEXT
}

help_stack() {
  cat <<'TEXT'
./dev stack up|down|status

Kafka, Kafka Connect with Debezium, and PostgreSQL on 127.0.0.1, without containers: downloaded once
into .cache (60 MB, needs Java 17), data and logs in .cache/stack-run (or CARACAL_STACK_DIR).

  ./dev stack up
  ./dev stack down --purge      also removes the data
TEXT
}

help_clean() {
  cat <<'TEXT'
./dev clean [--all]

Removes build/. With --all also .cache/: compiler cache, downloaded components, data of the stack.

  ./dev clean
  ./dev clean --all
TEXT
}

help_help() { help_all; }
