/* Has a control character in its description. */
#include "tests/plugin/defective/good_agent.h"

static void Spoil(caracal_agent_api* api) { api->description = "one\ntwo"; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
