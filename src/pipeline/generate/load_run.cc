#include "pipeline/generate/load_run.h"

#include <algorithm>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

constexpr uint64_t kChunkRecords = 1024;
constexpr int64_t kFlushIntervalUs = 20'000;
constexpr int64_t kProgressIntervalUs = 100'000;
/// Waits are never shorter, so that a high rate does not wake the thread for every record,
constexpr int64_t kShortestWaitUs = 500;
/// and never longer, so that progress and the time limit are seen to.
constexpr int64_t kLongestWaitUs = 100'000;

}  // namespace

LoadRun::LoadRun(const Parts& parts, const LoadLimits& limits)
    : parts_(parts),
      limits_(limits),
      start_us_(parts.clock.MonotonicMicros()),
      flushed_us_(start_us_),
      reported_us_(start_us_) {
  if (limits.rate > 0) pacer_.emplace(limits.rate, start_us_);
}

absl::Status LoadRun::Run() {
  absl::Status status = SendUntilDone();
  const bool cancelled = absl::IsCancelled(status);
  if (status.ok() || cancelled) {
    const absl::Status closed = parts_.sink.Close();
    // After a cancellation the rest cannot arrive, which is no news.
    status = cancelled || absl::IsCancelled(closed) ? absl::OkStatus() : closed;
  }
  if (parts_.labels != nullptr) status.Update(parts_.labels->Close());
  UpdateProgress(parts_.clock.MonotonicMicros());
  return status;
}

absl::Status LoadRun::SendUntilDone() {
  while (true) {
    const int64_t now_us = parts_.clock.MonotonicMicros();
    if (now_us - reported_us_ >= kProgressIntervalUs) {
      UpdateProgress(now_us);
      reported_us_ = now_us;
      if (parts_.on_progress) parts_.on_progress(progress_);
    }
    if (Done(now_us)) {
      UpdateBehind(now_us);
      return absl::OkStatus();
    }
    const uint64_t allowed = Allowed(now_us);
    if (allowed > 0) {
      RETURN_IF_ERROR(Send(allowed));
    } else {
      RETURN_IF_ERROR(WaitForNext(now_us));
    }
  }
}

bool LoadRun::Done(int64_t now_us) const {
  if (exhausted_ || parts_.stop.load(std::memory_order_relaxed)) return true;
  if (limits_.count && progress_.records >= *limits_.count) return true;
  return limits_.duration_us && now_us - start_us_ >= *limits_.duration_us;
}

uint64_t LoadRun::Allowed(int64_t now_us) const {
  uint64_t allowed = kChunkRecords;
  if (pacer_) allowed = std::min(allowed, pacer_->Due(now_us));
  if (limits_.count) allowed = std::min(allowed, *limits_.count - progress_.records);
  return allowed;
}

absl::Status LoadRun::Send(uint64_t records) {
  if (parts_.generator.options().time.realtime) {
    parts_.generator.SetNow(parts_.clock.WallMillis() * 1000);
  }
  GeneratedRecord record;
  for (uint64_t i = 0; i < records; ++i) {
    if (!parts_.generator.Next(record)) {
      exhausted_ = true;
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(parts_.sink.Write(record));
    if (parts_.labels != nullptr) RETURN_IF_ERROR(parts_.labels->Add(record));
    unflushed_ = true;
    ++progress_.records;
    if (pacer_) pacer_->Sent(1);
  }
  return absl::OkStatus();
}

absl::Status LoadRun::WaitForNext(int64_t now_us) {
  DCHECK(pacer_.has_value());
  if (unflushed_ && now_us - flushed_us_ >= kFlushIntervalUs) {
    RETURN_IF_ERROR(parts_.sink.Flush());
    flushed_us_ = now_us;
    unflushed_ = false;
  }
  int64_t until_us =
      std::clamp(pacer_->NextDueUs(), now_us + kShortestWaitUs, now_us + kLongestWaitUs);
  if (limits_.duration_us) until_us = std::min(until_us, start_us_ + *limits_.duration_us);
  if (unflushed_) until_us = std::min(until_us, flushed_us_ + kFlushIntervalUs);
  parts_.clock.SleepUntil(until_us);
  return absl::OkStatus();
}

void LoadRun::UpdateProgress(int64_t now_us) {
  progress_.bytes = parts_.sink.bytes();
  progress_.elapsed_us = now_us - start_us_;
}

void LoadRun::UpdateBehind(int64_t now_us) {
  if (!pacer_) return;
  progress_.behind = pacer_->Due(now_us);
  if (limits_.count) {
    progress_.behind = std::min(progress_.behind, *limits_.count - progress_.records);
  }
}

}  // namespace caracal::pipeline
