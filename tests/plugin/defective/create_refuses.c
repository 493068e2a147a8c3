/* Refuses every rule. */
#include "tests/plugin/defective/good_agent.h"

static int32_t Create(const caracal_host* host, const caracal_rule* rule, caracal_agent** agent,
                      caracal_error* error) {
  (void)host;
  (void)rule;
  (void)agent;
  caracal_set_error(error, "max: no value will do");
  return 1;
}

static void Spoil(caracal_agent_api* api) { api->create = Create; }

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
