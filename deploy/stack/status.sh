#!/usr/bin/env bash
# status.sh DIR: one line per component and connector. Exit 0 when all of them run, else 1.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

[[ $# == 1 ]] || die "usage: status.sh DIR"
use_work_directory "$1"
[[ -r $W/settings ]] || die "no stack in $W: start one with up.sh"

healthy=true
line() { printf '%-12s %-10s %-8s %s\n' "$@"; }

line COMPONENT STATE PID ADDRESS
for component in postgres kafka connect; do
  address=127.0.0.1:$(port_of "$component")
  if ! pid=$(pid_of "$component"); then
    line "$component" stopped - "$address"
    healthy=false
  elif ! accepts_connections "$(port_of "$component")"; then
    line "$component" starting "$pid" "$address"
    healthy=false
  else
    line "$component" running "$pid" "$address"
  fi
done

for name in $(connector_names); do
  state=$(connector_state "$name")
  line "$name" "${state,,}" - connector
  [[ $state == RUNNING ]] || healthy=false
done
$healthy
