/* Fails as a whole. */
#include "tests/plugin/defective/good_agent.h"

static int32_t Process(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                       caracal_error* error) {
  (void)agent;
  (void)batch;
  (void)verdicts;
  caracal_set_error(error, "lost its model");
  return 7;
}

static void Spoil(caracal_agent_api* api) { api->process = Process; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
