#include "bench/prepared_records.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

/// Views into bytes that PreparedRecords owns; generated records have no headers.
class PreparedBatch : public RecordBatch {
 public:
  PreparedBatch(std::vector<RawRecord> records, bool full) {
    records_ = std::move(records);
    full_ = full;
  }
  std::optional<std::string_view> FindHeader(size_t, std::string_view) const override {
    return std::nullopt;
  }
};

}  // namespace

PreparedRecords::PreparedRecords(std::vector<LeasePtr> leases, size_t batch_records)
    : batch_records_(batch_records) {
  for (LeasePtr& lease : leases) partitions_.push_back({std::move(lease), {}, {}, 0, 0, 0});
}

size_t PreparedRecords::Render(size_t records, const Next& next) {
  batches_.clear();
  for (Partition& partition : partitions_) {
    partition.bytes.clear();
    partition.places.clear();
    partition.next_place = partition.next_byte = 0;
  }
  GeneratedRecord record;
  size_t rendered = 0;
  for (; rendered < records && next(record); ++rendered) {
    CHECK(record.value.data() != nullptr);
    Partition& partition = partitions_.at(static_cast<size_t>(record.partition));
    partition.bytes.append(record.key).append(record.value);
    partition.places.push_back({static_cast<uint32_t>(record.key.size()),
                                static_cast<uint32_t>(record.value.size()), record.timestamp_ms});
  }
  for (bool more = true; more;) {
    more = false;
    for (Partition& partition : partitions_) {
      if (auto batch = CutBatch(partition); batch != nullptr) {
        batches_.push_back(std::move(batch));
        more = true;
      }
    }
  }
  return rendered;
}

size_t PreparedRecords::bytes() const {
  size_t bytes = 0;
  for (const Partition& partition : partitions_) {
    bytes += partition.bytes.capacity() + partition.places.capacity() * sizeof(Place) +
             partition.places.size() * sizeof(RawRecord);
  }
  return bytes;
}

std::shared_ptr<RecordBatch> PreparedRecords::CutBatch(Partition& partition) const {
  const size_t left = partition.places.size() - partition.next_place;
  if (left == 0) return nullptr;
  const size_t size = std::min(left, batch_records_);
  std::vector<RawRecord> records;
  records.reserve(size);
  const std::string_view bytes = partition.bytes;
  for (size_t i = 0; i < size; ++i) {
    const Place& place = partition.places[partition.next_place++];
    RawRecord record;
    record.lease = partition.lease.get();
    record.offset = partition.next_offset++;
    record.timestamp_ms = place.timestamp_ms;
    record.key = bytes.substr(partition.next_byte, place.key_size);
    record.value = bytes.substr(partition.next_byte + place.key_size, place.value_size);
    partition.next_byte += place.key_size + place.value_size;
    records.push_back(record);
  }
  return std::make_shared<PreparedBatch>(std::move(records), size == batch_records_);
}

}  // namespace caracal::pipeline
