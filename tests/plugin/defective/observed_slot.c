/* Observes a value outside the verdict. */
#include "tests/plugin/defective/good_agent.h"

static void Describe(const caracal_agent* agent, caracal_description* description) {
  GoodDescribe(agent, description);
  static const caracal_observed kObserved[] = {{"count", CARACAL_INTEGER, CARACAL_OBSERVED_MAX}};
  description->observed = kObserved;
}

static void Spoil(caracal_agent_api* api) { api->describe = Describe; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
