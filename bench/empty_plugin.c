/* An agent that does nothing: what is left is the border. */
#include <caracal/agent_abi.h>

struct caracal_agent {
  int unused;
};

static int32_t Create(const caracal_host* host, const caracal_rule* rule, caracal_agent** agent,
                      caracal_error* error) {
  static struct caracal_agent the_agent;
  (void)host;
  (void)rule;
  (void)error;
  *agent = &the_agent;
  return 0;
}

static void Describe(const caracal_agent* agent, caracal_description* description) {
  (void)agent;
  (void)description;
}

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  (void)agent;
  (void)batch;
  (void)verdicts;
  (void)error;
  return 0;
}

static void Destroy(caracal_agent* agent) { (void)agent; }

CARACAL_AGENT_EXPORT const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  static const caracal_reason kReasons[] = {{"none", "never given"}};
  static const caracal_agent_api kApi = {
      .struct_size = sizeof(caracal_agent_api),
      .abi_version = CARACAL_AGENT_ABI_VERSION,
      .event_schema = CARACAL_EVENT_SCHEMA,
      .flags = CARACAL_AGENT_NO_EVENT_ERRORS,
      .name = "empty",
      .version = "1.0.0",
      .licence = "Apache-2.0",
      .description = "Does nothing.",
      .parameters_schema = "{\"type\": \"object\"}",
      .reasons = kReasons,
      .reason_count = 1,
      .create = Create,
      .describe = Describe,
      .process = Process,
      .destroy = Destroy,
  };
  (void)host;
  return &kApi;
}
