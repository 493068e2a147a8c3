#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pipeline/generate/generated_record.h"
#include "pipeline/types/partition_lease.h"
#include "pipeline/types/record_batch.h"

namespace caracal::pipeline {

/// Renders generated records ahead of a measurement and cuts them into batches as librdkafka
/// hands them out: each of one partition, the partitions taking turns, values lying one behind the
/// other as in a fetch response, nothing readable promised behind a value.
///
/// Owns the bytes; batches are valid until the next Render. One thread.
class PreparedRecords {
 public:
  /// Sets the next record, of one of the partitions; false when there is none.
  using Next = std::function<bool(GeneratedRecord& record)>;

  PreparedRecords(std::vector<LeasePtr> leases, size_t batch_records);

  /// Replaces the batches by the next `records` that `next` has; returns how many it had. Offsets
  /// are counted here, from 0.
  size_t Render(size_t records, const Next& next);
  std::span<const std::shared_ptr<RecordBatch>> batches() const { return batches_; }
  /// Bytes allocated for records and batches, about.
  size_t bytes() const;

 private:
  struct Place {
    uint32_t key_size = 0;
    uint32_t value_size = 0;
    int64_t timestamp_ms = 0;
  };
  struct Partition {
    LeasePtr lease;
    std::string bytes;  // keys and values in order
    std::vector<Place> places;
    int64_t next_offset = 0;
    size_t next_place = 0;
    size_t next_byte = 0;
  };

  /// The next batch of the partition; null when it has no more records.
  std::shared_ptr<RecordBatch> CutBatch(Partition& partition) const;

  const size_t batch_records_;
  std::vector<Partition> partitions_;
  std::vector<std::shared_ptr<RecordBatch>> batches_;
};

}  // namespace caracal::pipeline
