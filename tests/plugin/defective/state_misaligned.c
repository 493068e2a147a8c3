/* Wants an alignment that is no power of two. */
#include "tests/plugin/defective/good_agent.h"

static void Describe(const caracal_agent* agent, caracal_description* description) {
  GoodDescribe(agent, description);
  description->state_align = 3;
}

static void Spoil(caracal_agent_api* api) { api->describe = Describe; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
