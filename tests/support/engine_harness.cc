#include "tests/support/engine_harness.h"

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
    : source_(options.batch_records) {
  CHECK(agents::RegisterBuiltinAgents(registry_).ok());
  const agents::StreamContext context = ContextOf(decode);
  StreamPlan plan;
  auto compiled = agents::CompiledRulesets::Compile(rulesets, registry_, context,
                                                    {.hash_seed = decode.hash_seed});
  CHECK(compiled.ok());
  plan.rulesets = *std::move(compiled);
  plan.encoder = std::make_shared<JsonAlertEncoder>(context.amount_scale, plan.rulesets->infos());
  plan.limits = options.limits;
  for (const agents::RulesetInfo& info : plan.rulesets->infos()) {
    probe_.streams[0]->rulesets.push_back(std::make_unique<RulesetProbe>(info.rules.size()));
  }
  commits_ = std::make_unique<CommitThread>(committer_, clock_, [] {});
  workers_ = std::make_unique<WorkerPool>(WorkerPoolOptions{options.worker_threads, 8},
                                          std::vector<StreamPlan>{plan}, options.buckets, [] {});
  options.epochs.workers = workers_->size();
  epochs_ = std::make_unique<EpochCoordinator>(options.epochs, source_, *commits_, clock_);
  std::vector<StreamInput> inputs;
  inputs.push_back({std::make_unique<Decoder>(decode), std::make_shared<RawDeadLetterEncoder>()});
  IngestOptions ingest;
  ingest.buckets = options.buckets;
  ingest.pause_on_storm = options.pause_on_storm;
  ingest_ = std::make_unique<Ingest>(ingest, source_, *workers_, *epochs_, std::move(inputs),
                                     clock_, probe_);
  commits_->Start();
  workers_->Start();
}

EngineHarness::~EngineHarness() {
  ingest_.reset();
  epochs_.reset();
  workers_.reset();
  commits_.reset();
}

absl::Status EngineHarness::RunUntilIdle() {
  do {
    clock_.Advance(50'000);
    if (absl::Status status = ingest_->Step(); !status.ok()) return status;
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
