/* Has a schema of more than 64 KiB. */
#include "tests/plugin/defective/good_agent.h"

static void Spoil(caracal_agent_api* api) {
  static char schema[CARACAL_SCHEMA_SIZE_MAX + 2];
  for (size_t i = 0; i < sizeof(schema) - 1; ++i) schema[i] = ' ';
  api->parameters_schema = schema;
}

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return Spoilt(Spoil);
}
