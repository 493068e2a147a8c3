// Long streams of generated messages, some of them damaged: a decoder that remembers layouts and
// one that parses every message must agree on each. CARACAL_DECODE_EVENTS = events per stream.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <tuple>

#include "pipeline/decode/decoder.h"
#include "pipeline/generate/event_generator.h"
#include "pipeline/types/event_batch.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kEvents = 30'000;
constexpr size_t kEventsPerArena = 256;

/// One record, in an allocation of exactly its size, so that AddressSanitizer sees a single byte
/// read too far.
class OneRecord final : public RecordBatch {
 public:
  OneRecord() { records_.resize(1); }

  void Set(std::string_view value, int64_t offset) {
    bytes_ = std::make_unique<char[]>(value.size() + (value.empty() ? 1 : 0));
    std::memcpy(bytes_.get(), value.data(), value.size());
    records_[0].lease = lease_.get();
    records_[0].offset = offset;
    records_[0].timestamp_ms = 1'767'603'600'000;
    records_[0].value = {bytes_.get(), value.size()};
  }
  std::optional<std::string_view> FindHeader(size_t, std::string_view) const override {
    return std::nullopt;
  }

 private:
  const LeasePtr lease_ = std::make_shared<PartitionLease>(1, 0, "bank.public.transactions", 0, 0);
  std::unique_ptr<char[]> bytes_;
};

auto OutcomeOf(const DecodeResult& result) {
  return std::tuple(result.outcome, result.skip_reason, result.reject_reason, result.location,
                    result.detail);
}

bool IsSameText(std::string_view left, std::string_view right) {
  return left == right && (left.data() == nullptr) == (right.data() == nullptr);
}

bool IsSame(const Event& left, const Event& right) {
  const agents::Transaction& a = left.transaction;
  const agents::Transaction& b = right.transaction;
  const auto numbers = [](const Event& event) {
    const agents::Transaction& t = event.transaction;
    return std::tuple(t.amount, t.event_time_us, t.location.latitude_udeg,
                      t.location.longitude_udeg, t.has_amount, t.has_location, t.time_source,
                      event.key_hash.low, event.key_hash.high, event.row_tag, event.has_row,
                      event.commit_time_ms, event.action, event.offset);
  };
  return numbers(left) == numbers(right) && IsSameText(a.key, b.key) &&
         IsSameText(a.account, b.account) && IsSameText(a.id, b.id) &&
         IsSameText(a.currency, b.currency) &&
         std::equal(a.attributes.begin(), a.attributes.end(), b.attributes.begin(),
                    b.attributes.end(), IsSameText);
}

/// What upstream may do to a message, and what it never should.
class Damage {
 public:
  explicit Damage(uint64_t seed) : random_(seed) {}

  void Apply(std::string& value) {
    if (value.empty() || Below(16) != 0) return;
    const size_t at = Below(value.size());
    switch (Below(9)) {
      case 0:
        value.resize(at);
        break;
      case 1:
        value.erase(at, 1 + Below(4));
        break;
      case 2:
        value[at] = static_cast<char>(Below(256));
        break;
      case 3:
        value.insert(at, 1, kTelling[Below(kTelling.size())]);
        break;
      case 4:
        value[at] = kTelling[Below(kTelling.size())];
        break;
      case 5:
        ReplaceDigits(value, at);
        break;
      case 6:
        ReplaceTextAfter(value, at);
        break;
      case 7:
        ReplaceScalarAfter(value, at);
        break;
      default:
        value.append(1, kTelling[Below(kTelling.size())]);
        break;
    }
  }

 private:
  static constexpr std::string_view kTelling =
      "{}[]:,\"\\/0123456789-+.eE aAuZ\t\x01\x1f\x7f\x80\xC3!#";

  size_t Below(size_t bound) { return static_cast<size_t>(random_() % bound); }

  void ReplaceDigits(std::string& value, size_t from) {
    for (size_t i = from; i < value.size() && i < from + 40; ++i) {
      if (value[i] >= '0' && value[i] <= '9') value[i] = static_cast<char>('0' + Below(10));
    }
  }

  /// Gives the next string another content.
  void ReplaceTextAfter(std::string& value, size_t from) {
    const size_t begin = value.find(":\"", from);
    if (begin == std::string::npos) return;
    const size_t end = value.find('"', begin + 2);
    if (end == std::string::npos) return;
    constexpr std::string_view kTexts[] = {
        "",        "VISA",           "a\\\"b", "\\u00e9", "M\xC3\xA9li", "a!b c", "-0.05", "NaN",
        "\\ud83d", "12345678901234", "d",      "\\\\end", "EUR",         "usd",   "00.10"};
    value.replace(begin + 2, end - begin - 2, kTexts[Below(std::size(kTexts))]);
  }

