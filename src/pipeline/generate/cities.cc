#include "pipeline/generate/cities.h"

#include <array>
#include <cmath>

namespace caracal::pipeline {
namespace {

constexpr std::array<City, kCityCount> kCities = {{
    {"Paris", "FR", {48'856'600, 2'352'200}},
    {"Berlin", "DE", {52'520'000, 13'405'000}},
    {"Madrid", "ES", {40'416'800, -3'703'800}},
    {"Rome", "IT", {41'902'800, 12'496'400}},
    {"Amsterdam", "NL", {52'367'600, 4'904'100}},
    {"Vienna", "AT", {48'208'200, 16'373'800}},
    {"London", "GB", {51'507'400, -127'800}},
    {"Lisbon", "PT", {38'722'300, -9'139'300}},
    {"Athens", "GR", {37'983'800, 23'727'500}},
    {"Dublin", "IE", {53'349'800, -6'260'300}},
    {"Helsinki", "FI", {60'169'900, 24'938'400}},
    {"Brussels", "BE", {50'850'300, 4'351'700}},
    {"Warsaw", "PL", {52'229'700, 21'012'200}},
    {"Stockholm", "SE", {59'329'300, 18'068'600}},
    {"Zurich", "CH", {47'376'900, 8'541'700}},
    {"Copenhagen", "DK", {55'676'100, 12'568'300}},
    {"Prague", "CZ", {50'075'500, 14'437'800}},
    {"Budapest", "HU", {47'497'900, 19'040'200}},
    {"Bucharest", "RO", {44'426'800, 26'102'500}},
    {"Oslo", "NO", {59'913'900, 10'752'200}},
    {"Istanbul", "TR", {41'008'200, 28'978'400}},
    {"New York", "US", {40'712'800, -74'006'000}},
    {"Chicago", "US", {41'878'100, -87'629'800}},
    {"Los Angeles", "US", {34'052'200, -118'243'700}},
    {"Toronto", "CA", {43'653'200, -79'383'200}},
    {"Mexico City", "MX", {19'432'600, -99'133'200}},
    {"Sao Paulo", "BR", {-23'550'500, -46'633'300}},
    {"Buenos Aires", "AR", {-34'603'700, -58'381'600}},
    {"Casablanca", "MA", {33'573'100, -7'589'800}},
    {"Cairo", "EG", {30'044'400, 31'235'700}},
    {"Lagos", "NG", {6'524'400, 3'379'200}},
    {"Nairobi", "KE", {-1'292'100, 36'821'900}},
    {"Johannesburg", "ZA", {-26'204'100, 28'047'300}},
    {"Dubai", "AE", {25'204'800, 55'270'800}},
    {"Mumbai", "IN", {19'076'000, 72'877'700}},
    {"Bangkok", "TH", {13'756'300, 100'501'800}},
    {"Singapore", "SG", {1'352'100, 103'819'800}},
    {"Shanghai", "CN", {31'230'400, 121'473'700}},
    {"Tokyo", "JP", {35'676'200, 139'650'300}},
    {"Sydney", "AU", {-33'868'800, 151'209'300}},
}};

constexpr double kDegree = 3.14159265358979323846 / 180;
constexpr double kEarthRadiusKm = 6371.0088;
/// Micro-degrees of latitude per metre.
constexpr double kMicroDegreesPerMetre = 8.9932;

double Radians(int32_t micro_degrees) { return micro_degrees * 1e-6 * kDegree; }

}  // namespace

std::span<const City> Cities() { return kCities; }

int CityDistanceKm(size_t from, size_t to) {
  const double latitude_a = Radians(kCities[from].centre.latitude_udeg);
  const double latitude_b = Radians(kCities[to].centre.latitude_udeg);
  const double half_north = std::sin((latitude_a - latitude_b) / 2);
  const double half_east = std::sin(
      (Radians(kCities[from].centre.longitude_udeg) - Radians(kCities[to].centre.longitude_udeg)) /
      2);
  const double h =
      half_north * half_north + std::cos(latitude_a) * std::cos(latitude_b) * half_east * half_east;
  // Rounded up from fixed inputs, none of which is within a metre of a whole number: libm's last
  // bit cannot change the result.
  return static_cast<int>(std::ceil(2 * kEarthRadiusKm * std::asin(std::sqrt(h)) - 1e-4));
}

agents::Location PointNear(size_t city, int east_m, int north_m) {
  const agents::Location centre = kCities[city].centre;
  // Per kilometre and rounded, so that libm's last bit cannot change the result.
  const auto east_per_km =
      std::llround(1000 * kMicroDegreesPerMetre / std::cos(Radians(centre.latitude_udeg)));
  const auto north_per_km = std::llround(1000 * kMicroDegreesPerMetre);
  return {centre.latitude_udeg + static_cast<int32_t>(north_m * north_per_km / 1000),
          centre.longitude_udeg + static_cast<int32_t>(east_m * east_per_km / 1000)};
}

}  // namespace caracal::pipeline
