// Nanoseconds per event of each built-in agent, called in batches as the ruleset does, with the
// states of all keys in the first-level cache: what the judging itself costs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "agents/api/check.h"
#include "agents/builtin/builtin_agents.h"
#include "tests/support/rule_harness.h"

namespace caracal::agents {
namespace {

using testing::Duration;
using testing::Event;
using testing::Exact;
using testing::Number;
using testing::Object;
using testing::Text;
using testing::TextList;

constexpr size_t kKeys = 32;
constexpr size_t kBatch = 256;
constexpr size_t kBatches = 64;
constexpr int64_t kSecond = 1'000'000;

// Payments of kKeys cards, each paying about every 20 s somewhere in one region; every tenth event
// is up to 30 s out of order.
class Traffic {
 public:
  Traffic() {
    static const std::vector<std::string_view> kMerchants = {"m1", "m2", "m3", "m4", "m5"};
    std::mt19937_64 random(1);
    for (size_t i = 0; i < kBatch * kBatches; ++i) {
      Event event;
      event.time_us = static_cast<int64_t>(i) * 20 * kSecond / static_cast<int64_t>(kKeys);
      if (random() % 10 == 0) event.time_us -= static_cast<int64_t>(random() % 30) * kSecond;
      event.amount = static_cast<int64_t>(random() % 20'000);
      event.attributes = {kMerchants[random() % kMerchants.size()],
                          random() % 100 == 0 ? std::string_view("DE") : std::string_view("FR")};
      event.location = Location{48'000'000 + static_cast<int32_t>(random() % 1'000'000),
                                2'000'000 + static_cast<int32_t>(random() % 1'000'000)};
      events_.push_back(event);
      keys_.push_back(random() % kKeys);
    }
    for (const Event& event : events_) transactions_.push_back(testing::ToTransaction(event));
    for (const Transaction& transaction : transactions_) pointers_.push_back(&transaction);
  }

  std::span<const Transaction* const> Batch(size_t batch) const {
    return std::span(pointers_).subspan(batch * kBatch, kBatch);
  }
  size_t KeyOf(size_t event) const { return keys_[event]; }
  // Moves every event by one pass, so that the next pass continues the stream.
  void Continue() {
    const int64_t pass_us =
        static_cast<int64_t>(kBatch * kBatches) * 20 * kSecond / static_cast<int64_t>(kKeys);
    for (Transaction& transaction : transactions_) transaction.event_time_us += pass_us;
  }

 private:
  std::vector<Event> events_;
  std::vector<size_t> keys_;
  std::vector<Transaction> transactions_;
  std::vector<const Transaction*> pointers_;
};

void Judge(benchmark::State& state, std::string_view agent_name, testing::NamedValues values) {
  AgentRegistry registry;
  CHECK(RegisterBuiltinAgents(registry).ok());
  const AgentFactory& factory = *registry.Find(agent_name);
  StreamContext stream;
  stream.attributes = AttributeSchema({"merchant", "country"});
  stream.has_location = true;
  const auto rule =
      factory
          .Bind(testing::WithDefaults(factory.info().parameters, testing::MakeParameters(values)),
                stream)
          .value();
  const std::unique_ptr<Agent> agent = rule->NewAgent();
  Traffic traffic;
  const size_t record = (rule->state().size + 7) / 8;
  std::vector<uint64_t> records(kKeys * record + 1);
  std::vector<std::byte*> states;
  for (size_t i = 0; i < kBatch * kBatches; ++i) {
    states.push_back(reinterpret_cast<std::byte*>(records.data() + traffic.KeyOf(i) * record));
  }
  std::vector<Verdict> verdicts(kBatch);
  size_t batch = 0;
  int64_t fired = 0;
  for (auto _ : state) {
    std::fill(verdicts.begin(), verdicts.end(), Verdict{});
    agent->Process(traffic.Batch(batch), std::span(states).subspan(batch * kBatch, kBatch),
                   verdicts);
    fired += verdicts.back().fired ? 1 : 0;
    if (++batch == kBatches) {
      batch = 0;
      state.PauseTiming();
      traffic.Continue();
      state.ResumeTiming();
    }
  }
  benchmark::DoNotOptimize(fired);
  const auto events = static_cast<double>(state.iterations()) * kBatch;
  state.counters["per_event"] =
      benchmark::Counter(events, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["state_bytes"] = rule->state().size;
}

BENCHMARK_CAPTURE(Judge, velocity_count, "velocity",
                  {{"window", Duration("60s")}, {"max_count", Number(5)}});
BENCHMARK_CAPTURE(Judge, velocity_amount, "velocity",
                  {{"window", Duration("10m")}, {"max_amount", Exact("9999.00")}});
BENCHMARK_CAPTURE(Judge, velocity_distinct, "velocity",
                  {{"window", Duration("10m")},
                   {"distinct", Object({{"attribute", Text("merchant")}, {"max", Number(10)}})}});
BENCHMARK_CAPTURE(Judge, amount_above, "amount", {{"above", Exact("4000.00")}});
BENCHMARK_CAPTURE(Judge, amount_profile, "amount",
                  {{"profile", Object({{"ratio", Exact("3")}, {"floor", Exact("500.00")}})}});
BENCHMARK_CAPTURE(Judge, amount_zscore, "amount",
                  {{"zscore", Object({{"half_life", Duration("7d")}, {"above", Exact("4")}})}});
BENCHMARK_CAPTURE(Judge, geo_speed, "geo", {{"max_speed_kmh", Exact("90000")}});
BENCHMARK_CAPTURE(Judge, geo_country_change, "geo",
                  {{"country_change", Object({{"window", Duration("1h")}})}});
BENCHMARK_CAPTURE(Judge, geo_deny, "geo", {{"deny", TextList({"IR", "KP"})}});
BENCHMARK_CAPTURE(Judge, geo_far_from_home, "geo",
                  {{"far_from_home_km", Object({{"distance", Exact("500")}})}});

}  // namespace
}  // namespace caracal::agents

BENCHMARK_MAIN();
