#include "pipeline/kafka/client_config.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"
#include "pipeline/kafka/broker_wait.h"

namespace caracal::pipeline {
namespace {

/// Some of librdkafka's messages end their line.
std::string OneLine(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return std::string(text);
}

absl::Status SetAll(rd_kafka_conf_t* conf, const KafkaProperties& properties) {
  std::array<char, 512> error = {};
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error.data(), error.size()) !=
        RD_KAFKA_CONF_OK) {
      return absl::InvalidArgumentError(
          fmt::format("kafka property '{}': {}", name, OneLine(error.data())));
    }
  }
  return absl::OkStatus();
}

/// The client tells nobody else while no one polls it, as at the start.
bool IsLoginRefusal(std::string_view text) {
  return text.find("SASL authentication error") != std::string_view::npos ||
         text.find("SSL handshake failed") != std::string_view::npos;
}

void LogLoginRefusal(const rd_kafka_t* client, const std::string& text) {
  LOG(kError, "kafka",
      "a broker refuses the login, trying again: check security.protocol, sasl.* and ssl.* in "
      "kafka.properties",
      {{"client", client == nullptr ? "" : rd_kafka_name(client)}, {"error", text}});
}

void LogLine(const rd_kafka_t* client, int level, const char* facility, const char* line) {
  const char* name = client == nullptr ? "" : rd_kafka_name(client);
  const std::string text = PlainKafkaText(line);
  if (std::string_view(facility) == "FAIL" && IsLoginRefusal(text)) {
    LogLoginRefusal(client, text);
  } else if (std::string_view(facility) == "FAIL") {
    // librdkafka connects again by itself and says so at most every 30 s.
    LOG(kWarning, "kafka", "no connection to a broker, trying again",
        {{"client", name}, {"error", text}});
  } else if (std::string_view(facility) == "TXNERR") {
    // Whoever made the call is told as well, and knows whether it is trouble.
    LOG(kInfo, "kafka", text, {{"client", name}, {"facility", facility}});
  } else if (level <= 3) {
    LOG(kError, "kafka", text, {{"client", name}, {"facility", facility}});
  } else if (level <= 5) {
    LOG(kWarning, "kafka", text, {{"client", name}, {"facility", facility}});
  } else {
    LOG(kInfo, "kafka", text, {{"client", name}, {"facility", facility}});
  }
}

void OnClientError(rd_kafka_t* client, int error, const char* reason, void* /*opaque*/) {
  LogKafkaError(client, error, reason);
}

/// What an administrator has to grant; empty for errors of another kind.
std::string_view MissingAcl(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return "; this principal needs READ on the source and state topics, and WRITE on the alert, "
             "dead-letter and state topics";
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return "; this principal needs READ on the consumer group, kafka.group_id";
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return "; this principal needs WRITE on a topic, or IDEMPOTENT_WRITE on the cluster";
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return "; this principal needs WRITE and DESCRIBE on the transactional ids that start with "
             "the group's name";
    default:
      return "";
  }
}

}  // namespace

void LogKafkaError(rd_kafka_t* client, int error, const char* reason) {
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    LOG(kError, "kafka",
        "no broker can be reached, trying again: check kafka.bootstrap_servers, and that Kafka "
        "runs there",
        {{"client", rd_kafka_name(client)}});
  } else if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
    LogLoginRefusal(client, PlainKafkaText(reason));
  } else if (IsTransient(code)) {
    // The log line of the connection has said it already.
    LOG(kDebug, "kafka", PlainKafkaText(reason), {{"client", rd_kafka_name(client)}});
  } else {
    LOG(kWarning, "kafka", PlainKafkaText(reason),
        {{"client", rd_kafka_name(client)}, {"error", rd_kafka_err2name(code)}});
  }
}

std::string KafkaPropertyRefusal(const std::string& name, const std::string& value) {
  const KafkaConf conf(rd_kafka_conf_new());
  std::array<char, 512> error = {};
  const rd_kafka_conf_res_t result =
      rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), error.data(), error.size());
  return result == RD_KAFKA_CONF_OK ? "" : OneLine(error.data());
}

