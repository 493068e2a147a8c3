# shellcheck shell=bash
# The Debian packages each command needs, and their installation. Sourced by ./dev.
#
# "a|b": any of them will do, the first one available is installed (names differ between releases).
# "?a": go on without it where the release does not have it.

packages_of() {
  case $1 in
    build)
      echo g++ cmake ninja-build pkg-config ccache python3 \
        libabsl-dev 'libboost1.81-dev|libboost-dev' libcli11-dev libfmt-dev libpq-dev \
        libprotobuf-dev libre2-dev librdkafka-dev libsimdjson-dev libspdlog-dev libssl-dev \
        libxxhash-dev libyaml-cpp-dev prometheus-cpp-dev protobuf-compiler libgtest-dev libgmock-dev
      ;;
    bench) echo libbenchmark-dev ;;
    check)
      echo python3-jsonschema python3-yaml prometheus postgresql curl shellcheck yamllint \
        abigail-tools
      ;;
    stack)
      echo 'openjdk-17-jre-headless|openjdk-21-jre-headless|default-jre-headless' maven \
        postgresql kcat curl prometheus
      ;;
    peers)
      echo 'openjdk-17-jdk-headless|openjdk-21-jdk-headless|default-jdk-headless' python3-venv
      ;;
    clang) echo '?clang-14' '?libclang-rt-14-dev' ;;
    lint)
      echo 'clang-format-14|clang-format' 'clang-tidy-14|clang-tidy' prometheus \
        shellcheck yamllint
      ;;
  esac
}

# ensure_packages GROUP...: installs what is missing of these groups, and does nothing (no network,
# no root) when nothing is. CARACAL_NO_INSTALL=1 goes on with what is there.
ensure_packages() {
  local group
  local -a wanted missing
  read -r -d '' -a wanted < <(for group in "$@"; do packages_of "$group"; done && printf '\0')
  command -v dpkg-query >/dev/null || refuse_system "${wanted[@]}" || return 0
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  if ((${#missing[@]} == 0)) || only_unavailable "${missing[@]}"; then
    return 0
  fi
  is_debian_12_or_newer || refuse_system "${missing[@]}" || return 0
  if [[ -n ${CARACAL_NO_INSTALL:-} ]]; then
    say "CARACAL_NO_INSTALL is set: going on without ${missing[*]}"
    return 0
  fi
  install_packages "${missing[@]}"
}

# missing_packages ENTRY...: prints the entries of which no alternative is installed.
missing_packages() {
  local state name entry
  local -A installed=()
  while read -r state name; do
    [[ $state != installed ]] || installed[$name]=1
  done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null)
  for entry in "$@"; do
    for name in ${entry//[|?]/ }; do
      [[ -z ${installed[$name]:-} ]] || continue 2
    done
    printf '%s\n' "$entry"
  done | sort -u
}

# True when all entries are optional ones that this release is known not to have: then there is no
# reason to ask the network again.
only_unavailable() {
  local entry
  compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || return 1
  for entry in "$@"; do
    [[ $entry == \?* && -z $(apt-cache show --no-all-versions "${entry#\?}" 2>/dev/null) ]] ||
      return 1
  done
}

is_debian_12_or_newer() {
  [[ -r /etc/os-release ]] || return 1
  # Testing and unstable have no VERSION_ID: they are newer than any release.
  (
    # shellcheck source=/dev/null
    source /etc/os-release
    [[ ${ID:-} == debian ]] && ((${VERSION_ID:-999} >= 12))
  )
}

# Not our distribution: ends, unless the user has seen to the packages (then returns 1 = go on).
refuse_system() {
  local name=
  [[ ! -r /etc/os-release ]] || name=$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)
  if [[ -n ${CARACAL_NO_INSTALL:-} ]]; then
    say "CARACAL_NO_INSTALL is set: going on with the packages of ${name:-this system}"
    return 1
  fi
  unavailable "this system (${name:-unknown}) is not Debian 12 or newer, the only one" \
    "whose packages ./dev can install. Install the equivalents of these yourself, then run it" \
    "again with CARACAL_NO_INSTALL=1: $*"
}

install_packages() {
  local log=$ROOT/build/logs/packages.log
  local -a names
  as_root true || unavailable "needs root to install packages. Run as root, or install" \
    "sudo, or install them yourself: apt-get install ${*//\?/}"
  mkdir -p "${log%/*}"
  say "Fetching the package lists (apt-get update)"
  apt_get update >"$log" 2>&1 ||
    fail_install "$log" "the package lists cannot be fetched (is there a network?)"
  mapfile -t names < <(choose_packages "$@")
  ((${#names[@]} > 0)) || return 0
  say "Installing ${names[*]}"
  apt_get install --yes --no-install-recommends --no-remove "${names[@]}" >>"$log" 2>&1 ||
    fail_install "$log" "apt-get could not install ${names[*]}: see above, and check the network"
}

fail_install() {
  tail -n 15 "$1" >&2
  unavailable "$2. The whole log: $1"
}

# choose_packages ENTRY...: prints, for each entry, the alternative to install.
choose_packages() {
  local entry name chosen
  for entry in "$@"; do
    chosen=
    for name in ${entry//[|?]/ }; do
      if [[ -z $chosen && -n $(apt-cache show --no-all-versions "$name" 2>/dev/null) ]]; then
        chosen=$name
      fi
    done
    if [[ -z $chosen && $entry == \?* ]]; then
      say "This release has no package ${entry#\?}: going on without it"
    else
      # apt-get names a package that does not exist better than we could.
      printf '%s\n' "${chosen:-${entry%%|*}}"
    fi
  done
}

# Package scripts would start the services they bring (PostgreSQL, Prometheus); a build wants the
# programs only. policy-rc.d is Debian's switch for that, there only as long as apt-get runs.
apt_get() {
  # shellcheck disable=SC2016
  as_root env DEBIAN_FRONTEND=noninteractive bash -c '
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
      trap "rm -f $policy" EXIT
      printf "#!/bin/sh\nexit 101\n" >"$policy"
      chmod +x "$policy"
    fi
    apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" </dev/null' apt-get "$@"
}

# sudo may ask for a password only where someone can answer.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif ! command -v sudo >/dev/null; then
    return 1
  elif [[ -t 0 ]]; then
    sudo -- "$@"
  else
    sudo -n -- "$@"
  fi
}
