#pragma once

#include <random>
#include <string>

#include <fmt/format.h>

namespace caracal::pipeline {

/// Sixteen hexadecimal digits that no other process has. Any thread.
inline std::string RandomId() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace caracal::pipeline