std::vector<std::string> KafkaPropertyNames() {
  const KafkaConf conf(rd_kafka_conf_new());
  size_t count = 0;
  const char** const entries = rd_kafka_conf_dump(conf.get(), &count);
  std::vector<std::string> names;
  for (size_t i = 0; i + 1 < count; i += 2) names.emplace_back(entries[i]);
  rd_kafka_conf_dump_free(entries, count);
  return names;
}

void RouteKafkaLogs(rd_kafka_conf_t* conf) {
  rd_kafka_conf_set_log_cb(conf, LogLine);
  rd_kafka_conf_set_error_cb(conf, OnClientError);
}

absl::StatusOr<KafkaConf> MakeKafkaConf(const KafkaConnection& connection,
                                        const KafkaProperties& defaults,
                                        const KafkaProperties& owned) {
  KafkaConf conf(rd_kafka_conf_new());
  RETURN_IF_ERROR(SetAll(conf.get(), defaults));
  RETURN_IF_ERROR(SetAll(conf.get(), connection.properties));
  RETURN_IF_ERROR(SetAll(conf.get(), {{"bootstrap.servers", connection.bootstrap_servers},
                                      {"client.id", connection.client_id}}));
  RETURN_IF_ERROR(SetAll(conf.get(), owned));
  RouteKafkaLogs(conf.get());
  return conf;
}

absl::StatusOr<KafkaClient> MakeKafkaClient(rd_kafka_type_t type, KafkaConf conf) {
  std::array<char, 512> error = {};
  rd_kafka_t* client = rd_kafka_new(type, conf.get(), error.data(), error.size());
  if (client == nullptr) {
    return absl::FailedPreconditionError(
        fmt::format("cannot create a Kafka client: {}; check kafka.properties, above all "
                    "security.protocol, sasl.* and ssl.*",
                    OneLine(error.data())));
  }
  static_cast<void>(conf.release());  // rd_kafka_new has taken it over.
  return KafkaClient(client);
}

absl::StatusOr<KafkaClient> MakeReader(const KafkaConnection& connection, const std::string& group,
                                       const KafkaProperties& settings) {
  KafkaProperties owned = {
      {"group.id", group},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"enable.partition.eof", "true"},
      {"auto.offset.reset", "earliest"},
      {"isolation.level", "read_uncommitted"},
      {"allow.auto.create.topics", "false"},
  };
  for (const auto& [name, value] : settings) owned[name] = value;
  ASSIGN_OR_RETURN(KafkaConf conf, MakeKafkaConf(connection, {}, owned));
  ASSIGN_OR_RETURN(KafkaClient client, MakeKafkaClient(RD_KAFKA_CONSUMER, std::move(conf)));
  RETURN_IF_ERROR(KafkaStatus(rd_kafka_poll_set_consumer(client.get()), "preparing a reader"));
  return client;
}

void AddOffset(rd_kafka_topic_partition_list_t* list, const std::string& topic, int32_t partition,
               int64_t offset, std::string_view metadata) {
  rd_kafka_topic_partition_t* entry =
      rd_kafka_topic_partition_list_add(list, topic.c_str(), partition);
  entry->offset = offset;
  // The list frees its metadata with free().
  entry->metadata = std::malloc(metadata.size());
  CHECK(entry->metadata != nullptr || metadata.empty());
  std::memcpy(entry->metadata, metadata.data(), metadata.size());
  entry->metadata_size = metadata.size();
}

std::string KafkaClientVersion() { return rd_kafka_version_str(); }

bool IsTransient(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE:
      return true;
    default:
      return false;
  }
}

absl::Status KafkaStatus(rd_kafka_resp_err_t error, std::string_view context) {
  const absl::Status status = KafkaAdminStatus(error, context);
  const std::string_view acl = MissingAcl(error);
  if (acl.empty()) return status;
  return absl::Status(status.code(), fmt::format("{}{}", agents::MessageOf(status), acl));
}

absl::Status KafkaAdminStatus(rd_kafka_resp_err_t error, std::string_view context) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  const std::string message =
      fmt::format("{}: {} ({})", context, rd_kafka_err2str(error), rd_kafka_err2name(error));
  if (IsTransient(error)) return absl::UnavailableError(message);
  switch (error) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return absl::PermissionDeniedError(message);
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return absl::NotFoundError(message);
    default:
      return absl::InternalError(message);
  }
}

}  // namespace caracal::pipeline
