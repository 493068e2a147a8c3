#include "agents/builtin/builtin_agents.h"

#include <memory>

#include "agents/amount/amount_factory.h"
#include "agents/api/status_macros.h"
#include "agents/geo/geo_factory.h"
#include "agents/velocity/velocity_factory.h"

namespace caracal::agents {

absl::Status RegisterBuiltinAgents(AgentRegistry& registry) {
  RETURN_IF_ERROR(registry.Register(std::make_unique<VelocityFactory>()));
  RETURN_IF_ERROR(registry.Register(std::make_unique<AmountFactory>()));
  RETURN_IF_ERROR(registry.Register(std::make_unique<GeoFactory>()));
  return absl::OkStatus();
}

}  // namespace caracal::agents
