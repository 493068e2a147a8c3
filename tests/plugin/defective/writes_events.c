/* Writes to the events it is given. */
#include "tests/plugin/defective/good_agent.h"

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  for (uint64_t i = 0; i < batch->count; ++i) ((caracal_event*)batch->events[i])->amount = 1;
  return GoodProcess(agent, batch, verdicts, error);
}

static void Spoil(caracal_agent_api* api) { api->process = Process; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
