#include "agents/builtin/builtin_agents.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace caracal::agents {
namespace {

// Every text of a parameter parses as its type, so the rule-file parser can rely on it.
void ExpectWellFormed(const std::vector<ParameterSpec>& specs) {
  std::set<std::string> names;
  for (const ParameterSpec& spec : specs) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    EXPECT_FALSE(spec.doc.empty()) << spec.name;
    EXPECT_FALSE(spec.required && spec.default_text.has_value()) << spec.name;
    EXPECT_EQ(spec.type == ParameterType::kObject, !spec.fields.empty()) << spec.name;
    for (const auto& text : {spec.default_text, spec.min_text, spec.max_text}) {
      if (!text.has_value()) continue;
      if (spec.type == ParameterType::kDuration) {
        EXPECT_TRUE(ParseDuration(*text).ok()) << spec.name << " " << *text;
      } else if (spec.type != ParameterType::kText) {
        EXPECT_TRUE(ParseDecimal(*text).ok()) << spec.name << " " << *text;
      }
    }
    ExpectWellFormed(spec.fields);
  }
}

TEST(RegisterBuiltinAgentsTest, RegistersAllOnce) {
  AgentRegistry registry;
  ASSERT_TRUE(RegisterBuiltinAgents(registry).ok());
  EXPECT_EQ(registry.names(), (std::vector<std::string>{"amount", "geo", "velocity"}));
  EXPECT_EQ(RegisterBuiltinAgents(registry).code(), absl::StatusCode::kAlreadyExists);
}

TEST(RegisterBuiltinAgentsTest, DescribesEveryParameterAndReason) {
  AgentRegistry registry;
  ASSERT_TRUE(RegisterBuiltinAgents(registry).ok());
  for (const std::string& name : registry.names()) {
    const AgentInfo& info = registry.Find(name)->info();
    EXPECT_FALSE(info.description.empty()) << name;
    ExpectWellFormed(info.parameters);
    for (const ReasonSpec& reason : info.reasons) EXPECT_FALSE(reason.doc.empty()) << reason.name;
  }
}

}  // namespace
}  // namespace caracal::agents
