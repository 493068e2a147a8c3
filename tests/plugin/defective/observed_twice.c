/* Observes two values of one name. */
#include "tests/plugin/defective/good_agent.h"

static void Describe(const caracal_agent* agent, caracal_description* description) {
  GoodDescribe(agent, description);
  static const caracal_observed kObserved[] = {{"count", CARACAL_INTEGER, 0},
                                               {"count", CARACAL_INTEGER, 1}};
  description->observed = kObserved;
  description->observed_count = 2;
}

static void Spoil(caracal_agent_api* api) { api->describe = Describe; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
