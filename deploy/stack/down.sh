#!/usr/bin/env bash
# down.sh DIR [--purge]: stops what up.sh has started in DIR and keeps the data; --purge stops it
# without ceremony and removes DIR. Done when nothing runs, also when nothing ran before.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

[[ $# == 1 || ($# == 2 && $2 == --purge) ]] || die "usage: down.sh DIR [--purge]"
use_work_directory "$1"
[[ -r $W/settings ]] || exit 0

patience=20
[[ ${2:-} == --purge ]] && patience=0
stop_process connect $patience
stop_process kafka $patience
if pid_of postgres >/dev/null; then
  mode=fast
  [[ ${2:-} == --purge ]] && mode=immediate
  as_postgres "$(postgres_programs)/pg_ctl" --pgdata="$W/postgres/data" --mode=$mode --wait \
    --timeout=30 --silent stop || die "PostgreSQL does not stop; its log: $W/postgres/log"
fi
rm -f "$W/postgres.pid"
if [[ ${2:-} == --purge ]]; then
  rm -rf "$W"
fi
