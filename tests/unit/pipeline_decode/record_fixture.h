#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/decode/decoder.h"
#include "pipeline/types/event_batch.h"
#include "pipeline/types/record_batch.h"

namespace caracal::pipeline {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A Kafka record as a test writes it.
struct TestRecord {
  /// nullopt = Kafka null.
  std::optional<std::string> value;
  std::optional<std::string> key;
  Headers headers;
  int64_t offset = 0;
  int64_t timestamp_ms = 1'800'000'000'000;
};

/// A RecordBatch that owns its bytes: every value in its own allocation of exactly its size, so
/// that AddressSanitizer sees a single byte read too far.
class TestBatch final : public RecordBatch {
 public:
  explicit TestBatch(std::string topic = "bank.public.transactions")
      : lease_(std::make_shared<PartitionLease>(7, 0, std::move(topic), 3, 0)) {}

  size_t Add(const TestRecord& record) {
    RawRecord raw;
    raw.lease = lease_.get();
    raw.offset = record.offset;
    raw.timestamp_ms = record.timestamp_ms;
    if (record.value.has_value()) raw.value = Own(*record.value);
    if (record.key.has_value()) raw.key = Own(*record.key);
    records_.push_back(raw);
    headers_.push_back(record.headers);
    return records_.size() - 1;
  }

  std::optional<std::string_view> FindHeader(size_t index, std::string_view name) const override {
    std::optional<std::string_view> found;
    for (const auto& [header, value] : headers_[index]) {
      if (header == name) found = value;
    }
    return found;
  }

  PartitionLease* lease() const { return lease_.get(); }

 private:
  std::string_view Own(const std::string& text) {
    // One byte at least: a value of no bytes is not a Kafka null.
    auto bytes = std::make_unique<char[]>(text.empty() ? 1 : text.size());
    std::memcpy(bytes.get(), text.data(), text.size());
    const std::string_view view(bytes.get(), text.size());
    bytes_.push_back(std::move(bytes));
    return view;
  }

  LeasePtr lease_;
  std::vector<std::unique_ptr<char[]>> bytes_;
  std::vector<Headers> headers_;
};

/// One decoded record with the owners of everything the event points to.
struct Decoded {
  std::shared_ptr<TestBatch> batch;
  std::shared_ptr<Arena> arena;
  DecodeResult result;
  Event event;

  bool is_transaction() const { return result.outcome == DecodeOutcome::kTransaction; }
  const agents::Transaction& transaction() const { return event.transaction; }
};

inline Decoded DecodeRecord(Decoder& decoder, const TestRecord& record,
                            std::string topic = "bank.public.transactions") {
  Decoded decoded;
  decoded.batch = std::make_shared<TestBatch>(std::move(topic));
  decoded.arena = std::make_shared<Arena>();
  const size_t index = decoded.batch->Add(record);
  decoded.result = decoder.Decode(*decoded.batch, index, *decoded.arena, decoded.event);
  return decoded;
}

inline Decoded DecodeValue(Decoder& decoder, std::string value) {
  TestRecord record;
  record.value = std::move(value);
  return DecodeRecord(decoder, record);
}

/// "transaction", "skip:tombstone", "reject:missing_amount".
inline std::string Summary(const DecodeResult& result) {
  switch (result.outcome) {
    case DecodeOutcome::kTransaction:
      return "transaction";
    case DecodeOutcome::kSkip:
      return "skip:" + std::string(SkipReasonName(result.skip_reason));
    case DecodeOutcome::kReject:
      return "reject:" + std::string(RejectReasonName(result.reject_reason));
  }
  return "?";
}

inline std::string TextOrNull(std::string_view text) {
  return text.data() == nullptr ? "NULL" : "'" + std::string(text) + "'";
}

/// Everything a decoded event says, for comparisons: two decoders agree when these texts do.
inline std::string Describe(const Decoded& decoded) {
  std::string text = Summary(decoded.result) + " " + std::string(decoded.result.detail);
  if (!decoded.is_transaction()) return text;
  const agents::Transaction& t = decoded.transaction();
  text += " location=" + std::to_string(static_cast<int>(decoded.result.location));
  text += " account=" + TextOrNull(t.account) + " key=" + TextOrNull(t.key);
  text += " id=" + TextOrNull(t.id) + " currency=" + TextOrNull(t.currency);
  text += " amount=" + (t.has_amount ? std::to_string(t.amount) : "none");
  text += " time=" + std::to_string(t.event_time_us) + "/" +
          std::to_string(static_cast<int>(t.time_source));
  if (t.has_location) {
    text += " at=" + std::to_string(t.location.latitude_udeg) + "," +
            std::to_string(t.location.longitude_udeg);
  }
  for (const std::string_view attribute : t.attributes) text += " " + TextOrNull(attribute);
  const Event& event = decoded.event;
  text += " hash=" + std::to_string(event.key_hash.low) + ":" + std::to_string(event.key_hash.high);
  text += " row=" + (event.has_row ? std::to_string(event.row_tag) : "none");
  text += " action=" + std::to_string(static_cast<int>(event.action));
  text += " commit=" + std::to_string(event.commit_time_ms) +
          " trace=" + TextOrNull(event.traceparent) + " offset=" + std::to_string(event.offset);
  return text;
}

/// The stream of the reference table: id, user_id, amount, card_type, merchant_id, created_at.
inline DecodeOptions TransactionOptions() {
  DecodeOptions options;
  options.topic = "bank.public.transactions";
  options.fields.id = "id";
  options.fields.account = "user_id";
  options.fields.amount = "amount";
  options.fields.time = "created_at";
  options.fields.attributes = {{"card_type", "card_type"}, {"merchant", "merchant_id"}};
  options.hash_seed = 42;
  return options;
}

}  // namespace caracal::pipeline
