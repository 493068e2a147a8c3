#!/usr/bin/env bash
# up.sh DIR [COMPONENT...]: PostgreSQL, Kafka (one KRaft node) and Kafka Connect with Debezium on
# 127.0.0.1, their data, logs and pid files in DIR. Returns when all of them answer; running ones
# are left alone. COMPONENT (kafka, connect, postgres): only those; connect needs kafka.
# Environment; DIR remembers the ports of its first run:
#   STACK_CACHE            directory that fetch.sh has filled; .cache/stack of the checkout
#   STACK_POSTGRES_PORT    25432      STACK_KAFKA_PORT    29092
#   STACK_CONTROLLER_PORT  29093      STACK_CONNECT_PORT  28083
#   STACK_JAVA_OPTIONS     JVM flags; the default favours a fast start over throughput
#   STACK_KAFKA_EXTRA      file whose lines are added to Kafka's properties and win over these
#   STACK_CLUSTER_ID       of a cluster of several; the lines above then name node.id and the voters
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

readonly START_SECONDS=60

# wanted COMPONENT: it was named, or none was.
wanted() { ((${#components[@]} == 0)) || [[ " ${components[*]} " == *" $1 "* ]]; }

check_machine() {
  require java openjdk-17-jre-headless psql postgresql-client kcat kcat curl curl
  ((EUID != 0)) || require runuser util-linux
  [[ -r $STACK_CACHE/manifest ]] || die "no jars in $STACK_CACHE: run fetch.sh $STACK_CACHE first"
  local service component
  for service in postgres kafka controller connect; do
    component=${service/controller/kafka}
    wanted "$component" || continue
    if ! pid_of "$component" >/dev/null && accepts_connections "$(port_of $service)"; then
      die "port $(port_of $service) is in use: set STACK_${service^^}_PORT to a free one"
    fi
  done
}

init_postgres() {
  echo postgres >"$W/postgres/password"
  as_postgres "$1/initdb" --pgdata="$W/postgres/data" --username=postgres \
    --pwfile="$W/postgres/password" --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync >"$W/postgres.log" 2>&1 || fail_with_log postgres "could not make its data directory"
  # fsync off: the data is there to be thrown away, and a crash of a process loses none of it.
  cat >>"$W/postgres/data/postgresql.conf" <<P
listen_addresses = '127.0.0.1'
port = $STACK_POSTGRES_PORT
unix_socket_directories = ''
timezone = 'UTC'
wal_level = logical
max_replication_slots = 20
max_wal_senders = 20
fsync = off
full_page_writes = off
P
}

start_postgres() {
  local programs
  programs=$(postgres_programs)
  mkdir -p "$W/postgres"
  ((EUID != 0)) || chown postgres "$W/postgres"
  as_postgres test -x "$W" || die "the user postgres cannot enter $W: choose another directory"
  [[ -e $W/postgres/data/postgresql.conf ]] || init_postgres "$programs"
  as_postgres "$programs/pg_ctl" --pgdata="$W/postgres/data" --log="$W/postgres/log" --silent \
    --wait --timeout=$START_SECONDS start >>"$W/postgres.log" 2>&1 || {
    tail -n 15 "$W/postgres/log" >>"$W/postgres.log" || true
    fail_with_log postgres "did not start"
  }
  write_pid_file postgres "$(head -n 1 "$W/postgres/data/postmaster.pid")"
}

make_roles() {
  local roles
  roles=$(as_superuser --dbname=postgres --tuples-only --no-align \
    --command="SELECT count(*) FROM pg_roles WHERE rolname IN ('app', 'cdc')")
  ((roles == 2)) || as_superuser --dbname=postgres --file="$STACK_SCRIPTS/sql/roles.sql"
}

start_kafka() {
  cat >"$W/kafka.properties" <<P
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$STACK_CONTROLLER_PORT
listeners=PLAINTEXT://127.0.0.1:$STACK_KAFKA_PORT,CONTROLLER://127.0.0.1:$STACK_CONTROLLER_PORT
advertised.listeners=PLAINTEXT://127.0.0.1:$STACK_KAFKA_PORT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$W/kafka
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
P
  if [[ -n ${STACK_KAFKA_EXTRA:-} ]]; then
    cat "$STACK_KAFKA_EXTRA" >>"$W/kafka.properties"
  fi
  if [[ ! -e $W/kafka/meta.properties ]]; then
    local -a voters=(--standalone)
    [[ -z ${STACK_CLUSTER_ID:-} ]] || voters=()
    java -XX:TieredStopAtLevel=1 -cp "$STACK_CACHE/lib/*" kafka.tools.StorageTool format \
      "${voters[@]}" --cluster-id "${STACK_CLUSTER_ID:-$(cluster_id)}" \
      --config "$W/kafka.properties" >"$W/kafka.log" 2>&1 ||
      fail_with_log kafka "could not make its data directory"
  fi
  start_java kafka 512m kafka.Kafka kafka.properties
}

# A random UUID in the form Kafka wants: 22 characters of URL-safe base64.
cluster_id() {
  head -c 16 /dev/urandom | base64 | tr '+/' 'Aa' | tr -d '=\n'
}

start_connect() {
  cat >"$W/connect.properties" <<P
bootstrap.servers=127.0.0.1:$STACK_KAFKA_PORT
group.id=connect
listeners=http://127.0.0.1:$STACK_CONNECT_PORT
rest.advertised.host.name=127.0.0.1
rest.advertised.port=$STACK_CONNECT_PORT
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
config.storage.topic=connect-configs
config.storage.replication.factor=1
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
offset.storage.partitions=1
status.storage.topic=connect-status
status.storage.replication.factor=1
status.storage.partitions=1
offset.flush.interval.ms=1000
plugin.path=$STACK_CACHE/plugins
plugin.discovery=service_load
P
  start_java connect 512m org.apache.kafka.connect.cli.ConnectDistributed connect.properties
}

(($# >= 1)) || die "usage: up.sh DIR [COMPONENT...]"
components=("${@:2}")
for component in "${components[@]}"; do
  [[ $component =~ ^(kafka|connect|postgres)$ ]] || die "there is no component '$component'"
done
STACK_CACHE=$(readlink -m -- "${STACK_CACHE:-$STACK_SCRIPTS/../../.cache/stack}")
use_work_directory "$1"
mkdir -p "$W"
check_machine
save_settings

# Kafka first: it takes longest. Connect starts beside it and waits for it by itself.
if wanted kafka && ! pid_of kafka >/dev/null; then
  start_kafka
fi
if wanted connect && ! pid_of connect >/dev/null; then
  start_connect
fi
if wanted postgres; then
  if ! pid_of postgres >/dev/null; then
    start_postgres
  fi
  make_roles
fi
if wanted kafka; then
  wait_ready kafka $START_SECONDS kcat -b "127.0.0.1:$STACK_KAFKA_PORT" -L -m 1
fi
if wanted connect; then
  wait_ready connect $START_SECONDS \
    curl --silent --fail --max-time 2 "http://127.0.0.1:$STACK_CONNECT_PORT/connectors"
fi
