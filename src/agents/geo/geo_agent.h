#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "agents/api/agent.h"
#include "agents/geo/country.h"
#include "agents/geo/geo_options.h"
#include "agents/geo/home.h"

namespace caracal::agents {

/// Why a geo rule raises: the first that applies, in this order.
enum class GeoReason : uint16_t {
  kImpossibleSpeed,
  kCountryChange,
  kCountryDenied,
  kCountryNotAllowed,
  kFarFromHome,
};

/// Where a geo verdict keeps what it observed.
struct GeoSlots {
  static constexpr uint8_t kDistance = 0;      ///< kilometres from the previous location
  static constexpr uint8_t kSpeed = 1;         ///< km/h; no elapsed time is taken as 1 us
  static constexpr uint8_t kElapsed = 2;       ///< microseconds since or until the previous one
  static constexpr uint8_t kFromCountry = 3;   ///< the newest other country in the window
  static constexpr uint8_t kCountry = 4;       ///< the event's
  static constexpr uint8_t kHomeDistance = 5;  ///< kilometres
};

/// Judges where a transaction happened: the speed of the way there, a change of country, lists of
/// countries, and the distance from home, each if the rule asks for it.
///
/// Called by the ruleset for its rule's events in log order; one worker at a time. The state holds,
/// in this order and only for the conditions the rule has: the last location (16 bytes), the
/// country window (32), the home (24). An event without what a condition needs changes nothing
/// there; an event no condition could judge is flagged kInactive. Nothing allocates and nothing can
/// fail.
class GeoAgent final : public Agent {
 public:
  static StateSpec State(const GeoOptions& options);

  explicit GeoAgent(const GeoOptions& options);

  void Process(std::span<const Transaction* const> events, std::span<std::byte* const> states,
               std::span<Verdict> verdicts) override;
  void OmitUnreadValues() override;

 private:
  // The key's previous located transaction in log order. A longitude is stored plus a whole turn,
  // so that zeroed bytes are no location.
  struct LastLocation {
    int64_t time_us;
    int32_t latitude_udeg;
    int32_t longitude_plus_turn;
  };

  struct Layout {
    uint32_t country_offset = 0;
    uint32_t home_offset = 0;
    uint32_t size = 0;
  };
  static Layout LayoutOf(const GeoOptions& options);

  void Judge(const Transaction& event, std::byte* state, Verdict& verdict) const;
  bool IsClearlyAllowed(const Location& from, const Location& to, uint64_t elapsed_us) const;
  // Each returns whether it had something to judge, and moves its part of the state.
  // `state`: a LastLocation, unaligned.
  bool JudgeSpeed(const Transaction& event, std::byte* state, Verdict& verdict) const;
  bool JudgeCountryChange(const Transaction& event, CountryCode country,
                          CountryWindow::Record& record, Verdict& verdict) const;
  bool JudgeCountryLists(CountryCode country, Verdict& verdict) const;
  bool JudgeHome(const Location& location, Home& home, Verdict& verdict) const;

  GeoOptions options_;
  Layout layout_;
  CountryWindow country_window_;
  double max_speed_kmh_ = 0;
  double min_distance_km_ = 0;
  double home_distance_km_ = 0;
  // Journeys that are clearly allowed need not be measured.
  bool omits_allowed_journeys_ = false;
};

}  // namespace caracal::agents
