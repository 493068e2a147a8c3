#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

/// Owning handles for librdkafka's C objects: unique_ptr with the right destroy function.
namespace caracal::pipeline {

template <auto Destroy>
struct KafkaDeleter {
  template <typename T>
  void operator()(T* object) const {
    Destroy(object);
  }
};

using KafkaConf = std::unique_ptr<rd_kafka_conf_t, KafkaDeleter<rd_kafka_conf_destroy>>;
using KafkaTopicConf =
    std::unique_ptr<rd_kafka_topic_conf_t, KafkaDeleter<rd_kafka_topic_conf_destroy>>;
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, KafkaDeleter<rd_kafka_topic_destroy>>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaDeleter<rd_kafka_queue_destroy>>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, KafkaDeleter<rd_kafka_message_destroy>>;
using KafkaError = std::unique_ptr<rd_kafka_error_t, KafkaDeleter<rd_kafka_error_destroy>>;
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, KafkaDeleter<rd_kafka_event_destroy>>;
using KafkaPartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                           KafkaDeleter<rd_kafka_topic_partition_list_destroy>>;
using KafkaGroupMetadata = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                                           KafkaDeleter<rd_kafka_consumer_group_metadata_destroy>>;

/// Destroys the client without leaving the group first: closing is a step of its own with a
/// deadline.
inline void DestroyKafkaClient(rd_kafka_t* client) {
  rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}
using KafkaClient = std::unique_ptr<rd_kafka_t, KafkaDeleter<DestroyKafkaClient>>;

}  // namespace caracal::pipeline
