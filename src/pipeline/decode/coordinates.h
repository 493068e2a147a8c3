#pragma once

#include <cstdint>

#include "agents/api/transaction.h"
#include "pipeline/decode/decimal.h"

namespace caracal::pipeline {

inline constexpr int kMicroDegreeScale = 6;

/// The location of micro-degrees. False when it lies off the globe: |latitude| > 90 degrees or
/// |longitude| > 180 degrees.
[[nodiscard]] inline bool MakeLocation(int64_t latitude_udeg, int64_t longitude_udeg,
                                       agents::Location& location) {
  if (latitude_udeg < -90'000'000 || latitude_udeg > 90'000'000) return false;
  if (longitude_udeg < -180'000'000 || longitude_udeg > 180'000'000) return false;
  location.latitude_udeg = static_cast<int32_t>(latitude_udeg);
  location.longitude_udeg = static_cast<int32_t>(longitude_udeg);
  return true;
}

/// Decimal degrees, rounded half away from zero to a micro-degree (0.11 m at most). What is too
/// large for a location stays so.
inline int64_t ToMicroDegrees(const Decimal& degrees) {
  constexpr int64_t kBeyond = 1'000'000'000;
  int64_t rounded = 0;
  return RoundToScale(degrees, kMicroDegreeScale, kBeyond, rounded) ? rounded : kBeyond;
}

}  // namespace caracal::pipeline
