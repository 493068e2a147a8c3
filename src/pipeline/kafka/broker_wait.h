#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "pipeline/base/mutex.h"

namespace caracal::pipeline {

/// A log line of librdkafka without what only its authors need: the thread in front, "/bootstrap"
/// behind an address, the state and the repetitions at the end. Any thread.
std::string PlainKafkaText(std::string_view line);

/// Keeps the last line a client has logged: why no broker answers is nowhere else. Any thread.
class LastLogLine {
 public:
  void Note(std::string_view line);
  /// As PlainKafkaText; empty when nothing was logged.
  std::string Get() const;

 private:
  mutable Mutex mutex_;
  std::string line_ ABSL_GUARDED_BY(mutex_);
};

/// Waits until any broker of the cluster answers, for at most `limit`. After two seconds calls
/// `still_trying` once, so that somebody who watches knows why nothing happens; it may be empty.
/// Unavailable when none answered. Blocks; creates no topics.
absl::Status AwaitBroker(rd_kafka_t* client, absl::Duration limit,
                         const std::function<void()>& still_trying);

}  // namespace caracal::pipeline
