/* Gives no table. */
#include <caracal/agent_abi.h>

const caracal_agent_api* caracal_agent_entry(const caracal_host* host) {
  (void)host;
  return NULL;
}
