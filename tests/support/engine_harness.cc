#include "tests/support/engine_harness.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/builtin/builtin_agents.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/emit/json_alert_encoder.h"
#include "pipeline/emit/raw_dead_letter_encoder.h"

namespace caracal::pipeline {
namespace {

std::string Line(const OutputRecord& output) {
  return fmt::format("{}/{} {} {}", output.lease->partition(), output.offset, output.key,
                     output.value);
}

EngineOptions OptionsOf(const std::vector<agents::RulesetSpec>& rulesets,
                        const HarnessOptions& harness, DecodeOptions decode) {
  EngineOptions options;
  options.source.topics.push_back({decode.topic, {}, {}});
  options.hash_seed = decode.hash_seed;
  const agents::StreamContext context = EngineHarness::ContextOf(decode);
  options.streams.push_back({std::move(decode), context, rulesets});
  options.ingest.buckets = harness.buckets;
  options.ingest.pause_on_storm = harness.pause_on_storm;
  options.epochs = harness.epochs;
  options.max_bytes_per_partition =
      static_cast<int64_t>(harness.limits.max_bytes) * harness.buckets;
  options.rows_per_bucket = harness.limits.rows_per_bucket;
  options.worker_threads = harness.worker_threads;
  options.ring_capacity = 8;
  return options;
}

std::vector<std::string> TopicsOf(const EngineOptions& options) {
  std::vector<std::string> topics;
  for (const StreamOptions& stream : options.streams) topics.push_back(stream.decode.topic);
  return topics;
}

}  // namespace

DecodeOptions EngineHarness::DefaultDecode() {
  DecodeOptions decode;
  decode.topic = "t0";
  decode.fields.account = "user_id";
  decode.fields.id = "id";
  decode.fields.amount = "amount";
  decode.fields.time = "created_at";
  decode.fields.latitude = "lat";
  decode.fields.longitude = "lon";
  decode.fields.attributes = {{"merchant", "merchant"}, {"country", "country"}};
  decode.currency = "EUR";
  decode.time_unit = TimeUnit::kMicroseconds;
  decode.max_ahead_us = int64_t{365} * 86'400 * 1'000'000;
  return decode;
}

agents::StreamContext EngineHarness::ContextOf(const DecodeOptions& decode) {
  agents::StreamContext context;
  context.topic = decode.topic;
  std::vector<std::string> names;
  for (const AttributeColumn& attribute : decode.fields.attributes) names.push_back(attribute.name);
  context.attributes = agents::AttributeSchema(names);
  context.amount_scale = decode.amount_scale;
  context.has_amount = !decode.fields.amount.empty();
  context.has_location = !decode.fields.latitude.empty();
  context.currency = decode.currency;
  return context;
}

EngineHarness::EngineHarness(const std::vector<agents::RulesetSpec>& rulesets,
                             HarnessOptions options, DecodeOptions decode)
    : EngineHarness(OptionsOf(rulesets, options, std::move(decode)), options.batch_records) {}

EngineHarness::EngineHarness(EngineOptions options, size_t batch_records)
    : options_(std::move(options)),
      source_(batch_records, TopicsOf(options_)),
      probe_(options_.streams.size()) {
  agents::AgentRegistry registry;
  CHECK(agents::RegisterBuiltinAgents(registry).ok());
  std::vector<StreamPlan> plans;
  std::vector<StreamInput> inputs;
  for (size_t i = 0; i < options_.streams.size(); ++i) {
    plans.push_back(PlanOf(options_.streams[i], registry));
    rulesets_.push_back(plans.back().rulesets);
    for (const agents::RulesetInfo& info : plans.back().rulesets->infos()) {
      probe_.streams[i]->rulesets.push_back(std::make_unique<RulesetProbe>(info.rules.size()));
    }
    inputs.push_back({std::make_unique<Decoder>(options_.streams[i].decode),
                      std::make_shared<RawDeadLetterEncoder>()});
  }
  commits_ = std::make_unique<CommitThread>(committer_, clock_, [] {});
  workers_ = std::make_unique<WorkerPool>(
      WorkerPoolOptions{options_.worker_threads, options_.ring_capacity}, std::move(plans),
      options_.ingest.buckets, [] {});
  options_.epochs.workers = workers_->size();
  epochs_ = std::make_unique<EpochCoordinator>(options_.epochs, source_, *commits_, clock_);
  ingest_ = std::make_unique<Ingest>(options_.ingest, source_, *workers_, *epochs_,
                                     /*snapshots=*/nullptr, std::move(inputs), clock_, probe_);
  commits_->Start();
  workers_->Start();
}

StreamPlan EngineHarness::PlanOf(const StreamOptions& stream,
                                 const agents::AgentRegistry& registry) const {
  StreamPlan plan;
  auto compiled = agents::CompiledRulesets::Compile(stream.rulesets, registry, stream.context,
                                                    {.hash_seed = options_.hash_seed});
  CHECK(compiled.ok());
  plan.rulesets = *std::move(compiled);
  plan.encoder =
      std::make_shared<JsonAlertEncoder>(stream.context.amount_scale, plan.rulesets->infos());
  plan.limits.max_bytes =
      static_cast<size_t>(options_.max_bytes_per_partition) / options_.ingest.buckets;
  plan.limits.rows_per_bucket = options_.rows_per_bucket;
  return plan;
}

EngineHarness::~EngineHarness() {
  ingest_.reset();
  epochs_.reset();
  workers_.reset();
  commits_.reset();
}

StartPosition EngineHarness::AssignFresh(int32_t partition, uint16_t stream) {
  const SourceTopic& topic = options_.source.topics[stream];
  StartPosition position;
  position.activation = OffsetOf(topic.from, partition, stream);
  position.replay_from = position.activation;
  position.committed = position.activation;
  position.alert_from =
      std::max(position.activation, OffsetOf(topic.alert_from, partition, stream));
  source_.Assign(partition, position, stream);
  return position;
}

int64_t EngineHarness::OffsetOf(const StartPoint& point, int32_t partition, uint16_t stream) const {
  switch (point.kind) {
    case StartPoint::Kind::kEarliest:
      return 0;
    case StartPoint::Kind::kLatest:
      return source_.LogEnd(partition, stream);
    case StartPoint::Kind::kTime:
      break;
  }
  return source_.OffsetForTime(partition, point.time_ms, stream);
}

absl::Status EngineHarness::RunUntilIdle() {
  do {
    clock_.Advance(50'000);
    if (absl::Status status = ingest_->Step(); !status.ok()) return status;
    // The fake source never waits: workers and the commit thread must get their turn.
    std::this_thread::yield();
  } while (!source_.Drained() || !epochs_->Idle());
  return absl::OkStatus();
}

std::vector<std::string> EngineHarness::CommittedAlerts() const {
  std::vector<std::string> lines;
  for (const SealedEpoch& epoch : committer_.epochs()) {
    for (const OutputRecord& output : epoch.outputs) {
      if (output.kind == OutputKind::kAlert) lines.push_back(Line(output));
    }
  }
  return lines;
}

std::vector<std::string> EngineHarness::CommittedDeadLetters() const {
  std::vector<std::string> lines;
  for (const SealedEpoch& epoch : committer_.epochs()) {
    for (const OutputRecord& output : epoch.outputs) {
      if (output.kind == OutputKind::kDeadLetter) lines.push_back(Line(output));
    }
  }
  return lines;
}

int64_t EngineHarness::CommittedOffset(int32_t partition) const {
  int64_t offset = -1;
  for (const SealedEpoch& epoch : committer_.epochs()) {
    for (const EpochPartition& entry : epoch.partitions) {
      if (entry.lease->partition() == partition) offset = entry.end_offset;
    }
  }
  return offset;
}

agents::RulesetSpec VelocityRuleset(int64_t max_count, int64_t window_us) {
  agents::RuleSpec rule;
  rule.id = "burst";
  rule.agent = "velocity";
  rule.score = 1;
  rule.parameters.Set("max_count", max_count);
  rule.parameters.Set("window", window_us);
  rule.parameters.Set("refunds", std::string("exclude"));
  agents::RulesetSpec ruleset;
  ruleset.name = "velocity-test";
  ruleset.version = "000000000001";
  ruleset.rules.push_back(std::move(rule));
  return ruleset;
}

}  // namespace caracal::pipeline
