/* Counts in the agent instead of the state. */
#include <stdlib.h>
#include "tests/plugin/defective/good_agent.h"

static int32_t Create(const caracal_host* host, const caracal_rule* rule, caracal_agent** agent,
                      caracal_error* error) {
  (void)host;
  (void)rule;
  (void)error;
  *agent = calloc(1, sizeof(**agent));
  return *agent == NULL;
}

static void Destroy(caracal_agent* agent) { free(agent); }

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  (void)error;
  for (uint64_t i = 0; i < batch->count; ++i) verdicts[i].observed[0] = ++agent->max;
  return 0;
}

static void Spoil(caracal_agent_api* api) {
  api->create = Create;
  api->process = Process;
  api->destroy = Destroy;
}

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
