#!/usr/bin/env bash
# fetch.sh CACHE: Kafka, Kafka Connect and the Debezium PostgreSQL connector from Maven Central into
# CACHE/lib and CACHE/plugins, in the versions of pom.xml (60 MB). Does nothing, and needs no
# network, when they are there already. STACK_KAFKA_VERSION: another version of Kafka; a cache of
# its own keeps both. Every jar must have its line in checksums.sha256: mirrors do not always have
# the checksums of Maven Central, and nobody here has to trust a mirror. After a change of versions:
# fetch.sh --checksums CACHE prints the list anew.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

readonly SUMS=$STACK_SCRIPTS/checksums.sha256
print_sums=
[[ ${1:-} != --checksums ]] || { print_sums=1 && shift; }
[[ $# == 1 ]] || die "usage: fetch.sh [--checksums] CACHE"
cache=$(readlink -m -- "$1")
pom=$STACK_SCRIPTS/pom.xml
versions=()
[[ -z ${STACK_KAFKA_VERSION:-} ]] || versions+=("-Dkafka.version=$STACK_KAFKA_VERSION")

# The manifest: the checksum of pom.xml and what differs from it, then every file with its size.
inventory() {
  { cat "$pom" && printf '%s' "${versions[@]}"; } | sha256sum
  (cd "$1" && find lib plugins -type f -printf '%p %s\n' | LC_ALL=C sort)
}

is_complete() {
  [[ -r $cache/manifest ]] && inventory "$cache" 2>/dev/null | cmp -s - "$cache/manifest"
}

# SHA-256 and name of every jar below a folder.
checksums() {
  find "$1" -name '*.jar' -exec sha256sum {} + | sed 's#  .*/#  #' | LC_ALL=C sort -u -k 2
}

# The jars below a folder without their line in checksums.sha256.
unknown_jars() { checksums "$1" | grep -v -x -F -f "$SUMS"; }

[[ -n $print_sums ]] || ! is_complete || exit 0
require flock util-linux java openjdk-17-jre-headless mvn maven
java_version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
((${java_version:-0} >= 17)) ||
  die "needs Java 17 or newer, found ${java_version:-an unknown version}"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock --wait 600 9 || die "another fetch.sh has held $cache/lock for ten minutes"
[[ -n $print_sums ]] || ! is_complete || exit 0

incoming=$cache/incoming
log=$cache/fetch.log
rm -rf "$incoming" "$cache/manifest"
mkdir "$incoming"
mvn --quiet --batch-mode --file "$pom" "-Dcache=$incoming" "${versions[@]}" \
  process-resources \
  >"$log" 2>&1 || {
  grep -m 5 ERROR "$log" >&2 || tail -n 15 "$log" >&2
  die "Maven could not download the stack (whole log: $log). It needs repo.maven.apache.org or a" \
    "mirror of it; set a mirror or a proxy in ~/.m2/settings.xml"
}
if [[ -n $print_sums ]]; then
  checksums "$incoming"
  rm -rf "$incoming"
  exit 0
fi
if unknown_jars "$incoming" >"$log"; then
  head -n 5 "$log" >&2
  die "these jars are not those of checksums.sha256 (all of them: $log): a damaged download, a" \
    "mirror with other files, or another version, see the head of this script"
fi
rm -rf "${cache:?}/lib" "${cache:?}/plugins"
mv "$incoming/lib" "$incoming/plugins" "$cache/"
rm -rf "$incoming"
inventory "$cache" >"$cache/manifest.new"
mv "$cache/manifest.new" "$cache/manifest"
