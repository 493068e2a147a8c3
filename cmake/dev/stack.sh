# shellcheck shell=bash
# The real Kafka, Kafka Connect, Debezium and PostgreSQL on this machine. Sourced by ./dev.

export STACK_CACHE=${STACK_CACHE:-$ROOT/.cache/stack}

fetch_stack() {
  ensure_packages stack
  "$ROOT/deploy/stack/fetch.sh" "$STACK_CACHE"
}

# PostgreSQL does not run as root, and its own user cannot enter a checkout in a private home.
stack_dir() {
  local dir=$ROOT/.cache/stack-run
  if ((EUID == 0)) && ! runuser -u postgres -- test -x "$ROOT" 2>/dev/null; then
    dir=${TMPDIR:-/tmp}/caracal-stack
  fi
  printf '%s' "${CARACAL_STACK_DIR:-$dir}"
}

cmd_stack() {
  local action=${1:-status}
  case $action in
    up)
      fetch_stack
      "$ROOT/deploy/stack/up.sh" "$(stack_dir)"
      "$ROOT/deploy/stack/status.sh" "$(stack_dir)"
      ;;
    down | status) "$ROOT/deploy/stack/$action.sh" "$(stack_dir)" "${@:2}" ;;
    *) usage_error "stack takes up, down or status, not '$action'" ;;
  esac
}
