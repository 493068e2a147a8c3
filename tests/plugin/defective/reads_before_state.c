/* Reads before the states of its keys. */
#include "tests/plugin/defective/good_agent.h"

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  volatile int64_t before = 0;
  for (uint64_t i = 0; i < batch->count; ++i) before = ((int64_t*)batch->states[i])[-1];
  (void)before;
  return GoodProcess(agent, batch, verdicts, error);
}

static void Spoil(caracal_agent_api* api) { api->process = Process; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
