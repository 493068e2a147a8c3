#include "pipeline/emit/raw_dead_letter_encoder.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace caracal::pipeline {
namespace {

/// A batch of records that point to literals of the test.
class LiteralBatch final : public RecordBatch {
 public:
  void Add(const RawRecord& record) { records_.push_back(record); }
  void AddHeader(std::string name, std::string value) { headers_[name] = value; }

  std::optional<std::string_view> FindHeader(size_t index, std::string_view name) const override {
    EXPECT_LT(index, records_.size());
    const auto found = headers_.find(name);
    if (found == headers_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::map<std::string, std::string, std::less<>> headers_;
};

class RawDeadLetterEncoderTest : public testing::Test {
 protected:
  RawDeadLetterEncoderTest() {
    record_.lease = lease_.get();
    record_.offset = 0x0102030405060708;
    record_.timestamp_ms = 1'772'622'127'512;
    record_.key = R"({"user_id":1042})";
    record_.value = std::string_view("{\"amount\":\xFF\0", 12);
  }

  OutputRecord Encode(std::string_view detail = "field 'amount' is not UTF-8") {
    batch_.Add(record_);
    return RawDeadLetterEncoder().EncodeDeadLetter(batch_, batch_.records().size() - 1,
                                                   RejectReason::kInvalidUtf8, detail);
  }

  std::string Header(const OutputRecord& letter, std::string_view name) {
    std::optional<std::string> value;
    for (const auto& [header, text] : letter.headers) {
      if (header != name) continue;
      EXPECT_FALSE(value.has_value()) << name << " appears twice";
      value = text;
    }
    EXPECT_TRUE(value.has_value()) << name << " is absent";
    return value.value_or("");
  }

  LeasePtr lease_ = std::make_shared<PartitionLease>(1, 0, "bank.public.transactions", 259, 0);
  RawRecord record_;
  LiteralBatch batch_;
};

TEST_F(RawDeadLetterEncoderTest, LeavesKeyAndValueUntouched) {
  const OutputRecord letter = Encode();
  EXPECT_EQ(letter.kind, OutputKind::kDeadLetter);
  EXPECT_EQ(letter.offset, record_.offset);
  EXPECT_EQ(letter.key, record_.key);
  EXPECT_EQ(letter.value, record_.value);
  EXPECT_FALSE(letter.null_key);
  EXPECT_FALSE(letter.null_value);
}

TEST_F(RawDeadLetterEncoderTest, KeepsNullApartFromEmpty) {
  record_.key = {};
  record_.value = std::string_view("", 0);
  const OutputRecord letter = Encode();
  EXPECT_TRUE(letter.null_key);
  EXPECT_FALSE(letter.null_value);
  EXPECT_EQ(letter.value, "");
}

TEST_F(RawDeadLetterEncoderTest, SpeaksConnectInText) {
  const OutputRecord letter = Encode();
  EXPECT_EQ(Header(letter, "__connect.errors.topic"), "bank.public.transactions");
  EXPECT_EQ(Header(letter, "__connect.errors.partition"), "259");
  EXPECT_EQ(Header(letter, "__connect.errors.offset"), "72623859790382856");
  EXPECT_EQ(Header(letter, "__connect.errors.stage"), "VALUE_CONVERTER");
  EXPECT_EQ(Header(letter, "__connect.errors.class.name"), "caracal.pipeline.decode");
  EXPECT_EQ(Header(letter, "__connect.errors.exception.class.name"),
            "caracal.RejectedRecord.invalid_utf8");
  EXPECT_EQ(Header(letter, "__connect.errors.exception.message"), "field 'amount' is not UTF-8");
}

TEST_F(RawDeadLetterEncoderTest, SpeaksSpringInBigEndianNumbers) {
  const OutputRecord letter = Encode();
  EXPECT_EQ(Header(letter, "kafka_dlt-original-topic"), "bank.public.transactions");
  EXPECT_EQ(Header(letter, "kafka_dlt-original-partition"), std::string("\x00\x00\x01\x03", 4));
  EXPECT_EQ(Header(letter, "kafka_dlt-original-offset"),
            std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8));
  EXPECT_EQ(Header(letter, "kafka_dlt-original-timestamp"),
            std::string("\x00\x00\x01\x9C\xB8\x83\x21\x98", 8));
  EXPECT_EQ(Header(letter, "kafka_dlt-exception-fqcn"), "caracal.RejectedRecord.invalid_utf8");
  EXPECT_EQ(Header(letter, "kafka_dlt-exception-message"), "field 'amount' is not UTF-8");
}

TEST_F(RawDeadLetterEncoderTest, WritesAMissingTimestampAsMinusOne) {
  record_.timestamp_ms = -1;
  EXPECT_EQ(Header(Encode(), "kafka_dlt-original-timestamp"), std::string(8, '\xFF'));
}

TEST_F(RawDeadLetterEncoderTest, NamesReasonAndStage) {
  const OutputRecord letter = Encode();
  EXPECT_EQ(Header(letter, "caracal-reason"), "invalid_utf8");
  EXPECT_EQ(Header(letter, "caracal-stage"), "decode");
  EXPECT_EQ(letter.headers.size(), 15u);
}

TEST_F(RawDeadLetterEncoderTest, PassesTheTraceContextOn) {
  batch_.AddHeader("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  batch_.AddHeader("secret", "not ours to copy");
  const OutputRecord letter = Encode();
  EXPECT_EQ(Header(letter, "traceparent"),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  EXPECT_EQ(letter.headers.size(), 16u);
}

TEST_F(RawDeadLetterEncoderTest, MakesTheDetailOneShortPrintableLine) {
  EXPECT_EQ(Header(Encode("bad\nbyte \xFF\x7F."), "kafka_dlt-exception-message"),
            "bad byte \xEF\xBF\xBD .");
  const std::string longer(2 * RawDeadLetterEncoder::kMaxDetailBytes, 'x');
  EXPECT_EQ(Header(Encode(longer), "kafka_dlt-exception-message"),
            std::string(RawDeadLetterEncoder::kMaxDetailBytes, 'x'));
}

TEST_F(RawDeadLetterEncoderTest, FallsBackToTheReasonWithoutADetail) {
  EXPECT_EQ(Header(Encode(""), "__connect.errors.exception.message"), "invalid_utf8");
}

}  // namespace
}  // namespace caracal::pipeline
