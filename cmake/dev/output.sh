# shellcheck shell=bash
# What ./dev says: messages, failures, durations. Sourced by ./dev.

# Diagnostics go to stderr; stdout belongs to the program that is run.
say() { printf '%s\n' "$*" >&2; }

# fail CODE SENTENCE...: says what is wrong and what to do, and ends. The codes are sysexits(3).
fail() {
  local code=$1
  shift
  printf './dev: %s\n' "$*" >&2
  exit "$code"
}
die() { fail 1 "$@"; }
usage_error() { fail 64 "$@"; }
unavailable() { fail 69 "$@"; }

# heading TEXT: where one part of a long run starts.
heading() {
  if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
    printf '\n\033[1m== %s\033[0m\n' "$*" >&2
  else
    printf '\n== %s\n' "$*" >&2
  fi
}

# duration SECONDS: 75 is "1:15".
duration() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# Ninja writes a line per step, thousands in all. On a terminal it redraws one line by itself; for
# a log this keeps one line in twenty, and everything that is not a progress line.
thin_out_progress() {
  awk '
    /^\[[0-9]+\/[0-9]+\]/ && !/FAILED/ {
      split(substr($1, 2), step, "[/\\]]")
      share = int(step[1] * 20 / step[2])
      if (share == shown) next
      shown = share
      print "[" step[1] "/" step[2] "]"
      fflush()
      next
    }
    { print; fflush() }'
}
