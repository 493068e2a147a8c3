#include "agents/geo/geo_factory.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "agents/geo/geo_agent.h"
#include "agents/geo/geo_options.h"

namespace caracal::agents {
namespace {

std::string ListJson(std::string_view name, const CountryList& list) {
  std::vector<std::string> texts;
  for (const CountryCode code : list.codes()) texts.push_back(CountryText(code));
  std::sort(texts.begin(), texts.end());
  return fmt::format(R"("{}":["{}"])", name, fmt::join(texts, R"(",")"));
}

class GeoRule final : public BoundRule {
 public:
  explicit GeoRule(GeoOptions options) : options_(std::move(options)) {}

  StateSpec state() const override { return GeoAgent::State(options_); }

  std::string layout_fingerprint() const override {
    std::vector<std::string> parts;
    if (options_.speed) parts.push_back("last_location");
    if (options_.country_window_us) {
      parts.push_back(fmt::format("country_window_us={}", *options_.country_window_us));
    }
    if (options_.home) parts.push_back("home");
    return fmt::format("{}", fmt::join(parts, " "));
  }

  std::vector<ObservedField> observed() const override {
    std::vector<ObservedField> fields;
    if (options_.speed) {
      fields.push_back({"distance_km", ValueKind::kReal, GeoSlots::kDistance});
      fields.push_back({"speed_kmh", ValueKind::kReal, GeoSlots::kSpeed});
      fields.push_back({"elapsed_s", ValueKind::kMicros, GeoSlots::kElapsed});
    }
    if (options_.country_window_us) {
      fields.push_back({"from_country", ValueKind::kCode, GeoSlots::kFromCountry});
      fields.push_back({"to_country", ValueKind::kCode, GeoSlots::kCountry});
    } else if (options_.needs_country()) {
      fields.push_back({"country", ValueKind::kCode, GeoSlots::kCountry});
    }
    if (options_.home) {
      fields.push_back({"home_distance_km", ValueKind::kReal, GeoSlots::kHomeDistance});
    }
    return fields;
  }

  std::string limit_json() const override {
    std::vector<std::string> limits;
    if (options_.speed) {
      limits.push_back(fmt::format(R"("max_speed_kmh":{},"min_distance_km":{})",
                                   FormatDecimal(options_.speed->max_speed_kmh),
                                   FormatDecimal(options_.speed->min_distance_km)));
    }
    if (options_.country_window_us) {
      limits.push_back(fmt::format(R"("country_change":{{"window":"{}"}})",
                                   FormatDuration(*options_.country_window_us)));
    }
    if (!options_.deny.empty()) limits.push_back(ListJson("deny", options_.deny));
    if (!options_.allow.empty()) limits.push_back(ListJson("allow", options_.allow));
    if (options_.home) {
      limits.push_back(fmt::format(R"("far_from_home_km":{{"distance":{},"min_history":{}}})",
                                   FormatDecimal(options_.home->distance_km),
                                   options_.home->min_history));
    }
    return fmt::format("{{{}}}", fmt::join(limits, ","));
  }

  std::unique_ptr<Agent> NewAgent() const override { return std::make_unique<GeoAgent>(options_); }

 private:
  GeoOptions options_;
};

}  // namespace

GeoFactory::GeoFactory() {
  info_.name = "geo";
  info_.description =
      "Raises on transactions in impossible places: too fast a journey, a change of country, a "
      "country on a list, or too far from home.";
  info_.parameters = GeoParameters();
  // In the order of GeoReason.
  info_.reasons = {
      {"impossible_speed", "the way from the previous location needs more than max_speed_kmh"},
      {"country_change", "another country lies in the window"},
      {"country_denied", "the country is on the deny list"},
      {"country_not_allowed", "the country is not on the allow list"},
      {"far_from_home", "the transaction is too far from the key's mean location"}};
}

absl::StatusOr<std::unique_ptr<BoundRule>> GeoFactory::Bind(const Parameters& parameters,
                                                            const StreamContext& stream) const {
  ASSIGN_OR_RETURN(GeoOptions options, ParseGeoOptions(parameters, stream));
  return std::make_unique<GeoRule>(std::move(options));
}

}  // namespace caracal::agents
