# shellcheck shell=bash
# What ./dev bench peers compares Caracal with: jars, a Python environment, compiled Java. Sourced
# by ./dev.

readonly PEERS=$ROOT/bench/peers

# prepare_peers DIR FAMILY...: jars into STACK_CACHE/peers, the rest into DIR. Needs the network
# once; what is there and of the same versions is left alone.
prepare_peers() {
  local dir=$1 family
  shift
  for family in "$@"; do
    case $family in
      python) make_peer_environment "$dir/venv" || die "the peers in Python need PyPI" ;;
      streams | flink)
        fetch_peer_jars "$family" || die "the peers on the JVM need Maven Central"
        compile_peer "$family" "$dir/$family" || die "javac cannot compile bench/peers/$family"
        ;;
    esac
  done
}

# peers_wanted ARGUMENT...: the families of --only in the arguments of ./dev bench, else all.
peers_wanted() {
  local wanted=honest,python,streams,flink
  while (($# > 0)); do
    case $1 in
      --only) wanted=${2:-} ;;
      --only=*) wanted=${1#*=} ;;
    esac
    shift
  done
  printf '%s\n' "${wanted//,/ }"
}

fetch_peer_jars() {
  local jars=$STACK_CACHE/peers/$1 pom=$PEERS/$1/pom.xml
  if cmp -s "$pom" "$jars/pom.xml"; then
    return
  fi
  say "Fetching the jars of $1"
  rm -rf "$jars"
  mkdir -p "$jars"
  mvn --quiet --batch-mode --file "$pom" "-Dcache=$jars" process-resources &&
    cp "$pom" "$jars/pom.xml"
}

compile_peer() {
  local family=$1 classes=$2
  mkdir -p "$classes"
  javac --release 17 -Xlint:all,-path,-processing,-classfile,-serial -Werror -d "$classes" \
    -cp "$STACK_CACHE/peers/$family/*" "$PEERS"/jvm/*.java "$PEERS/$family"/*.java
}

make_peer_environment() {
  local venv=$1 wanted=$PEERS/python/requirements.txt
  if cmp -s "$wanted" "$venv/requirements.txt"; then
    return
  fi
  say "Installing the Python packages of the peers"
  rm -rf "$venv"
  python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: \
      --requirement "$wanted" &&
    cp "$wanted" "$venv/requirements.txt"
}
