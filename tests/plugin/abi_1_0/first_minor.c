/* The agent of tests/sdk_consumer/large_agent.c against the first version of the interface, as it
 * was released: every later minor version has to load what was compiled with it. */
#include <stdlib.h>

#include "tests/plugin/abi_1_0/agent_abi_1_0.inc"

struct caracal_agent {
  int64_t above;
};

static int32_t Create(const caracal_host* host, const caracal_rule* rule, caracal_agent** agent,
                      caracal_error* error) {
  caracal_parameter above;
  if (!rule->has_amount) {
    caracal_set_error(error, "the stream maps no amount; map it under the stream's fields");
    return 1;
  }
  if (host->parameter(rule, "above", &above) != 0) {
    caracal_set_error(error, "above: is needed");
    return 1;
  }
  *agent = malloc(sizeof(**agent));
  if (*agent == NULL) {
    caracal_set_error(error, "out of memory");
    return 1;
  }
  (*agent)->above = above.number;
  return 0;
}

static void Describe(const caracal_agent* agent, caracal_description* description) {
  static const caracal_observed kObserved[] = {{"amount", CARACAL_MONEY, 0}};
  (void)agent;
  description->observed = kObserved;
  description->observed_count = 1;
}

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  (void)error;
  for (uint64_t i = 0; i < batch->count; ++i) {
    const caracal_event* event = batch->events[i];
    if (!event->has_amount) {
      verdicts[i].flags = CARACAL_INACTIVE;
      continue;
    }
    verdicts[i].observed[0] = event->amount;
    verdicts[i].fired = event->amount > agent->above;
  }
  return 0;
}

static void Destroy(caracal_agent* agent) { free(agent); }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  static const caracal_reason kReasons[] = {{"above_limit", "the amount is above the limit"}};
  static const char* const kLimits[] = {"above"};
  static const caracal_agent_api kApi = {
      .struct_size = sizeof(caracal_agent_api),
      .abi_version = CARACAL_AGENT_ABI_VERSION,
      .event_schema = CARACAL_EVENT_SCHEMA,
      .flags = CARACAL_AGENT_NO_EVENT_ERRORS,
      .name = "first-minor",
      .version = "1.0.0",
      .licence = "Apache-2.0",
      .description = "Raises on amounts above a limit in minor units.",
      .parameters_schema =
          "{\"type\": \"object\", \"required\": [\"above\"], \"properties\": "
          "{\"above\": {\"type\": \"integer\", \"minimum\": 0}}}",
      .reasons = kReasons,
      .reason_count = 1,
      .limit_count = 1,
      .limits = kLimits,
      .create = Create,
      .describe = Describe,
      .process = Process,
      .destroy = Destroy,
  };
  (void)host;
  return &kApi;
}
