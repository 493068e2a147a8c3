#include "agents/geo/country.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace caracal::agents {
namespace {

const CountryCode kFrance = ParseCountryCode("FR");
const CountryCode kGermany = ParseCountryCode("DE");
const CountryCode kSpain = ParseCountryCode("ES");

TEST(CountryCodeTest, PacksIsoCodesFirstByteLowest) {
  EXPECT_EQ(kFrance, CountryCode{'F'} | CountryCode{'R'} << 8);
  EXPECT_EQ(CountryText(ParseCountryCode("FRA")), "FRA");
  EXPECT_EQ(CountryText(ParseCountryCode("250")), "250");
  EXPECT_EQ(CountryText(0), "");
}

TEST(CountryCodeTest, TakesSmallLettersAsCapitals) {
  EXPECT_EQ(ParseCountryCode("fr"), kFrance);
  EXPECT_NE(ParseCountryCode("FRA"), kFrance);
}

TEST(CountryCodeTest, TakesAnythingElseAsNoCountry) {
  for (const char* text : {"", "F", "FRAN", "F ", "-1", "\xC3\x9C", "F\n"}) {
    EXPECT_EQ(ParseCountryCode(text), 0U) << text;
  }
  EXPECT_EQ(ParseCountryCode({}), 0U);
}

TEST(CountryListTest, FindsItsCountriesOnly) {
  const CountryList list({kGermany, kFrance, kGermany});
  EXPECT_EQ(list.codes().size(), 2U);
  EXPECT_TRUE(list.Contains(kFrance));
  EXPECT_TRUE(list.Contains(kGermany));
  EXPECT_FALSE(list.Contains(kSpain));
  EXPECT_FALSE(CountryList().Contains(kSpain));
}

TEST(CountryWindowTest, SeesAnotherCountryExactlyOneWindowAway) {
  const CountryWindow window(100);
  CountryWindow::Record record = {};
  EXPECT_EQ(window.Add(record, 0, kFrance).from, 0U);
  EXPECT_EQ(window.Add(record, 100, kGermany).from, kFrance);
  CountryWindow::Record later = {};
  window.Add(later, 0, kFrance);
  EXPECT_EQ(window.Add(later, 101, kGermany).from, 0U);
}

TEST(CountryWindowTest, NamesTheNewestOtherCountry) {
  const CountryWindow window(100);
  CountryWindow::Record record = {};
  window.Add(record, 10, kFrance);
  window.Add(record, 20, kSpain);
  EXPECT_EQ(window.Add(record, 15, kGermany).from, kSpain) << "although 15 comes before 20";
  EXPECT_EQ(window.Add(record, 30, kSpain).from, kGermany);
  EXPECT_EQ(window.Add(record, 30, kGermany).from, kSpain);
  EXPECT_EQ(window.Add(record, 30, kFrance).from, kGermany) << "of equal times the last seen";
}

TEST(CountryWindowTest, LateEventChangesNothing) {
  const CountryWindow window(100);
  CountryWindow::Record record = {};
  window.Add(record, 200, kFrance);
  const CountryWindow::Record before = record;
  const CountryChange change = window.Add(record, 99, kGermany);
  EXPECT_TRUE(change.late);
  EXPECT_EQ(change.from, 0U);
  EXPECT_EQ(record.newest_us, before.newest_us);
  EXPECT_EQ(record.first, before.first);
  EXPECT_EQ(record.second, before.second);
  EXPECT_FALSE(window.Add(record, 100, kFrance).late);
}

TEST(CountryWindowTest, EventWithoutCountryMovesTheWindow) {
  const CountryWindow window(100);
  CountryWindow::Record record = {};
  window.Add(record, -500, 0);
  EXPECT_TRUE(window.Add(record, -601, kFrance).late) << "T may be negative";
  window.Add(record, 0, kFrance);
  window.Add(record, 101, 0);
  EXPECT_EQ(window.Add(record, 101, kGermany).from, 0U);
}

TEST(CountryWindowTest, SurvivesTheEndsOfTime) {
  const CountryWindow window(100);
  CountryWindow::Record record = {};
  window.Add(record, std::numeric_limits<int64_t>::min(), kFrance);
  EXPECT_EQ(window.Add(record, std::numeric_limits<int64_t>::max(), kGermany).from, 0U);
  EXPECT_TRUE(window.Add(record, std::numeric_limits<int64_t>::min(), kFrance).late);
}

}  // namespace
}  // namespace caracal::agents
