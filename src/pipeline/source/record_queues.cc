#include "pipeline/source/record_queues.h"

#include <algorithm>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

/// How long to wait while records may come to either queue: one wait sees only one.
constexpr int kTwoQueuesWaitMs = 2;

}  // namespace

RecordQueues::RecordQueues(rd_kafka_t* client)
    : client_(client),
      front_{KafkaQueue(rd_kafka_queue_new(client)), FetchWaker(client)},
      behind_{KafkaQueue(rd_kafka_queue_new(client)), FetchWaker(client)} {}

KafkaQueue RecordQueues::Open(const PartitionLease& lease) {
  KafkaQueue partition(
      rd_kafka_queue_get_partition(client_, lease.topic().c_str(), lease.partition()));
  CHECK(partition != nullptr);
  rd_kafka_queue_forward(partition.get(), behind_.queue.get());
  has_behind_ = true;
  nothing_behind_ = false;
  return partition;
}

void RecordQueues::MoveUp(std::span<rd_kafka_queue_t* const> behind) {
  for (rd_kafka_queue_t* partition : behind) {
    rd_kafka_queue_forward(partition, front_.queue.get());
  }
  has_behind_ = false;
  rest_ = rd_kafka_queue_length(behind_.queue.get());
}

size_t RecordQueues::Take(Queue& from, int timeout_ms, std::span<rd_kafka_message_t*> messages) {
  size_t count = 0;
  const auto read = [&](int timeout, size_t wanted) {
    const ssize_t more =
        rd_kafka_consume_batch_queue(from.queue.get(), timeout, messages.data() + count, wanted);
    if (more > 0) count += static_cast<size_t>(more);
  };
  // The batch call waits until the batch is full or the time is over, so it must not be given both
  // a size and a time. To look first and then wait would miss a Wake() that came before.
  if (timeout_ms > 0) read(timeout_ms, 1);
  if (timeout_ms == 0 || count > 0) read(0, messages.size() - count);
  size_t bytes = 0;
  for (const rd_kafka_message_t* message : messages.first(count)) bytes += message->len;
  from.waker.Taken(count, bytes, from.queue.get());
  return count;
}

size_t RecordQueues::Read(int timeout_ms, std::span<rd_kafka_message_t*> messages) {
  size_t count = 0;
  if (rest_ > 0) {
    const size_t wanted = std::min(rest_, messages.size());
    count = Take(behind_, 0, messages.first(wanted));
    rest_ = count < wanted ? 0 : rest_ - wanted;
    if (count > 0) return count;
  }
  if (!has_behind_) {
    count = Take(front_, timeout_ms, messages);
    front_is_full_ = count == messages.size();
    return count;
  }
  const size_t front_room = messages.size() - messages.size() / 4;
  count = Take(front_, 0, messages.first(front_room));
  front_is_full_ = count == front_room;
  const size_t room = messages.size() - count;
  const size_t of_behind = Take(behind_, 0, messages.subspan(count));
  nothing_behind_ = of_behind < room;
  count += of_behind;
  if (count > 0 || timeout_ms == 0) return count;
  return Take(front_, std::min(timeout_ms, kTwoQueuesWaitMs), messages);
}

}  // namespace caracal::pipeline
