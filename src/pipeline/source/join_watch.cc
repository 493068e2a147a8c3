#include "pipeline/source/join_watch.h"

#include <chrono>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

constexpr const char* kName = "caracal-join-watch";
constexpr int16_t kJoinGroupKey = 11;
constexpr int16_t kHeartbeatKey = 12;

int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void JoinWatch::Install(rd_kafka_conf_t* conf) {
  CHECK(rd_kafka_conf_interceptor_add_on_new(conf, kName, &JoinWatch::OnNew, this) ==
        RD_KAFKA_RESP_ERR_NO_ERROR);
}

bool JoinWatch::joining() const {
  const int64_t until = joining_until_us_.load(std::memory_order_acquire);
  return until != 0 && (until == kUntilSettled || NowMicros() < until);
}

void JoinWatch::ExpectAnother() {
  joining_until_us_.store(NowMicros() + absl::ToInt64Microseconds(kExpectedWithin),
                          std::memory_order_release);
}

uint64_t JoinWatch::heartbeats() const {
  MutexLock lock(&mutex_);
  return heartbeats_;
}

void JoinWatch::Clear(uint64_t heartbeats) {
  MutexLock lock(&mutex_);
  cleared_ = heartbeats;
}

rd_kafka_resp_err_t JoinWatch::OnNew(rd_kafka_t* client, const rd_kafka_conf_t* /*conf*/,
                                     void* opaque, char* /*error*/, size_t /*error_size*/) {
  const rd_kafka_resp_err_t error = rd_kafka_interceptor_add_on_response_received(
      client, kName, &JoinWatch::OnResponseReceived, opaque);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
  return rd_kafka_interceptor_add_on_request_sent(client, kName, &JoinWatch::OnRequestSent, opaque);
}

rd_kafka_resp_err_t JoinWatch::OnRequestSent(rd_kafka_t* /*client*/, int /*socket*/,
                                             const char* /*broker*/, int32_t /*broker_id*/,
                                             int16_t api_key, int16_t /*api_version*/,
                                             int32_t /*correlation_id*/, size_t /*size*/,
                                             void* opaque) {
  if (api_key == kJoinGroupKey) {
    static_cast<JoinWatch*>(opaque)->joining_until_us_.store(kUntilSettled,
                                                             std::memory_order_release);
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t JoinWatch::OnResponseReceived(rd_kafka_t* /*client*/, int /*socket*/,
                                                  const char* /*broker*/, int32_t /*broker_id*/,
                                                  int16_t api_key, int16_t /*api_version*/,
                                                  int32_t /*correlation_id*/, size_t /*size*/,
                                                  int64_t /*round_trip_us*/,
                                                  rd_kafka_resp_err_t /*error*/, void* opaque) {
  if (api_key == kHeartbeatKey) {
    auto* const watch = static_cast<JoinWatch*>(opaque);
    MutexLock lock(&watch->mutex_);
    ++watch->heartbeats_;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace caracal::pipeline
