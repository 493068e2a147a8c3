#include "pipeline/decode/iso_time.h"

#include <gtest/gtest.h>

#include <ctime>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace caracal::pipeline {
namespace {

/// The microseconds, "unusable" or "invalid".
std::string Read(const std::string& text) {
  int64_t micros = 0;
  switch (ParseIsoTime(text, micros)) {
    case IsoStatus::kTime:
      return std::to_string(micros);
    case IsoStatus::kUnusable:
      return "unusable";
    case IsoStatus::kInvalid:
      break;
  }
  return "invalid";
}

TEST(ParseIsoTimeTest, ReadsWhatConnectorsWrite) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"1970-01-01T00:00:00Z", "0"},
      {"1970-01-01T00:00:00.000000Z", "0"},
      {"1969-12-31T23:59:59.999999Z", "-1"},
      {"2026-01-02T00:04:05.678901Z", "1767312245678901"},
      {"2026-01-02T03:04:05.678901+03:00", "1767312245678901"},
      {"2026-01-02T03:04:05.678901+03", "1767312245678901"},
      {"2026-01-02T03:04:05.678901+0300", "1767312245678901"},
      {"2026-01-01T19:34:05.678901-04:30", "1767312245678901"},
      {"2026-01-02 00:04:05.678901", "1767312245678901"},
      {"2026-01-02t00:04:05.678901z", "1767312245678901"},
      {"2026-01-02T00:04:05.6789019999Z", "1767312245678901"},
      {"2026-01-02T00:04:05.67Z", "1767312245670000"},
      {"2026-01-02T00:04Z", "1767312240000000"},
      {"2026-01-02T00:04", "1767312240000000"},
      {"2026-01-02Z", "1767312000000000"},
      {"2026-01-02", "1767312000000000"},
      {"2026-01-02+01:00", "1767308400000000"},
      {"1900-01-01T00:00:00+00:09:21", "-2208989361000000"},
      {"2000-02-29T00:00:00Z", "951782400000000"},
      {"2024-02-29T12:00:00Z", "1709208000000000"},
      {"+2026-01-02T00:00:00Z", "1767312000000000"},
      {"0001-01-01T00:00:00Z", "-62135596800000000"},
      {"9999-12-31T23:59:59.999999Z", "253402300799999999"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Read(text), expected) << text;
}

TEST(ParseIsoTimeTest, CallsWhatIsNoPaymentsTimeUnusable) {
  for (const std::string text :
       {"infinity", "-infinity", "+infinity", "Infinity", "-Infinity",
        "-0043-03-15T00:00:00.000000Z", "0000-12-31T23:59:59Z", "0044-03-15 BC",
        "0044-03-15 12:00:00 BC", "+294276-12-31T23:59:59.999999Z", "-292275-01-01T00:00:00Z",
        "+10000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59.999999-00:01"}) {
    EXPECT_EQ(Read(text), "unusable") << text;
  }
}

TEST(ParseIsoTimeTest, RefusesWhatIsNoTime) {
  for (const std::string text : {"",
                                 " ",
                                 "now",
                                 "today",
                                 "2026",
                                 "2026-01",
                                 "2026-1-2",
                                 "26-01-02",
                                 "20260102",
                                 "2026-01-02T",
                                 "2026-01-02T03",
                                 "2026-01-02T03:4",
                                 "2026-01-02T24:00:00Z",
                                 "2026-01-02T03:60:00Z",
                                 "2026-01-02T03:04:60Z",
                                 "2026-01-02T03:04:05.Z",
                                 "2026-01-02T03:04:05,5Z",
                                 "2026-13-01",
                                 "2026-00-01",
                                 "2026-01-00",
                                 "2026-02-29",
                                 "2100-02-29",
                                 "2026-04-31",
                                 "2026-01-02T03:04:05+",
                                 "2026-01-02T03:04:05+3",
                                 "2026-01-02T03:04:05+19:00",
                                 "2026-01-02T03:04:05+03:60",
                                 "2026-01-02T03:04:05+03:",
                                 "2026-01-02T03:04:05Z ",
                                 " 2026-01-02",
                                 "2026-01-02T03:04:05ZZ",
                                 "12026-01-02",
                                 "+2026-01-02T03:04:05Z[UTC]",
                                 "2026/01/02",
                                 "1767312245678901",
                                 "-infinit",
                                 "--infinity",
                                 "+9999999999-01-01"}) {
    EXPECT_EQ(Read(text), "invalid") << text;
  }
}

TEST(ParseIsoTimeTest, AgreesWithTheCLibraryOnRandomSeconds) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int64_t> seconds(-62'135'596'800, 253'402'300'799);
  for (int i = 0; i < 5000; ++i) {
    const std::time_t second = seconds(random);
    std::tm civil{};
    ASSERT_NE(gmtime_r(&second, &civil), nullptr);
    char text[64];
    std::snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.000007Z", civil.tm_year + 1900,
                  civil.tm_mon + 1, civil.tm_mday, civil.tm_hour, civil.tm_min, civil.tm_sec);
    ASSERT_EQ(Read(text), std::to_string(second * 1'000'000 + 7)) << text;
  }
}

}  // namespace
}  // namespace caracal::pipeline
