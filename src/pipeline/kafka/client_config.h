#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {

/// How to reach the cluster; the same for every client of a process.
struct KafkaConnection {
  std::string bootstrap_servers;
  std::string client_id = "caracal";
  /// Raw librdkafka properties of the configuration file; already screened by config/.
  std::map<std::string, std::string> properties;
};

/// Name and value; later entries win.
using KafkaProperties = std::map<std::string, std::string>;

/// A librdkafka configuration: `defaults` first, then the connection's properties, then `owned`,
/// which nothing can override. InvalidArgument with librdkafka's own words when a property is
/// refused.
absl::StatusOr<KafkaConf> MakeKafkaConf(const KafkaConnection& connection,
                                        const KafkaProperties& defaults,
                                        const KafkaProperties& owned);

/// librdkafka's words against a name or a value; empty when it takes them. Sets nothing.
std::string KafkaPropertyRefusal(const std::string& name, const std::string& value);

/// The properties librdkafka has a value for unless configured: most of them.
std::vector<std::string> KafkaPropertyNames();

/// Routes librdkafka's own log lines and client-level errors to LOG.
void RouteKafkaLogs(rd_kafka_conf_t* conf);

/// Logs a client-level error, for clients with an error callback of their own.
void LogKafkaError(rd_kafka_t* client, int error, const char* reason);

/// Creates a client; takes `conf` over. FailedPrecondition with librdkafka's message.
absl::StatusOr<KafkaClient> MakeKafkaClient(rd_kafka_type_t type, KafkaConf conf);

/// A consumer that joins no group: its partitions are assigned by hand, with an offset each, and it
/// commits nothing. `group` is the one that this principal may read anyway, because brokers with
/// ACLs ask for a right on it. `settings` win over ours; an offset that is gone is read from the
/// log start.
absl::StatusOr<KafkaClient> MakeReader(const KafkaConnection& connection, const std::string& group,
                                       const KafkaProperties& settings);

/// An error of librdkafka as a status: "<context>: <librdkafka's words>". Unavailable for what may
/// pass, PermissionDenied for authentication and authorisation, NotFound for missing topics, else
/// Internal.
absl::Status KafkaStatus(rd_kafka_resp_err_t error, std::string_view context);

/// As KafkaStatus, without its words about the rights that consuming and producing need.
absl::Status KafkaAdminStatus(rd_kafka_resp_err_t error, std::string_view context);

/// Adds an offset with its metadata (ASCII) to a list of offsets to commit.
void AddOffset(rd_kafka_topic_partition_list_t* list, const std::string& topic, int32_t partition,
               int64_t offset, std::string_view metadata);

/// Version of librdkafka this process runs with, like 2.0.2.
std::string KafkaClientVersion();

/// True for errors that may go away by themselves: transport, timeouts, coordinator moves,
/// elections.
bool IsTransient(rd_kafka_resp_err_t error);

}  // namespace caracal::pipeline
