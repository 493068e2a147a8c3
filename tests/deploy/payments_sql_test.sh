#!/usr/bin/env bash
# Runs the compose stack's init file in a real PostgreSQL, the way its image does, and checks what
# each role may do. Exit code 77 (ctest: skipped) without a PostgreSQL server.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
sql=$here/../../deploy/compose/postgres/10-payments.sql
programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
if [[ ! -x $programs/initdb ]] || { ((EUID == 0)) && ! id postgres >/dev/null 2>&1; }; then
  echo "skipped: no PostgreSQL server is installed (./dev test installs it)"
  exit 77
fi

# PostgreSQL refuses to run as root.
as_server() { if ((EUID == 0)); then runuser -u postgres -- "$@"; else "$@"; fi; }

folder=$(mktemp -d)
# shellcheck disable=SC2317  # called by the trap
stop() {
  as_server "$programs/pg_ctl" --pgdata="$folder/data" --mode=immediate --silent stop || true
  rm -rf "$folder"
}
trap stop EXIT
((EUID != 0)) || chown postgres "$folder"
cd "$folder"
as_server "$programs/initdb" --pgdata="$folder/data" --username=postgres --auth-local=trust \
  --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }
mv "$folder.log" "$folder/initdb.log"
as_server "$programs/pg_ctl" --pgdata="$folder/data" --log="$folder/data/log" --silent --wait \
  --options="-c listen_addresses='' -c unix_socket_directories='$folder' -c wal_level=logical" start

psql_as() {
  as_server psql --quiet --no-psqlrc --tuples-only --no-align --set=ON_ERROR_STOP=1 \
    --host="$folder" --username="$1" --dbname="${DATABASE:-bank}" "${@:2}"
}
DATABASE=postgres psql_as postgres --command='CREATE DATABASE bank'
cp "$sql" "$folder/init.sql"
chmod 644 "$folder/init.sql"
export APP_PASSWORD="it's a \"test\"" CDC_PASSWORD=cdc MONITOR_PASSWORD=monitor
psql_as postgres --file="$folder/init.sql"

failures=0
# expect TEXT ROLE SQL: the answer must be TEXT; "denied" = permission denied.
expect() {
  local answer
  answer=$(psql_as "$2" --command="$3" 2>&1) || true
  [[ $answer == *"permission denied"* ]] && answer=denied
  if [[ $answer != "$1" ]]; then
    printf '%s: %s\n  expected %s, got %s\n' "$2" "$3" "$1" "$answer"
    failures=$((failures + 1))
  fi
}

expect '' app "INSERT INTO transactions (user_id, amount) VALUES (7, '12.50')"
expect '7|12.50|EUR' app 'SELECT user_id, amount, currency FROM transactions'
expect '' app 'UPDATE transactions SET amount = 1 WHERE user_id = 7'
expect 1 cdc 'SELECT count(*) FROM transactions'
expect denied cdc "INSERT INTO transactions (user_id, amount) VALUES (8, '1')"
expect denied cdc 'DELETE FROM transactions'
expect denied monitor 'SELECT count(*) FROM transactions'
expect 0 monitor 'SELECT count(*) FROM pg_replication_slots'
expect 'f|t' postgres "SELECT rolsuper, rolreplication FROM pg_roles WHERE rolname = 'cdc'"
expect f postgres "SELECT relreplident <> 'f' FROM pg_class WHERE relname = 'transactions'"
expect 'payments|transactions' postgres 'SELECT pubname, tablename FROM pg_publication_tables'
expect bank cdc "SELECT slot_name FROM pg_create_logical_replication_slot('bank', 'pgoutput')"
((failures == 0)) && echo "payments_sql_test: 12 checks passed"
exit $((failures > 0))
