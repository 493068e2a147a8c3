/* Was built for a later minor version. */
#include "tests/plugin/defective/good_agent.h"

static void Spoil(caracal_agent_api* api) {
  api->abi_version = (CARACAL_AGENT_ABI_MAJOR << 16) | (CARACAL_AGENT_ABI_MINOR + 1);
}

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
