#include "agents/api/agent_registry.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace caracal::agents {
namespace {

class NamedFactory : public AgentFactory {
 public:
  explicit NamedFactory(AgentInfo info) : info_(std::move(info)) {}
  const AgentInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<BoundRule>> Bind(const Parameters&,
                                                  const StreamContext&) const override {
    return absl::UnimplementedError("no rules");
  }

 private:
  AgentInfo info_;
};

std::unique_ptr<AgentFactory> Factory(std::string name, std::vector<ReasonSpec> reasons) {
  AgentInfo info;
  info.name = std::move(name);
  info.reasons = std::move(reasons);
  return std::make_unique<NamedFactory>(std::move(info));
}

TEST(AgentRegistryTest, FindsWhatWasRegistered) {
  AgentRegistry registry;
  ASSERT_TRUE(registry.Register(Factory("b", {{"r", ""}})).ok());
  ASSERT_TRUE(registry.Register(Factory("a", {{"r", ""}})).ok());
  EXPECT_EQ(registry.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(registry.Find("a")->info().name, "a");
  EXPECT_EQ(registry.Find("c"), nullptr);
}

TEST(AgentRegistryTest, RefusesASecondAgentOfTheSameName) {
  AgentRegistry registry;
  ASSERT_TRUE(registry.Register(Factory("a", {{"r", ""}})).ok());
  EXPECT_EQ(registry.Register(Factory("a", {{"r", ""}})).code(), absl::StatusCode::kAlreadyExists);
}

TEST(AgentRegistryTest, RefusesAnIllFormedAgent) {
  AgentRegistry registry;
  EXPECT_FALSE(registry.Register(Factory("", {{"r", ""}})).ok());
  EXPECT_FALSE(registry.Register(Factory("a", {})).ok());
  EXPECT_FALSE(registry.Register(Factory("a", {{"r", ""}, {"r", ""}})).ok());
}

}  // namespace
}  // namespace caracal::agents
