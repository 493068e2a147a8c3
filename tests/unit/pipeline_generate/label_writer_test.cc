#include "pipeline/generate/label_writer.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agents/api/status_macros.h"
#include "pipeline/generate/event_generator.h"
#include "tests/unit/pipeline_generate/temporary_directory.h"

namespace caracal::pipeline {
namespace {

TEST(LabelWriterTest, NamesWhatWasPlanted) {
  const TemporaryDirectory directory;
  GeneratorOptions options;
  options.partitions = 6;
  options.cards.accounts = 4'000;
  options.cards.burst_rate = 0.002;
  options.cards.big_ticket_rate = 0.002;
  options.cards.travel_rate = 0.002;
  options.time.event_rate = 10;
  options.noise.malformed = 0.01;
  options.noise.duplicates = 0.05;
  auto generator = EventGenerator::Create(options);
  ASSERT_TRUE(generator.ok());
  auto labels = LabelWriter::Open(directory.File("labels"));
  ASSERT_TRUE(labels.ok());

  struct Sent {
    std::string account;
    std::string id;
    int32_t partition;
    uint64_t offset;
    EpisodeMark mark;
  };
  std::map<uint64_t, Sent> planted;
  std::set<uint64_t> malformed;
  GeneratedRecord record;
  for (int i = 0; i < 40'000; ++i) {
    ASSERT_TRUE((*generator)->Next(record));
    ASSERT_TRUE((*labels)->Add(record).ok());
    if (record.kind == RecordKind::kMalformed) malformed.insert(record.position);
    if (record.kind == RecordKind::kPayment && record.row->mark.kind != EpisodeKind::kNone) {
      planted[record.position] = {std::to_string(record.row->account),
                                  std::to_string(record.row->id), record.partition, record.offset,
                                  record.row->mark};
    }
  }
  ASSERT_TRUE((*labels)->Close().ok());

  uint64_t episodes = 0;
  int complete = 0;
  for (const std::string& text : ReadLines(directory.File("labels"))) {
    const auto label = boost::json::parse(text).as_object();
    const auto& positions = label.at("positions").as_array();
    if (label.at("kind").as_string() == "malformed") {
      ASSERT_EQ(positions.size(), 1u);
      EXPECT_EQ(malformed.erase(positions[0].to_number<uint64_t>()), 1u);
      EXPECT_FALSE(label.at("reason").as_string().empty());
      continue;
    }
    ++episodes;
    complete += label.at("complete").as_bool() ? 1 : 0;
    std::set<std::string> crossing;
    for (const auto& id : label.at("crossing").as_array()) crossing.emplace(id.as_string());
    for (size_t i = 0; i < positions.size(); ++i) {
      const auto sent = planted.find(positions[i].to_number<uint64_t>());
      ASSERT_NE(sent, planted.end());
      EXPECT_EQ(label.at("kind").as_string(),
                boost::json::string_view(EpisodeKindName(sent->second.mark.kind)));
      EXPECT_EQ(label.at("episode").as_int64(), sent->second.mark.episode);
      EXPECT_EQ(label.at("account").as_string(), sent->second.account);
      EXPECT_EQ(label.at("partition").as_int64(), sent->second.partition);
      EXPECT_EQ(label.at("offsets").as_array()[i].to_number<uint64_t>(), sent->second.offset);
      EXPECT_EQ(label.at("transactions").as_array()[i].as_string(), sent->second.id);
      EXPECT_EQ(crossing.contains(sent->second.id), sent->second.mark.crossing);
      planted.erase(sent);
    }
    if (label.at("complete").as_bool()) {
      EXPECT_FALSE(crossing.empty());
      EXPECT_LE(label.at("first_time").as_string(), label.at("last_time").as_string());
    }
  }
  EXPECT_TRUE(planted.empty());
  EXPECT_TRUE(malformed.empty());
  EXPECT_EQ(episodes, (*labels)->episodes());
  EXPECT_GT(complete, 100);
  EXPECT_GT((*labels)->malformed(), 300u);
}

TEST(LabelWriterTest, WritesOneLineInTheDocumentedForm) {
  const TemporaryDirectory directory;
  auto labels = LabelWriter::Open(directory.File("labels"));
  ASSERT_TRUE(labels.ok());
  Payment row;
  row.id = 88;
  row.account = 1042;
  row.event_time_us = 1'767'603'607'512'000;
  row.mark = {EpisodeKind::kBigTicket, true, 0, 1, 3};
  GeneratedRecord record;
  record.row = &row;
  record.partition = 4;
  record.position = 512;
  record.offset = 97;
  ASSERT_TRUE((*labels)->Add(record).ok());
  ASSERT_TRUE((*labels)->Close().ok());
  EXPECT_EQ(ReadFile(directory.File("labels")),
            R"({"kind":"big_ticket","episode":3,"account":"1042","complete":true,)"
            R"("transactions":["88"],"crossing":["88"],"positions":[512],"partition":4,)"
            R"("offsets":[97],"first_time":"2026-01-05T09:00:07.512000Z",)"
            R"("last_time":"2026-01-05T09:00:07.512000Z"})"
            "\n");
}

TEST(WritePlacesTest, ListsEveryMerchant) {
  const TemporaryDirectory directory;
  const MerchantDirectory merchants(50, 1);
  ASSERT_TRUE(WritePlaces(merchants, directory.File("places")).ok());
  const std::vector<std::string> lines = ReadLines(directory.File("places"));
  ASSERT_EQ(lines.size(), 51u);
  EXPECT_EQ(lines[0], "merchant,latitude,longitude,country");
  for (uint32_t merchant = 1; merchant <= 50; ++merchant) {
    unsigned number = 0;
    double latitude = 0;
    double longitude = 0;
    char country[3] = {};
    ASSERT_EQ(std::sscanf(lines[merchant].c_str(), "%u,%lf,%lf,%2s", &number, &latitude, &longitude,
                          country),
              4);
    EXPECT_EQ(number, merchant);
    EXPECT_NEAR(latitude * 1e6, merchants.location(merchant).latitude_udeg, 0.5);
    EXPECT_NEAR(longitude * 1e6, merchants.location(merchant).longitude_udeg, 0.5);
    EXPECT_EQ(country, merchants.country(merchant));
  }
}

TEST(WritePlacesTest, ReportsAFileItCannotWrite) {
  const absl::Status status = WritePlaces(MerchantDirectory(40, 1), "/no/such/places.csv");
  EXPECT_NE(agents::MessageOf(status).find("/no/such/places.csv"), std::string::npos);
}

}  // namespace
}  // namespace caracal::pipeline
