#include "pipeline/engine/options_from_config.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "absl/time/time.h"
#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "pipeline/config/redaction.h"

namespace caracal::pipeline {
namespace {

namespace v1 = ::caracal::config::v1;

void Override(std::map<std::string, std::string>& properties,
              const google::protobuf::Map<std::string, std::string>& more) {
  for (const auto& [name, value] : more) properties[name] = value;
}

StartPoint PointOf(const std::string& text) {
  if (text == "earliest" || text == "beginning") return {StartPoint::Kind::kEarliest, 0};
  if (text == "latest" || text == "now") return {StartPoint::Kind::kLatest, 0};
  absl::Time time;
  std::string error;
  CHECK(absl::ParseTime(absl::RFC3339_full, text, &time, &error));  // checked when loaded
  return {StartPoint::Kind::kTime, absl::ToUnixMillis(time)};
}

OperationPolicy PolicyOf(v1::OperationPolicy policy) {
  switch (policy) {
    case v1::OPERATION_POLICY_WARM:
      return OperationPolicy::kWarm;
    case v1::OPERATION_POLICY_SKIP:
      return OperationPolicy::kSkip;
    default:
      return OperationPolicy::kEvaluate;
  }
}

TimeUnit UnitOf(v1::TimeType type) {
  switch (type) {
    case v1::TIME_TYPE_DAYS:
      return TimeUnit::kDays;
    case v1::TIME_TYPE_MILLIS:
      return TimeUnit::kMilliseconds;
    case v1::TIME_TYPE_MICROS:
      return TimeUnit::kMicroseconds;
    case v1::TIME_TYPE_NANOS:
      return TimeUnit::kNanoseconds;
    case v1::TIME_TYPE_ISO:
      return TimeUnit::kIso;
    default:
      return TimeUnit::kAuto;
  }
}

StreamFormat FormatOf(v1::Format format) {
  switch (format) {
    case v1::FORMAT_DEBEZIUM_JSON:
      return StreamFormat::kDebeziumJson;
    case v1::FORMAT_ROW_JSON:
      return StreamFormat::kRowJson;
    default:
      return StreamFormat::kAuto;
  }
}

FieldMap FieldsOf(const v1::Stream& stream, const LoadedStream& loaded) {
  const v1::Fields& fields = stream.fields();
  FieldMap map;
  map.account = fields.account();
  map.key = loaded.key_column == fields.account() ? "" : loaded.key_column;
  map.id = fields.id();
  map.amount = fields.amount();
  map.time = fields.time();
  map.latitude = fields.latitude();
  map.longitude = fields.longitude();
  map.currency = fields.currency();
  const std::vector<std::string>& names = loaded.context.attributes.names();
  for (size_t i = 0; i < names.size(); ++i) {
    map.attributes.push_back({names[i], loaded.attribute_columns[i]});
  }
  return map;
}

absl::StatusOr<DecodeOptions> DecodeOptionsOf(const v1::Stream& stream, const LoadedStream& loaded,
                                              uint64_t hash_seed) {
  DecodeOptions options;
  options.topic = stream.topic();
  options.format = FormatOf(stream.format());
  options.fields = FieldsOf(stream, loaded);
  options.operations = {PolicyOf(stream.ops().c()), PolicyOf(stream.ops().r()),
                        PolicyOf(stream.ops().u()), PolicyOf(stream.ops().d())};
  options.amount_scale = stream.amount_scale();
  options.amount_encoding = stream.types().amount() == v1::AMOUNT_TYPE_BASE64
                                ? AmountEncoding::kBase64
                                : AmountEncoding::kAuto;
  if (stream.types().has_base64_scale()) {
    options.amount_source_scale = stream.types().base64_scale();
  }
  options.currency = stream.currency();
  options.time_unit = UnitOf(stream.types().time());
  options.max_ahead_us = stream.max_ahead();
  if (loaded.places_csv != nullptr) {
    ASSIGN_OR_RETURN(PlaceTable places,
                     PlaceTable::Parse(*loaded.places_csv, stream.places().file()));
    options.places = std::make_shared<const PlaceTable>(std::move(places));
  }
  options.hash_seed = hash_seed;
  options.max_record_bytes = static_cast<size_t>(stream.max_record_bytes());
  return options;
}

SourceOptions SourceOptionsOf(const LoadedConfig& loaded) {
  const v1::Config& config = loaded.config;
  SourceOptions options;
  options.connection = ConnectionFromConfig(loaded);
  Override(options.connection.properties, config.kafka().consumer().properties());
  options.group_id = config.kafka().group_id();
  if (config.kafka().static_membership()) {
    options.group_instance_id = config.instance_id();
  } else if (!config.instance_id().empty()) {
    // What a twin is known by.
    options.connection.client_id += "/" + config.instance_id();
  }
  for (const v1::Stream& stream : config.streams()) {
    options.topics.push_back(
        {stream.topic(), PointOf(stream.start().from()), PointOf(stream.start().alert_from())});
  }
  return options;
}

uint32_t WorkerThreads(const v1::Engine& engine) {
  if (engine.has_workers()) return static_cast<uint32_t>(engine.workers());
  const uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  return cores <= 2 ? 0 : cores - 2;
}

// The broker writes the markers of a transaction after it has answered the commit, within a few
// milliseconds. A transaction that begins before they are written is refused
// (CONCURRENT_TRANSACTIONS), and librdkafka 2.0.2 asks again after 20 ms, whatever is configured.
constexpr int64_t kPauseBetweenTransactionsMicros = 6'000;

// A transaction with outputs costs 2.6 ms of processor time, wherever it is short: librdkafka 2.0.2
// waits twice for a timer of one millisecond (AddPartitionsToTxn) without sleeping, on a thread of
// its own. At most fifty a second keep that at an eighth of one core; alerts of a steady flow wait
// up to 20 ms for each other, one that comes alone does not. 24 ms save a tenth of it, and half of
// all alerts then take longer than 25 ms.
constexpr int64_t kTransactionIntervalMicros = 20'000;

}  // namespace

int64_t DefaultMemoryLimit() {
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    int64_t limit = 0;
    // "max" and the kernel's "no limit" number mean the machine's memory.
    if (file >> limit && limit > 0 && limit < int64_t{1} << 60) return limit;
  }
  const int64_t memory = sysconf(_SC_PHYS_PAGES) * int64_t{sysconf(_SC_PAGESIZE)};
  return memory / 10 * 8;
}

