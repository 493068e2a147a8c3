/* Was built for an earlier major version. */
#include "tests/plugin/defective/good_agent.h"

static void Spoil(caracal_agent_api* api) { api->abi_version = 9u; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
