#include "pipeline/source/join_watch.h"

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

constexpr const char* kName = "caracal-join-watch";
constexpr int16_t kJoinGroupKey = 11;

}  // namespace

void JoinWatch::Install(rd_kafka_conf_t* conf) {
  CHECK(rd_kafka_conf_interceptor_add_on_new(conf, kName, &JoinWatch::OnNew, this) ==
        RD_KAFKA_RESP_ERR_NO_ERROR);
}

rd_kafka_resp_err_t JoinWatch::OnNew(rd_kafka_t* client, const rd_kafka_conf_t* /*conf*/,
                                     void* opaque, char* /*error*/, size_t /*error_size*/) {
  return rd_kafka_interceptor_add_on_request_sent(client, kName, &JoinWatch::OnRequestSent, opaque);
}

rd_kafka_resp_err_t JoinWatch::OnRequestSent(rd_kafka_t* /*client*/, int /*socket*/,
                                             const char* /*broker*/, int32_t /*broker_id*/,
                                             int16_t api_key, int16_t /*api_version*/,
                                             int32_t /*correlation_id*/, size_t /*size*/,
                                             void* opaque) {
  if (api_key == kJoinGroupKey) {
    static_cast<JoinWatch*>(opaque)->joining_.store(true, std::memory_order_release);
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace caracal::pipeline
