#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <caracal/agent.hpp>

extern "C" const uint32_t kAbiVersionInC;

namespace {

// The engine as far as an agent sees it.
class FakeHost {
 public:
  FakeHost() {
    host_.struct_size = sizeof(host_);
    host_.abi_version = CARACAL_AGENT_ABI_VERSION;
    host_.parameter = [](const caracal_rule* rule, const char* path, caracal_parameter* value) {
      const auto& parameters = static_cast<const FakeRule*>(rule)->parameters;
      const auto it = parameters.find(path);
      if (it == parameters.end()) return 1;
      *value = it->second;
      return 0;
    };
    host_.attribute_slot = [](const caracal_rule*, const char* name) {
      return std::string(name) == "merchant" ? 0 : -1;
    };
    host_.file = [](const caracal_rule* rule, const char* parameter, uint64_t index,
                    caracal_text* content, caracal_text* sha256) {
      const auto& files = static_cast<const FakeRule*>(rule)->files;
      const auto it = files.find(parameter);
      if (it == files.end() || index != 0) return 1;
      if (sha256 != nullptr) *sha256 = {3, "abc"};
      if (content == nullptr) return 0;
      *content = {it->second.first.size(), it->second.first.data()};
      return it->second.second;
    };
  }

  /// A file of the parameter `path`; `result` is what reading it gives.
  void SetFile(const std::string& path, const std::string& content, int32_t result = 0) {
    rule_.files[path] = {content, result};
  }
  void Set(const std::string& path, caracal_parameter value) { rule_.parameters[path] = value; }

  /// Null, and the sentence in `error`, when the plugin refuses.
  caracal_agent* Create(const caracal_agent_api& api, std::string& error) {
    char buffer[64];
    caracal_error sink = {sizeof(buffer), 0, buffer};
    caracal_agent* agent = nullptr;
    const int32_t status = api.create(&host_, &rule_, &agent, &sink);
    error.assign(buffer, sink.size);
    return status == 0 ? agent : nullptr;
  }

 private:
  struct FakeRule : caracal_rule {
    std::map<std::string, caracal_parameter> parameters;
    std::map<std::string, std::pair<std::string, int32_t>> files;
  };

  caracal_host host_ = {};
  FakeRule rule_ = {};
};

caracal_parameter Integer(int64_t value) {
  return {CARACAL_PARAMETER_INTEGER, 0, value, nullptr, 0};
}

struct Sum {
  int64_t total;
};

// Throws on refunds, after it has spoilt the state.
class Summing {
 public:
  using State = Sum;
  static constexpr const char* kName = "summing";
  static constexpr const char* kVersion = "1.2.3";
  static constexpr const char* kLicence = "MIT";
  static constexpr const char* kDescription = "Adds amounts up.";
  static constexpr const char* kSchema = R"({"type": "object"})";
  static constexpr caracal::Reason kReasons[] = {{"too_much", "more than max"}};
  static constexpr caracal::Observed kObserved[] = {{"sum", CARACAL_MONEY, 0},
                                                    {"share", CARACAL_REAL, 1}};
  static constexpr const char* kLimits[] = {"max"};
  static constexpr uint32_t kStateVersion = 3;
  static constexpr bool kAccumulatesMoney = true;

  explicit Summing(const caracal::Rule& rule) : max_(rule.Integer("max")) {
    if (rule.Has("attribute")) rule.AttributeSlot("device");
  }
  std::string state_layout() const { return "sum"; }

  void Judge(const caracal::Event& event, Sum& state, caracal::Verdict& verdict) {
    state.total += event.amount();
    if (event.amount() < 0) throw std::runtime_error("no refunds");
    verdict.Observe(0, state.total);
    verdict.ObserveReal(1, 0.5);
    if (state.total > max_) verdict.Raise(0);
  }

 private:
  int64_t max_;
};

class Stateless {
 public:
  static constexpr const char* kName = "stateless";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "MIT";
  static constexpr const char* kDescription = "Has nothing to judge.";
  static constexpr const char* kSchema = R"({"type": "object"})";
  static constexpr caracal::Reason kReasons[] = {{"never", "does not happen"}};

