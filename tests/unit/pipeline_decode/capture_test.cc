// Every captured message of a real Debezium must decode to what was done to its row. The expected
// outcomes are data: captures/expected.tsv, see captures/PROVENANCE.md.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/pipeline_decode/record_fixture.h"

namespace caracal::pipeline {
namespace {

struct Capture {
  std::string topic;
  TestRecord record;
};

struct Expectation {
  std::string file;
  size_t line = 0;
  std::string profile;
  std::vector<std::string> outcome;
};

std::vector<std::string> Split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  std::string part;
  while (std::getline(stream, part, by)) parts.push_back(part);
  return parts;
}

std::vector<std::string> ReadLines(const std::string& name) {
  std::ifstream file(std::string(CARACAL_TEST_DATA) + "/" + name);
  EXPECT_TRUE(file.good()) << name;
  std::vector<std::string> lines;
  std::string line;
  while (std::getline(file, line)) lines.push_back(line);
  return lines;
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::optional<std::string> TextMember(const simdjson::dom::element& line, const char* plain,
                                      const char* hex) {
  std::string_view text;
  if (line[plain].get_string().get(text) == simdjson::SUCCESS) return std::string(text);
  if (line[hex].get_string().get(text) == simdjson::SUCCESS) return FromHex(text);
  return std::nullopt;
}

Capture ParseCapture(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element line = parser.parse(text);
  Capture capture;
  capture.topic = std::string(std::string_view(line["topic"]));
  capture.record.value = TextMember(line, "payload", "value_hex");
  capture.record.key = TextMember(line, "key", "key_hex");
  capture.record.offset = int64_t(line["offset"]);
  capture.record.timestamp_ms = int64_t(line["ts"]);
  simdjson::dom::array headers;
  if (line["headers"].get_array().get(headers) == simdjson::SUCCESS) {
    std::vector<std::string> flat;
    for (const simdjson::dom::element header : headers) {
      flat.emplace_back(std::string_view(header));
    }
    for (size_t i = 0; i + 1 < flat.size(); i += 2) {
      capture.record.headers.emplace_back(flat[i], flat[i + 1]);
    }
  }
  return capture;
}

DecodeOptions KindsOptions(std::string amount, std::string time, int scale) {
  DecodeOptions options;
  options.fields.account = "id";
  options.fields.id = "id";
  options.fields.amount = std::move(amount);
  options.fields.time = std::move(time);
  options.fields.attributes = {{"note", "note"}, {"b", "b"}, {"u", "u"}, {"big", "big"}};
  options.amount_scale = scale;
  return options;
}

DecodeOptions ProfileOptions(const std::string& profile) {
  DecodeOptions options = TransactionOptions();
  if (profile == "kinds-n2-ts" || profile == "kinds-n2-ts-us") {
    options = KindsOptions("n2", "ts", 2);
  }
  if (profile == "kinds-n2-ts-us") options.time_unit = TimeUnit::kMicroseconds;
  if (profile == "kinds-n2-ts3") options = KindsOptions("n2", "ts3", 2);
  if (profile == "kinds-n-tstz") options = KindsOptions("n", "tstz", 4);
  if (profile == "kinds-f8-d") options = KindsOptions("f8", "d", 2);
  if (profile == "kinds-n40-d") options = KindsOptions("n40", "d", 0);
  if (profile.starts_with("base64")) {
    options.amount_encoding = AmountEncoding::kBase64;
    options.amount_source_scale = 2;
  }
  if (profile.ends_with("-all") || profile.starts_with("kinds")) {
    options.operations = {OperationPolicy::kEvaluate, OperationPolicy::kEvaluate,
                          OperationPolicy::kEvaluate, OperationPolicy::kEvaluate};
  }
  return options;
}

std::string Shorten(std::string_view text) {
  if (text.data() == nullptr) return "NULL";
  if (text.size() > 40) return "<" + std::to_string(text.size()) + " bytes>";
  return std::string(text);
}

std::vector<std::string> OutcomeOf(const Decoded& decoded) {
  std::vector<std::string> outcome = {Summary(decoded.result)};
  if (!decoded.is_transaction()) return outcome;
  constexpr const char* kSources[] = {"field", "commit", "record"};
  const agents::Transaction& transaction = decoded.transaction();
  outcome.emplace_back(decoded.event.action == EventAction::kWarm ? "warm" : "evaluate");
  outcome.push_back(Shorten(transaction.account));
  outcome.push_back(Shorten(transaction.id));
  outcome.push_back(std::to_string(transaction.amount));
  outcome.push_back(std::to_string(transaction.event_time_us));
  outcome.emplace_back(kSources[static_cast<int>(transaction.time_source)]);
  outcome.emplace_back(decoded.event.has_row ? "row" : "-");
  outcome.push_back(std::to_string(decoded.event.commit_time_ms));
  for (const std::string_view attribute : transaction.attributes) {
    outcome.push_back(Shorten(attribute));
  }
  return outcome;
}

std::vector<Expectation> ReadExpectations() {
  std::vector<Expectation> expectations;
  for (const std::string& line : ReadLines("expected.tsv")) {
    std::vector<std::string> fields = Split(line, '\t');
    expectations.push_back({fields[0], std::stoul(fields[1]), fields[2],
                            std::vector<std::string>(fields.begin() + 3, fields.end())});
  }
  return expectations;
}

class CaptureTest : public testing::TestWithParam<size_t> {};

/// With remembered layouts and without; the former twice, so that the second pass meets layouts
/// learnt from the same messages.
INSTANTIATE_TEST_SUITE_P(MaxLayouts, CaptureTest, testing::Values(0, 1, 16));

TEST_P(CaptureTest, DecodesEveryMessageToWhatWasDoneToItsRow) {
  const std::vector<Expectation> expectations = ReadExpectations();
  std::map<std::string, std::vector<std::string>> files;
  std::map<std::string, std::unique_ptr<Decoder>> decoders;
  for (int pass = 0; pass < 3; ++pass) {
    for (const Expectation& expected : expectations) {
      SCOPED_TRACE(expected.file + ":" + std::to_string(expected.line) + " " + expected.profile);
      if (files[expected.file].empty()) files[expected.file] = ReadLines(expected.file);
      const Capture capture = ParseCapture(files[expected.file].at(expected.line - 1));
      std::unique_ptr<Decoder>& decoder = decoders[capture.topic + expected.profile];
      if (decoder == nullptr) {
        DecodeOptions options = ProfileOptions(expected.profile);
        options.topic = capture.topic;
        options.max_layouts = GetParam();
        decoder = std::make_unique<Decoder>(options);
      }
      const Decoded decoded = DecodeRecord(*decoder, capture.record, capture.topic);
      EXPECT_EQ(OutcomeOf(decoded), expected.outcome);
      if (decoded.is_transaction()) {
        EXPECT_EQ(decoded.event.lease, decoded.batch->lease());
        EXPECT_EQ(decoded.event.offset, capture.record.offset);
      }
    }
  }
}

TEST(CaptureCoverageTest, EveryCapturedLineIsExpected) {
  std::map<std::string, std::map<size_t, int>> expected;
  for (const Expectation& expectation : ReadExpectations()) {
    ++expected[expectation.file][expectation.line];
  }
  EXPECT_EQ(expected.size(), 9U);
  for (const auto& [file, lines] : expected) {
    EXPECT_EQ(lines.size(), ReadLines(file).size()) << file;
  }
}

TEST(CaptureIdentityTest, OneRowHasOneTagInEveryShape) {
  // Row 5 was captured from the same table with and without schemas, keyed and encoded differently.
  std::vector<uint64_t> tags;
  for (const auto& [file, line] : std::vector<std::pair<std::string, size_t>>{
           {"transactions.default-key-id.decimal-base64.schemas-off.jsonl", 5},
           {"transactions.default-key-id.decimal-base64.schemas-on.jsonl", 2},
           {"transactions.key-userid.decimal-double.schemas-off.jsonl", 1}}) {
    const Capture capture = ParseCapture(ReadLines(file).at(line - 1));
    DecodeOptions options = ProfileOptions("base64");
    options.topic = capture.topic;
    Decoder decoder(options);
    const Decoded decoded = DecodeRecord(decoder, capture.record, capture.topic);
    ASSERT_TRUE(decoded.is_transaction()) << file;
    ASSERT_TRUE(decoded.event.has_row);
    EXPECT_EQ(decoded.transaction().id, "5");
    tags.push_back(decoded.event.row_tag);
  }
  EXPECT_EQ(tags[0], tags[1]);
  EXPECT_EQ(tags[0], tags[2]);
}

}  // namespace
}  // namespace caracal::pipeline
