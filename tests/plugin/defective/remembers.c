/* Remembers how often it was called: has an error with the last event of the first call and
 * with the first event of the second. */
#include "tests/plugin/defective/good_agent.h"

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  static int calls;
  const int32_t result = GoodProcess(agent, batch, verdicts, error);
  verdicts[calls++ == 0 ? batch->count - 1 : 0].status = 5;
  return result;
}

static void Spoil(caracal_agent_api* api) { api->process = Process; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
