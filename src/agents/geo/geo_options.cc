#include "agents/geo/geo_options.h"

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"

namespace caracal::agents {
namespace {

constexpr std::string_view kCountryAttribute = "country";

ParameterSpec CountryListParameter(std::string name, std::string doc) {
  return {.name = std::move(name), .type = ParameterType::kTextList, .doc = std::move(doc)};
}

ParameterSpec HomeParameter() {
  return {.name = "far_from_home_km",
          .type = ParameterType::kObject,
          .doc = "Raise on a transaction far from the mean location of the key's earlier ones.",
          .fields = {{.name = "distance",
                      .type = ParameterType::kDecimal,
                      .doc = "Kilometres from home; more raises.",
                      .required = true,
                      .min_text = "0",
                      .max_text = "20016"},
                     {.name = "min_history",
                      .type = ParameterType::kInteger,
                      .doc = "Located transactions a key needs before it is judged.",
                      .default_text = "10",
                      .min_text = "1",
                      .max_text = "500"}}};
}

absl::StatusOr<CountryList> ParseCountryList(const Parameters& parameters, std::string_view name) {
  std::vector<CountryCode> codes;
  for (const std::string& text : parameters.TextList(name)) {
    const CountryCode code = ParseCountryCode(text);
    if (code == 0 || CountryText(code) != text) {
      return absl::InvalidArgumentError(
          fmt::format("{}: '{}' is not a country code; write ISO 3166-1 codes in capitals, like FR",
                      name, text));
    }
    codes.push_back(code);
  }
  if (codes.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: the list is empty; name at least one country or remove it", name));
  }
  return CountryList(std::move(codes));
}

absl::StatusOr<SpeedLimit> ParseSpeed(const Parameters& parameters) {
  SpeedLimit limit;
  limit.max_speed_kmh = parameters.DecimalValue("max_speed_kmh");
  if (limit.max_speed_kmh.unscaled <= 0) {
    return absl::InvalidArgumentError("max_speed_kmh: the speed must be greater than 0");
  }
  limit.min_distance_km = parameters.Has("min_distance_km")
                              ? parameters.DecimalValue("min_distance_km")
                              : Decimal{10, 0};
  return limit;
}

HomeLimit ParseHome(const Parameters& parameters) {
  HomeLimit limit;
  limit.distance_km = parameters.DecimalValue("distance");
  if (parameters.Has("min_history")) {
    limit.min_history = static_cast<uint32_t>(parameters.Integer("min_history"));
  }
  return limit;
}

// Both: `parameter` is the one that needs it.
absl::Status RequireLocation(std::string_view parameter, const StreamContext& stream) {
  if (stream.has_location) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{}: stream '{}' maps no location; map latitude and longitude under the stream's "
                  "fields or give it a place table",
                  parameter, stream.topic));
}

absl::Status RequireCountry(std::string_view parameter, const StreamContext& stream) {
  if (stream.attributes.Find(kCountryAttribute).has_value()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{}: stream '{}' maps no attribute 'country'; map it under the stream's fields",
                  parameter, stream.topic));
}

}  // namespace

std::vector<ParameterSpec> GeoParameters() {
  return {
      {.name = "max_speed_kmh",
       .type = ParameterType::kDecimal,
       .doc = "Raise when the way from the key's previous located transaction (in log order) "
              "needs more than this speed; no time at all between them raises."},
      {.name = "min_distance_km",
       .type = ParameterType::kDecimal,
       .doc = "Ways up to this long never raise max_speed_kmh: clocks and coordinates of "
              "terminals are not that exact.",
       .default_text = "10",
       .min_text = "0",
       .max_text = "20016"},
      {.name = "country_change",
       .type = ParameterType::kObject,
       .doc = "Raise when another country than the transaction's lies in the window.",
       .fields = {{.name = "window",
                   .type = ParameterType::kDuration,
                   .doc = "Length of the closed window that ends at the key's newest event time.",
                   .required = true,
                   .min_text = "1us",
                   .max_text = "3650d"}}},
      CountryListParameter("deny",
                           "Raise on a transaction in one of these countries (ISO "
                           "3166-1 codes in capitals, of the kind the stream uses)."),
      CountryListParameter("allow", "Raise on a transaction in any country but these."),
      HomeParameter()};
}

absl::StatusOr<GeoOptions> ParseGeoOptions(const Parameters& parameters,
                                           const StreamContext& stream) {
  GeoOptions options;
  if (parameters.Has("max_speed_kmh")) {
    RETURN_IF_ERROR(RequireLocation("max_speed_kmh", stream));
    ASSIGN_OR_RETURN(options.speed, ParseSpeed(parameters));
  }
  if (parameters.Has("country_change")) {
    RETURN_IF_ERROR(RequireCountry("country_change", stream));
    options.country_window_us = parameters.Object("country_change").DurationMicros("window");
  }
  if (parameters.Has("deny")) {
    RETURN_IF_ERROR(RequireCountry("deny", stream));
    ASSIGN_OR_RETURN(options.deny, ParseCountryList(parameters, "deny"));
  }
  if (parameters.Has("allow")) {
    RETURN_IF_ERROR(RequireCountry("allow", stream));
    ASSIGN_OR_RETURN(options.allow, ParseCountryList(parameters, "allow"));
  }
  if (parameters.Has("far_from_home_km")) {
    RETURN_IF_ERROR(RequireLocation("far_from_home_km", stream));
    options.home = ParseHome(parameters.Object("far_from_home_km"));
  }
  if (!options.needs_location() && !options.needs_country()) {
    return absl::InvalidArgumentError(
        "max_speed_kmh: a geo rule needs at least one condition; give max_speed_kmh, "
        "country_change, deny, allow or far_from_home_km");
  }
  options.country_slot = stream.attributes.Find(kCountryAttribute).value_or(0);
  return options;
}

}  // namespace caracal::agents
