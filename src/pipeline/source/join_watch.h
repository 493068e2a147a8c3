#pragma once

#include <atomic>

#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {

/// Knows when the client is joining the group: from the moment its JoinGroup request is on the wire
/// until the assignment that answers it.
///
/// A cooperative member joins again without a callback whenever the group rebalances, and the
/// broker answers nothing on that connection before the join is complete: an offset commit sent
/// meanwhile arrives with a generation that has ended, and librdkafka 2.0.2 then gives the whole
/// assignment up (librdkafka issue 4059), which makes the group rebalance again.
///
/// Threads: the client's own threads note requests, the ingest thread the assignments, any thread
/// asks; one flag, whose order with other memory does not matter. Must outlive the client.
class JoinWatch {
 public:
  /// Watches the client that will be made from `conf`.
  void Install(rd_kafka_conf_t* conf);

  bool joining() const { return joining_.load(std::memory_order_acquire); }
  /// The assignment has arrived.
  void Settle() { joining_.store(false, std::memory_order_release); }

 private:
  static rd_kafka_resp_err_t OnNew(rd_kafka_t* client, const rd_kafka_conf_t* conf, void* opaque,
                                   char* error, size_t error_size);
  static rd_kafka_resp_err_t OnRequestSent(rd_kafka_t* client, int socket, const char* broker,
                                           int32_t broker_id, int16_t api_key, int16_t api_version,
                                           int32_t correlation_id, size_t size, void* opaque);

  std::atomic<bool> joining_{false};
};

}  // namespace caracal::pipeline
