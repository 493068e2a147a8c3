#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "pipeline/kafka/handles.h"
#include "pipeline/types/record_batch.h"

namespace caracal::pipeline {

/// Owns librdkafka messages and shows them as RawRecords; destroying it gives them back. The leases
/// of its records are kept alive by whoever decodes it.
class KafkaRecordBatch : public RecordBatch {
 public:
  explicit KafkaRecordBatch(size_t capacity) {
    messages_.reserve(capacity);
    records_.reserve(capacity);
  }
  ~KafkaRecordBatch() override;

  /// Takes `message` over; its lease is open and its offset the next expected or later.
  void Add(rd_kafka_message_t* message, const LeasePtr& lease);
  void set_full(bool full) { full_ = full; }
  bool empty() const { return records_.empty(); }

  std::optional<std::string_view> FindHeader(size_t index, std::string_view name) const override;
  /// Whether the next record follows so near to records()[index], in the buffer that the client
  /// has fetched both with, that this one cannot have a header of that name. False = perhaps it
  /// can.
  bool HasNoRoomFor(size_t index, std::string_view name) const;

 private:
  /// nullptr when the record has none. librdkafka remembers the headers it has parsed, but not that
  /// there are none, and every record is asked for several.
  rd_kafka_headers_t* HeadersOf(size_t index) const;

  mutable size_t parsed_ = SIZE_MAX;  ///< the record whose headers are at hand
  mutable rd_kafka_headers_t* headers_ = nullptr;
  std::vector<rd_kafka_message_t*> messages_;
  std::vector<LeasePtr> leases_;
};

}  // namespace caracal::pipeline
