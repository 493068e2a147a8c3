#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "agents/api/agent.h"

namespace caracal::agents {

/// Holds the agent factories of a process by name. An object, not a global: main fills one (see
/// agents/builtin), tests fill their own. Fill it from one thread; afterwards any thread may read.
///
/// A registry may extend another one, which it does not own and which must outlive it: what is
/// registered there is found here too.
class AgentRegistry {
 public:
  AgentRegistry() = default;
  explicit AgentRegistry(const AgentRegistry* base) : base_(base) {}

  /// AlreadyExists when an agent of that name is registered; InvalidArgument when its info is not
  /// well formed (name, reasons or parameters empty or twice).
  absl::Status Register(std::unique_ptr<AgentFactory> factory);
  /// Null when there is no such agent.
  const AgentFactory* Find(std::string_view name) const;
  /// All names, sorted.
  std::vector<std::string> names() const;

 private:
  const AgentRegistry* base_ = nullptr;
  std::map<std::string, std::unique_ptr<AgentFactory>, std::less<>> factories_;
};

}  // namespace caracal::agents
