#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace caracal::pipeline {

/// Where an admin listener is: "127.0.0.1:9464", "[::1]:9464", "caracal-0.caracal:9464".
struct AdminAddress {
  std::string host;  ///< without brackets
  uint16_t port = 0;
};

/// InvalidArgument, with a sentence that shows the expected form, when `text` is no host and port.
absl::StatusOr<AdminAddress> ParseAdminAddress(std::string_view text);

}  // namespace caracal::pipeline