  explicit Stateless(const caracal::Rule&) {}
  void Judge(const caracal::Event&, caracal::Verdict& verdict) noexcept { verdict.MarkInactive(); }
};

TEST(AgentAbiTest, IsOneVersionInCAndCpp) {
  EXPECT_EQ(kAbiVersionInC, CARACAL_AGENT_ABI_VERSION);
  EXPECT_EQ(kAbiVersionInC, 0x10000U);
}

TEST(AgentAbiTest, CutsAnErrorToItsCapacity) {
  char buffer[4] = {};
  caracal_error error = {3, 0, buffer};
  caracal_set_error(&error, "wrong");
  EXPECT_EQ(std::string(buffer), "wro");
  EXPECT_EQ(error.size, 3U);
}

TEST(AgentHppTest, FillsTheTable) {
  const caracal_agent_api& api = *caracal::Plugin<Summing>::Api();
  EXPECT_EQ(api.struct_size, sizeof(api));
  EXPECT_STREQ(api.name, "summing");
  EXPECT_STREQ(api.version, "1.2.3");
  EXPECT_EQ(api.reason_count, 1U);
  ASSERT_EQ(api.limit_count, 1U);
  EXPECT_STREQ(api.limits[0], "max");
  EXPECT_EQ(api.flags, 0U) << "Judge may throw";
  EXPECT_EQ(caracal::Plugin<Stateless>::Api()->flags, 0U + CARACAL_AGENT_NO_EVENT_ERRORS);
}

TEST(AgentHppTest, DescribesStateAndObservedValues) {
  FakeHost host;
  host.Set("max", Integer(100));
  std::string error;
  const caracal_agent_api& api = *caracal::Plugin<Summing>::Api();
  caracal_agent* agent = host.Create(api, error);
  ASSERT_NE(agent, nullptr) << error;
  caracal_description description = {};
  api.describe(agent, &description);
  EXPECT_EQ(description.state_size, sizeof(Sum));
  EXPECT_EQ(description.state_align, alignof(Sum));
  EXPECT_EQ(description.state_version, 3U);
  EXPECT_STREQ(description.state_layout, "sum");
  EXPECT_EQ(description.accumulates_money, 1U);
  ASSERT_EQ(description.observed_count, 2U);
  EXPECT_STREQ(description.observed[1].name, "share");
  api.destroy(agent);
}

TEST(AgentHppTest, JudgesAndTurnsAnExceptionIntoAStatus) {
  FakeHost host;
  host.Set("max", Integer(100));
  std::string error;
  const caracal_agent_api& api = *caracal::Plugin<Summing>::Api();
  caracal_agent* agent = host.Create(api, error);
  ASSERT_NE(agent, nullptr) << error;
  std::vector<caracal_event> events(3);
  events[0].amount = 90;
  events[1].amount = -5;
  events[2].amount = 20;
  const std::vector<const caracal_event*> pointers = {&events[0], &events[1], &events[2]};
  std::vector<Sum> sums(3);
  const std::vector<void*> states = {&sums[0], &sums[1], &sums[0]};
  const caracal_batch batch = {sizeof(batch), 0, 3, pointers.data(), states.data(), nullptr};
  std::vector<caracal_verdict> verdicts(3);
  caracal_error sink = {0, 0, nullptr};
  EXPECT_EQ(api.process(agent, &batch, verdicts.data(), &sink), 0);
  EXPECT_EQ(verdicts[0].fired, 0);
  EXPECT_EQ(verdicts[0].observed[0], 90);
  EXPECT_NE(verdicts[1].status, 0);
  EXPECT_EQ(verdicts[2].fired, 1);
  EXPECT_EQ(verdicts[2].observed[0], 110);
  api.destroy(agent);
}

TEST(AgentHppTest, RefusesARuleWithTheSentenceOfTheException) {
  FakeHost host;
  std::string error;
  EXPECT_EQ(host.Create(*caracal::Plugin<Summing>::Api(), error), nullptr);
  EXPECT_EQ(error, "max: is needed");
  host.Set("max", {CARACAL_PARAMETER_BOOL, 0, 1, nullptr, 0});
  EXPECT_EQ(host.Create(*caracal::Plugin<Summing>::Api(), error), nullptr);
  EXPECT_EQ(error, "max: has another type");
  host.Set("max", Integer(1));
  host.Set("attribute", Integer(1));
  EXPECT_EQ(host.Create(*caracal::Plugin<Summing>::Api(), error), nullptr);
  EXPECT_NE(error.find("maps no attribute 'device'"), std::string::npos) << error;
}

// Says what it reads of the file "model".
class Reading {
 public:
  static constexpr const char* kName = "reading";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "MIT";
  static constexpr const char* kDescription = "Reads a file.";
  static constexpr const char* kSchema = R"({"type": "object"})";
  static constexpr caracal::Reason kReasons[] = {{"never", "does not happen"}};

