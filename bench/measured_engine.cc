#include "bench/measured_engine.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "agents/api/check.h"
#include "agents/builtin/builtin_agents.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "pipeline/config/config_loader.h"
#include "pipeline/config/file_reader.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/emit/json_alert_encoder.h"
#include "pipeline/emit/raw_dead_letter_encoder.h"
#include "pipeline/engine/options_from_config.h"
#include "pipeline/engine/system_clock.h"

namespace caracal::pipeline {
namespace {

/// Ten million accounts are more than the 512 MiB per partition of the configuration.
constexpr size_t kBucketBytes = size_t{1} << 40;

EngineOptions LoadOptions(const std::string& path, const agents::AgentRegistry& registry) {
  const DiskFileReader files;
  LoadTools tools;
  tools.files = &files;
  tools.registry = &registry;
  const LoadResult loaded = LoadConfig({path, {}, {}}, tools);
  CHECK(loaded.config.has_value());
  absl::StatusOr<EngineOptions> options = OptionsFromConfig(*loaded.config);
  CHECK(options.ok() && options->streams.size() == 1);
  return *std::move(options);
}

StreamPlan PlanOf(const EngineOptions& options, const agents::AgentRegistry& registry) {
  const StreamOptions& stream = options.streams.front();
  StreamPlan plan;
  auto compiled = agents::CompiledRulesets::Compile(stream.rulesets, registry, stream.context,
                                                    {.hash_seed = options.hash_seed});
  CHECK(compiled.ok());
  plan.rulesets = *std::move(compiled);
  plan.encoder =
      std::make_shared<JsonAlertEncoder>(stream.context.amount_scale, plan.rulesets->infos());
  plan.limits.max_bytes = kBucketBytes;
  plan.limits.rows_per_bucket = options.rows_per_bucket;
  plan.memory = std::make_shared<agents::HugePagePool>();
  return plan;
}

}  // namespace

int64_t SkippingClock::MonotonicMicros() const {
  return SystemClock().MonotonicMicros() + skipped_us_.load(std::memory_order_relaxed);
}
int64_t SkippingClock::WallMillis() const { return SystemClock().WallMillis(); }

MeasuredEngine::MeasuredEngine(const std::string& config, uint32_t worker_threads,
                               uint32_t partitions) {
  CHECK(agents::RegisterBuiltinAgents(registry_).ok());
  options_ = LoadOptions(config, registry_);
  const StreamPlan plan = PlanOf(options_, registry_);
  for (const agents::RulesetInfo& info : plan.rulesets->infos()) {
    probe_.streams[0]->rulesets.push_back(std::make_unique<RulesetProbe>(info.rules.size()));
  }
  const DecodeOptions& decode = options_.streams.front().decode;
  source_ = std::make_unique<PreparedSource>(decode.topic, partitions);
  const auto wake = [source = source_.get()] { source->Wake(); };
  commits_ = std::make_unique<CommitThread>(committer_, clock_, wake);
  workers_ =
      std::make_unique<WorkerPool>(WorkerPoolOptions{worker_threads, options_.ring_capacity},
                                   std::vector<StreamPlan>{plan}, options_.ingest.buckets, wake);
  options_.epochs.workers = workers_->size();
  epochs_ = std::make_unique<EpochCoordinator>(options_.epochs, *source_, *commits_, clock_);
  std::vector<StreamInput> inputs;
  inputs.push_back({std::make_unique<Decoder>(decode), std::make_shared<RawDeadLetterEncoder>()});
  ingest_ = std::make_unique<Ingest>(options_.ingest, *source_, *workers_, *epochs_,
                                     /*snapshots=*/nullptr, std::move(inputs), clock_, probe_);
  commits_->Start();
  workers_->Start();
}

MeasuredEngine::~MeasuredEngine() {
  ingest_.reset();
  epochs_.reset();
  workers_.reset();
  commits_.reset();
}

void MeasuredEngine::RunToEnd() {
  while (!source_->drained()) CHECK(ingest_->Step().ok());
  while (!epochs_->Idle()) {
    if (!epochs_->Committing()) clock_.Skip(options_.epochs.commit_interval_us);
    CHECK(ingest_->Step().ok());
  }
}

}  // namespace caracal::pipeline
