// What an alert costs to encode, from a judgement at hand to a record to be sent: alerts of one and
// of three reasons, and one whose texts need escapes. `bytes`: of the value.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/emit/json_alert_encoder.h"

namespace caracal::pipeline {
namespace {

using agents::ValueKind;

agents::RuleInfo Rule(std::string id, std::string agent, std::string reason,
                      std::vector<agents::ObservedField> observed, std::string limit_json) {
  agents::RuleInfo rule;
  rule.id = std::move(id);
  rule.agent = std::move(agent);
  rule.score = 40;
  rule.severity = agents::Severity::kHigh;
  rule.reasons = {std::move(reason)};
  rule.observed = std::move(observed);
  rule.limit_json = std::move(limit_json);
  return rule;
}

/// One rule of each built-in agent.
agents::RulesetInfo Cards() {
  agents::RulesetInfo ruleset;
  ruleset.name = "cards";
  ruleset.version = "9c1e4d20a7b3";
  ruleset.alert_above = 30;
  ruleset.rules = {
      Rule("burst", "velocity", "count_exceeded",
           {{"count", ValueKind::kInteger, 0}, {"window_s", ValueKind::kConstant, 0, "60"}},
           R"({"max_count":6})"),
      Rule("big-ticket", "amount", "above_profile",
           {{"amount", ValueKind::kMoney, 0}, {"mean", ValueKind::kMoney, 1}},
           R"({"ratio":"10","floor":"500.00"})"),
      Rule("impossible-travel", "geo", "too_fast",
           {{"distance_km", ValueKind::kInteger, 0}, {"speed_kmh", ValueKind::kInteger, 1}},
           R"({"max_speed_kmh":"900","min_distance_km":"100"})")};
  return ruleset;
}

agents::Judgement Fired(uint16_t reasons) {
  agents::Judgement judgement;
  judgement.severity = agents::Severity::kHigh;
  for (uint16_t rule = 0; rule < reasons; ++rule) {
    agents::FiredRule fired;
    fired.rule = rule;
    fired.verdict.fired = true;
    fired.verdict.observed[0] = 472'015;
    fired.verdict.observed[1] = 4'718;
    judgement.fired.push_back(fired);
    judgement.score += 40;
  }
  return judgement;
}

void Encode(benchmark::State& state, uint16_t reasons, const char* account) {
  const JsonAlertEncoder encoder(2, {Cards()});
  const auto lease = std::make_shared<PartitionLease>(1, 0, "bank.public.transactions", 3, 0);
  const agents::Judgement judgement = Fired(reasons);
  Event event;
  event.lease = lease.get();
  event.transaction.key = event.transaction.account = account;
  event.transaction.id = "88121";
  event.transaction.currency = "EUR";
  event.transaction.amount = 472'015;
  event.transaction.has_amount = true;
  event.transaction.event_time_us = 1'772'622'127'512'000;
  size_t bytes = 0;
  for (auto _ : state) {
    ++event.offset;
    ++event.transaction.event_time_us;
    const OutputRecord alert = encoder.EncodeAlert(event, judgement);
    benchmark::DoNotOptimize(alert.value.data());
    bytes = alert.value.size();
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK_CAPTURE(Encode, one_reason, 1, "1042");
BENCHMARK_CAPTURE(Encode, three_reasons, 3, "1042");
BENCHMARK_CAPTURE(Encode, three_reasons_escaped, 3, "\"10\\42\"\n\xC3\xA9");

}  // namespace
}  // namespace caracal::pipeline

BENCHMARK_MAIN();
