/* Counts in a variable of the library instead of the state. */
#include "tests/plugin/defective/good_agent.h"

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  static int64_t events;
  const int32_t result = GoodProcess(agent, batch, verdicts, error);
  for (uint64_t i = 0; i < batch->count; ++i) verdicts[i].observed[0] = ++events;
  return result;
}

static void Spoil(caracal_agent_api* api) { api->process = Process; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
