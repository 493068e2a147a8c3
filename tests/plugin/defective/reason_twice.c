/* Gives one reason twice. */
#include "tests/plugin/defective/good_agent.h"

static void Spoil(caracal_agent_api* api) {
  static const caracal_reason kReasons[] = {{"one", "first"}, {"one", "second"}};
  api->reasons = kReasons;
  api->reason_count = 2;
}

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