  /// Puts another scalar in the place of the next number.
  void ReplaceScalarAfter(std::string& value, size_t from) {
    const size_t colon = value.find(':', from);
    if (colon == std::string::npos) return;
    const size_t end = value.find_first_of(",}", colon);
    if (end == std::string::npos) return;
    constexpr std::string_view kScalars[] = {
        "null", "true", "0",     "-0", "-1.5e3",    "1E+2", "00",   "1.",
        ".5",   "1e",   "\"7\"", "[]", "{\"a\":1}", "-",    "1.25", "99999999999999999999"};
    value.replace(colon + 1, end - colon - 1, kScalars[Below(std::size(kScalars))]);
  }

  std::mt19937_64 random_;
};

struct Stream {
  MessageShape shape;
  DecimalForm decimals;
};

class DecoderStreamTest : public testing::TestWithParam<Stream> {
 protected:
  static DecodeOptions Options(size_t max_layouts) {
    DecodeOptions options;
    options.topic = "bank.public.transactions";
    options.fields.id = "id";
    options.fields.account = "user_id";
    options.fields.amount = "amount";
    options.fields.time = "created_at";
    options.fields.latitude = "latitude";
    options.fields.longitude = "longitude";
    options.fields.currency = "currency";
    options.fields.attributes = {{"card_type", "card_type"}, {"device", "device"}};
    options.time_unit = TimeUnit::kMicroseconds;
    options.max_layouts = max_layouts;
    if (GetParam().decimals == DecimalForm::kBase64) {
      options.amount_encoding = AmountEncoding::kBase64;
      options.amount_source_scale = 2;
    }
    return options;
  }

  static std::unique_ptr<EventGenerator> Generator(uint64_t seed) {
    GeneratorOptions options;
    options.seed = seed;
    // So small that ids and accounts change their number of digits within the stream.
    options.first_id = 9'000;
    options.cards.accounts = 20'000;
    options.time.event_rate = 200;
    options.noise = {.late = 0.01,
                     .duplicates = 0.01,
                     .updates = 0.05,
                     .deletes = 0.02,
                     .resnapshots = 0.01,
                     .malformed = 0.01,
                     .snapshot_rows = 1'000};
    options.message.shape = GetParam().shape;
    options.message.decimals = GetParam().decimals;
    return EventGenerator::Create(options).value();
  }
};

std::string StreamName(const testing::TestParamInfo<Stream>& info) {
  constexpr std::string_view kShapes[] = {"wrapped", "bare", "flat"};
  constexpr std::string_view kDecimals[] = {"string", "base64", "double"};
  return std::string(kShapes[static_cast<size_t>(info.param.shape)]) + "_" +
         std::string(kDecimals[static_cast<size_t>(info.param.decimals)]);
}

INSTANTIATE_TEST_SUITE_P(Streams, DecoderStreamTest,
                         testing::Values(Stream{MessageShape::kWrapped, DecimalForm::kBase64},
                                         Stream{MessageShape::kBare, DecimalForm::kString},
                                         Stream{MessageShape::kBare, DecimalForm::kBase64},
                                         Stream{MessageShape::kBare, DecimalForm::kDouble},
                                         Stream{MessageShape::kFlat, DecimalForm::kString},
                                         Stream{MessageShape::kFlat, DecimalForm::kDouble}),
                         StreamName);

TEST_P(DecoderStreamTest, LayoutsChangeNothing) {
  const char* const configured = std::getenv("CARACAL_DECODE_EVENTS");
  const int64_t events = configured == nullptr ? kEvents : std::atoll(configured);
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  const std::unique_ptr<EventGenerator> generator = Generator(seed);
  Damage damage(seed);
  Decoder decoder(Options(16));
  Decoder parsing_decoder(Options(0));
  OneRecord batch;
  GeneratedRecord record;
  std::string value;
  auto arena = std::make_unique<Arena>();
  int64_t transactions = 0;
  for (int64_t i = 0; i < events; ++i) {
    ASSERT_TRUE(generator->Next(record));
    if (i % kEventsPerArena == 0) arena = std::make_unique<Arena>();
    value.assign(record.value);
    damage.Apply(value);
    batch.Set(value, i);
    Event event;
    Event parsed_event;
    const DecodeResult result = decoder.Decode(batch, 0, *arena, event);
    const DecodeResult parsed = parsing_decoder.Decode(batch, 0, *arena, parsed_event);
    ASSERT_EQ(OutcomeOf(result), OutcomeOf(parsed)) << testing::PrintToString(value);
    if (result.outcome != DecodeOutcome::kTransaction) continue;
    ASSERT_TRUE(IsSame(event, parsed_event)) << testing::PrintToString(value);
    ++transactions;
  }
  EXPECT_GT(transactions, events / 2);
}

}  // namespace
}  // namespace caracal::pipeline
