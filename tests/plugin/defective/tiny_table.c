/* Its table is too short to say its version. */
#include "tests/plugin/defective/good_agent.h"

static void Spoil(caracal_agent_api* api) { api->struct_size = 8; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
