#pragma once

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "pipeline/base/mutex.h"
#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {

/// Keeps requests from following a JoinGroup request of the client to the coordinator, and knows
/// when the client is joining: from the moment that request is on the wire, or is certain to
/// follow, until the assignment that answers it.
///
/// A cooperative member joins again without a callback whenever the group rebalances, and the
/// broker answers nothing on that connection before the join is complete: an offset commit sent
/// meanwhile arrives with a generation that has ended, and librdkafka 2.0.2 then gives the whole
/// assignment up (librdkafka issue 4059), which makes the group rebalance again.
///
/// The client learns from the answer to a heartbeat that it has to join, and joins some thread
/// switches later. What was handed to it before that answer came in goes out first; what comes
/// after has to wait until the client has done what it will do about it (TrySend, Clear).
///
/// Threads: the client's own threads note requests and answers, the ingest thread the assignments,
/// any thread asks. Must outlive the client.
class JoinWatch {
 public:
  /// Watches the client that will be made from `conf`.
  void Install(rd_kafka_conf_t* conf);

  bool joining() const;
  /// The assignment has arrived.
  void Settle() { joining_until_us_.store(0, std::memory_order_release); }
  /// The assignment has arrived, and the client will join once more as soon as it has it: what was
  /// given up before it goes to other members by another rebalance. Without a request within
  /// kExpectedWithin, it has settled.
  void ExpectAnother();

  static constexpr absl::Duration kExpectedWithin = absl::Seconds(1);

  enum class Sent : uint8_t { kYes, kJoining, kUnclear };
  /// Calls `send`, which hands a request to the client and does not wait, with no answer to a
  /// heartbeat coming in meanwhile. Not while the client is joining, and not (kUnclear) while it
  /// may be about to: an answer has come in since Clear.
  template <typename Send>
  Sent TrySend(Send send) {
    MutexLock lock(&mutex_);
    if (joining()) return Sent::kJoining;
    if (heartbeats_ != cleared_) return Sent::kUnclear;
    send();
    return Sent::kYes;
  }
  /// Answers to heartbeats that have come in.
  uint64_t heartbeats() const;
  /// Whatever the client has sent because of the first `heartbeats` answers is on the wire.
  void Clear(uint64_t heartbeats);

 private:
  static rd_kafka_resp_err_t OnNew(rd_kafka_t* client, const rd_kafka_conf_t* conf, void* opaque,
                                   char* error, size_t error_size);
  static rd_kafka_resp_err_t OnRequestSent(rd_kafka_t* client, int socket, const char* broker,
                                           int32_t broker_id, int16_t api_key, int16_t api_version,
                                           int32_t correlation_id, size_t size, void* opaque);
  static rd_kafka_resp_err_t OnResponseReceived(rd_kafka_t* client, int socket, const char* broker,
                                                int32_t broker_id, int16_t api_key,
                                                int16_t api_version, int32_t correlation_id,
                                                size_t size, int64_t round_trip_us,
                                                rd_kafka_resp_err_t error, void* opaque);

  static constexpr int64_t kUntilSettled = INT64_MAX;

  /// On the monotonic clock; 0 = not joining.
  std::atomic<int64_t> joining_until_us_{0};
  mutable Mutex mutex_;
  uint64_t heartbeats_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t cleared_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace caracal::pipeline
