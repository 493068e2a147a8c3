#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/generate/file_sink.h"
#include "pipeline/generate/generator_options.h"
#include "pipeline/generate/kafka_sink.h"
#include "pipeline/generate/load_run.h"
#include "pipeline/generate/postgres_sink.h"

namespace caracal::pipeline {

/// The command line of `caracal generate` as typed. nullopt or empty = not given.
struct GenerateArguments {
  std::string profile = "cards";
  uint64_t seed = 1;
  int64_t first_id = 1;

  std::optional<uint64_t> count;
  std::string duration;
  std::optional<double> rate;

  std::optional<double> event_rate;
  std::string start_time;
  bool realtime = false;
  bool steady = false;

  std::optional<uint32_t> accounts;
  std::optional<double> zipf;
  std::optional<uint32_t> merchants;
  std::optional<double> burst_rate;
  std::optional<double> big_ticket_rate;
  std::optional<double> travel_rate;
  std::string currency = "EUR";

  double late = 0;
  std::string late_max = "90s";
  double duplicates = 0;
  double updates = 0;
  double deletes = 0;
  double resnapshots = 0;
  double malformed = 0;
  uint64_t snapshot_rows = 0;

  std::string format = "bare";
  std::string decimals = "string";
  std::string key = "account";
  std::string source_name = "bank";
  std::string database = "bank";
  std::string table = "public.transactions";

  std::string output;
  std::string output_format = "ndjson";
  std::optional<int32_t> partitions;
  std::string brokers;
  std::string topic;
  std::optional<int32_t> partition;
  std::vector<std::string> kafka_properties;
  std::string record_time = "now";
  std::string postgres;
  bool create_table = false;

  std::string labels;
  std::string places;
  bool no_progress = false;
};

enum class SinkChoice : uint8_t { kFile, kKafka, kPostgres, kPrintTable };

/// What the arguments ask for, checked and in the types of the library.
struct GeneratePlan {
  GeneratorOptions generator;
  LoadLimits limits;
  SinkChoice sink = SinkChoice::kFile;
  std::string output_path;
  FileFormat file_format = FileFormat::kNdjson;
  KafkaSinkOptions kafka;
  PostgresSinkOptions postgres;
  std::string labels_path;
  std::string places_path;
};

/// InvalidArgument with a sentence that names the option and the remedy. `now_us`: the present, for
/// --realtime.
absl::StatusOr<GeneratePlan> MakeGeneratePlan(const GenerateArguments& arguments, int64_t now_us);

/// How a load ended.
struct GenerateOutcome {
  /// Status codes as RecordSink.
  absl::Status status;
  /// Records handed to the sink.
  uint64_t records = 0;
  /// The last line for the user.
  std::string summary;
};

/// Opens what the plan names, runs the load to its end and closes everything; `on_progress` may be
/// empty.
GenerateOutcome RunGeneratePlan(GeneratePlan plan, PacingClock& clock,
                                const std::atomic<bool>& stop,
                                std::function<void(const LoadProgress&)> on_progress);

}  // namespace caracal::pipeline
