# shellcheck shell=bash
# build_ahead.sh ROOT BUILD...: calls functions of test.sh that build, one after the other, in time
# that nobody else wants. Run by test.sh in a session of its own.
set -euo pipefail

ROOT=$1
shift
for part in output packages build test chaos; do
  # shellcheck source=/dev/null
  source "$ROOT/cmake/dev/$part.sh"
done

# The first says it to the scheduler of this session, the second to that of all sessions.
chrt --idle --pid 0 $$ || true
echo 19 >/proc/self/autogroup || true
for build in "$@"; do
  "$build" || true
done
