#!/usr/bin/env bash
# register.sh CONNECT_URL NAME CONFIG_FILE: creates or updates a connector and ends when its task
# runs. The same call again changes nothing; a failed task is restarted. Exit code 1: the reason is
# on stderr. REGISTER_SECONDS bounds the whole (120).
set -euo pipefail

url=$1/connectors/$2
config=$3
deadline=$((SECONDS + ${REGISTER_SECONDS:-120}))

die() {
  printf 'register: %s\n' "$*" >&2
  exit 1
}

# request METHOD PATH [CURL-ARGUMENT...]: leaves status and body of the answer in two variables.
request() {
  local method=$1 path=$2 answer
  shift 2
  answer=$(curl --silent --show-error --max-time 30 --write-out '\n%{http_code}' \
    --header 'content-type: application/json' --request "$method" "$url$path" "$@" 2>&1) || true
  status=${answer##*$'\n'}
  body=${answer%$'\n'*}
}

pause() {
  ((SECONDS < deadline)) || die "$1 (waited ${REGISTER_SECONDS:-120} s): $body"
  sleep "${REGISTER_PAUSE:-1}"
}

while request PUT /config --data "@$config"; do
  case $status in
    200 | 201) break ;;
    4*)
      # 409: the worker is busy with a rebalance of its own. Any other 4xx is about the file.
      [[ $status == 409 ]] || die "Connect refuses $config: $body"
      ;;
  esac
  pause "Connect does not take the connector"
done

while request GET /status; do
  case $body in
    *'"tasks":[{'*'"state":"FAILED"'*)
      printf 'register: the task has failed, restarting it: %.400s\n' "$body" >&2
      request POST '/restart?includeTasks=true&onlyFailed=true'
      ;;
    *'"tasks":[{'*'"state":"RUNNING"'*) break ;;
  esac
  pause "the task does not run"
done
printf 'register: the connector %s runs\n' "$2"
