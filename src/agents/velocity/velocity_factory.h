#pragma once

#include <memory>

#include "agents/api/agent.h"

namespace caracal::agents {

/// Makes `velocity` rules: how often, how much and from how many places a key pays within a window.
/// Parameters, reasons and the late rule: README.md of this folder. Immutable; any thread.
class VelocityFactory final : public AgentFactory {
 public:
  VelocityFactory();

  const AgentInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<BoundRule>> Bind(const Parameters& parameters,
                                                  const StreamContext& stream) const override;

 private:
  AgentInfo info_;
};

}  // namespace caracal::agents
