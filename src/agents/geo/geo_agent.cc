#include "agents/geo/geo_agent.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "agents/api/check.h"
#include "agents/geo/sphere.h"

namespace caracal::agents {
namespace {

constexpr int32_t kTurn = 360'000'000;
constexpr double kMicrosPerHour = 3.6e9;

// The first reason of an event stands.
void Raise(GeoReason reason, Verdict& verdict) {
  if (verdict.fired) return;
  verdict.fired = true;
  verdict.reason = static_cast<uint16_t>(reason);
}

void Observe(uint8_t slot, double value, Verdict& verdict) {
  verdict.observed[slot] = std::bit_cast<int64_t>(value);
}

uint64_t AbsoluteDifference(int64_t a, int64_t b) {
  return a > b ? static_cast<uint64_t>(a) - static_cast<uint64_t>(b)
               : static_cast<uint64_t>(b) - static_cast<uint64_t>(a);
}

}  // namespace

GeoAgent::Layout GeoAgent::LayoutOf(const GeoOptions& options) {
  static_assert(sizeof(LastLocation) == 16 && sizeof(Home) == 24);
  Layout layout;
  layout.size = options.speed ? sizeof(LastLocation) : 0;
  layout.country_offset = layout.size;
  if (options.country_window_us) layout.size += sizeof(CountryWindow::Record);
  layout.home_offset = layout.size;
  if (options.home) layout.size += sizeof(Home);
  return layout;
}

StateSpec GeoAgent::State(const GeoOptions& options) {
  // The last location is copied as a whole: alone it needs less alignment.
  const bool has_others = options.country_window_us.has_value() || options.home.has_value();
  return {LayoutOf(options).size,
          static_cast<uint32_t>(has_others ? alignof(int64_t) : alignof(int32_t)), 1};
}

GeoAgent::GeoAgent(const GeoOptions& options)
    : options_(options),
      layout_(LayoutOf(options)),
      country_window_(options.country_window_us.value_or(1)) {
  if (options_.speed) {
    max_speed_kmh_ = ToDouble(options_.speed->max_speed_kmh);
    min_distance_km_ = ToDouble(options_.speed->min_distance_km);
  }
  if (options_.home) home_distance_km_ = ToDouble(options_.home->distance_km);
}

void GeoAgent::Process(std::span<const Transaction* const> events,
                       std::span<std::byte* const> states, std::span<Verdict> verdicts) {
  DCHECK(events.size() == states.size() && events.size() == verdicts.size());
  for (size_t i = 0; i < events.size(); ++i) Judge(*events[i], states[i], verdicts[i]);
}

void GeoAgent::OmitUnreadValues() {
  // An alert for another reason shows the journey, too.
  omits_allowed_journeys_ = !options_.needs_country() && !options_.home;
}

void GeoAgent::Judge(const Transaction& event, std::byte* state, Verdict& verdict) const {
  bool judged = false;
  if (options_.speed && event.has_location) {
    judged |= JudgeSpeed(event, state, verdict);
  }
  if (options_.needs_country()) {
    const CountryCode country = ParseCountryCode(event.attributes[options_.country_slot]);
    verdict.observed[GeoSlots::kCountry] = country;
    if (options_.country_window_us) {
      auto& record = *reinterpret_cast<CountryWindow::Record*>(state + layout_.country_offset);
      judged |= JudgeCountryChange(event, country, record, verdict);
    }
    judged |= JudgeCountryLists(country, verdict);
  }
  if (options_.home && event.has_location) {
    judged |=
        JudgeHome(event.location, *reinterpret_cast<Home*>(state + layout_.home_offset), verdict);
  }
  if (!judged) verdict.flags |= kInactive;
}

bool GeoAgent::JudgeSpeed(const Transaction& event, std::byte* state, Verdict& verdict) const {
  LastLocation previous;
  std::memcpy(&previous, state, sizeof(previous));
  const LastLocation last = {event.event_time_us, event.location.latitude_udeg,
                             event.location.longitude_udeg + kTurn};
  std::memcpy(state, &last, sizeof(last));
  if (previous.longitude_plus_turn == 0) return false;
  const Location from = {previous.latitude_udeg, previous.longitude_plus_turn - kTurn};
  const uint64_t elapsed_us = AbsoluteDifference(event.event_time_us, previous.time_us);
  if (omits_allowed_journeys_ && IsClearlyAllowed(from, event.location, elapsed_us)) return true;
  const double distance_km = DistanceKm(from, event.location);
  const double kmh_micros = distance_km * kMicrosPerHour;
  Observe(GeoSlots::kDistance, distance_km, verdict);
  Observe(GeoSlots::kSpeed, kmh_micros / static_cast<double>(std::max(elapsed_us, uint64_t{1})),
          verdict);
  verdict.observed[GeoSlots::kElapsed] = static_cast<int64_t>(
      std::min(elapsed_us, static_cast<uint64_t>(std::numeric_limits<int64_t>::max())));
  if (distance_km > min_distance_km_ &&
      kmh_micros > max_speed_kmh_ * static_cast<double>(elapsed_us)) {
    Raise(GeoReason::kImpossibleSpeed, verdict);
  }
  return true;
}

bool GeoAgent::IsClearlyAllowed(const Location& from, const Location& to,
                                uint64_t elapsed_us) const {
  const double bound_km = DistanceBoundKm(from, to);
  return bound_km <= min_distance_km_ ||
         bound_km * kMicrosPerHour <= max_speed_kmh_ * static_cast<double>(elapsed_us);
}

bool GeoAgent::JudgeCountryChange(const Transaction& event, CountryCode country,
                                  CountryWindow::Record& record, Verdict& verdict) const {
  const CountryChange change = country_window_.Add(record, event.event_time_us, country);
  verdict.observed[GeoSlots::kFromCountry] = change.from;
  if (change.from != 0) Raise(GeoReason::kCountryChange, verdict);
  if (change.late) verdict.flags |= kLate;
  return country != 0;
}

bool GeoAgent::JudgeCountryLists(CountryCode country, Verdict& verdict) const {
  if (country == 0 || (options_.deny.empty() && options_.allow.empty())) return false;
  if (options_.deny.Contains(country)) Raise(GeoReason::kCountryDenied, verdict);
  if (!options_.allow.empty() && !options_.allow.Contains(country)) {
    Raise(GeoReason::kCountryNotAllowed, verdict);
  }
  return true;
}

bool GeoAgent::JudgeHome(const Location& location, Home& home, Verdict& verdict) const {
  const bool known = home.count >= options_.home->min_history;
  if (known) {
    const double distance_km = DistanceKm(home.Mean(), location);
    Observe(GeoSlots::kHomeDistance, distance_km, verdict);
    if (distance_km > home_distance_km_) Raise(GeoReason::kFarFromHome, verdict);
  }
  home.Add(location);
  return known;
}

}  // namespace caracal::agents
