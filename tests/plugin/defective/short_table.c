/* Its table is shorter than its version needs. */
#include "tests/plugin/defective/good_agent.h"

static void Spoil(caracal_agent_api* api) {
  api->struct_size = offsetof(caracal_agent_api, destroy);
}

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
