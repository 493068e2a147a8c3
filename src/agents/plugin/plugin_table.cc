#include "agents/plugin/plugin_table.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"

namespace caracal::agents {
namespace {

constexpr size_t kMaxName = 64;
constexpr size_t kMaxText = 1'024;
constexpr uint32_t kKnownFlags = CARACAL_AGENT_NO_EVENT_ERRORS;
// What version 1.0 promises to be there.
constexpr size_t kTableSize1_0 = offsetof(caracal_agent_api, destroy) + sizeof(void*);

uint32_t Major(uint32_t version) { return version >> 16; }
uint32_t Minor(uint32_t version) { return version & 0xFFFF; }

absl::Status Refuse(std::string message) { return absl::InvalidArgumentError(std::move(message)); }

absl::Status CheckVersions(const caracal_agent_api& api) {
  const uint32_t version = api.abi_version;
  const std::string both =
      fmt::format("the plugin was built for interface version {}.{}, this program has {}.{}",
                  Major(version), Minor(version), CARACAL_AGENT_ABI_MAJOR, CARACAL_AGENT_ABI_MINOR);
  if (Major(version) != CARACAL_AGENT_ABI_MAJOR) {
    return absl::FailedPreconditionError(
        fmt::format("{}: the major versions must be equal; rebuild the plugin with the SDK of this "
                    "program",
                    both));
  }
  if (Minor(version) > CARACAL_AGENT_ABI_MINOR) {
    return absl::FailedPreconditionError(
        fmt::format("{}: it may be no newer; update this program, or rebuild the plugin with its "
                    "SDK",
                    both));
  }
  if (api.event_schema == 0 || api.event_schema > CARACAL_EVENT_SCHEMA) {
    return absl::FailedPreconditionError(
        fmt::format("the plugin reads events of schema {}, this program has schema {}; update this "
                    "program, or rebuild the plugin with its SDK",
                    api.event_schema, CARACAL_EVENT_SCHEMA));
  }
  return absl::OkStatus();
}

absl::Status CheckFunctions(const caracal_agent_api& api) {
  const char* missing = nullptr;
  if (api.destroy == nullptr) missing = "destroy";
  if (api.process == nullptr) missing = "process";
  if (api.describe == nullptr) missing = "describe";
  if (api.create == nullptr) missing = "create";
  if (missing == nullptr) return absl::OkStatus();
  return Refuse(fmt::format("the plugin's table has no function '{}'; set it", missing));
}

/// Requires text of 1 to `max` bytes without control characters.
absl::Status CheckText(const char* text, std::string_view field, size_t max) {
  if (text == nullptr) {
    return Refuse(fmt::format("the plugin's table has no '{}'; set it", field));
  }
  const size_t size = strnlen(text, max + 1);
  if (size == 0 || size > max) {
    return Refuse(
        fmt::format("the plugin's '{}' must have 1 to {} bytes, ended by a zero byte", field, max));
  }
  const bool printable = std::all_of(
      text, text + size, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
  if (printable) return absl::OkStatus();
  return Refuse(fmt::format("the plugin's '{}' contains a control character; remove it", field));
}

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Lower-case letters, digits and `more`, beginning with a letter.
bool IsName(std::string_view name, std::string_view more) {
  if (name.empty() || name.size() > kMaxName || !IsLower(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [more](char c) {
    return IsLower(c) || IsDigit(c) || more.find(c) != std::string_view::npos;
  });
}

bool IsVersion(std::string_view version) {
  int parts = 0;
  while (true) {
    const size_t end = std::min(version.find('.'), version.size());
    if (end == 0 || !std::all_of(version.begin(), version.begin() + end, IsDigit)) return false;
    ++parts;
    if (end == version.size()) return parts == 3;
    version.remove_prefix(end + 1);
  }
}

absl::Status ReadTexts(const caracal_agent_api& api, AgentInfo& info) {
  RETURN_IF_ERROR(CheckText(api.name, "name", kMaxName));
  RETURN_IF_ERROR(CheckText(api.version, "version", kMaxName));
  RETURN_IF_ERROR(CheckText(api.licence, "licence", kMaxText));
  RETURN_IF_ERROR(CheckText(api.description, "description", kMaxText));
  if (!IsName(api.name, "_-")) {
    return Refuse(
        fmt::format("the plugin's name '{}' must be lower-case letters, digits, '-' and "
                    "'_', beginning with a letter",
                    api.name));
  }
  if (!IsVersion(api.version)) {
    return Refuse(
        fmt::format("the plugin's version '{}' must be three numbers: 1.0.0", api.version));
  }
  info.name = api.name;
  info.version = api.version;
  info.licence = api.licence;
  info.description = api.description;
  return absl::OkStatus();
}

absl::Status CheckSchemaText(const caracal_agent_api& api) {
  if (api.parameters_schema == nullptr) {
    return Refuse(
        "the plugin's table has no 'parameters_schema'; set it, {\"type\": \"object\"} if the "
        "agent has no parameters");
  }
  if (strnlen(api.parameters_schema, CARACAL_SCHEMA_SIZE_MAX + 1) <= CARACAL_SCHEMA_SIZE_MAX) {
    return absl::OkStatus();
  }
  return Refuse(fmt::format("the plugin's 'parameters_schema' is longer than {} bytes; shorten it",
                            CARACAL_SCHEMA_SIZE_MAX));
}

absl::Status ReadReasons(const caracal_agent_api& api, AgentInfo& info) {
  if (api.reasons == nullptr || api.reason_count == 0 || api.reason_count > CARACAL_REASONS_MAX) {
    return Refuse(fmt::format("the plugin declares {} reasons; it must declare 1 to {}",
                              api.reasons == nullptr ? 0 : api.reason_count, CARACAL_REASONS_MAX));
  }
  std::set<std::string_view> names;
  for (uint32_t i = 0; i < api.reason_count; ++i) {
    const caracal_reason& reason = api.reasons[i];
    RETURN_IF_ERROR(CheckText(reason.name, fmt::format("reasons[{}].name", i), kMaxName));
    RETURN_IF_ERROR(
        CheckText(reason.description, fmt::format("reasons[{}].description", i), kMaxText));
    if (!IsName(reason.name, "_")) {
      return Refuse(
          fmt::format("the plugin's reason '{}' must be lower-case letters, digits and "
                      "'_', beginning with a letter",
                      reason.name));
    }
    if (!names.insert(reason.name).second) {
      return Refuse(fmt::format("the plugin declares the reason '{}' twice", reason.name));
    }
    info.reasons.push_back({reason.name, reason.description});
  }
  return absl::OkStatus();
}

absl::Status CheckLimits(const caracal_agent_api& api) {
  if (api.limit_count == 0) return absl::OkStatus();
  if (api.limits == nullptr || api.limit_count > CARACAL_REASONS_MAX) {
    return Refuse(
        fmt::format("the plugin declares {} limits; it must list at most {} of its "
                    "parameters",
                    api.limit_count, CARACAL_REASONS_MAX));
  }
  for (uint32_t i = 0; i < api.limit_count; ++i) {
    RETURN_IF_ERROR(CheckText(api.limits[i], fmt::format("limits[{}]", i), kMaxName));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AgentInfo> ReadPluginTable(const caracal_agent_api* api) {
  if (api == nullptr) {
    return absl::FailedPreconditionError(
        "the plugin gave no table: it says that it cannot work with this program; see its "
        "documentation for the versions it supports");
  }
  // The first three fields are all that is certain.
  if (api->struct_size < offsetof(caracal_agent_api, flags)) {
    return Refuse(
        fmt::format("the plugin's table has {} bytes, too few for its version; set "
                    "struct_size to sizeof(caracal_agent_api)",
                    api->struct_size));
  }
  RETURN_IF_ERROR(CheckVersions(*api));
  if (api->struct_size < kTableSize1_0) {
    return Refuse(fmt::format(
        "the plugin's table has {} bytes, version {}.{} needs {}; set "
        "struct_size to sizeof(caracal_agent_api)",
        api->struct_size, Major(api->abi_version), Minor(api->abi_version), kTableSize1_0));
  }
  if ((api->flags & ~kKnownFlags) != 0) {
    return Refuse(
        fmt::format("the plugin's table has unknown flags {:#x}; set those of its "
                    "version of caracal/agent_abi.h",
                    api->flags & ~kKnownFlags));
  }
  RETURN_IF_ERROR(CheckFunctions(*api));
  AgentInfo info;
  RETURN_IF_ERROR(ReadTexts(*api, info));
  RETURN_IF_ERROR(CheckSchemaText(*api));
  RETURN_IF_ERROR(ReadReasons(*api, info));
  RETURN_IF_ERROR(CheckLimits(*api));
  return info;
}

}  // namespace caracal::agents
