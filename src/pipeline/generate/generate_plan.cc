#include "pipeline/generate/generate_plan.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "agents/api/parameters.h"
#include "agents/api/status_macros.h"
#include "pipeline/generate/progress_line.h"

namespace caracal::pipeline {
namespace {

using agents::MessageOf;

/// Partitions that a file's records are spread over unless told otherwise.
constexpr int32_t kFilePartitions = 6;

template <typename Value>
struct Choice {
  std::string_view name;
  Value value;
};

template <typename Value, size_t kCount>
absl::Status Choose(std::string_view option, std::string_view text,
                    const Choice<Value> (&choices)[kCount], Value& value) {
  std::string names;
  for (const Choice<Value>& choice : choices) {
    if (choice.name == text) {
      value = choice.value;
      return absl::OkStatus();
    }
    names += fmt::format("{}{}", names.empty() ? "" : ", ", choice.name);
  }
  return absl::InvalidArgumentError(
      fmt::format("{} is \"{}\": choose one of {}", option, text, names));
}

absl::Status TakeDuration(std::string_view option, const std::string& text, int64_t& micros) {
  const absl::StatusOr<int64_t> parsed = agents::ParseDuration(text);
  if (!parsed.ok() || *parsed == 0) {
    return absl::InvalidArgumentError(fmt::format(
        "{} is \"{}\": give a duration with its unit, such as 30s or 5m", option, text));
  }
  micros = *parsed;
  return absl::OkStatus();
}

absl::Status TakeTime(const GenerateArguments& arguments, int64_t now_us, TimeOptions& time) {
  time.diurnal = !arguments.steady;
  time.realtime = arguments.realtime;
  if (arguments.event_rate) time.event_rate = *arguments.event_rate;
  if (!arguments.start_time.empty()) {
    absl::Time start;
    std::string error;
    if (!absl::ParseTime(absl::RFC3339_full, arguments.start_time, &start, &error)) {
      return absl::InvalidArgumentError(
          fmt::format("--start-time is \"{}\": give a time such as 2026-01-05T09:00:00Z",
                      arguments.start_time));
    }
    time.start_us = absl::ToUnixMicros(start);
  }
  if (!arguments.realtime) return absl::OkStatus();
  if (!arguments.start_time.empty() || arguments.event_rate || !arguments.rate) {
    return absl::InvalidArgumentError(
        "--realtime takes event time from the clock: it needs --rate, and excludes --event-rate "
        "and --start-time");
  }
  time.event_rate = *arguments.rate;
  time.start_us = now_us;
  time.diurnal = false;
  return absl::OkStatus();
}

absl::Status TakeProfile(const GenerateArguments& arguments, GeneratorOptions& generator) {
  constexpr Choice<LoadProfile> kProfiles[] = {{"cards", LoadProfile::kCards},
                                               {"reference", LoadProfile::kReference}};
  RETURN_IF_ERROR(Choose("--profile", arguments.profile, kProfiles, generator.profile));
  CardsModelOptions& cards = generator.cards;
  cards.accounts = arguments.accounts.value_or(cards.accounts);
  cards.zipf_exponent = arguments.zipf.value_or(cards.zipf_exponent);
  cards.merchants = arguments.merchants.value_or(cards.merchants);
  cards.burst_rate = arguments.burst_rate.value_or(cards.burst_rate);
  cards.big_ticket_rate = arguments.big_ticket_rate.value_or(cards.big_ticket_rate);
  cards.travel_rate = arguments.travel_rate.value_or(cards.travel_rate);
  const bool cards_only = arguments.accounts || arguments.zipf || arguments.merchants ||
                          arguments.burst_rate || arguments.big_ticket_rate ||
                          arguments.travel_rate || !arguments.places.empty();
  if (cards_only && generator.profile == LoadProfile::kReference) {
    return absl::InvalidArgumentError(
        "--accounts, --zipf, --merchants, --burst-rate, --big-ticket-rate, --travel-rate and "
        "--places belong to --profile cards: the reference profile is fixed and plants no fraud");
  }
  return absl::OkStatus();
}

absl::Status TakeNoise(const GenerateArguments& arguments, NoiseOptions& noise) {
  noise.late = arguments.late;
  noise.duplicates = arguments.duplicates;
  noise.updates = arguments.updates;
  noise.deletes = arguments.deletes;
  noise.resnapshots = arguments.resnapshots;
  noise.malformed = arguments.malformed;
  noise.snapshot_rows = arguments.snapshot_rows;
  return TakeDuration("--late-max", arguments.late_max, noise.late_max_us);
}

absl::Status TakeMessage(const GenerateArguments& arguments, MessageOptions& message) {
  constexpr Choice<MessageShape> kShapes[] = {{"wrapped", MessageShape::kWrapped},
                                              {"bare", MessageShape::kBare},
                                              {"flat", MessageShape::kFlat}};
  constexpr Choice<DecimalForm> kDecimals[] = {{"string", DecimalForm::kString},
                                               {"base64", DecimalForm::kBase64},
                                               {"double", DecimalForm::kDouble}};
  constexpr Choice<MessageKey> kKeys[] = {{"account", MessageKey::kAccount},
                                          {"id", MessageKey::kId}};
  RETURN_IF_ERROR(Choose("--format", arguments.format, kShapes, message.shape));
  RETURN_IF_ERROR(Choose("--decimals", arguments.decimals, kDecimals, message.decimals));
  RETURN_IF_ERROR(Choose("--key", arguments.key, kKeys, message.key));
  message.currency = arguments.currency;
  message.source_name = arguments.source_name;
  message.database = arguments.database;
  const size_t dot = arguments.table.find('.');
  if (dot != std::string::npos) message.schema = arguments.table.substr(0, dot);
  message.table = dot == std::string::npos ? arguments.table : arguments.table.substr(dot + 1);
  return absl::OkStatus();
}

absl::Status TakeLimits(const GenerateArguments& arguments, LoadLimits& limits) {
  if (arguments.count && *arguments.count == 0) {
    return absl::InvalidArgumentError("--count is 0: give the number of records");
  }
  limits.count = arguments.count;
  if (arguments.rate) {
    if (!(*arguments.rate > 0 && *arguments.rate <= 1e8)) {
      return absl::InvalidArgumentError(
          fmt::format("--rate is {}: give records per second, above 0", *arguments.rate));
    }
    limits.rate = *arguments.rate;
  }
  if (arguments.duration.empty()) return absl::OkStatus();
  int64_t duration_us = 0;
  RETURN_IF_ERROR(TakeDuration("--duration", arguments.duration, duration_us));
  limits.duration_us = duration_us;
  return absl::OkStatus();
}

absl::Status ChooseSink(const GenerateArguments& arguments, GeneratePlan& plan) {
  const int sinks = (arguments.output.empty() ? 0 : 1) + (arguments.brokers.empty() ? 0 : 1) +
                    (arguments.postgres.empty() ? 0 : 1);
  if (sinks > 1) {
    return absl::InvalidArgumentError(
        "--output, --brokers and --postgres exclude each other: choose where the records go");
  }
  if (sinks == 0 && !arguments.create_table) {
    return absl::InvalidArgumentError(
        "no place for the records: give --output FILE (- is standard output), --brokers HOST:PORT "
        "or --postgres CONNINFO");
  }
  if (arguments.create_table && sinks == 1 && arguments.postgres.empty()) {
    return absl::InvalidArgumentError(
        "--create-table creates the table with --postgres, and prints the SQL without a sink");
  }
  plan.sink = !arguments.output.empty()     ? SinkChoice::kFile
              : !arguments.brokers.empty()  ? SinkChoice::kKafka
              : !arguments.postgres.empty() ? SinkChoice::kPostgres
                                            : SinkChoice::kPrintTable;
  return absl::OkStatus();
}

absl::Status PlanKafka(const GenerateArguments& arguments, const std::string& topic,
                       GeneratePlan& plan) {
  KafkaSinkOptions& kafka = plan.kafka;
  kafka.brokers = arguments.brokers;
  kafka.topic = topic;
  constexpr Choice<bool> kRecordTimes[] = {{"now", false}, {"event", true}};
  RETURN_IF_ERROR(
      Choose("--record-time", arguments.record_time, kRecordTimes, kafka.event_timestamps));
  for (const std::string& property : arguments.kafka_properties) {
    const size_t equals = property.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          fmt::format("--kafka-property is \"{}\": write NAME=VALUE", property));
    }
    kafka.properties.emplace_back(property.substr(0, equals), property.substr(equals + 1));
  }
  if (arguments.partitions) {
    return absl::InvalidArgumentError("--partitions is for files: the topic knows its own number");
  }
  return absl::OkStatus();
}

