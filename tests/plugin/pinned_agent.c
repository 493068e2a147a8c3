/* An agent in plain C whose verdicts depend on a file: raises on the accounts that have the length
 * of the file, in bytes. */
#include <stdlib.h>

#include <caracal/agent_abi.h>

struct caracal_agent {
  uint64_t size;
};

static int32_t Create(const caracal_host* host, const caracal_rule* rule, caracal_agent** agent,
                      caracal_error* error) {
  caracal_text content;
  caracal_text sha256;
  if (host->file(rule, "model", 0, &content, &sha256) != 0 || sha256.size != 64) {
    caracal_set_error(error, "model: cannot be had");
    return 1;
  }
  *agent = malloc(sizeof(**agent));
  if (*agent == NULL) {
    caracal_set_error(error, "out of memory");
    return 1;
  }
  (*agent)->size = content.size;
  return 0;
}

static void Describe(const caracal_agent* agent, caracal_description* description) {
  (void)agent;
  (void)description;
}

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  (void)error;
  for (uint64_t i = 0; i < batch->count; ++i) {
    verdicts[i].fired = batch->events[i]->account.size == agent->size;
  }
  return 0;
}

static void Destroy(caracal_agent* agent) { free(agent); }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  static const caracal_reason kReasons[] = {{"same_length", "the account is as long as the file"}};
  static const caracal_agent_api kApi = {
      .struct_size = sizeof(caracal_agent_api),
      .abi_version = CARACAL_AGENT_ABI_VERSION,
      .event_schema = CARACAL_EVENT_SCHEMA,
      .flags = CARACAL_AGENT_NO_EVENT_ERRORS,
      .name = "pinned",
      .version = "1.0.0",
      .licence = "Apache-2.0",
      .description = "Raises on accounts that are as long as a file.",
      .parameters_schema =
          "{\"type\": \"object\", \"required\": [\"model\"], \"properties\": "
          "{\"model\": {\"type\": \"string\", \"format\": \"file\"}}}",
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
