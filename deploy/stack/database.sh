#!/usr/bin/env bash
# database.sh DIR NAME [FULL|DEFAULT]: makes the database NAME with the payment tables, their
# publication and their replica identity (FULL unless given) in the running stack of DIR. Does
# nothing when they are there.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

[[ $# == 2 || $# == 3 ]] || die "usage: database.sh DIR NAME [FULL|DEFAULT]"
use_work_directory "$1"
database=$2
identity=${3:-FULL}
[[ $database =~ ^[a-z][a-z0-9_]{0,40}$ ]] || die "'$database' is not a plain lower-case name"
[[ $identity == FULL || $identity == DEFAULT ]] || die "the replica identity is FULL or DEFAULT"
require psql postgresql-client
pid_of postgres >/dev/null || die "no PostgreSQL runs in $W: start it with up.sh"

published() {
  as_superuser --tuples-only --no-align --dbname="$database" \
    --command="SELECT 1 FROM pg_publication WHERE pubname = 'cdc_publication'" 2>/dev/null
}

if [[ $(published) != 1 ]]; then
  as_superuser --dbname=postgres --set=database="$database" --set=replica_identity="$identity" \
    --file="$STACK_SCRIPTS/sql/payments.sql"
fi
