/* Reads an attribute that is not there. */
#include "tests/plugin/defective/good_agent.h"

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  volatile char first = 0;
  for (uint64_t i = 0; i < batch->count; ++i) first = batch->events[i]->attributes[0].data[0];
  (void)first;
  return GoodProcess(agent, batch, verdicts, error);
}

static void Spoil(caracal_agent_api* api) { api->process = Process; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
