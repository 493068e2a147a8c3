#include "tests/unit/pipeline_config/fake_agents.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

using agents::Agent;
using agents::AgentFactory;
using agents::AgentInfo;
using agents::BoundRule;
using agents::Parameters;
using agents::ParameterSpec;
using agents::ParameterType;
using agents::StreamContext;

using BindCheck = std::function<absl::Status(const Parameters&, const StreamContext&)>;

class FakeRule final : public BoundRule {
 public:
  explicit FakeRule(bool accumulates_money) : accumulates_money_(accumulates_money) {}

  agents::StateSpec state() const override { return {8, 8, 1}; }
  std::string layout_fingerprint() const override { return ""; }
  std::vector<agents::ObservedField> observed() const override { return {}; }
  std::string limit_json() const override { return "{}"; }
  bool accumulates_money() const override { return accumulates_money_; }
  std::unique_ptr<Agent> NewAgent() const override { return nullptr; }

 private:
  const bool accumulates_money_;
};

class FakeFactory final : public AgentFactory {
 public:
  FakeFactory(std::string name, std::vector<ParameterSpec> parameters, BindCheck check)
      : check_(std::move(check)) {
    info_.name = std::move(name);
    info_.description = "A fake.";
    info_.parameters = std::move(parameters);
    info_.reasons = {{"fired", "it fired"}};
  }

  const AgentInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<BoundRule>> Bind(const Parameters& parameters,
                                                  const StreamContext& stream) const override {
    RETURN_IF_ERROR(check_(parameters, stream));
    return std::make_unique<FakeRule>(parameters.Has("profile"));
  }

 private:
  AgentInfo info_;
  BindCheck check_;
};

std::unique_ptr<AgentFactory> Velocity() {
  std::vector<ParameterSpec> specs = {
      {.name = "window",
       .type = ParameterType::kDuration,
       .doc = "Length of the window.",
       .required = true,
       .min_text = "1s",
       .max_text = "30d"},
      {.name = "max_count",
       .type = ParameterType::kInteger,
       .doc = "More raises.",
       .min_text = "1",
       .max_text = "100"},
      {.name = "distinct",
       .type = ParameterType::kObject,
       .doc = "Counts different values.",
       .fields = {{.name = "attribute",
                   .type = ParameterType::kText,
                   .doc = "Whose values.",
                   .required = true},
                  {.name = "max", .type = ParameterType::kInteger, .doc = "More raises."}}},
      {.name = "refunds",
       .type = ParameterType::kText,
       .doc = "Whether refunds count.",
       .default_text = "exclude",
       .choices = {"exclude", "include"}}};
  return std::make_unique<FakeFactory>(
      "velocity", std::move(specs), [](const Parameters& parameters, const StreamContext& stream) {
        if (parameters.Has("max_count")) return absl::OkStatus();
        if (!parameters.Has("distinct")) {
          return absl::InvalidArgumentError("max_count: give max_count or distinct");
        }
        const std::string attribute = parameters.Object("distinct").Text("attribute");
        if (stream.attributes.Find(attribute).has_value()) return absl::OkStatus();
        return absl::InvalidArgumentError("distinct.attribute: not mapped");
      });
}

std::unique_ptr<AgentFactory> Amount() {
  std::vector<ParameterSpec> specs = {
      {.name = "above", .type = ParameterType::kMoney, .doc = "More raises.", .min_text = "0"},
      {.name = "profile",
       .type = ParameterType::kObject,
       .doc = "Compares with the mean.",
       .fields = {{.name = "history",
                   .type = ParameterType::kInteger,
                   .doc = "Amounts remembered.",
                   .default_text = "50"},
                  {.name = "ratio",
                   .type = ParameterType::kDecimal,
                   .doc = "Multiple of the mean.",
                   .required = true},
                  {.name = "floor", .type = ParameterType::kMoney, .doc = "Never below."}}}};
  return std::make_unique<FakeFactory>(
      "amount", std::move(specs), [](const Parameters& parameters, const StreamContext& stream) {
        if (parameters.Has("above")) {
          RETURN_IF_ERROR(parameters.Money("above", stream.amount_scale).status());
        }
        if (!parameters.Has("profile") || !parameters.Object("profile").Has("floor")) {
          return absl::OkStatus();
        }
        return parameters.Object("profile").Money("floor", stream.amount_scale).status();
      });
}

std::unique_ptr<AgentFactory> Geo() {
  std::vector<ParameterSpec> specs = {
      {.name = "deny", .type = ParameterType::kTextList, .doc = "Countries."},
      {.name = "max_speed_kmh",
       .type = ParameterType::kDecimal,
       .doc = "Faster raises.",
       .min_text = "0.5"},
      {.name = "strict",
       .type = ParameterType::kBool,
       .doc = "Strictly.",
       .default_text = "false"}};
  return std::make_unique<FakeFactory>(
      "geo", std::move(specs), [](const Parameters& parameters, const StreamContext& stream) {
        if (!parameters.Has("max_speed_kmh") || stream.has_location) return absl::OkStatus();
        return absl::InvalidArgumentError("max_speed_kmh: the stream maps no location");
      });
}

std::unique_ptr<AgentFactory> Screen() {
  std::vector<ParameterSpec> specs = {
      {.name = "model", .type = ParameterType::kFile, .doc = "A file."},
      {.name = "deny",
       .type = ParameterType::kObject,
       .doc = "Lists.",
       .fields = {{.name = "accounts", .type = ParameterType::kFileList, .doc = "Files."}}}};
  return std::make_unique<FakeFactory>(
      "screen", std::move(specs),
      [](const Parameters&, const StreamContext&) { return absl::OkStatus(); });
}

std::unique_ptr<AgentFactory> Broken() {
  std::vector<ParameterSpec> specs = {
      {.name = "count",
       .type = ParameterType::kInteger,
       .doc = "Has a bad default.",
       .default_text = "many"},
      {.name = "key", .type = ParameterType::kText, .doc = "Has the name of a rule's key."},
      {.name = "limit",
       .type = ParameterType::kInteger,
       .doc = "Has a bad bound.",
       .max_text = "lots"}};
  return std::make_unique<FakeFactory>(
      "broken", std::move(specs),
      [](const Parameters&, const StreamContext&) { return absl::OkStatus(); });
}

}  // namespace

agents::AgentRegistry FakeAgents() {
  agents::AgentRegistry registry;
  for (auto make : {&Velocity, &Amount, &Geo, &Screen, &Broken}) {
    CHECK(registry.Register(make()).ok());
  }
  return registry;
}

}  // namespace caracal::pipeline
