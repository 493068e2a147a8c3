#include "pipeline/source/kafka_record_batch.h"

#include <bit>
#include <cstdint>

namespace caracal::pipeline {
namespace {

/// At least so many bytes lie between a value and the next key besides the name of a header
/// (Kafka's message format 2): the number of headers, the lengths of its name and its value; then
/// of the next record the length, attributes, two deltas and the length of the key.
constexpr size_t kAroundHeaderName = 3 + 5;

/// Where something starts, as a number: pointers into different buffers have no order.
uint64_t Place(std::string_view text) { return std::bit_cast<uint64_t>(text.data()); }

/// Bytes of a length in a Kafka record: seven bits each, of twice the length.
uint64_t LengthBytes(size_t length) {
  return (static_cast<uint64_t>(std::bit_width(2 * static_cast<uint64_t>(length) | 1)) + 6) / 7;
}

/// Whether key and value lie as they do in a Kafka record: the value's length between them.
bool LiesInBatch(const RawRecord& record) {
  return record.key.data() != nullptr && record.value.data() != nullptr &&
         Place(record.value) ==
             Place(record.key) + record.key.size() + LengthBytes(record.value.size());
}

}  // namespace

KafkaRecordBatch::~KafkaRecordBatch() {
  for (rd_kafka_message_t* message : messages_) rd_kafka_message_destroy(message);
}

void KafkaRecordBatch::Add(rd_kafka_message_t* message, const LeasePtr& lease) {
  if (leases_.empty() || leases_.back() != lease) leases_.push_back(lease);
  RawRecord record;
  record.lease = lease.get();
  record.offset = message->offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const int64_t timestamp = rd_kafka_message_timestamp(message, &type);
  record.timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp;
  if (message->key != nullptr) {
    record.key = {static_cast<const char*>(message->key), message->key_len};
  }
  if (message->payload != nullptr) {
    record.value = {static_cast<const char*>(message->payload), message->len};
  }
  messages_.push_back(message);
  records_.push_back(record);
}

rd_kafka_headers_t* KafkaRecordBatch::HeadersOf(size_t index) const {
  if (index == parsed_) return headers_;
  parsed_ = index;
  if (rd_kafka_message_headers(messages_[index], &headers_) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    headers_ = nullptr;
  }
  return headers_;
}

bool KafkaRecordBatch::HasNoRoomFor(size_t index, std::string_view name) const {
  if (index + 1 >= records_.size()) return false;
  const RawRecord& record = records_[index];
  const RawRecord& next = records_[index + 1];
  if (!LiesInBatch(record) || !LiesInBatch(next)) return false;
  // A record of another buffer that lies before this one wraps around.
  const uint64_t between = Place(next.key) - Place(record.value) - record.value.size();
  return between < kAroundHeaderName + name.size();
}

std::optional<std::string_view> KafkaRecordBatch::FindHeader(size_t index,
                                                             std::string_view name) const {
  // To parse the headers of a record that has none, librdkafka allocates: a tenth of the time that
  // a record takes. A record lies before the next one in the buffer that both were fetched with,
  // its headers between them.
  if (HasNoRoomFor(index, name)) return std::nullopt;
  rd_kafka_headers_t* const headers = HeadersOf(index);
  if (headers == nullptr) return std::nullopt;
  std::optional<std::string_view> found;
  const char* header = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  // Names may occur several times; the last one counts.
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &header, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    if (header == name) found = std::string_view(static_cast<const char*>(value), size);
  }
  return found;
}

}  // namespace caracal::pipeline
