// The built-in velocity agent behind the plugin interface: what it says and remembers as a plugin
// must be what it says and remembers built in.
#include <caracal/agent_abi.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "agents/velocity/velocity_factory.h"

namespace {

namespace agents = caracal::agents;

std::string TextOf(const caracal_text& text) { return {text.data, text.size}; }

/// The parameters of this plugin's schema as those of the built-in agent.
absl::StatusOr<agents::Parameters> ParametersOf(const caracal_host& host,
                                                const caracal_rule& rule) {
  agents::Parameters parameters;
  caracal_parameter value;
  if (host.parameter(&rule, "window", &value) == 0) {
    ASSIGN_OR_RETURN(const int64_t window, agents::ParseDuration(TextOf(value.texts[0])));
    parameters.Set("window", window);
  }
  if (host.parameter(&rule, "max_count", &value) == 0) parameters.Set("max_count", value.number);
  if (host.parameter(&rule, "capacity", &value) == 0) parameters.Set("capacity", value.number);
  if (host.parameter(&rule, "max_amount", &value) == 0) {
    ASSIGN_OR_RETURN(const agents::Decimal amount, agents::ParseDecimal(TextOf(value.texts[0])));
    parameters.Set("max_amount", amount);
  }
  parameters.Set("refunds", std::string("exclude"));
  return parameters;
}

}  // namespace

struct caracal_agent {
  std::unique_ptr<agents::BoundRule> rule;
  std::unique_ptr<agents::Agent> agent;
  std::string layout;
  std::vector<agents::ObservedField> fields;
  std::vector<caracal_observed> observed;
};

namespace {

absl::Status Make(const caracal_host& host, const caracal_rule& rule, caracal_agent& agent) {
  ASSIGN_OR_RETURN(const agents::Parameters parameters, ParametersOf(host, rule));
  agents::StreamContext stream;
  stream.amount_scale = static_cast<int>(rule.amount_scale);
  stream.has_amount = rule.has_amount != 0;
  ASSIGN_OR_RETURN(agent.rule, agents::VelocityFactory().Bind(parameters, stream));
  agent.agent = agent.rule->NewAgent();
  agent.layout = agent.rule->layout_fingerprint();
  agent.fields = agent.rule->observed();
  for (const agents::ObservedField& field : agent.fields) {
    agent.observed.push_back(
        {field.name.c_str(), static_cast<uint32_t>(field.kind), uint32_t{field.slot}});
  }
  return absl::OkStatus();
}

int32_t Create(const caracal_host* host, const caracal_rule* rule, caracal_agent** agent,
               caracal_error* error) noexcept {
  try {
    auto made = std::make_unique<caracal_agent>();
    const absl::Status status = Make(*host, *rule, *made);
    if (!status.ok()) {
      caracal_set_error(error, agents::MessageOf(status).c_str());
      return 1;
    }
    *agent = made.release();
    return 0;
  } catch (const std::exception& problem) {
    caracal_set_error(error, problem.what());
    return 1;
  }
}

void Describe(const caracal_agent* agent, caracal_description* description) noexcept {
  const agents::StateSpec state = agent->rule->state();
  description->state_size = state.size;
  description->state_align = state.align;
  description->state_version = state.version;
  description->state_layout = agent->layout.c_str();
  description->observed = agent->observed.data();
  description->observed_count = static_cast<uint32_t>(agent->observed.size());
  description->accumulates_money = agent->rule->accumulates_money() ? 1 : 0;
}

int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                caracal_error* /*error*/) noexcept {
  // Events and verdicts have one layout on both sides: the host asserts it.
  agent->agent->Process(
      {reinterpret_cast<const agents::Transaction* const*>(batch->events), batch->count},
      {reinterpret_cast<std::byte* const*>(batch->states), batch->count},
      {reinterpret_cast<agents::Verdict*>(verdicts), batch->count});
  return 0;
}

void Destroy(caracal_agent* agent) noexcept { delete agent; }

caracal_agent_api MakeApi() {
  static constexpr caracal_reason kReasons[] = {
      {"count_exceeded", "more than max_count events lie in the window"},
      {"amount_exceeded", "the amounts in the window add up to more than max_amount"},
      {"distinct_exceeded", "does not occur"},
      {"window_saturated", "the window holds more events than capacity"}};
  static constexpr const char* kLimits[] = {"max_count", "max_amount"};
  caracal_agent_api api = {};
  api.struct_size = sizeof(api);
  api.abi_version = CARACAL_AGENT_ABI_VERSION;
  api.event_schema = CARACAL_EVENT_SCHEMA;
  api.flags = CARACAL_AGENT_NO_EVENT_ERRORS;
  api.name = "velocity";
  api.version = "1.0.0";
  api.licence = "Apache-2.0";
  api.description = "The built-in velocity agent as a plugin.";
  api.parameters_schema = R"({"type": "object", "required": ["window"], "properties": {
      "window": {"type": "string"}, "max_count": {"type": "integer", "minimum": 1},
      "max_amount": {"type": "string"}, "capacity": {"type": "integer", "minimum": 1}}})";
  api.reasons = kReasons;
  api.reason_count = 4;
  api.limits = kLimits;
  api.limit_count = 2;
  api.create = Create;
  api.describe = Describe;
  api.process = Process;
  api.destroy = Destroy;
  return api;
}

}  // namespace

const caracal_agent_api* caracal_agent_entry(const caracal_host* /*host*/) {
  static const caracal_agent_api api = MakeApi();
  return &api;
}
