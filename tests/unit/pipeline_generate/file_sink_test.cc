#include "pipeline/generate/file_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <csignal>
#include <string>

#include "agents/api/status_macros.h"
#include "pipeline/generate/event_generator.h"
#include "tests/unit/pipeline_generate/temporary_directory.h"

namespace caracal::pipeline {
namespace {

GeneratedRecord Record(std::string_view key, std::string_view value) {
  GeneratedRecord record;
  record.key = key;
  record.value = value;
  record.partition = 3;
  record.offset = 17;
  record.timestamp_ms = 1'767'603'600'123;
  return record;
}

GeneratedRecord Tombstone(std::string_view key) {
  GeneratedRecord record = Record(key, {});
  record.kind = RecordKind::kTombstone;
  return record;
}

class FileSinkTest : public testing::Test {
 protected:
  std::string WriteAll(FileFormat format, const std::vector<GeneratedRecord>& records) {
    const std::string path = directory_.File("out");
    auto sink = FileSink::Open(path, format, "bank.public.transactions");
    EXPECT_TRUE(sink.ok());
    for (const GeneratedRecord& record : records) EXPECT_TRUE((*sink)->Write(record).ok());
    EXPECT_TRUE((*sink)->Close().ok());
    const std::string text = ReadFile(path);
    EXPECT_EQ((*sink)->bytes(), text.size());
    return text;
  }

  TemporaryDirectory directory_;
};

TEST_F(FileSinkTest, WritesOneValuePerLine) {
  EXPECT_EQ(
      WriteAll(FileFormat::kNdjson, {Record("k", R"({"a":1})"), Tombstone("k"), Record("k", "")}),
      "{\"a\":1}\nnull\n\n");
}

TEST_F(FileSinkTest, WritesKcatJson) {
  const std::string text = WriteAll(
      FileFormat::kKcatJson, {Record(R"({"user_id":4})", R"({"a":"b\"c"})"), Tombstone("k")});
  EXPECT_EQ(text.substr(0, text.find('\n')),
            R"({"topic":"bank.public.transactions","partition":3,"offset":17,"tstype":"create",)"
            R"("ts":1767603600123,"key":"{\"user_id\":4}","payload":"{\"a\":\"b\\\"c\"}"})");
  const auto tombstone = boost::json::parse(text.substr(text.find('\n') + 1));
  EXPECT_TRUE(tombstone.at("payload").is_null());
}

TEST_F(FileSinkTest, GivesPayloadsThatAreNoTextInHex) {
  const std::string text = WriteAll(FileFormat::kKcatJson, {Record("k", "a\xC3\x28")});
  const auto line = boost::json::parse(text);
  EXPECT_EQ(line.at("value_hex").as_string(), "61c328");
  EXPECT_FALSE(line.as_object().contains("payload"));
}

TEST_F(FileSinkTest, KeepsRecordsLargerThanItsBuffer) {
  const std::string large(1'000'000, 'x');
  EXPECT_EQ(WriteAll(FileFormat::kNdjson, {Record("k", "a"), Record("k", large)}),
            "a\n" + large + "\n");
}

TEST_F(FileSinkTest, KcatLinesParseBackToTheRecords) {
  GeneratorOptions options;
  options.partitions = 6;
  options.noise.malformed = 0.3;
  options.noise.deletes = 0.2;
  auto generator = EventGenerator::Create(options);
  ASSERT_TRUE(generator.ok());
  const std::string path = directory_.File("kcat");
  auto sink = FileSink::Open(path, FileFormat::kKcatJson, "t");
  ASSERT_TRUE(sink.ok());
  std::vector<std::pair<std::string, std::string>> sent;
  GeneratedRecord record;
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE((*generator)->Next(record));
    sent.emplace_back(record.key, record.value);
    ASSERT_TRUE((*sink)->Write(record).ok());
  }
  ASSERT_TRUE((*sink)->Close().ok());
  const std::vector<std::string> lines = ReadLines(path);
  ASSERT_EQ(lines.size(), sent.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto line = boost::json::parse(lines[i]).as_object();
    EXPECT_EQ(line.at("key").as_string(), sent[i].first);
    if (line.contains("value_hex") || line.at("payload").is_null()) continue;
    EXPECT_EQ(line.at("payload").as_string(), sent[i].second);
  }
}

TEST_F(FileSinkTest, NamesTheFileItCannotOpen) {
  const auto sink = FileSink::Open(directory_.File("no/such"), FileFormat::kNdjson, "t");
  ASSERT_FALSE(sink.ok());
  EXPECT_NE(agents::MessageOf(sink.status()).find("no/such"), std::string::npos);
  EXPECT_NE(agents::MessageOf(sink.status()).find("No such file"), std::string::npos);
}

TEST_F(FileSinkTest, ReportsAFullDisk) {
  const auto sink = FileSink::Open("/dev/full", FileFormat::kNdjson, "t");
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->Write(Record("k", "a")).ok());
  const absl::Status status = (*sink)->Flush();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_NE(agents::MessageOf(status).find("No space left"), std::string::npos);
}

TEST_F(FileSinkTest, TreatsAReaderThatLeftAsTheEnd) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  close(pipe_ends[0]);
  const auto old_handler = std::signal(SIGPIPE, SIG_IGN);
  const auto sink =
      FileSink::Open("/proc/self/fd/" + std::to_string(pipe_ends[1]), FileFormat::kNdjson, "t");
  if (sink.ok()) {
    ASSERT_TRUE((*sink)->Write(Record("k", "a")).ok());
    EXPECT_TRUE(absl::IsCancelled((*sink)->Flush()));
  }
  std::signal(SIGPIPE, old_handler);
  close(pipe_ends[1]);
  ASSERT_TRUE(sink.ok());
}

}  // namespace
}  // namespace caracal::pipeline
