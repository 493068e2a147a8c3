#pragma once

#include <memory>

#include "agents/api/agent.h"

namespace caracal::agents {

/// Makes `amount` rules. A rule is of exactly one kind: fixed limits (above and/or below), profile,
/// zscore or round_amount. Parameters, reasons and examples: README.md of this folder. Immutable;
/// any thread.
class AmountFactory final : public AgentFactory {
 public:
  AmountFactory();

  const AgentInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<BoundRule>> Bind(const Parameters& parameters,
                                                  const StreamContext& stream) const override;

 private:
  AgentInfo info_;
};

}  // namespace caracal::agents
