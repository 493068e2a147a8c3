/* Wants more state every time it is asked. */
#include "tests/plugin/defective/good_agent.h"

static void Describe(const caracal_agent* agent, caracal_description* description) {
  static uint32_t times;
  GoodDescribe(agent, description);
  description->state_size = 8 * ++times;
}

static void Spoil(caracal_agent_api* api) { api->describe = Describe; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
