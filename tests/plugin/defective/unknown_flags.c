/* Sets a flag nobody knows. */
#include "tests/plugin/defective/good_agent.h"

static void Spoil(caracal_agent_api* api) { api->flags = 1u << 31; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
