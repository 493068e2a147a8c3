/* Sets a verdict flag nobody knows. */
#include "tests/plugin/defective/good_agent.h"

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  const int32_t result = GoodProcess(agent, batch, verdicts, error);
  verdicts[0].flags = 0x80;
  return result;
}

static void Spoil(caracal_agent_api* api) { api->process = Process; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
