#include "agents/plugin/plugin_factory.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"
#include "agents/plugin/parameter_json.h"

namespace caracal::agents {
namespace {

constexpr size_t kMaxSentence = 500;
constexpr size_t kMaxObservedName = 64;
constexpr size_t kMaxLayoutText = 4'096;

/// What a rule of a plugin says of itself, copied.
struct RuleFacts {
  StateSpec state;
  std::string layout;
  std::vector<ObservedField> observed;
  bool accumulates_money = false;
};

class PluginRule final : public BoundRule {
 public:
  PluginRule(const PluginFactoryOptions& plugin, const Parameters& parameters,
             const StreamContext& stream)
      : plugin_(plugin),
        parameters_(parameters),
        stream_(stream),
        parameters_json_(ParametersJson(parameters, FileForm::kPath)) {}

  /// Has the plugin judge the parameters, and learns what the rule needs.
  absl::Status Describe() {
    ASSIGN_OR_RETURN(caracal_agent * agent, Create(features_));
    caracal_description description = {};
    description.struct_size = sizeof(description);
    plugin_.api->describe(agent, &description);
    absl::Status status = Read(description);
    plugin_.api->destroy(agent);
    return status;
  }

  StateSpec state() const override { return facts_.state; }
  std::string layout_fingerprint() const override { return facts_.layout; }
  std::vector<ObservedField> observed() const override { return facts_.observed; }
  bool accumulates_money() const override { return facts_.accumulates_money; }

  std::string limit_json() const override {
    std::string json = "{";
    for (uint32_t i = 0; i < plugin_.api->limit_count; ++i) {
      const auto it = parameters_.values().find(std::string_view(plugin_.api->limits[i]));
      if (it == parameters_.values().end()) continue;
      if (json.size() > 1) json += ',';
      json += QuotedJson(it->first) + ':';
      AppendParameterJson(it->second, FileForm::kDigest, json);
    }
    return json + '}';
  }

  std::vector<uint16_t> features() const override { return features_; }

  std::unique_ptr<Agent> NewAgent() const override {
    const PluginAgentOptions options = {plugin_.api, facts_.state.size,
                                        static_cast<uint32_t>(features_.size()), plugin_.on_error};
    std::unique_ptr<CallWatch> watch = plugin_.watch == nullptr ? nullptr : plugin_.watch();
    std::vector<uint16_t> features;
    absl::StatusOr<caracal_agent*> agent = Create(features);
    if (agent.ok() && features != features_) {
      plugin_.api->destroy(*agent);
      agent = absl::InternalError("it asks for other values of earlier rules than the first time");
    }
    if (agent.ok()) return std::make_unique<PluginAgent>(options, *agent, std::move(watch));
    return std::make_unique<PluginAgent>(
        options,
        absl::InternalError(fmt::format("agent '{}': refuses parameters that it took before: {}",
                                        plugin_.info.name, MessageOf(agent.status()))),
        std::move(watch));
  }

 private:
  absl::StatusOr<caracal_agent*> Create(std::vector<uint16_t>& features) const {
    const PluginRuleArguments arguments(parameters_, stream_, parameters_json_, plugin_.read_file);
    char sentence[kMaxSentence];
    caracal_error error = {sizeof(sentence), 0, sentence};
    caracal_agent* agent = nullptr;
    const int32_t result =
        plugin_.api->create(plugin_.host->table(), arguments.table(), &agent, &error);
    if (!arguments.unknown_feature().empty()) {
      if (result == 0 && agent != nullptr) plugin_.api->destroy(agent);
      return UnknownFeature(arguments.unknown_feature());
    }
    if (!arguments.file_status().ok()) {
      if (result == 0 && agent != nullptr) plugin_.api->destroy(agent);
      return arguments.file_status();
    }
    features = arguments.features();
    if (result == 0 && agent != nullptr) return agent;
    const size_t size = std::min<size_t>(error.size, sizeof(sentence));
    if (size > 0) return absl::InvalidArgumentError(std::string(sentence, size));
    return absl::InvalidArgumentError(
        fmt::format("agent '{}' cannot be made (create returned {}{}) and does not say why; ask "
                    "its author",
                    plugin_.info.name, result, result == 0 ? " and no agent" : ""));
  }

  absl::Status UnknownFeature(const std::string& name) const {
    std::vector<std::string> known;
    for (const FeatureSpec& feature : stream_.features) known.push_back(feature.name);
    return absl::InvalidArgumentError(
        fmt::format("no rule before this one in its ruleset observes '{}' (there {}: {}); correct "
                    "the name, or put that rule first",
                    name, known.size() == 1 ? "is" : "are",
                    known.empty() ? "none" : fmt::to_string(fmt::join(known, ", "))));
  }

