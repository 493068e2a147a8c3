#include "pipeline/decode/event_time.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pipeline/decode/json_scan.h"

namespace caracal::pipeline {
namespace {

using agents::TimeSource;

constexpr int64_t kCommitMs = 1'772'600'800'000;
constexpr int64_t kRecordMs = 1'772'600'900'000;
constexpr int64_t kMaxAheadUs = 300'000'000;
constexpr RecordClocks kClocks = {kCommitMs, kRecordMs};

EventTime Read(const std::string& json, TimeUnit unit, ColumnSchema schema = {},
               RecordClocks clocks = kClocks) {
  JsonToken token;
  if (!json.empty()) {
    EXPECT_NE(ScanScalar(json.data(), json.data() + json.size(), token), nullptr) << json;
  }
  Arena arena;
  return EventTimeReader(unit, kMaxAheadUs).Read(token, schema, clocks, arena);
}

ColumnSchema Described(ColumnType type, bool zero_default = false) {
  ColumnSchema schema;
  schema.type = type;
  schema.zero_default = zero_default;
  return schema;
}

void ExpectField(const EventTime& time, int64_t micros) {
  EXPECT_EQ(time.status, EventTimeStatus::kOk);
  EXPECT_EQ(time.source, TimeSource::kField);
  EXPECT_EQ(time.micros, micros);
}

void ExpectCommit(const EventTime& time) {
  EXPECT_EQ(time.status, EventTimeStatus::kOk);
  EXPECT_EQ(time.source, TimeSource::kSourceCommit);
  EXPECT_EQ(time.micros, kCommitMs * 1000);
}

TEST(EventTimeReaderTest, ReadsTheConfiguredUnit) {
  ExpectField(Read("20455", TimeUnit::kDays), 1'767'312'000'000'000);
  ExpectField(Read("-1", TimeUnit::kDays), -86'400'000'000);
  ExpectField(Read("1767323045678", TimeUnit::kMilliseconds), 1'767'323'045'678'000);
  ExpectField(Read("1767323045678901", TimeUnit::kMicroseconds), 1'767'323'045'678'901);
  ExpectField(Read("-1", TimeUnit::kMicroseconds), -1);
  ExpectField(Read("1767323045678901234", TimeUnit::kNanoseconds), 1'767'323'045'678'901);
  ExpectField(Read("-1", TimeUnit::kNanoseconds), -1);
  ExpectField(Read("-1000", TimeUnit::kNanoseconds), -1);
  ExpectField(Read("\"2026-01-02T00:04:05.678901Z\"", TimeUnit::kIso), 1'767'312'245'678'901);
}

TEST(EventTimeReaderTest, ReadsIsoTextWhateverTheUnit) {
  for (const TimeUnit unit : {TimeUnit::kAuto, TimeUnit::kMicroseconds, TimeUnit::kIso}) {
    ExpectField(Read("\"2026-01-02Z\"", unit), 1'767'312'000'000'000);
    ExpectField(Read(R"("2026\u002d01-02")", unit), 1'767'312'000'000'000);
  }
}

TEST(EventTimeReaderTest, PrefersTheSchemaToTheConfiguration) {
  const std::string millis = "1767323045678";
  ExpectField(Read(millis, TimeUnit::kMicroseconds, Described(ColumnType::kMilliseconds)),
              1'767'323'045'678'000);
  ExpectField(Read("20455", TimeUnit::kIso, Described(ColumnType::kDays)), 1'767'312'000'000'000);
  ExpectField(Read("1767323045678901", TimeUnit::kDays, Described(ColumnType::kMicroseconds)),
              1'767'323'045'678'901);
  ExpectField(
      Read("1767323045678901234", TimeUnit::kMilliseconds, Described(ColumnType::kNanoseconds)),
      1'767'323'045'678'901);
  ExpectField(Read(millis, TimeUnit::kMilliseconds, Described(ColumnType::kOther)),
              1'767'323'045'678'000);
}

TEST(EventTimeReaderTest, GuessesTheUnitByTheNumberOfDigits) {
  ExpectField(Read("1000", TimeUnit::kAuto), 86'400'000'000'000);
  ExpectField(Read("20455", TimeUnit::kAuto), 1'767'312'000'000'000);
  ExpectField(Read("100000000000", TimeUnit::kAuto), 100'000'000'000'000);
  ExpectField(Read("1767323045678", TimeUnit::kAuto), 1'767'323'045'678'000);
  ExpectField(Read("946684799999999", TimeUnit::kAuto), 946'684'799'999'999);
  ExpectField(Read("1767323045678901", TimeUnit::kAuto), 1'767'323'045'678'901);
  ExpectField(Read("100000000000000000", TimeUnit::kAuto), 100'000'000'000'000);
  ExpectField(Read("1767323045678901234", TimeUnit::kAuto), 1'767'323'045'678'901);
  for (const std::string json :
       {"-1", "0", "1", "999", "100000", "1767323045", "99999999999", "17673230456789",
        "17673230456789012", "-1767323045678901", "-20455"}) {
    SCOPED_TRACE(json);
    ExpectCommit(Read(json, TimeUnit::kAuto));
  }
}

TEST(EventTimeReaderTest, FallsBackWhenTheFieldIsNull) {
  ExpectCommit(Read("null", TimeUnit::kMicroseconds));
  ExpectCommit(Read("\"__debezium_unavailable_value\"", TimeUnit::kMicroseconds));
  ExpectCommit(Read("", TimeUnit::kMicroseconds));
}

TEST(EventTimeReaderTest, TakesZeroForNullOnlyWhereItMayBeADefault) {
  ExpectCommit(Read("0", TimeUnit::kMicroseconds));
  ExpectCommit(Read("\"1970-01-01T00:00:00Z\"", TimeUnit::kIso));
  ExpectCommit(Read("0", TimeUnit::kAuto, Described(ColumnType::kMicroseconds, true)));
  ExpectField(Read("0", TimeUnit::kAuto, Described(ColumnType::kMicroseconds, false)), 0);
  ExpectField(Read("1", TimeUnit::kMicroseconds), 1);
  ExpectField(
      Read("\"1970-01-01T00:00:00Z\"", TimeUnit::kAuto, Described(ColumnType::kIsoTime, false)), 0);
}

TEST(EventTimeReaderTest, FallsBackWhenTheFieldIsInfinite) {
  for (const std::string json : {"9223372036854775807", "-9223372036854775808",
                                 "-9223372036853775810", "9223372036825200000"}) {
    SCOPED_TRACE(json);
    for (const TimeUnit unit :
         {TimeUnit::kMicroseconds, TimeUnit::kMilliseconds, TimeUnit::kDays}) {
      ExpectCommit(Read(json, unit));
    }
  }
  for (const std::string json : {"9223372036854775807", "-9223372036854775808"}) {
    ExpectCommit(Read(json, TimeUnit::kNanoseconds));
    EXPECT_EQ(Read(json, TimeUnit::kNanoseconds, {}, {-1, -1}).status, EventTimeStatus::kMissing);
  }
  ExpectCommit(Read("\"infinity\"", TimeUnit::kIso));
  ExpectCommit(Read("\"-0043-03-15T00:00:00.000000Z\"", TimeUnit::kIso));
}

TEST(EventTimeReaderTest, FallsBackFurtherThanMaxAheadOfTheCommit) {
  const int64_t bound = kCommitMs * 1000 + kMaxAheadUs;
  ExpectField(Read(std::to_string(bound), TimeUnit::kMicroseconds), bound);
  ExpectCommit(Read(std::to_string(bound + 1), TimeUnit::kMicroseconds));
  ExpectCommit(Read("\"9999-12-31\"", TimeUnit::kIso));
}

TEST(EventTimeReaderTest, UsesTheRecordTimestampWhereTheCommitTimeIsUnknown) {
  const EventTime time = Read("null", TimeUnit::kMicroseconds, {}, {-1, kRecordMs});
  EXPECT_EQ(time.status, EventTimeStatus::kOk);
  EXPECT_EQ(time.source, TimeSource::kRecord);
  EXPECT_EQ(time.micros, kRecordMs * 1000);
  const int64_t bound = kRecordMs * 1000 + kMaxAheadUs;
  ExpectField(Read(std::to_string(bound), TimeUnit::kMicroseconds, {}, {-1, kRecordMs}), bound);
  EXPECT_EQ(Read(std::to_string(bound + 1), TimeUnit::kMicroseconds, {}, {-1, kRecordMs}).source,
            TimeSource::kRecord);
}

TEST(EventTimeReaderTest, IsMissingWithoutAnyClock) {
  EXPECT_EQ(Read("null", TimeUnit::kMicroseconds, {}, {-1, -1}).status, EventTimeStatus::kMissing);
  EXPECT_EQ(Read("null", TimeUnit::kMicroseconds, {}, {0, 0}).status, EventTimeStatus::kMissing);
  EXPECT_EQ(Read("null", TimeUnit::kMicroseconds, {}, {-1, INT64_MAX}).status,
            EventTimeStatus::kMissing);
  ExpectField(Read("1767323045678901", TimeUnit::kMicroseconds, {}, {-1, -1}),
              1'767'323'045'678'901);
}

TEST(EventTimeReaderTest, RefusesWhatIsNoTime) {
  const auto status = [](const std::string& json, TimeUnit unit, ColumnSchema schema = {}) {
    return Read(json, unit, schema).status;
  };
  for (const std::string json : {"true", "\"yesterday\"", "\"\"", "\"1767323045678901\"",
                                 "1767323045678.5", "1.767E12", "9223372036854775808"}) {
    EXPECT_EQ(status(json, TimeUnit::kMicroseconds), EventTimeStatus::kInvalid) << json;
  }
  EXPECT_EQ(status("1767323045678", TimeUnit::kIso), EventTimeStatus::kInvalid);
  EXPECT_EQ(status("43200000000", TimeUnit::kMicroseconds, Described(ColumnType::kTimeOfDay)),
            EventTimeStatus::kInvalid);
}

TEST(ReadClockMillisTest, TakesPositiveMillisecondsOnly) {
  const auto millis = [](const std::string& json) {
    JsonToken token;
    EXPECT_NE(ScanScalar(json.data(), json.data() + json.size(), token), nullptr);
    return ReadClockMillis(token);
  };
  EXPECT_EQ(millis("1795241911379"), 1'795'241'911'379);
  EXPECT_EQ(millis("0"), -1);
  EXPECT_EQ(millis("-5"), -1);
  EXPECT_EQ(millis("253402300800000"), -1);
  EXPECT_EQ(millis("1.5"), -1);
  EXPECT_EQ(millis("\"1795241911379\""), -1);
  EXPECT_EQ(millis("null"), -1);
  EXPECT_EQ(ReadClockMillis(JsonToken{}), -1);
}

}  // namespace
}  // namespace caracal::pipeline
