#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/api/parameters.h"
#include "agents/api/transaction.h"
#include "agents/geo/country.h"

namespace caracal::agents {

/// "No journey is faster than this." Both bounds are exceeded strictly.
struct SpeedLimit {
  Decimal max_speed_kmh;
  Decimal min_distance_km;
};

/// "No transaction is further than this from where the key's transactions usually are."
struct HomeLimit {
  Decimal distance_km;
  uint32_t min_history = 10;
};

/// A geo rule: at least one condition is set.
struct GeoOptions {
  std::optional<SpeedLimit> speed;
  /// W of the country window in microseconds.
  std::optional<int64_t> country_window_us;
  CountryList deny;
  CountryList allow;
  std::optional<HomeLimit> home;
  /// Slot of the attribute `country`, when a condition needs it.
  uint16_t country_slot = 0;

  bool needs_location() const { return speed.has_value() || home.has_value(); }
  bool needs_country() const {
    return country_window_us.has_value() || !deny.empty() || !allow.empty();
  }
};

/// What a geo rule file may say.
std::vector<ParameterSpec> GeoParameters();

/// Reads checked parameters for a rule on `stream`. InvalidArgument "<parameter>: ..." when no
/// condition is given, the stream lacks what a condition needs, or a value makes no sense.
absl::StatusOr<GeoOptions> ParseGeoOptions(const Parameters& parameters,
                                           const StreamContext& stream);

}  // namespace caracal::agents