  absl::Status Refuse(std::string_view what) const {
    return absl::InvalidArgumentError(
        fmt::format("agent '{}' {}; report it to its author", plugin_.info.name, what));
  }

  absl::Status Read(const caracal_description& description) {
    RETURN_IF_ERROR(ReadState(description));
    RETURN_IF_ERROR(ReadObserved(description));
    facts_.accumulates_money = description.accumulates_money != 0;
    return absl::OkStatus();
  }

  absl::Status ReadState(const caracal_description& description) {
    if (description.state_size > CARACAL_STATE_SIZE_MAX) {
      return Refuse(fmt::format("wants {} bytes of state per key; at most {} are allowed",
                                description.state_size, CARACAL_STATE_SIZE_MAX));
    }
    const uint32_t align = std::max(description.state_align, 1U);
    if (!std::has_single_bit(align) || align > CARACAL_STATE_ALIGN_MAX) {
      return Refuse(
          fmt::format("declares a state alignment of {}; it must be a power of two up to "
                      "{}",
                      align, CARACAL_STATE_ALIGN_MAX));
    }
    facts_.state = {description.state_size, align, std::max(description.state_version, 1U)};
    facts_.layout = ParametersJson(parameters_, FileForm::kDigest);
    if (description.state_layout == nullptr) return absl::OkStatus();
    const size_t size = strnlen(description.state_layout, kMaxLayoutText + 1);
    if (size > kMaxLayoutText) {
      return Refuse(fmt::format("has a state_layout of more than {} bytes", kMaxLayoutText));
    }
    facts_.layout.assign(description.state_layout, size);
    return absl::OkStatus();
  }

  absl::Status ReadObserved(const caracal_description& description) {
    const uint32_t count = description.observed_count;
    if (count > CARACAL_OBSERVED_MAX || (count > 0 && description.observed == nullptr)) {
      return Refuse(fmt::format("declares {} observed values{}; at most {} are allowed", count,
                                description.observed == nullptr ? " without a list of them" : "",
                                CARACAL_OBSERVED_MAX));
    }
    std::set<std::string> names;
    for (uint32_t i = 0; i < count; ++i) {
      const caracal_observed& observed = description.observed[i];
      const size_t size =
          observed.name == nullptr ? 0 : strnlen(observed.name, kMaxObservedName + 1);
      if (size == 0 || size > kMaxObservedName || !names.emplace(observed.name).second) {
        return Refuse(
            fmt::format("observed value {} has no name, one longer than {} bytes, or "
                        "that of another",
                        i, kMaxObservedName));
      }
      if (observed.kind > CARACAL_CODE || observed.slot >= CARACAL_OBSERVED_MAX) {
        return Refuse(
            fmt::format("declares observed value '{}' with kind {} and slot {}; kinds "
                        "go to {}, slots to {}",
                        observed.name, observed.kind, observed.slot, static_cast<int>(CARACAL_CODE),
                        CARACAL_OBSERVED_MAX - 1));
      }
      facts_.observed.push_back({observed.name, static_cast<ValueKind>(observed.kind),
                                 static_cast<uint8_t>(observed.slot)});
    }
    return absl::OkStatus();
  }

  const PluginFactoryOptions& plugin_;
  const Parameters parameters_;
  const StreamContext stream_;
  const std::string parameters_json_;
  RuleFacts facts_;
  std::vector<uint16_t> features_;
};

static_assert(static_cast<int>(ValueKind::kInteger) == CARACAL_INTEGER &&
              static_cast<int>(ValueKind::kMoney) == CARACAL_MONEY &&
              static_cast<int>(ValueKind::kMicros) == CARACAL_MICROS &&
              static_cast<int>(ValueKind::kReal) == CARACAL_REAL &&
              static_cast<int>(ValueKind::kCode) == CARACAL_CODE);

}  // namespace

absl::StatusOr<std::unique_ptr<PluginFactory>> PluginFactory::Make(PluginFactoryOptions options) {
  const std::vector<ParameterSpec>& parameters = options.info.parameters;
  for (uint32_t i = 0; i < options.api->limit_count; ++i) {
    const std::string_view limit = options.api->limits[i];
    const bool known = std::any_of(parameters.begin(), parameters.end(),
                                   [limit](const auto& spec) { return spec.name == limit; });
    if (known) continue;
    return absl::InvalidArgumentError(
        fmt::format("the plugin lists the limit '{}', which is no property of its schema", limit));
  }
  return std::unique_ptr<PluginFactory>(new PluginFactory(std::move(options)));
}

absl::StatusOr<std::unique_ptr<BoundRule>> PluginFactory::Bind(const Parameters& parameters,
                                                               const StreamContext& stream) const {
  auto rule = std::make_unique<PluginRule>(options_, parameters, stream);
  RETURN_IF_ERROR(rule->Describe());
  return rule;
}

}  // namespace caracal::agents