  explicit Reading(const caracal::Rule& rule) {
    throw std::invalid_argument(rule.FileSha256("model") + " " + std::string(rule.File("model")));
  }
  void Judge(const caracal::Event&, caracal::Verdict&) noexcept {}
};

TEST(AgentHppTest, ReadsFiles) {
  FakeHost host;
  std::string error;
  const caracal_agent_api& api = *caracal::Plugin<Reading>::Api();
  EXPECT_EQ(host.Create(api, error), nullptr);
  EXPECT_EQ(error, "model: names no such file");
  host.SetFile("model", "bytes");
  EXPECT_EQ(host.Create(api, error), nullptr);
  EXPECT_EQ(error, "abc bytes");
  host.SetFile("model", "", 2);
  EXPECT_EQ(host.Create(api, error), nullptr);
  EXPECT_EQ(error, "model: cannot be read");
}

// Judges from the last event to the first.
class Backwards {
 public:
  using State = Sum;
  static constexpr const char* kName = "backwards";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "MIT";
  static constexpr const char* kDescription = "Adds amounts up.";
  static constexpr const char* kSchema = R"({"type": "object"})";
  static constexpr caracal::Reason kReasons[] = {{"always", "always"}};
  static constexpr caracal::Observed kObserved[] = {{"sum", CARACAL_MONEY, 0}};

  explicit Backwards(const caracal::Rule&) {}
  void JudgeBatch(const caracal::Batch& batch) noexcept {
    for (size_t i = batch.size(); i-- > 0;) {
      Sum& sum = batch.state<Sum>(i);
      sum.total += batch.event(i).amount() + batch.event(i).feature(0).value_or(0);
      caracal::Verdict verdict = batch.verdict(i);
      verdict.Observe(0, sum.total);
      if (i == 0) verdict.Raise(0);
    }
  }
};

TEST(AgentHppTest, AnAgentMayJudgeABatchAtOnce) {
  FakeHost host;
  std::string error;
  const caracal_agent_api& api = *caracal::Plugin<Backwards>::Api();
  EXPECT_EQ(api.flags, 0U + CARACAL_AGENT_NO_EVENT_ERRORS);
  caracal_agent* agent = host.Create(api, error);
  ASSERT_NE(agent, nullptr) << error;
  std::vector<caracal_event> events(3);
  for (size_t i = 0; i < events.size(); ++i) events[i].amount = 10 << i;
  const std::vector<const caracal_event*> pointers = {&events[0], &events[1], &events[2]};
  std::vector<Sum> sums(2);
  const std::vector<void*> states = {&sums[0], &sums[1], &sums[0]};
  const std::vector<caracal_feature> features = {{1, 1}, {2, 0}, {3, 1}};
  const caracal_batch batch = {sizeof(batch),  1, events.size(), pointers.data(), states.data(),
                               features.data()};
  std::vector<caracal_verdict> verdicts(events.size());
  EXPECT_EQ(api.process(agent, &batch, verdicts.data(), nullptr), 0);
  EXPECT_EQ(verdicts[2].observed[0], 43);
  EXPECT_EQ(verdicts[1].observed[0], 20) << "its feature is absent";
  EXPECT_EQ(verdicts[0].observed[0], 43 + 11);
  EXPECT_EQ(verdicts[0].fired, 1);
  EXPECT_EQ(verdicts[1].fired, 0);
  api.destroy(agent);
}

TEST(AgentHppTest, ServesAStatelessAgent) {
  FakeHost host;
  std::string error;
  const caracal_agent_api& api = *caracal::Plugin<Stateless>::Api();
  caracal_agent* agent = host.Create(api, error);
  ASSERT_NE(agent, nullptr) << error;
  caracal_description description = {};
  api.describe(agent, &description);
  EXPECT_EQ(description.state_size, 0U);
  EXPECT_EQ(description.observed_count, 0U);
  const caracal_event event = {};
  const caracal_event* const events[] = {&event};
  void* const states[] = {nullptr};
  const caracal_batch batch = {sizeof(batch), 0, 1, events, states, nullptr};
  caracal_verdict verdict = {};
  EXPECT_EQ(api.process(agent, &batch, &verdict, nullptr), 0);
  EXPECT_EQ(verdict.flags, CARACAL_INACTIVE);
  api.destroy(agent);
}

}  // namespace
