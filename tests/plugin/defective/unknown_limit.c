/* Lists a limit that is no parameter. */
#include "tests/plugin/defective/good_agent.h"

static void Spoil(caracal_agent_api* api) {
  static const char* const kLimits[] = {"max"};
  api->limits = kLimits;
  api->limit_count = 1;
}

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
