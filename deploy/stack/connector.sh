#!/usr/bin/env bash
# connector.sh DIR TEMPLATE NAME [KEY=VALUE...]: creates or updates the connector NAME from a
# template of connectors/ and returns when its task runs; a failed task is restarted. The same call
# again changes nothing. Placeholders of the templates: ${name} (also topic prefix and slot),
# ${database} (NAME unless given as KEY=VALUE), ${partitions} (6) and ${postgres_port}.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

readonly RUN_SECONDS=60 RESTARTS_MAX=3

(($# >= 3)) || die "usage: connector.sh DIR TEMPLATE NAME [KEY=VALUE...]"
use_work_directory "$1"
template=$2
name=$3
shift 3
[[ $name =~ ^[a-z][a-z0-9_]{0,40}$ ]] || die "'$name' is not a plain lower-case name"
[[ -r $template ]] || die "cannot read the template $template"
require curl curl
pid_of connect >/dev/null || die "no Kafka Connect runs in $W: start it with up.sh"

declare -A values=([name]=$name [database]=$name [partitions]=6
  [postgres_port]=$STACK_POSTGRES_PORT)
for assignment in "$@"; do
  [[ $assignment == *=* ]] || die "'$assignment' is not KEY=VALUE"
  values[${assignment%%=*}]=${assignment#*=}
done
config=$(<"$template")
for key in "${!values[@]}"; do
  config=${config//"\${$key}"/"${values[$key]}"}
done
if placeholder=$(grep -o -m 1 "\${[^}]*}" <<<"$config"); then
  die "$template: no value for ${placeholder%%$'\n'*}"
fi

deadline=$((SECONDS + RUN_SECONDS))
until answer=$(connect_api PUT "/connectors/$name/config" --data "$config" 2>&1); do
  # 409: the worker is busy with a rebalance of its own and asks to try again.
  [[ $answer == *'"error_code":409'* ]] || die "Connect refuses the connector: $answer"
  ((SECONDS < deadline)) || die "Connect has been rebalancing for $RUN_SECONDS s: $answer"
  sleep 0.1
done

restarts=0
until state=$(connector_state "$name") && [[ $state == RUNNING ]]; do
  if ((SECONDS >= deadline || restarts > RESTARTS_MAX)); then
    connect_api GET "/connectors/$name/status" | sed 's/\\n/\n/g' | head -n 20 >&2
    fail_with_log connect "does not run the connector $name (state $state)"
  fi
  if [[ $state == FAILED ]]; then
    connect_api POST "/connectors/$name/restart?includeTasks=true&onlyFailed=true" >/dev/null ||
      true
    restarts=$((restarts + 1))
    sleep 1
  fi
  sleep 0.1
done
