#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace caracal::pipeline {

using Sha256Digest = std::array<uint8_t, 32>;

/// SHA-256 of `bytes`. Any thread.
Sha256Digest Sha256(std::string_view bytes);

/// The first `digits` (at most 64) lower-case hex digits of the SHA-256 of `bytes`. Any thread.
std::string Sha256Hex(std::string_view bytes, size_t digits = 64);

}  // namespace caracal::pipeline
