#pragma once

#include <memory>

#include "agents/api/agent.h"

namespace caracal::agents {

/// Makes `geo` rules: impossible speed, change of country, denied or not allowed countries,
/// distance from home. Parameters, reasons and the late rule: README.md of this folder. Immutable;
/// any thread.
class GeoFactory final : public AgentFactory {
 public:
  GeoFactory();

  const AgentInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<BoundRule>> Bind(const Parameters& parameters,
                                                  const StreamContext& stream) const override;

 private:
  AgentInfo info_;
};

}  // namespace caracal::agents
