/* Has a reason that is not snake_case. */
#include "tests/plugin/defective/good_agent.h"

static void Spoil(caracal_agent_api* api) {
  static const caracal_reason kReasons[] = {{"Too-Many", "first"}};
  api->reasons = kReasons;
}

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
