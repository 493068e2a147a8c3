#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace caracal::pipeline {

/// What an alert's identity is made of: the ruleset and the source record it fired on. Views are
/// read during the call only.
struct AlertSource {
  std::string_view ruleset;
  std::string_view ruleset_version;
  std::string_view topic;
  int32_t partition = 0;
  int64_t offset = 0;
};

/// The first 128 bits of SHA-256 over "ruleset\nruleset_version\ntopic\npartition\noffset" as 32
/// lowercase hex digits: the same for every delivery of the alert, so that consumers can always
/// de-duplicate. Any thread.
std::string AlertId(const AlertSource& source);

}  // namespace caracal::pipeline
