#include "pipeline/generate/event_generator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agents/api/status_macros.h"
#include "pipeline/generate/murmur2.h"
#include "tests/unit/pipeline_generate/parsed_record.h"
#include "tests/unit/pipeline_generate/test_seed.h"

namespace caracal::pipeline {
namespace {

std::unique_ptr<EventGenerator> Make(const GeneratorOptions& options) {
  absl::StatusOr<std::unique_ptr<EventGenerator>> generator = EventGenerator::Create(options);
  EXPECT_TRUE(generator.ok()) << agents::MessageOf(generator.status());
  return std::move(*generator);
}

GeneratorOptions Noisy() {
  GeneratorOptions options;
  options.partitions = 6;
  options.cards.accounts = 5'000;
  options.noise.late = 0.02;
  options.noise.duplicates = 0.02;
  options.noise.updates = 0.03;
  options.noise.deletes = 0.02;
  options.noise.resnapshots = 0.01;
  options.noise.malformed = 0.02;
  options.noise.snapshot_rows = 100;
  return options;
}

// FNV-1a over key and value of so many records.
uint64_t Digest(const GeneratorOptions& options, int records) {
  const auto generator = Make(options);
  uint64_t hash = 0xCBF29CE484222325;
  GeneratedRecord record;
  for (int i = 0; i < records; ++i) {
    EXPECT_TRUE(generator->Next(record));
    for (const std::string_view text : {record.key, record.value}) {
      for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
      }
    }
  }
  return hash;
}

TEST(EventGeneratorTest, RepeatsItselfForEqualOptions) {
  for (const LoadProfile profile : {LoadProfile::kCards, LoadProfile::kReference}) {
    GeneratorOptions options = Noisy();
    options.profile = profile;
    EXPECT_EQ(Digest(options, 20'000), Digest(options, 20'000));
    GeneratorOptions other = options;
    other.seed = 2;
    EXPECT_NE(Digest(options, 1'000), Digest(other, 1'000));
  }
}

// The same bytes with every compiler and on every host: a change of these numbers changes the load
// of everybody's seeds and belongs into the change log.
TEST(EventGeneratorTest, MakesTheSameBytesEverywhere) {
  GeneratorOptions options = Noisy();
  EXPECT_EQ(Digest(options, 20'000), 16'124'828'613'022'008'205u);
  options.profile = LoadProfile::kReference;
  EXPECT_EQ(Digest(options, 20'000), 8'659'312'216'763'162'154u);
}

struct Shape {
  LoadProfile profile;
  MessageShape shape;
  DecimalForm decimals;
};

class EventGeneratorShapeTest : public testing::TestWithParam<Shape> {};

TEST_P(EventGeneratorShapeTest, RendersWhatTheModelSays) {
  GeneratorOptions options = Noisy();
  options.profile = GetParam().profile;
  options.message.shape = GetParam().shape;
  options.message.decimals = GetParam().decimals;
  const auto generator = Make(options);
  const bool flat = options.message.shape == MessageShape::kFlat;
  const int records = options.message.shape == MessageShape::kWrapped ? 800 : 4'000;
  const std::map<RecordKind, std::string> ops = {{RecordKind::kPayment, "c"},
                                                 {RecordKind::kSnapshot, "r"},
                                                 {RecordKind::kUpdate, "u"},
                                                 {RecordKind::kDelete, "d"},
                                                 {RecordKind::kResnapshot, "r"}};
  std::set<RecordKind> kinds;
  GeneratedRecord record;
  for (int i = 0; i < records; ++i) {
    ASSERT_TRUE(generator->Next(record));
    kinds.insert(record.kind);
    if (record.kind == RecordKind::kMalformed || record.kind == RecordKind::kTombstone) continue;
    const ParsedRecord parsed = ParseRecord(record.value, options.message);
    if (ops.contains(record.kind)) {
      EXPECT_EQ(parsed.op, ops.at(record.kind));
    }
    const Payment* const shown = record.row != nullptr ? record.row : record.before;
    if (flat) {
      ExpectSameRow(*parsed.after, *shown, options.profile);
      EXPECT_EQ(parsed.value.at("__deleted").as_string(), record.row ? "false" : "true");
    } else {
      ASSERT_EQ(parsed.after.has_value(), record.row != nullptr);
      ASSERT_EQ(parsed.before.has_value(), record.before != nullptr);
      if (record.row != nullptr) ExpectSameRow(*parsed.after, *record.row, options.profile);
      if (record.before != nullptr) ExpectSameRow(*parsed.before, *record.before, options.profile);
    }
    const boost::json::value key = boost::json::parse(boost::json::string_view(record.key));
    const auto& key_row = options.message.shape == MessageShape::kWrapped ? key.at("payload") : key;
    EXPECT_EQ(key_row.at("user_id").as_int64(), shown->account);
    EXPECT_EQ(record.partition, JavaPartition(record.key, 6));
  }
  EXPECT_EQ(kinds.size(), 8u) << "every kind of record occurs";
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, EventGeneratorShapeTest,
    testing::Values(Shape{LoadProfile::kCards, MessageShape::kBare, DecimalForm::kString},
                    Shape{LoadProfile::kCards, MessageShape::kBare, DecimalForm::kBase64},
                    Shape{LoadProfile::kCards, MessageShape::kFlat, DecimalForm::kDouble},
                    Shape{LoadProfile::kCards, MessageShape::kWrapped, DecimalForm::kString},
                    Shape{LoadProfile::kReference, MessageShape::kBare, DecimalForm::kDouble},
                    Shape{LoadProfile::kReference, MessageShape::kFlat, DecimalForm::kString},
                    Shape{LoadProfile::kReference, MessageShape::kWrapped, DecimalForm::kBase64}));

TEST(EventGeneratorTest, DrawsTheReferenceDataUniformly) {
  GeneratorOptions options;
  options.seed = TestSeed();
  SCOPED_TRACE(SeedTrace(options.seed));
  options.profile = LoadProfile::kReference;
  const auto generator = Make(options);
  constexpr int kRecords = 180'000;
  std::map<int64_t, int> users;
  std::map<std::string_view, int> cards;
  std::vector<int> merchants(501);
  double sum = 0;
  int64_t lowest = INT64_MAX;
  int64_t highest = 0;
  GeneratedRecord record;
  for (int i = 0; i < kRecords; ++i) {
    ASSERT_TRUE(generator->Next(record));
    const Payment& row = *record.row;
    ++users[row.account];
    ++cards[row.card_type];
    ++merchants.at(row.merchant);
    sum += static_cast<double>(row.amount);
    lowest = std::min(lowest, row.amount);
    highest = std::max(highest, row.amount);
    EXPECT_EQ(row.event_time_us, options.time.start_us + i * 500);
    EXPECT_EQ(row.id, i + 1);
    EXPECT_EQ(row.mark, EpisodeMark());
  }
  EXPECT_EQ(users.size(), 9000u);
  EXPECT_EQ(users.begin()->first, 1000);
  EXPECT_EQ(users.rbegin()->first, 9999);
  for (const auto& [user, count] : users) EXPECT_NEAR(count, 20, 6 * std::sqrt(20)) << user;
  EXPECT_EQ(cards.size(), 3u);
  for (const auto& [card, count] : cards) EXPECT_NEAR(count, kRecords / 3, 1200) << card;
  EXPECT_EQ(merchants[0], 0);
  for (size_t i = 1; i < merchants.size(); ++i) EXPECT_NEAR(merchants[i], 360, 6 * std::sqrt(360));
  EXPECT_NEAR(sum / kRecords, 2502'50, 2000);
  EXPECT_GE(lowest, 5'00);
  EXPECT_LT(lowest, 6'00);
  EXPECT_LE(highest, 5000'00);
  EXPECT_GT(highest, 4999'00);
}

TEST(EventGeneratorTest, MakesTheAskedShareOfNoise) {
  GeneratorOptions options = Noisy();
  options.seed = TestSeed();
  SCOPED_TRACE(SeedTrace(options.seed));
  options.noise.snapshot_rows = 0;
  const auto generator = Make(options);
  constexpr int kRecords = 100'000;
  std::map<RecordKind, int> kinds;
  int late = 0;
  int64_t newest_us = 0;
  GeneratedRecord record;
  for (int i = 0; i < kRecords; ++i) {
    ASSERT_TRUE(generator->Next(record));
    ++kinds[record.kind];
    if (record.kind != RecordKind::kPayment) continue;
    if (record.row->event_time_us < newest_us) ++late;
    newest_us = std::max(newest_us, record.row->event_time_us);
    EXPECT_LE(newest_us - record.row->event_time_us, options.noise.late_max_us);
  }
  const auto expect_share = [&](RecordKind kind, double share) {
    // Shares are of arrivals: tombstones and the later steps of episodes come on top.
    const double expected = kRecords * share / 1.03;
    EXPECT_NEAR(kinds[kind], expected, 6 * std::sqrt(expected));
  };
  expect_share(RecordKind::kDuplicate, 0.02);
  expect_share(RecordKind::kUpdate, 0.03);
  expect_share(RecordKind::kDelete, 0.02);
  expect_share(RecordKind::kResnapshot, 0.01);
  expect_share(RecordKind::kMalformed, 0.02);
  EXPECT_NEAR(kinds[RecordKind::kTombstone], kinds[RecordKind::kDelete], 1);
  // About 90 are still on their way.
  EXPECT_NEAR(late, kinds[RecordKind::kPayment] * 0.02 - 90, 250);
}

TEST(EventGeneratorTest, SendsATombstoneBehindEveryDelete) {
  const auto generator = Make(Noisy());
  GeneratedRecord record;
  int deletes = 0;
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(generator->Next(record));
    ASSERT_NE(record.kind, RecordKind::kTombstone) << "a tombstone stands alone";
    if (record.kind != RecordKind::kDelete) continue;
    ++deletes;
    const std::string key(record.key);
    const int32_t partition = record.partition;
    ASSERT_TRUE(generator->Next(record));
    EXPECT_EQ(record.kind, RecordKind::kTombstone);
    EXPECT_EQ(record.key, key);
    EXPECT_EQ(record.partition, partition);
    EXPECT_EQ(record.value.data(), nullptr);
  }
  EXPECT_GT(deletes, 100);
}

TEST(EventGeneratorTest, ChangesOnlyRowsThatExist) {
  const auto generator = Make(Noisy());
  std::map<int64_t, int64_t> amounts;
  std::map<int64_t, std::string> sources;
  GeneratedRecord record;
  for (int i = 0; i < 15'000; ++i) {
    ASSERT_TRUE(generator->Next(record));
    switch (record.kind) {
      case RecordKind::kPayment:
      case RecordKind::kSnapshot:
        EXPECT_TRUE(amounts.emplace(record.row->id, record.row->amount).second);
        sources[record.row->id] = boost::json::serialize(
            ParseRecord(record.value, generator->options().message).value.at("source"));
        break;
      case RecordKind::kUpdate:
        EXPECT_EQ(amounts.at(record.before->id), record.before->amount);
        EXPECT_EQ(record.row->mark.kind, EpisodeKind::kNone);
        amounts[record.row->id] = record.row->amount;
        break;
      case RecordKind::kDelete:
        EXPECT_EQ(record.before->mark.kind, EpisodeKind::kNone);
        EXPECT_EQ(amounts.erase(record.before->id), 1u);
        break;
      case RecordKind::kDuplicate:
        EXPECT_EQ(amounts.at(record.row->id), record.row->amount);
        EXPECT_EQ(sources.at(record.row->id),
                  boost::json::serialize(
                      ParseRecord(record.value, generator->options().message).value.at("source")))
            << "a re-delivery repeats its source position";
        break;
      case RecordKind::kResnapshot:
        EXPECT_EQ(amounts.at(record.row->id), record.row->amount);
        break;
      case RecordKind::kMalformed:
        EXPECT_FALSE(amounts.contains(record.row->id));
        break;
      case RecordKind::kTombstone:
        break;
    }
  }
}

TEST(EventGeneratorTest, BeginsWithTheInitialSnapshot) {
  GeneratorOptions options;
  options.noise.snapshot_rows = 5;
  options.noise.malformed = 0.5;
  const auto generator = Make(options);
  std::vector<std::string> marks;
  GeneratedRecord record;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(generator->Next(record));
    EXPECT_EQ(record.kind, RecordKind::kSnapshot);
    const ParsedRecord parsed = ParseRecord(record.value, options.message);
    EXPECT_EQ(parsed.op, "r");
    marks.emplace_back(parsed.value.at("source").at("snapshot").as_string());
  }
  EXPECT_EQ(marks, (std::vector<std::string>{"first", "true", "true", "true", "last"}));
  while (record.kind != RecordKind::kPayment) ASSERT_TRUE(generator->Next(record));
  EXPECT_EQ(
      ParseRecord(record.value, options.message).value.at("source").at("snapshot").as_string(),
      "false");
}

TEST(EventGeneratorTest, CountsPositionsAndOffsets) {
  const auto generator = Make(Noisy());
  std::vector<uint64_t> next_offset(6);
  GeneratedRecord record;
  for (uint64_t i = 0; i < 5'000; ++i) {
    ASSERT_TRUE(generator->Next(record));
    EXPECT_EQ(record.position, i);
    EXPECT_EQ(record.offset, next_offset.at(static_cast<size_t>(record.partition))++);
  }
}

TEST(EventGeneratorTest, CommitsInOrder) {
  const auto generator = Make(Noisy());
  const MessageOptions& message = generator->options().message;
  int64_t last_commit_us = 0;
  int64_t last_lsn = 0;
  GeneratedRecord record;
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(generator->Next(record));
    if (record.kind != RecordKind::kPayment && record.kind != RecordKind::kUpdate) continue;
    const auto source = ParseRecord(record.value, message).value.at("source").as_object();
    EXPECT_GE(source.at("ts_us").as_int64(), last_commit_us);
    EXPECT_GT(source.at("lsn").as_int64(), last_lsn);
    EXPECT_GE(source.at("ts_us").as_int64(), record.row->event_time_us);
    last_commit_us = source.at("ts_us").as_int64();
    last_lsn = source.at("lsn").as_int64();
  }
}

TEST(EventGeneratorTest, SendsEverythingToAFixedPartition) {
  GeneratorOptions options;
  options.partitions = 6;
  options.fixed_partition = 4;
  const auto generator = Make(options);
  GeneratedRecord record;
  for (uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(generator->Next(record));
    EXPECT_EQ(record.partition, 4);
    EXPECT_EQ(record.offset, i);
  }
}

TEST(EventGeneratorTest, EndsWhenTheReferenceTableIsOutOfIds) {
  GeneratorOptions options;
  options.profile = LoadProfile::kReference;
  options.first_id = INT32_MAX - 2;
  const auto generator = Make(options);
  GeneratedRecord record;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(generator->Next(record));
  EXPECT_EQ(record.row->id, INT32_MAX);
  EXPECT_FALSE(generator->Next(record));
  EXPECT_FALSE(generator->Next(record));
}

TEST(EventGeneratorTest, TakesTheTimeItIsGiven) {
  GeneratorOptions options;
  options.time.realtime = true;
  const auto generator = Make(options);
  GeneratedRecord record;
  const int64_t start_us = options.time.start_us;
  for (const int64_t now_us : {start_us + 10, start_us + 999'999, start_us + 60'000'000}) {
    generator->SetNow(now_us);
    ASSERT_TRUE(generator->Next(record));
    EXPECT_EQ(record.row->event_time_us, now_us);
  }
}

TEST(EventGeneratorTest, MovesTimeRatherThanLetNormalTrafficBurst) {
  GeneratorOptions options;
  options.cards.accounts = 4'000;
  options.time.realtime = true;
  const auto generator = Make(options);
  generator->SetNow(options.time.start_us);
  GeneratedRecord record;
  std::map<int64_t, int64_t> last_us;
  // Three times what the accounts can pay at once.
  for (int i = 0; i < 12'000; ++i) {
    ASSERT_TRUE(generator->Next(record));
    if (record.row->mark.kind != EpisodeKind::kNone) continue;
    const auto [place, is_new] =
        last_us.try_emplace(record.row->account, record.row->event_time_us);
    if (is_new) continue;
    EXPECT_GE(record.row->event_time_us - place->second, CardsModel::kRestUs);
    place->second = record.row->event_time_us;
  }
}

TEST(GeneratorOptionsTest, RefusesWhatMakesNoSense) {
  const auto message_for = [](auto change) {
    GeneratorOptions options;
    change(options);
    return agents::MessageOf(ValidateGeneratorOptions(options));
  };
  EXPECT_EQ(message_for([](GeneratorOptions&) {}), "");
  EXPECT_NE(message_for([](auto& o) { o.noise.late = 1.5; }).find("--late is 1.5"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.noise.updates = 0.95; }).find("add up to"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.noise.late_max_us = 1; }).find("--late-max"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.time.event_rate = -3; }).find("--event-rate is -3"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.time.start_us = 5; }).find("--start-time"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.cards.accounts = 3999; }).find("between 4000 and"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.cards.merchants = 39; }).find("--merchants"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.cards.zipf_exponent = 5; }).find("--zipf is 5"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.cards.burst_rate = 0.2; }).find("--burst-rate"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.message.currency = "eur"; }).find("--currency"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.message.table = "a\"b"; }).find("a\"b"), std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.first_id = 0; }).find("--first-id"), std::string::npos);
  EXPECT_NE(message_for([](auto& o) { o.partitions = -1; }).find("--partitions"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) {
              o.partitions = 3;
              o.fixed_partition = 3;
            }).find("--partition 3"),
            std::string::npos);
  EXPECT_NE(message_for([](auto& o) {
              o.profile = LoadProfile::kReference;
              o.first_id = int64_t{INT32_MAX} + 1;
            }).find("32-bit"),
            std::string::npos);
}

}  // namespace
}  // namespace caracal::pipeline
