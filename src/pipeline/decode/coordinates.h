#pragma once

#include <cstdint>

#include "agents/api/transaction.h"
#include "pipeline/decode/decimal.h"

namespace caracal::pipeline {

/// The location of decimal degrees, each rounded half away from zero to a micro-degree (0.11 m at
/// most). False when one lies off the globe: |latitude| > 90 or |longitude| > 180 after rounding.
[[nodiscard]] inline bool MakeLocation(const Decimal& latitude, const Decimal& longitude,
                                       agents::Location& location) {
  constexpr int kMicroDegreeScale = 6;
  int64_t latitude_udeg = 0;
  int64_t longitude_udeg = 0;
  if (!RoundToScale(latitude, kMicroDegreeScale, 90'000'000, latitude_udeg)) return false;
  if (!RoundToScale(longitude, kMicroDegreeScale, 180'000'000, longitude_udeg)) return false;
  location.latitude_udeg = static_cast<int32_t>(latitude_udeg);
  location.longitude_udeg = static_cast<int32_t>(longitude_udeg);
  return true;
}

}  // namespace caracal::pipeline
