#include "pipeline/source/kafka_record_batch.h"

namespace caracal::pipeline {

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

std::optional<std::string_view> KafkaRecordBatch::FindHeader(size_t index,
                                                             std::string_view name) const {
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
