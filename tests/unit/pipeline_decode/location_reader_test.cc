#include "pipeline/decode/location_reader.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/decode/json_scan.h"

namespace caracal::pipeline {
namespace {

constexpr const char* kPlaces = "merchant,latitude,longitude,country\n70,1.5,2.5,FR\n71,3.5,4.5,\n";

struct Located {
  LocationOutcome outcome = LocationOutcome::kUnmapped;
  agents::Transaction transaction;
  std::vector<std::string_view> attributes;
  Arena arena;
};

class LocationReaderTest : public testing::Test {
 protected:
  LocationReaderTest() {
    options_.fields.account = "account";
    options_.fields.latitude = "lat";
    options_.fields.longitude = "lon";
    options_.fields.attributes = {{"merchant", "merchant"}, {"country", ""}};
  }

  void UsePlaces() {
    auto table = PlaceTable::Parse(kPlaces, "places.csv");
    ASSERT_TRUE(table.ok()) << table.status();
    options_.places = std::make_shared<const PlaceTable>(*std::move(table));
  }

  /// Empty JSON = absent. Attributes: merchant, country; nullopt = NULL.
  void Read(const std::string& latitude, const std::string& longitude,
            std::optional<std::string> merchant = std::nullopt,
            std::optional<std::string> country = std::nullopt, ColumnSchema schema = {}) {
    merchant_ = std::move(merchant);
    country_ = std::move(country);
    located_.transaction = {};
    located_.attributes = {View(merchant_), View(country_)};
    const CoordinateTokens tokens = {Token(latitude), Token(longitude), schema, schema};
    located_.outcome = LocationReader(options_).Read(tokens, located_.attributes, located_.arena,
                                                     located_.transaction);
  }

  static std::string_view View(const std::optional<std::string>& text) {
    return text.has_value() ? std::string_view(*text) : std::string_view();
  }
  static JsonToken Token(const std::string& json) {
    JsonToken token;
    if (!json.empty()) {
      EXPECT_NE(ScanScalar(json.data(), json.data() + json.size(), token), nullptr) << json;
    }
    return token;
  }

  void ExpectLocation(LocationOutcome outcome, int32_t latitude, int32_t longitude) {
    EXPECT_EQ(located_.outcome, outcome);
    EXPECT_TRUE(located_.transaction.has_location);
    EXPECT_EQ(located_.transaction.location, (agents::Location{latitude, longitude}));
  }
  void ExpectNone(LocationOutcome outcome) {
    EXPECT_EQ(located_.outcome, outcome);
    EXPECT_FALSE(located_.transaction.has_location);
  }

  DecodeOptions options_;
  Located located_;
  std::optional<std::string> merchant_;
  std::optional<std::string> country_;
};

TEST_F(LocationReaderTest, ReadsNumbersAndText) {
  Read("48.8566135", "2.352222");
  ExpectLocation(LocationOutcome::kColumns, 48'856'614, 2'352'222);
  const std::string latitude = "\"-33.8688\"";
  const std::string longitude = "1.512093E2";
  Read(latitude, longitude);
  ExpectLocation(LocationOutcome::kColumns, -33'868'800, 151'209'300);
  Read("0", "0");
  ExpectLocation(LocationOutcome::kColumns, 0, 0);
  Read("90", "-180");
  ExpectLocation(LocationOutcome::kColumns, 90'000'000, -180'000'000);
}

TEST_F(LocationReaderTest, ReadsBase64WithTheSchemasScale) {
  ColumnSchema schema;
  schema.type = ColumnType::kDecimal;
  schema.scale = 2;
  const std::string base64 = "\"BOI=\"";
  Read(base64, base64, std::nullopt, std::nullopt, schema);
  ExpectLocation(LocationOutcome::kColumns, 12'500'000, 12'500'000);
  schema.scale.reset();
  Read(base64, base64, std::nullopt, std::nullopt, schema);
  ExpectNone(LocationOutcome::kUnreadable);
  Read(base64, base64);
  ExpectNone(LocationOutcome::kUnreadable);
}

TEST_F(LocationReaderTest, HasNoLocationWithoutBothCoordinates) {
  for (const auto& [latitude, longitude] : std::vector<std::pair<std::string, std::string>>{
           {"", ""},
           {"null", "null"},
           {"1", "null"},
           {"null", "1"},
           {"1", ""},
           {"\"__debezium_unavailable_value\"", "1"}}) {
    Read(latitude, longitude);
    ExpectNone(LocationOutcome::kAbsent);
  }
}

TEST_F(LocationReaderTest, CountsWhatItCannotRead) {
  for (const std::string bad :
       {"\"NaN\"", "\"-Infinity\"", "\"north\"", "true", "90.0000005", "1e300", "\"\""}) {
    Read(bad, "1");
    ExpectNone(LocationOutcome::kUnreadable);
  }
  Read("1", "180.0000005");
  ExpectNone(LocationOutcome::kUnreadable);
}

TEST_F(LocationReaderTest, UsesThePlaceTableWhereColumnsGiveNothing) {
  UsePlaces();
  Read("null", "null", "70");
  ExpectLocation(LocationOutcome::kPlaceTable, 1'500'000, 2'500'000);
  Read("\"NaN\"", "1", "70");
  ExpectLocation(LocationOutcome::kPlaceTable, 1'500'000, 2'500'000);
  Read("5", "6", "70");
  ExpectLocation(LocationOutcome::kColumns, 5'000'000, 6'000'000);
  Read("null", "null", "99");
  ExpectNone(LocationOutcome::kUnknownPlace);
  Read("null", "null", std::nullopt);
  ExpectNone(LocationOutcome::kAbsent);
  Read("91", "1", "99");
  ExpectNone(LocationOutcome::kUnreadable);
}

TEST_F(LocationReaderTest, UsesThePlaceTableWithoutColumns) {
  options_.fields.latitude.clear();
  options_.fields.longitude.clear();
  Read("", "", "70");
  ExpectNone(LocationOutcome::kUnmapped);
  UsePlaces();
  Read("", "", "71");
  ExpectLocation(LocationOutcome::kPlaceTable, 3'500'000, 4'500'000);
  Read("", "", "99");
  ExpectNone(LocationOutcome::kUnknownPlace);
}

TEST_F(LocationReaderTest, SuppliesTheCountryWhereTheRowHasNone) {
  UsePlaces();
  Read("null", "null", "70");
  EXPECT_EQ(located_.attributes[1], "FR");
  Read("5", "6", "70");
  EXPECT_EQ(located_.attributes[1], "FR");
  Read("5", "6", "70", "BE");
  EXPECT_EQ(located_.attributes[1], "BE");
  Read("null", "null", "71");
  EXPECT_EQ(located_.attributes[1].data(), nullptr);
  Read("null", "null", "99");
  EXPECT_EQ(located_.attributes[1].data(), nullptr);
  options_.country_attribute = "nation";
  Read("null", "null", "70");
  EXPECT_EQ(located_.attributes[1].data(), nullptr);
}

}  // namespace
}  // namespace caracal::pipeline
