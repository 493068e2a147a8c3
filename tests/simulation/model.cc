#include "tests/simulation/model.h"

#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/builtin/builtin_agents.h"
#include "tests/support/engine_harness.h"

namespace caracal::pipeline::sim {
namespace {

constexpr int64_t kStartMicros = 1'772'620'927'000'000;

std::string Payment(int64_t id, const std::string& account, int64_t time_us, Random& random) {
  return fmt::format(
      R"({{"id":{},"user_id":"{}","amount":"{}.{:02}","created_at":{},"lat":{},"lon":{},)"
      R"("merchant":"m{}","country":"DE"}})",
      id, account, random.Percent(10) ? random.Below(400) : random.Below(40), random.Below(100),
      time_us, 48 + random.Below(4), 8 + random.Below(4), random.Below(5));
}

/// Bytes that do not yield a payment, of several kinds.
std::string Poison(Random& random) {
  static const std::vector<std::string> kPoison = {
      "{\"id\":1,",
      "{\"id\":1,\"user_id\":null,\"amount\":\"1.00\",\"created_at\":1772620927000000}",
      "{\"id\":1,\"user_id\":\"a\",\"amount\":\"NaN\",\"created_at\":1772620927000000}",
      "{\"id\":1,\"user_id\":\"a\",\"created_at\":1772620927000000}",
      "not json",
  };
  return random.Pick(kPoison);
}

}  // namespace

Model::Model() : decode_(EngineHarness::DefaultDecode()) {
  CHECK(agents::RegisterBuiltinAgents(registry_).ok());
  const std::vector<RuleFiles> files = MakeRuleFiles(registry_);
  tight_ = std::make_unique<Rules>(files.front(), registry_, decode_, Rules::Budget::kTight);
  for (const RuleFiles& version : files) {
    versions_.push_back(std::make_unique<Rules>(version, registry_, decode_, Rules::Budget::kWide));
  }
}

Workload Workload::Make(int32_t partitions, Random& random) {
  Workload workload;
  workload.poison.resize(static_cast<size_t>(partitions));
  int64_t next_id = 1;
  for (int32_t p = 0; p < partitions; ++p) {
    std::vector<FakeRecord>& log = workload.logs.emplace_back();
    const int64_t length = random.Between(10, 300);
    // Few: their keys change with every copy. Some: most of them do not. Many: keys are evicted.
    const int64_t most[] = {9, 40, 40, 80};
    const int64_t accounts = random.Between(1, most[random.Below(std::ssize(most))]);
    int64_t now_us = kStartMicros;
    for (int64_t offset = 0; offset < length; ++offset) {
      now_us += random.Below(random.Percent(10) ? 3'600'000'000 : 20'000'000);
      FakeRecord record;
      record.timestamp_ms = now_us / 1000;
      record.key = fmt::format("p{}-{}", p, random.Below(accounts));
      const int64_t kind = random.Below(100);
      if (kind < 4) {
        workload.poison[static_cast<size_t>(p)].insert(offset);
        record.value = Poison(random);
      } else if (kind < 7) {
        record.null_value = true;
      } else if (kind < 14 && offset > 0) {
        // Upstream sends a row again.
        const FakeRecord& again = log[static_cast<size_t>(random.Below(offset))];
        if (again.null_value) {
          record.null_value = true;
        } else {
          record.value = again.value;
          if (workload.poison[static_cast<size_t>(p)].contains(&again - log.data())) {
            workload.poison[static_cast<size_t>(p)].insert(offset);
          }
        }
      } else {
        record.value = Payment(next_id++, record.key, now_us - random.Below(90'000'000), random);
      }
      log.push_back(std::move(record));
    }
  }
  return workload;
}

}  // namespace caracal::pipeline::sim
