/* Promises to have no errors with events, and has one. */
#include "tests/plugin/defective/good_agent.h"

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  const int32_t result = GoodProcess(agent, batch, verdicts, error);
  verdicts[0].status = 5;
  return result;
}

static void Spoil(caracal_agent_api* api) {
  api->process = Process;
  api->flags = CARACAL_AGENT_NO_EVENT_ERRORS;
}

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
