#include "pipeline/decode/place_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

using agents::MessageOf;
using testing::HasSubstr;

PlaceTable MustParse(const std::string& csv) {
  auto table = PlaceTable::Parse(csv, "places.csv");
  EXPECT_TRUE(table.ok()) << table.status();
  return *std::move(table);
}

std::string ErrorOf(const std::string& csv) {
  const auto table = PlaceTable::Parse(csv, "places.csv");
  return table.ok() ? "no error" : MessageOf(table.status());
}

TEST(PlaceTableTest, FindsPlacesByMerchant) {
  const PlaceTable table = MustParse(
      "merchant,latitude,longitude,country\n70,48.856613,2.352222,FR\n"
      "\"Bar \"\"Le Coin\"\", Lyon\",45.764043,4.835659,FR\n71,-33.8688,151.2093,\n");
  EXPECT_EQ(table.size(), 3U);
  ASSERT_NE(table.Find("70"), nullptr);
  EXPECT_EQ(table.Find("70")->location, (agents::Location{48'856'613, 2'352'222}));
  EXPECT_EQ(table.Find("70")->country, "FR");
  ASSERT_NE(table.Find("Bar \"Le Coin\", Lyon"), nullptr);
  EXPECT_EQ(table.Find("71")->location, (agents::Location{-33'868'800, 151'209'300}));
  EXPECT_EQ(table.Find("71")->country, "");
  EXPECT_EQ(table.Find("7"), nullptr);
  EXPECT_EQ(table.Find(""), nullptr);
}

TEST(PlaceTableTest, ReadsEveryLayoutOfTheSameContent) {
  const std::string plain = "merchant,latitude,longitude,country\n1,1.5,2.5,FR\n2,3,4,DE\n";
  const std::string digest = MustParse(plain).digest();
  EXPECT_EQ(digest.size(), 32U);
  for (const std::string csv : {
           "merchant,latitude,longitude,country\r\n1,1.5,2.5,FR\r\n2,3,4,DE\r\n",
           "\xEF\xBB\xBFmerchant,latitude,longitude,country\n1,1.5,2.5,FR\n2,3,4,DE",
           "\nmerchant,latitude,longitude,country\n\n2,3,4,DE\n1,1.5,2.5,FR\n\n",
           "\"merchant\",latitude,longitude,\"country\"\n\"1\",\"1.50\",2.5E0,FR\n2,3.0,4,DE\n",
       }) {
    EXPECT_EQ(MustParse(csv).digest(), digest) << csv;
  }
}

TEST(PlaceTableTest, DigestsEveryPartOfTheContent) {
  const std::string digest = MustParse("merchant,latitude,longitude,country\n1,1,2,FR\n").digest();
  for (const std::string csv : {
           "merchant,latitude,longitude,country\n2,1,2,FR\n",
           "merchant,latitude,longitude,country\n1,1.000001,2,FR\n",
           "merchant,latitude,longitude,country\n1,1,2.000001,FR\n",
           "merchant,latitude,longitude,country\n1,1,2,DE\n",
           "merchant,latitude,longitude,country\n1,1,2,\n",
           "merchant,latitude,longitude\n1,1,2\n",
           "merchant,latitude,longitude,country\n",
           "merchant,latitude,longitude,country\n1,1,2,FR\n3,1,2,FR\n",
       }) {
    EXPECT_NE(MustParse(csv).digest(), digest) << csv;
  }
  EXPECT_EQ(MustParse("merchant,latitude,longitude\n1,1,2\n").digest(),
            MustParse("merchant,latitude,longitude,country\n1,1,2,\n").digest());
}

TEST(PlaceTableTest, SaysWhatIsWrongInWhichLine) {
  const std::string header = "merchant,latitude,longitude,country\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "places.csv:1: the place table is empty: it needs a header line"},
      {"\n\n", "places.csv:1: the place table is empty"},
      {"name,lat,lon\n", "places.csv:1: the first line must be merchant,latitude,longitude"},
      {"merchant,latitude\n", "places.csv:1: the first line must be"},
      {"merchant,latitude,longitude,country,x\n", "places.csv:1: the first line must be"},
      {header + "1,1,2\n", "places.csv:2: 3 fields where the header has 4"},
      {header + "1,1,2,FR,x\n", "places.csv:2: 5 fields where the header has 4"},
      {header + ",1,2,FR\n", "places.csv:2: the merchant is empty"},
      {header + "1,north,2,FR\n", "places.csv:2: latitude 'north' is not a number of degrees"},
      {header + "1,1,,FR\n", "places.csv:2: longitude '' is not a number of degrees"},
      {header + "1,NaN,2,FR\n", "places.csv:2: latitude 'NaN' is not a number of degrees"},
      {header + "1,91,2,FR\n", "places.csv:2: 91,2 is not on the globe"},
      {header + "1,90,-180.0000005,FR\n", "places.csv:2: 90,-180.0000005 is not on the globe"},
      {header + "1,1,2,FR\n\r\n1,3,4,FR\n", "places.csv:4: merchant '1' is given twice"},
      {header + "\"1,1,2,FR\n", "places.csv:2: a quoted field is not closed"},
      {header + "\"1\"x,1,2,FR\n", "places.csv:2: a comma or the end of the line must follow"},
      {header + "a\"b,1,2,FR\n", "places.csv:2: a quote inside a field that is not quoted"},
  };
  for (const auto& [csv, error] : cases) EXPECT_THAT(ErrorOf(csv), HasSubstr(error)) << csv;
}

TEST(PlaceTableTest, TakesTheLastMicroDegree) {
  const PlaceTable table =
      MustParse("merchant,latitude,longitude\na,90,180\nb,-90,-180\nc,90.0000004,0\n");
  EXPECT_EQ(table.Find("a")->location, (agents::Location{90'000'000, 180'000'000}));
  EXPECT_EQ(table.Find("b")->location, (agents::Location{-90'000'000, -180'000'000}));
  EXPECT_EQ(table.Find("c")->location, (agents::Location{90'000'000, 0}));
}

}  // namespace
}  // namespace caracal::pipeline
