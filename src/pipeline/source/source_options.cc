#include "pipeline/source/source_options.h"

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/kafka/fetch_waker.h"

namespace caracal::pipeline {
namespace {

// What the engine owns: nothing in the configuration can override these.
KafkaProperties OwnedProperties(const SourceOptions& options) {
  KafkaProperties owned = {
      {"group.id", options.group_id},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"enable.partition.eof", "false"},
      {"auto.offset.reset", "error"},
      {"isolation.level", "read_committed"},
      {"partition.assignment.strategy", "cooperative-sticky"},
      {"allow.auto.create.topics", "false"},
  };
  if (!options.group_instance_id.empty()) owned["group.instance.id"] = options.group_instance_id;
  return owned;
}

KafkaProperties DefaultProperties(const SourceOptions& options, bool woken) {
  return {
      {"queued.min.messages",
       fmt::to_string(woken ? options.queued_min_messages : options.unwoken_min_messages)},
      {"queued.max.messages.kbytes",
       fmt::to_string(woken ? options.queued_max_kbytes : options.unwoken_max_kbytes)},
      // Of each partition, compressed: few fetches, and what they bring still fits into the cache.
      {"fetch.message.max.bytes", "524288"},
      // A member that died is replaced after this; poll is never blocked, so that may be short.
      {"session.timeout.ms", "10000"},
      // How long the others take to learn that partitions are free.
      {"heartbeat.interval.ms", "300"},
      {"max.poll.interval.ms", "60000"},
      {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},
      // A fetch costs broker and client more than what it brings, at some thousand records a second
      // and more. These come together: either end answers it, whichever is first.
      {"fetch.min.bytes", "32768"},
      {"fetch.wait.max.ms", "5"},
      {"fetch.error.backoff.ms", "100"},
      {"reconnect.backoff.max.ms", "2000"},
      {"topic.metadata.refresh.interval.ms", "10000"},
  };
}

}  // namespace

absl::StatusOr<KafkaConf> MakeConsumerConf(const SourceOptions& options) {
  const auto make = [&options](bool woken) {
    return MakeKafkaConf(options.connection, DefaultProperties(options, woken),
                         OwnedProperties(options));
  };
  ASSIGN_OR_RETURN(KafkaConf conf, make(true));
  if (FetchWaker::WorksWith(conf.get())) return conf;
  return make(false);
}

}  // namespace caracal::pipeline
