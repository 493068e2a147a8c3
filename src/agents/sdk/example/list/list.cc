#include "list_agent.hpp"

CARACAL_AGENT(caracal_list::ListAgent)
