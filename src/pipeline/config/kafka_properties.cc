#include "pipeline/config/kafka_properties.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pipeline/config/suggestion.h"

namespace caracal::pipeline {
namespace {

struct PropertyRule {
  std::string_view name;
  std::string_view text;
};

// What the engine decides, and what to do instead.
constexpr auto kOwned = std::to_array<PropertyRule>({
    {"bootstrap.servers", "set kafka.bootstrap_servers"},
    {"metadata.broker.list", "set kafka.bootstrap_servers"},
    {"group.id", "set kafka.group_id"},
    {"client.id", "set kafka.client_id"},
    {"group.instance.id", "set instance_id"},
    {"transactional.id", "set instance_id: the engine derives it from the group and the instance"},
    {"transaction.timeout.ms",
     "transactions live milliseconds; the engine sets 5 s, more on a slow link"},
    {"enable.idempotence", "the engine's producers are always idempotent"},
    {"enable.gapless.guarantee", "the engine handles fatal producer errors itself"},
    {"acks", "alerts are always acknowledged by all replicas"},
    {"request.required.acks", "alerts are always acknowledged by all replicas"},
    {"partitioner", "alerts follow their source partition"},
    {"enable.auto.commit", "offsets are committed with the alerts they belong to"},
    {"auto.commit.enable", "offsets are committed with the alerts they belong to"},
    {"auto.commit.interval.ms", "set engine.commit_interval"},
    {"enable.auto.offset.store", "offsets are committed with the alerts they belong to"},
    {"offset.store.method", "offsets are kept in the consumer group"},
    {"offset.store.path", "offsets are kept in the consumer group"},
    {"offset.store.sync.interval.ms", "offsets are kept in the consumer group"},
    {"auto.offset.reset", "set start.from of the stream; a lost offset must never reset silently"},
    {"isolation.level", "aborted records must never be judged: it is read_committed"},
    {"partition.assignment.strategy", "partitions move cooperatively"},
    {"group.protocol", "the engine's rebalance handling needs the classic protocol"},
    {"group.protocol.type", "the engine is a consumer"},
    {"group.remote.assignor", "partitions move cooperatively"},
    {"enable.partition.eof", "the engine watches the end of partitions itself"},
    {"allow.auto.create.topics", "`caracal init` creates the topics"},
    {"delivery.report.only.error", "the engine needs every delivery report"},
    {"rebalance_cb", "callbacks belong to the engine"},
    {"opaque", "callbacks belong to the engine"},
    {"default_topic_conf", "callbacks belong to the engine"},
});

// What would run code, leak, or weaken the connection, and why.
constexpr auto kUnsafe = std::to_array<PropertyRule>({
    {"plugin.library.paths", "it loads shared libraries into the process"},
    {"interceptors", "interceptors run code in the process"},
    {"sasl.kerberos.kinit.cmd", "it runs a shell command"},
    {"ssl.engine.location", "it loads an OpenSSL engine into the process"},
    {"ssl.engine.id", "it loads an OpenSSL engine into the process"},
    {"ssl.engine.callback.data", "it configures an OpenSSL engine"},
    {"ssl.providers", "it loads OpenSSL providers into the process"},
    {"enable.sasl.oauthbearer.unsecure.jwt", "it makes up unsigned tokens"},
    {"debug", "it writes protocol details, and with them record contents, to the log"},
});

// Names of the Java client, and librdkafka's way to say it.
constexpr auto kForeign = std::to_array<PropertyRule>({
    {"sasl.jaas.config", "write sasl.username and sasl.password"},
    {"sasl.client.callback.handler.class", "write sasl.username and sasl.password"},
    {"sasl.login.callback.handler.class", "write sasl.oauthbearer.method and its settings"},
    {"sasl.login.class", "write sasl.mechanism"},
    {"ssl.truststore.location", "write ssl.ca.location with a PEM file"},
    {"ssl.truststore.certificates", "write ssl.ca.location with a PEM file"},
    {"ssl.truststore.password", "PEM files with authorities have no password: remove it"},
    {"ssl.truststore.type", "write ssl.ca.location with a PEM file"},
    {"ssl.keystore.type", "write ssl.certificate.location and ssl.key.location with PEM files"},
    {"ssl.keystore.key", "write ssl.key.location with a PEM file"},
    {"ssl.keystore.certificate.chain", "write ssl.certificate.location with a PEM file"},
    {"ssl.protocol", "the TLS version is negotiated: remove it"},
    {"ssl.enabled.protocols", "the TLS version is negotiated: remove it"},
    {"key.deserializer", "keys are read as they are: remove it"},
    {"value.deserializer", "set the stream's format"},
    {"key.serializer", "alerts are JSON: remove it"},
    {"value.serializer", "alerts are JSON: remove it"},
    {"schema.registry.url", "messages are JSON: remove it"},
    {"max.poll.records", "batches are sized by the engine: remove it"},
    {"fetch.max.wait.ms", "write fetch.wait.max.ms"},
    {"buffer.memory", "write queue.buffering.max.kbytes"},
    {"max.block.ms", "the engine never blocks on a full queue: remove it"},
    {"default.api.timeout.ms", "write socket.timeout.ms"},
    {"interceptor.classes", "there are no interceptors: remove it"},
    {"metric.reporters", "metrics are served by the admin listener: remove it"},
});

template <size_t N>
const PropertyRule* Find(const std::array<PropertyRule, N>& rules, std::string_view name) {
  const auto it = std::find_if(rules.begin(), rules.end(),
                               [name](const PropertyRule& rule) { return rule.name == name; });
  return it == rules.end() ? nullptr : &*it;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::optional<PropertyProblem> CheckVerification(const std::string& name, std::string_view value) {
  const std::string lower = Lower(value);
  if (name == "enable.ssl.certificate.verification" && lower != "true" && lower != "t" &&
      lower != "1") {
    return PropertyProblem{DiagnosticCode::kPropertyUnsafe,
                           fmt::format("'{}' may not be switched off", name),
                           "the broker could be anybody; give its authority in ssl.ca.location"};
  }
  if (name == "ssl.endpoint.identification.algorithm" && lower != "https") {
    return PropertyProblem{DiagnosticCode::kPropertyUnsafe,
                           fmt::format("'{}' may not be switched off", name),
                           "any host with a certificate of that authority could be the broker"};
  }
  return std::nullopt;
}

std::optional<PropertyProblem> AskClient(const KafkaClientProperties& client,
                                         const std::string& name, const std::string& value) {
  const std::string refusal = client.refusal(name, value);
  if (refusal.empty()) return std::nullopt;
  std::string hint = DidYouMean(name, client.names);
  if (hint.empty()) hint = "CONFIGURATION.md of librdkafka describes every property";
  return PropertyProblem{DiagnosticCode::kPropertyRefused,
                         fmt::format("librdkafka refuses '{}': {}", name, refusal),
                         std::move(hint)};
}

}  // namespace

std::optional<PropertyProblem> CheckKafkaProperty(std::string_view name, std::string_view value,
                                                  const KafkaClientProperties* client) {
  const std::string lower = Lower(name);
  if (const PropertyRule* rule = Find(kOwned, lower)) {
    return PropertyProblem{DiagnosticCode::kPropertyOwned,
                           fmt::format("'{}' is decided by the engine", name),
                           std::string(rule->text)};
  }
  if (lower.size() > 3 && lower.compare(lower.size() - 3, 3, "_cb") == 0) {
    return PropertyProblem{DiagnosticCode::kPropertyOwned,
                           fmt::format("'{}' is decided by the engine", name),
                           "callbacks belong to the engine"};
  }
  if (const PropertyRule* rule = Find(kUnsafe, lower)) {
    return PropertyProblem{DiagnosticCode::kPropertyUnsafe,
                           fmt::format("'{}' is not allowed: {}", name, rule->text), "remove it"};
  }
  if (const PropertyRule* rule = Find(kForeign, lower)) {
    return PropertyProblem{DiagnosticCode::kPropertyForeign,
                           fmt::format("'{}' is a property of the Java client", name),
                           std::string(rule->text)};
  }
  std::optional<PropertyProblem> problem = CheckVerification(lower, value);
  if (problem.has_value() || client == nullptr) return problem;
  return AskClient(*client, std::string(name), std::string(value));
}

}  // namespace caracal::pipeline