absl::Status PlanPostgres(const GenerateArguments& arguments, GeneratePlan& plan) {
  const NoiseOptions& noise = plan.generator.noise;
  if (noise.duplicates + noise.resnapshots + noise.malformed > 0) {
    return absl::InvalidArgumentError(
        "--duplicates, --resnapshots and --malformed describe messages, not rows of a table: leave "
        "them out with --postgres");
  }
  plan.postgres.conninfo = arguments.postgres;
  plan.postgres.table = arguments.table;
  plan.postgres.profile = plan.generator.profile;
  plan.postgres.currency = arguments.currency;
  plan.postgres.create_table = arguments.create_table;
  plan.postgres.mutations = noise.updates + noise.deletes > 0;
  return absl::OkStatus();
}

absl::Status PlanSink(const GenerateArguments& arguments, GeneratePlan& plan) {
  RETURN_IF_ERROR(ChooseSink(arguments, plan));
  constexpr Choice<FileFormat> kFormats[] = {{"ndjson", FileFormat::kNdjson},
                                             {"kcat-json", FileFormat::kKcatJson}};
  RETURN_IF_ERROR(Choose("--output-format", arguments.output_format, kFormats, plan.file_format));
  plan.output_path = arguments.output;
  plan.generator.fixed_partition = arguments.partition.value_or(-1);
  const MessageOptions& message = plan.generator.message;
  const std::string topic = arguments.topic.empty() ? fmt::format("{}.{}.{}", message.source_name,
                                                                  message.schema, message.table)
                                                    : arguments.topic;
  plan.kafka.topic = topic;
  if (plan.sink == SinkChoice::kKafka) return PlanKafka(arguments, topic, plan);
  plan.generator.partitions = arguments.partitions.value_or(kFilePartitions);
  if (plan.generator.partitions < 1) {
    return absl::InvalidArgumentError("--partitions must be at least 1");
  }
  if (plan.sink == SinkChoice::kPostgres) return PlanPostgres(arguments, plan);
  plan.postgres.table = arguments.table;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RecordSink>> OpenSink(GeneratePlan& plan,
                                                     const std::atomic<bool>& stop) {
  if (plan.sink == SinkChoice::kFile) {
    return FileSink::Open(plan.output_path, plan.file_format, plan.kafka.topic);
  }
  if (plan.sink == SinkChoice::kPostgres) return PostgresSink::Connect(plan.postgres);
  plan.kafka.stop = &stop;
  ASSIGN_OR_RETURN(std::unique_ptr<KafkaSink> kafka, KafkaSink::Connect(plan.kafka));
  plan.generator.partitions = kafka->partitions();
  return std::unique_ptr<RecordSink>(std::move(kafka));
}

absl::Status Run(GeneratePlan& plan, PacingClock& clock, const std::atomic<bool>& stop,
                 std::function<void(const LoadProgress&)> on_progress, GenerateOutcome& outcome) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RecordSink> sink, OpenSink(plan, stop));
  ASSIGN_OR_RETURN(const std::unique_ptr<EventGenerator> generator,
                   EventGenerator::Create(plan.generator));
  std::unique_ptr<LabelWriter> labels;
  if (!plan.labels_path.empty()) {
    ASSIGN_OR_RETURN(labels, LabelWriter::Open(plan.labels_path));
  }
  if (!plan.places_path.empty()) {
    RETURN_IF_ERROR(WritePlaces(*generator->merchants(), plan.places_path));
  }
  LoadRun run({*generator, *sink, labels.get(), clock, stop, std::move(on_progress)}, plan.limits);
  const absl::Status status = run.Run();
  outcome.records = run.progress().records;
  outcome.summary = FormatSummary(run.progress(), stop.load(), labels.get());
  return status;
}

}  // namespace