MemoryBudget MemoryBudgetFromConfig(const LoadedConfig& loaded) {
  const v1::Config& config = loaded.config;
  return {config.state().max_bytes_per_partition(), config.engine().has_memory_limit()
                                                        ? config.engine().memory_limit()
                                                        : DefaultMemoryLimit()};
}

KafkaConnection ConnectionFromConfig(const LoadedConfig& loaded) {
  const v1::Kafka& kafka = loaded.config.kafka();
  KafkaConnection connection;
  connection.bootstrap_servers = kafka.bootstrap_servers();
  connection.client_id = kafka.client_id();
  if (connection.client_id.empty()) {
    std::array<char, 256> host = {};
    gethostname(host.data(), host.size() - 1);
    connection.client_id = fmt::format("caracal-{}", host.data());
  }
  Override(connection.properties, kafka.properties());
  return connection;
}

absl::StatusOr<EngineOptions> OptionsFromConfig(const LoadedConfig& loaded) {
  const v1::Config& config = loaded.config;
  EngineOptions options;
  options.delivery = config.delivery() == v1::DELIVERY_EXACTLY_ONCE ? Delivery::kExactlyOnce
                                                                    : Delivery::kAtLeastOnce;
  options.instance_id = config.instance_id();
  options.hash_seed = HashSeed(config.state().hash_seed());
  options.source = SourceOptionsOf(loaded);
  options.sink.connection = ConnectionFromConfig(loaded);
  Override(options.sink.connection.properties, config.kafka().producer().properties());
  options.sink.alert_topic = config.alerts().topic();
  options.sink.dead_letter_topic = config.dead_letters().topic();
  for (int i = 0; i < config.streams_size(); ++i) {
    const LoadedStream& stream = loaded.streams[static_cast<size_t>(i)];
    ASSIGN_OR_RETURN(DecodeOptions decode,
                     DecodeOptionsOf(config.streams(i), stream, options.hash_seed));
    options.streams.push_back({std::move(decode), stream.context, {}});
  }
  for (const LoadedRuleset& ruleset : loaded.rulesets) {
    StreamOptions& stream = options.streams[ruleset.stream];
    stream.rulesets.push_back(ruleset.spec);
    stream.ruleset_texts.push_back({ruleset.spec.version, ruleset.canonical_json});
  }
  for (const v1::Stream& stream : config.streams()) {
    options.state_topics.push_back(stream.state_topic());
  }
  options.ingest.max_recovery = absl::Microseconds(config.state().max_recovery());
  options.source.buckets = static_cast<uint32_t>(config.state().buckets());
  options.source.degrade_on_state_gap = config.state().state_gap() == v1::STATE_GAP_POLICY_DEGRADE;
  options.ingest.buckets = static_cast<uint32_t>(config.state().buckets());
  options.ingest.pause_on_storm = config.dead_letters().on_storm() == v1::STORM_POLICY_PAUSE;
  options.epochs.commit_interval_us = config.engine().commit_interval();
  if (options.delivery == Delivery::kExactlyOnce) {
    options.epochs.min_pause_us = kPauseBetweenTransactionsMicros;
    options.epochs.min_interval_us = kTransactionIntervalMicros;
  }
  const MemoryBudget memory = MemoryBudgetFromConfig(loaded);
  options.max_bytes_per_partition = memory.per_partition;
  options.memory_limit = memory.limit;
  options.rows_per_bucket = static_cast<uint32_t>(config.state().rows_per_bucket());
  options.shutdown_timeout = absl::Microseconds(config.engine().shutdown_timeout());
  options.worker_threads = WorkerThreads(config.engine());
  options.plugins = loaded.plugins;
  options.redacted_config = RedactedConfigYaml(loaded);
  if (!memory.fits()) {
    return absl::FailedPreconditionError(
        fmt::format("state.max_bytes_per_partition ({} bytes) is more than the memory limit ({} "
                    "bytes): one partition "
                    "could not be held. Lower it, or raise engine.memory_limit",
                    memory.per_partition, memory.limit));
  }
  return options;
}

}  // namespace caracal::pipeline
