#include "pipeline/engine/engine.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "agents/ruleset/bucket_image.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "pipeline/base/log.h"
#include "pipeline/base/random_id.h"
#include "pipeline/commit/at_least_once_committer.h"
#include "pipeline/commit/exactly_once_committer.h"
#include "pipeline/emit/json_alert_encoder.h"
#include "pipeline/emit/kafka_output_sink.h"
#include "pipeline/emit/kafka_transaction_sink.h"
#include "pipeline/emit/raw_dead_letter_encoder.h"

namespace caracal::pipeline {
namespace {

// Of the memory limit: what copies may take while partitions are restored, besides their state.
constexpr size_t kRestoreShare = 4;
// Members that stop copy their state for so long; what is missing then is replayed.
constexpr absl::Duration kHandOverMax = absl::Seconds(2);

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(EngineOptions options,
                                                       const agents::AgentRegistry& registry) {
  std::unique_ptr<Engine> engine(new Engine(std::move(options)));
  RETURN_IF_ERROR(engine->Build(registry));
  return engine;
}

Engine::~Engine() {
  // Against the flow: whoever calls is destroyed before what it calls.
  ingest_.reset();
  epochs_.reset();
  workers_.reset();
  commit_thread_.reset();
  committer_.reset();
  sink_.reset();
  transaction_sink_.reset();
  source_.reset();
  snapshot_store_.reset();
  snapshot_loader_.reset();
}

absl::StatusOr<std::vector<StreamPlan>> Engine::MakePlans(const agents::AgentRegistry& registry) {
  std::vector<StreamPlan> plans;
  const auto memory = std::make_shared<agents::HugePagePool>();
  for (const StreamOptions& stream : options_.streams) {
    StreamPlan plan;
    ASSIGN_OR_RETURN(plan.rulesets,
                     agents::CompiledRulesets::Compile(stream.rulesets, registry, stream.context,
                                                       {.hash_seed = options_.hash_seed}));
    plan.encoder =
        std::make_shared<JsonAlertEncoder>(stream.context.amount_scale, plan.rulesets->infos());
    plan.limits.max_bytes =
        static_cast<size_t>(options_.max_bytes_per_partition) / options_.ingest.buckets;
    plan.limits.rows_per_bucket = options_.rows_per_bucket;
    plan.memory = memory;
    const size_t least = agents::BucketState::MinBytes(*plan.rulesets, plan.limits.rows_per_bucket);
    if (plan.limits.max_bytes < least) {
      return absl::InvalidArgumentError(
          fmt::format("state.max_bytes_per_partition: {} bytes in {} buckets leave too little for "
                      "the rules of '{}': at least {} bytes are needed",
                      options_.max_bytes_per_partition, options_.ingest.buckets,
                      stream.decode.topic, least * options_.ingest.buckets));
    }
    plans.push_back(std::move(plan));
  }
  return plans;
}

absl::StatusOr<std::vector<StreamInput>> Engine::MakeInputs() const {
  std::vector<StreamInput> inputs;
  const auto dead_letters = std::make_shared<RawDeadLetterEncoder>();
  for (const StreamOptions& stream : options_.streams) {
    RETURN_IF_ERROR(ValidateDecodeOptions(stream.decode));
    inputs.push_back({std::make_unique<Decoder>(stream.decode), dead_letters});
  }
  return inputs;
}

absl::Status Engine::MakeCommitter() {
  OffsetStore& offsets = source_->offset_store();
  if (options_.delivery == Delivery::kAtLeastOnce) {
    ASSIGN_OR_RETURN(sink_, KafkaOutputSink::Create(options_.sink, sink_probe_));
    committer_ = std::make_unique<AtLeastOnceCommitter>(*sink_, offsets);
    return absl::OkStatus();
  }
  TransactionOptions transactions;
  transactions.outputs = options_.sink;
  transactions.named = !options_.instance_id.empty();
  transactions.transactional_id = fmt::format(
      "{}-{}", options_.source.group_id, transactions.named ? options_.instance_id : RandomId());
  transaction_sink_ = std::make_unique<KafkaTransactionSink>(std::move(transactions), sink_probe_);
  committer_ = std::make_unique<ExactlyOnceCommitter>(*transaction_sink_, offsets, clock_);
  return absl::OkStatus();
}

absl::Status Engine::MakeRulesRecords() {
  for (size_t i = 0; i < plans_.size(); ++i) {
    const agents::CompiledRulesets& rulesets = *plans_[i].rulesets;
    RulesManifest manifest;
    manifest.topic = options_.source.topics[i].name;
    manifest.buckets = options_.ingest.buckets;
    manifest.seed_fingerprint = agents::BucketImage::SeedFingerprint(options_.hash_seed);
    for (const agents::RulesetInfo& info : rulesets.infos()) {
      manifest.rulesets.push_back({info.version, info.name});
    }
    for (const agents::KeyGroup& group : rulesets.layout().groups) {
      for (const agents::StateSlice& slice : group.slices) {
        const agents::RulesetInfo& info = rulesets.infos()[slice.ruleset];
        manifest.states.push_back(
            {slice.id, fmt::format("{}/{}", info.name, info.rules[slice.rule].id)});
      }
    }
    ASSIGN_OR_RETURN(RulesRecord record,
                     MakeRulesRecord(std::move(manifest), options_.streams[i].ruleset_texts));
    options_.source.topics[i].rules = record.hash;
    rules_.push_back(std::move(record));
  }
  return absl::OkStatus();
}

absl::Status Engine::MakeSnapshots() {
  if (options_.state_topics.empty()) return absl::OkStatus();
  StateTopics topics;
  topics.connection = options_.sink.connection;
  topics.group_id = options_.source.group_id;
  topics.topics = options_.state_topics;
  topics.buckets = options_.ingest.buckets;
  topics.seed_fingerprint = agents::BucketImage::SeedFingerprint(options_.hash_seed);
  for (const StreamPlan& plan : plans_) topics.layouts.push_back(plan.rulesets->layout().id);
  topics.rules = rules_;
  topics.max_bytes_per_partition = static_cast<size_t>(options_.max_bytes_per_partition);
  if (options_.memory_limit > 0) {
    topics.restore_bytes_max = static_cast<size_t>(options_.memory_limit) / kRestoreShare;
  }
  const ImageReader read =
      [this](const ImageRequest& request) -> absl::StatusOr<std::shared_ptr<agents::BucketState>> {
    const StreamPlan& plan = plans_[request.stream];
    std::string_view image = request.image;
    std::string with_changes;
    if (!request.changes.empty()) {
      ASSIGN_OR_RETURN(with_changes,
                       agents::BucketImage::WithChanges(request.image, request.changes));
      image = with_changes;
    }
    ASSIGN_OR_RETURN(
        agents::RestoredBucket restored,
        agents::BucketState::Parse(plan.rulesets, plan.limits, options_.ingest.buckets, image,
                                   std::span(request.carried), plan.memory.get()));
    if (restored.report.slices_carried < request.carried.size() ||
        (request.exact && !restored.report.exact)) {
      return absl::FailedPreconditionError("it was made under other rules or limits");
    }
    return std::make_shared<agents::BucketState>(std::move(restored.state));
  };
  ASSIGN_OR_RETURN(snapshot_loader_, KafkaSnapshotLoader::Create(topics, read, catalogs_));
  ASSIGN_OR_RETURN(snapshot_store_, KafkaSnapshotStore::Create(std::move(topics), catalogs_));
  return absl::OkStatus();
}

absl::Status Engine::Build(const agents::AgentRegistry& registry) {
  ASSIGN_OR_RETURN(plans_, MakePlans(registry));
  ASSIGN_OR_RETURN(std::vector<StreamInput> inputs, MakeInputs());
  probe_ = std::make_unique<EngineProbe>(options_.streams.size());
  for (size_t i = 0; i < plans_.size(); ++i) {
    for (const agents::RulesetInfo& info : plans_[i].rulesets->infos()) {
      probe_->streams[i]->rulesets.push_back(std::make_unique<RulesetProbe>(info.rules.size()));
    }
  }
  RETURN_IF_ERROR(MakeRulesRecords());
  RETURN_IF_ERROR(MakeSnapshots());
  ASSIGN_OR_RETURN(source_, KafkaSource::Create(options_.source, snapshot_loader_.get()));
  const auto wake = [source = source_.get()] { source->Wake(); };
  RETURN_IF_ERROR(MakeCommitter());
  commit_thread_ = std::make_unique<CommitThread>(*committer_, clock_, wake);
  workers_ = std::make_unique<WorkerPool>(
      WorkerPoolOptions{options_.worker_threads, options_.ring_capacity}, plans_,
      options_.ingest.buckets, wake);
  options_.epochs.workers = workers_->size();
  epochs_ = std::make_unique<EpochCoordinator>(options_.epochs, *source_, *commit_thread_, clock_);
  ingest_ = std::make_unique<Ingest>(options_.ingest, *source_, *workers_, *epochs_,
                                     snapshot_store_.get(), std::move(inputs), clock_, *probe_);
  return absl::OkStatus();
}

absl::Status Engine::Run() {
  commit_thread_->Start();
  workers_->Start();
  if (snapshot_store_ != nullptr) snapshot_store_->Start();
  RETURN_IF_ERROR(source_->Start());
  running_.store(true, std::memory_order_relaxed);
  const absl::Status processed = Loop();
  const absl::Status stopped = Stop(/*drain=*/processed.ok());
  running_.store(false, std::memory_order_relaxed);
  return processed.ok() ? stopped : processed;
}

absl::Status Engine::Loop() {
  while (!stop_requested_.load(std::memory_order_acquire)) {
    RETURN_IF_ERROR(ingest_->Step());
    last_step_us_.store(clock_.MonotonicMicros(), std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

absl::Status Engine::Stop(bool drain) {
  if (on_stopping_) on_stopping_();
  LOG(kInfo, "engine",
      drain ? "stopping: copying state and committing what has been judged, then leaving the group"
            : "stopping: leaving the group",
      {{"shutdown_timeout", absl::FormatDuration(options_.shutdown_timeout)}});
  const absl::Time deadline = absl::Now() + options_.shutdown_timeout;
  const absl::Status drained = drain ? Drain(deadline) : absl::OkStatus();
  const absl::Duration left = std::max(absl::Seconds(1), deadline - absl::Now());
  const absl::Status closed = source_->Close(left);
  return drained.ok() ? closed : drained;
}

absl::Status Engine::Drain(absl::Time deadline) {
  RETURN_IF_ERROR(ingest_->HandOver(std::min(kHandOverMax, options_.shutdown_timeout / 4)));
  return ingest_->Drain(std::max(absl::ZeroDuration(), deadline - absl::Now()));
}

void Engine::RequestStop() {
  stop_requested_.store(true, std::memory_order_release);
  source_->Wake();
}

const std::vector<agents::RulesetInfo>& Engine::rulesets(size_t stream) const {
  return plans_[stream].rulesets->infos();
}

}  // namespace caracal::pipeline
