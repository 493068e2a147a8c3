// Reads an input as ISO 8601 text, and as the JSON token of a time column: never a crash; what is
// read as a time is written down again and must come back the same.
//
// Input: one byte for the unit and the schema, then the text.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "agents/api/check.h"
#include "pipeline/decode/event_time.h"
#include "pipeline/decode/iso_time.h"
#include "pipeline/decode/json_scan.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kCommitMs = 1'800'000'000'000;
constexpr int64_t kMaxAheadUs = 300'000'000;

std::string Write(int64_t micros) {
  int64_t second = micros / 1'000'000;
  int64_t fraction = micros % 1'000'000;
  if (fraction < 0) {
    fraction += 1'000'000;
    --second;
  }
  const std::time_t time = second;
  std::tm civil{};
  CHECK(gmtime_r(&time, &civil) != nullptr);
  char text[64];
  std::snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", civil.tm_year + 1900,
                civil.tm_mon + 1, civil.tm_mday, civil.tm_hour, civil.tm_min, civil.tm_sec,
                static_cast<int>(fraction));
  return text;
}

void CheckIso(std::string_view text) {
  int64_t micros = 0;
  if (ParseIsoTime(text, micros) != IsoStatus::kTime) return;
  CHECK(micros >= kMinTimeMicros && micros <= kMaxTimeMicros);
  int64_t again = 0;
  CHECK(ParseIsoTime(Write(micros), again) == IsoStatus::kTime);
  CHECK(again == micros);
}

void CheckToken(std::string_view text, uint8_t choice) {
  JsonToken token;
  if (ScanScalar(text.data(), text.data() + text.size(), token) == nullptr) return;
  ColumnSchema schema;
  schema.type = static_cast<ColumnType>(choice / 6 % 11);
  schema.zero_default = choice >= 128;
  const EventTimeReader reader(static_cast<TimeUnit>(choice % 6), kMaxAheadUs);
  Arena arena;
  const EventTime time = reader.Read(token, schema, {kCommitMs, -1}, arena);
  CHECK(time.status != EventTimeStatus::kMissing);
  if (time.status != EventTimeStatus::kOk) return;
  CHECK(time.micros >= kMinTimeMicros && time.micros <= kCommitMs * 1000 + kMaxAheadUs);
  CHECK(time.source == agents::TimeSource::kField || time.micros == kCommitMs * 1000);
  // Without any clock only what is usable by itself is left.
  const EventTime alone = reader.Read(token, schema, {-1, -1}, arena);
  if (time.source == agents::TimeSource::kField) CHECK(alone.micros == time.micros);
}

}  // namespace
}  // namespace caracal::pipeline

namespace caracal::pipeline {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // A copy of exactly the text, so that a sanitizer sees every byte read too far.
  const std::unique_ptr<char[]> exact(new char[size]);
  std::memcpy(exact.get(), data, size);
  const std::string_view text(exact.get() + 1, size - 1);
  CheckIso(text);
  CheckToken(text, data[0]);
  return 0;
}

}  // namespace caracal::pipeline
