#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "pipeline/base/mutex.h"
#include "pipeline/ports/event_source.h"

namespace caracal::pipeline {

/// An EventSource that hands out batches made beforehand, by reference: it does nothing per record.
/// Its partitions are open from the first poll on and stay open.
///
/// Ingest thread, except Wake. When it has nothing left it waits as a Kafka client would: until the
/// time is over or it is woken.
class PreparedSource : public EventSource {
 public:
  PreparedSource(const std::string& topic, uint32_t partitions);

  const std::vector<LeasePtr>& leases() const { return leases_; }
  /// The next polls return these, one each. They must stay valid until all are handed out.
  void Provide(std::span<const std::shared_ptr<RecordBatch>> batches) {
    batches_ = batches;
    next_ = 0;
  }
  bool drained() const { return next_ == batches_.size(); }

  absl::Status Poll(absl::Duration max_wait, bool want_records, PollResult& result) override;
  void Release(std::span<const LeasePtr> /*leases*/) override {}
  absl::Status Pause(const LeasePtr& lease, int64_t from) override;
  absl::Status Resume(const LeasePtr& /*lease*/) override { return absl::OkStatus(); }
  std::string GroupMetadata() override { return "bench"; }
  void Wake() override;
  absl::Status Close(absl::Duration /*timeout*/) override { return absl::OkStatus(); }

 private:
  std::vector<LeasePtr> leases_;
  std::span<const std::shared_ptr<RecordBatch>> batches_;
  size_t next_ = 0;
  bool opened_ = false;
  Mutex mutex_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace caracal::pipeline
