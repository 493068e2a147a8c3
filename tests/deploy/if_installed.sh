#!/usr/bin/env bash
# if_installed.sh DIRECTORY PROGRAM ARGUMENT...: runs PROGRAM in DIRECTORY; exit code 77 (ctest:
# skipped) when it is not installed. Globs in ARGUMENTS are expanded in DIRECTORY.
set -euo pipefail

directory=$1
program=$2
shift 2
if ! command -v "$program" >/dev/null; then
  echo "skipped: $program is not installed (./dev test installs it)"
  exit 77
fi
cd "$directory"
# shellcheck disable=SC2068
exec "$program" $@
