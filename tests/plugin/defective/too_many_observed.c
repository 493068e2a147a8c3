/* Observes more values than a verdict holds. */
#include "tests/plugin/defective/good_agent.h"

static void Describe(const caracal_agent* agent, caracal_description* description) {
  GoodDescribe(agent, description);
  description->observed_count = CARACAL_OBSERVED_MAX + 1;
}

static void Spoil(caracal_agent_api* api) { api->describe = Describe; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
