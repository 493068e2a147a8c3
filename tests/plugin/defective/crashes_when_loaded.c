/* Crashes before it can be asked for anything. */
#include <stdlib.h>

#include "tests/plugin/defective/good_agent.h"

static void Spoil(caracal_agent_api* api) { (void)api; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  abort();
  return Spoilt(Spoil);
}
