#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agents/api/agent_registry.h"
#include "agents/api/check.h"
#include "agents/builtin/builtin_agents.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/state/key_hash.h"
#include "pipeline/emit/json_alert_encoder.h"
#include "pipeline/execute/worker.h"
#include "tests/support/engine_harness.h"

namespace caracal::pipeline {

/// Batches of events for workers, and the plan they are judged by: more than two payments of an
/// account raise an alert.
class JudgedStream {
 public:
  static constexpr uint32_t kBuckets = 8;

  explicit JudgedStream(size_t streams = 1) {
    CHECK(agents::RegisterBuiltinAgents(registry_).ok());
    for (size_t i = 0; i < streams; ++i) {
      DecodeOptions decode = EngineHarness::DefaultDecode();
      decode.topic = fmt::format("t{}", i);
      const agents::StreamContext context = EngineHarness::ContextOf(decode);
      const agents::RulesetSpec ruleset = VelocityRuleset(2, int64_t{3600} * 1'000'000);
      auto compiled = agents::CompiledRulesets::Compile({&ruleset, 1}, registry_, context, {});
      CHECK(compiled.ok());
      StreamPlan plan;
      plan.rulesets = *std::move(compiled);
      plan.encoder =
          std::make_shared<JsonAlertEncoder>(context.amount_scale, plan.rulesets->infos());
      plan.limits = {.max_bytes = 1 << 20, .rows_per_bucket = 256};
      plans_.push_back(std::move(plan));
    }
  }

  const std::vector<StreamPlan>& plans() const { return plans_; }

  static LeasePtr Lease(int32_t partition, uint16_t stream = 0) {
    const auto slot = static_cast<uint32_t>(2 * partition + stream);
    return std::make_shared<PartitionLease>(slot + 1, stream, fmt::format("t{}", stream), partition,
                                            slot);
  }

  /// One payment of the account; the batch it is added to keeps its bytes.
  struct Payment {
    int64_t offset = 0;
    int64_t account = 0;
    bool replayed = false;
    bool warm = false;
    /// 0 = a row of its own.
    uint64_t row = 0;
  };
  /// The batch for worker `index` of `workers`: the payments of its buckets.
  static EventBatch Batch(const LeasePtr& lease, const std::vector<Payment>& payments,
                          uint32_t index = 0, uint32_t workers = 1) {
    auto storage = std::make_shared<EventStorage>();
    storage->leases.push_back(lease);
    EventBatch batch;
    for (const Payment& payment : payments) {
      Event event;
      event.transaction.key = storage->arena.Copy(fmt::to_string(payment.account));
      event.transaction.account = event.transaction.key;
      event.transaction.event_time_us = 1'700'000'000'000'000 + payment.offset;
      event.transaction.has_amount = true;
      event.transaction.amount = 1000;
      event.transaction.currency = "EUR";
      event.transaction.attributes = storage->arena.AllocateViews(2);
      event.key_hash = agents::HashKey(event.transaction.key, 0);
      if (agents::BucketOf(event.key_hash, kBuckets) % workers != index) continue;
      event.lease = lease.get();
      event.offset = payment.offset;
      event.row_tag =
          payment.row == 0 ? static_cast<uint64_t>(payment.offset) + 1'000'000 : payment.row;
      event.has_row = true;
      event.replayed = payment.replayed;
      if (payment.replayed || payment.warm) event.action = EventAction::kWarm;
      batch.events.push_back(event);
    }
    batch.storage = std::move(storage);
    return batch;
  }

 private:
  agents::AgentRegistry registry_;
  std::vector<StreamPlan> plans_;
};

}  // namespace caracal::pipeline