absl::StatusOr<GeneratePlan> MakeGeneratePlan(const GenerateArguments& arguments, int64_t now_us) {
  GeneratePlan plan;
  plan.generator.seed = arguments.seed;
  plan.generator.first_id = arguments.first_id;
  RETURN_IF_ERROR(TakeProfile(arguments, plan.generator));
  RETURN_IF_ERROR(TakeTime(arguments, now_us, plan.generator.time));
  RETURN_IF_ERROR(TakeNoise(arguments, plan.generator.noise));
  RETURN_IF_ERROR(TakeMessage(arguments, plan.generator.message));
  RETURN_IF_ERROR(TakeLimits(arguments, plan.limits));
  RETURN_IF_ERROR(PlanSink(arguments, plan));
  RETURN_IF_ERROR(ValidateGeneratorOptions(plan.generator));
  plan.labels_path = arguments.labels;
  plan.places_path = arguments.places;
  return plan;
}

GenerateOutcome RunGeneratePlan(GeneratePlan plan, PacingClock& clock,
                                const std::atomic<bool>& stop,
                                std::function<void(const LoadProgress&)> on_progress) {
  GenerateOutcome outcome;
  outcome.status = Run(plan, clock, stop, std::move(on_progress), outcome);
  return outcome;
}

}  // namespace caracal::pipeline
