#include "pipeline/control/admin_address.h"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <system_error>

namespace caracal::pipeline {
namespace {

absl::Status Malformed(std::string_view text) {
  return absl::InvalidArgumentError(fmt::format(
      "'{}' is no address: write a host and a port, such as 127.0.0.1:9464 or [::1]:9464", text));
}

}  // namespace

absl::StatusOr<AdminAddress> ParseAdminAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Malformed(text);
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);

  AdminAddress address;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return Malformed(text);

  const bool has_brackets = host.starts_with('[') && host.ends_with(']');
  if (has_brackets) host = host.substr(1, host.size() - 2);
  if (host.empty() || (!has_brackets && host.find(':') != std::string_view::npos)) {
    return Malformed(text);
  }
  address.host = host;
  return address;
}

}  // namespace caracal::pipeline
