#include "tests/support/fake_source.h"

#include <algorithm>

#include <fmt/format.h>

namespace caracal::pipeline {

void FakeRecordBatch::Add(const LeasePtr& lease, int64_t offset, FakeRecord record) {
  owned_.push_back(std::move(record));
  leases_.push_back(lease);
  const FakeRecord& kept = owned_.back();
  RawRecord raw;
  raw.lease = lease.get();
  raw.offset = offset;
  raw.timestamp_ms = kept.timestamp_ms;
  if (!kept.null_key) raw.key = kept.key;
  if (!kept.null_value) raw.value = kept.value;
  records_.push_back(raw);
}

std::optional<std::string_view> FakeRecordBatch::FindHeader(size_t index,
                                                            std::string_view name) const {
  const auto& headers = owned_[index].headers;
  for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
    if (header->first == name) return header->second;
  }
  return std::nullopt;
}

int64_t FakeSource::Append(int32_t partition, FakeRecord record, uint16_t stream) {
  Log& log = logs_[{stream, partition}];
  log.records.push_back(std::move(record));
  return static_cast<int64_t>(log.records.size()) - 1;
}

LeasePtr FakeSource::Assign(int32_t partition, StartPosition position, uint16_t stream) {
  Log& log = logs_[{stream, partition}];
  log.lease = std::make_shared<PartitionLease>(next_lease_++, stream, TopicOf(stream), partition,
                                               TakeSlot());
  log.position = position.replay_from;
  log.paused = false;
  changes_.emplace_back(PartitionOpened{log.lease, position});
  return log.lease;
}

void FakeSource::Revoke(int32_t partition, bool lost, uint16_t stream) {
  Log& log = logs_[{stream, partition}];
  log.lease->Lapse();
  changes_.emplace_back(PartitionRevoked{log.lease, lost});
  log.lease = nullptr;
}

int64_t FakeSource::LogEnd(int32_t partition, uint16_t stream) const {
  const auto log = logs_.find({stream, partition});
  return log == logs_.end() ? 0 : static_cast<int64_t>(log->second.records.size());
}

int64_t FakeSource::OffsetForTime(int32_t partition, int64_t time_ms, uint16_t stream) const {
  const auto log = logs_.find({stream, partition});
  if (log == logs_.end()) return 0;
  const std::vector<FakeRecord>& records = log->second.records;
  const auto found =
      std::find_if(records.begin(), records.end(),
                   [time_ms](const FakeRecord& record) { return record.timestamp_ms >= time_ms; });
  return found - records.begin();
}

bool FakeSource::Drained() const {
  return std::all_of(logs_.begin(), logs_.end(), [](const auto& entry) {
    const Log& log = entry.second;
    return log.lease == nullptr || log.paused ||
           log.position >= static_cast<int64_t>(log.records.size());
  });
}

absl::Status FakeSource::Poll(absl::Duration /*max_wait*/, bool want_records, PollResult& result) {
  result.changes = std::exchange(changes_, {});
  result.records = nullptr;
  if (!want_records) {
    ++serve_only_polls_;
    return absl::OkStatus();
  }
  auto batch = std::make_shared<FakeRecordBatch>();
  size_t left = batch_records_;
  for (auto& [key, log] : logs_) {
    if (log.lease == nullptr || log.paused) continue;
    while (left > 0 && log.position < static_cast<int64_t>(log.records.size())) {
      batch->Add(log.lease, log.position, log.records[static_cast<size_t>(log.position)]);
      ++log.position;
      --left;
    }
  }
  batch->set_full(left == 0);
  if (!batch->records().empty()) result.records = std::move(batch);
  return absl::OkStatus();
}

void FakeSource::Release(std::span<const LeasePtr> leases) {
  for (const LeasePtr& lease : leases) {
    released_.push_back(lease->id());
    slots_[lease->slot()] = false;
  }
}

absl::Status FakeSource::Pause(const LeasePtr& lease, int64_t from) {
  Log& log = logs_[{lease->stream(), lease->partition()}];
  log.paused = true;
  log.position = from;
  ++paused_count_;
  return absl::OkStatus();
}

absl::Status FakeSource::Resume(const LeasePtr& lease) {
  logs_[{lease->stream(), lease->partition()}].paused = false;
  return absl::OkStatus();
}

absl::Status FakeSource::Close(absl::Duration /*timeout*/) {
  closed_ = true;
  return absl::OkStatus();
}

std::string FakeSource::TopicOf(uint16_t stream) const {
  return topics_.empty() ? fmt::format("t{}", stream) : topics_.at(stream);
}

uint32_t FakeSource::TakeSlot() {
  const auto free = std::find(slots_.begin(), slots_.end(), false);
  const auto slot = static_cast<uint32_t>(free - slots_.begin());
  if (free == slots_.end()) {
    slots_.push_back(true);
  } else {
    *free = true;
  }
  return slot;
}

}  // namespace caracal::pipeline
