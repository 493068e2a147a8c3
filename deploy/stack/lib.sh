# shellcheck shell=bash
# What the stack's scripts share: settings, messages, processes with pid files, bounded waits.
# Sourced, never run. Needs bash 5, Linux /proc.
set -euo pipefail

STACK_SCRIPTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly STACK_SCRIPTS

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# require PROGRAM PACKAGE...: pairs of a program and the Debian package that brings it.
require() {
  while (($# > 0)); do
    command -v "$1" >/dev/null || die "needs '$1': apt-get install $2"
    shift 2
  done
}

# use_work_directory DIR: sets W (absolute) and the settings. A stack that was started before keeps
# its own settings in DIR/settings; otherwise they come from the environment or the defaults here.
use_work_directory() {
  W=$(readlink -m -- "$1")
  STACK_POSTGRES_PORT=${STACK_POSTGRES_PORT:-25432}
  STACK_KAFKA_PORT=${STACK_KAFKA_PORT:-29092}
  STACK_CONTROLLER_PORT=${STACK_CONTROLLER_PORT:-29093}
  STACK_CONNECT_PORT=${STACK_CONNECT_PORT:-28083}
  if [[ -r $W/settings ]]; then
    # shellcheck source=/dev/null
    source "$W/settings"
  fi
  readonly W
}

save_settings() {
  local name
  for name in STACK_{POSTGRES,KAFKA,CONTROLLER,CONNECT}_PORT; do
    printf '%s=%q\n' "$name" "${!name}"
  done >"$W/settings"
}

port_of() {
  case $1 in
    postgres) echo "$STACK_POSTGRES_PORT" ;;
    kafka) echo "$STACK_KAFKA_PORT" ;;
    controller) echo "$STACK_CONTROLLER_PORT" ;;
    connect) echo "$STACK_CONNECT_PORT" ;;
  esac
}

accepts_connections() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A pid file holds "PID START", START being the process's start time in clock ticks since boot: a
# pid that the system has given to another process is not taken for ours. Zombies are dead.
start_ticks() {
  local line
  local -a fields
  { line=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -r -a fields <<<"${line##*) }" # the command name before the parenthesis may hold spaces
  [[ ${fields[0]} != Z ]] && echo "${fields[19]}"
}

# pid_of COMPONENT: prints the pid of the running component, else fails.
pid_of() {
  local pid start
  [[ -r $W/$1.pid ]] && read -r pid start <"$W/$1.pid" || return 1
  [[ $(start_ticks "$pid") == "$start" ]] || return 1
  echo "$pid"
}

write_pid_file() {
  echo "$2 $(start_ticks "$2")" >"$W/$1.pid"
}

# start_java COMPONENT HEAP MAIN ARG...: in the background, output to COMPONENT.log.
# The defaults make the JVM start fast (the C1 compiler alone); a benchmark sets STACK_JAVA_OPTIONS.
# Libraries that it unpacks stay in the stack's folder: a process that is killed leaves them.
start_java() {
  local component=$1 heap=$2
  shift 2
  local -a options
  read -r -a options <<<"${STACK_JAVA_OPTIONS--XX:+UseSerialGC -XX:TieredStopAtLevel=1}"
  (
    cd "$W"
    exec setsid java "-Xmx$heap" "${options[@]}" \
      "-Dlog4j2.configurationFile=$STACK_SCRIPTS/log4j2.properties" "-Djava.io.tmpdir=$W" \
      -cp "$STACK_CACHE/lib/*" "$@" >>"$W/$component.log" 2>&1 </dev/null
  ) &
  write_pid_file "$component" $!
}

# wait_ready COMPONENT SECONDS COMMAND...: until the command succeeds. Ends at once when the
# component dies; both failures show the tail of its log.
wait_ready() {
  local component=$1 deadline=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    pid_of "$component" >/dev/null || fail_with_log "$component" "has stopped while starting"
    ((SECONDS < deadline)) || fail_with_log "$component" "is not ready in time ($*)"
    sleep 0.05
  done
}

fail_with_log() {
  printf -- '--- %s: last lines of %s\n' "$1" "$W/$1.log" >&2
  tail -n 15 "$W/$1.log" >&2 || true
  die "$1 $2"
}

# stop_process COMPONENT SECONDS: TERM, then KILL when the time is over. Not running = done. Leaves
# its port free.
stop_process() {
  local pid deadline=$((SECONDS + $2))
  if pid=$(pid_of "$1"); then
    kill -TERM "$pid" 2>/dev/null || true
    while pid_of "$1" >/dev/null; do
      if ((SECONDS >= deadline)); then
        kill -KILL "$pid" 2>/dev/null || true
      fi
      sleep 0.05
    done
    # The threads of a killed process end one by one, its sockets with the last of them.
    while accepts_connections "$(port_of "$1")" && ((SECONDS < deadline + 10)); do
      sleep 0.05
    done
  fi
  rm -f "$W/$1.pid"
}

# PostgreSQL refuses to run as root: then it runs as the user postgres.
as_postgres() {
  if ((EUID == 0)); then
    runuser -u postgres -- "$@"
  else
    "$@"
  fi
}

postgres_programs() {
  local directory
  directory=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  [[ -x $directory/pg_ctl ]] || die "needs a PostgreSQL server: apt-get install postgresql"
  echo "$directory"
}

# as_superuser PSQL-ARGUMENT...: a script or command as the database superuser.
as_superuser() {
  PGPASSWORD=postgres psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 \
    --host=127.0.0.1 --port="$STACK_POSTGRES_PORT" --username=postgres "$@"
}

connect_api() {
  local method=$1 path=$2
  shift 2
  curl --silent --show-error --fail-with-body --max-time 30 --request "$method" \
    --header 'content-type: application/json' "http://127.0.0.1:$STACK_CONNECT_PORT$path" "$@"
}

connector_names() {
  local names
  names=$(connect_api GET /connectors 2>/dev/null) || return 0
  tr -d '[]"' <<<"$names" | tr ',' '\n'
}

# connector_state NAME: RUNNING when the connector and its task run, else the state that hinders.
connector_state() {
  local states
  states=$(connect_api GET "/connectors/$1/status" 2>/dev/null | grep -o '"state":"[A-Z_]*"' |
    cut -d '"' -f 4) || true
  if grep -q FAILED <<<"$states"; then
    echo FAILED
  elif (($(grep -c . <<<"$states") < 2)); then
    echo UNASSIGNED
  else
    grep -v -m 1 RUNNING <<<"$states" || echo RUNNING
  fi
}
