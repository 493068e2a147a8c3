#include "agents/api/agent_registry.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"

namespace caracal::agents {
namespace {

absl::Status CheckNames(std::string_view agent, std::string_view what,
                        const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (name.empty() || !seen.insert(name).second) {
      return absl::InvalidArgumentError(
          fmt::format("agent '{}': {} '{}' is empty or declared twice", agent, what, name));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckInfo(const AgentInfo& info) {
  if (info.name.empty()) return absl::InvalidArgumentError("an agent needs a name");
  if (info.reasons.empty()) {
    return absl::InvalidArgumentError(fmt::format("agent '{}' declares no reason", info.name));
  }
  std::vector<std::string> reasons;
  for (const ReasonSpec& reason : info.reasons) reasons.push_back(reason.name);
  RETURN_IF_ERROR(CheckNames(info.name, "reason", reasons));
  std::vector<std::string> parameters;
  for (const ParameterSpec& parameter : info.parameters) parameters.push_back(parameter.name);
  return CheckNames(info.name, "parameter", parameters);
}

}  // namespace

absl::Status AgentRegistry::Register(std::unique_ptr<AgentFactory> factory) {
  const AgentInfo& info = factory->info();
  RETURN_IF_ERROR(CheckInfo(info));
  std::string name = info.name;
  if (Find(name) != nullptr || !factories_.emplace(name, std::move(factory)).second) {
    return absl::AlreadyExistsError(fmt::format("agent '{}' is registered twice", name));
  }
  return absl::OkStatus();
}

const AgentFactory* AgentRegistry::Find(std::string_view name) const {
  const auto it = factories_.find(name);
  if (it != factories_.end()) return it->second.get();
  return base_ == nullptr ? nullptr : base_->Find(name);
}

std::vector<std::string> AgentRegistry::names() const {
  std::vector<std::string> names;
  if (base_ != nullptr) names = base_->names();
  for (const auto& [name, factory] : factories_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace caracal::agents
