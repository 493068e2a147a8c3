#include "pipeline/config/config_checks.h"

#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "pipeline/config/settings.h"
#include "pipeline/config/text_form.h"

namespace caracal::pipeline {
namespace {

using PropertyMap = ::google::protobuf::Map<std::string, std::string>;

/// Runs the checks of one configuration.
class Checker {
 public:
  Checker(const v1::Config& config, const PathSpans& spans, const KafkaClientProperties* client,
          Diagnostics& diagnostics)
      : config_(config), spans_(spans), client_(client), diagnostics_(diagnostics) {}

  void Run() {
    CheckProperties("kafka.properties", config_.kafka().properties());
    CheckProperties("kafka.consumer.properties", config_.kafka().consumer().properties());
    CheckProperties("kafka.producer.properties", config_.kafka().producer().properties());
    CheckTransport();
    CheckMembership();
    CheckTopics();
    for (int i = 0; i < config_.streams_size(); ++i) {
      CheckStream(config_.streams(i), fmt::format("streams[{}]", i));
    }
    if (!config_.admin().listen().empty() && !IsLoopback(config_.admin().listen())) {
      Report(DiagnosticCode::kAdminExposed, "admin.listen",
             fmt::format("'{}' can be reached from other machines: the listener asks for no "
                         "password",
                         config_.admin().listen()));
    }
  }

 private:
  void Report(DiagnosticCode code, const std::string& path, std::string message,
              std::string hint = "") {
    diagnostics_.Add(code, spans_.Value(path), std::move(message), std::move(hint));
  }

  void CheckProperties(const std::string& path, const PropertyMap& properties) {
    for (const auto& [name, value] : properties) {
      if (std::optional<PropertyProblem> problem = CheckKafkaProperty(name, value, client_)) {
        diagnostics_.Add(problem->code, spans_.Key(fmt::format("{}.{}", path, name)),
                         std::move(problem->message), std::move(problem->hint));
      }
    }
  }

  /// librdkafka speaks plaintext, and ignores these silently, unless security.protocol says so.
  void CheckTransport() {
    const PropertyMap& properties = config_.kafka().properties();
    if (properties.count("security.protocol") > 0) return;
    for (const auto& [name, value] : properties) {
      if (!name.starts_with("sasl.") && !name.starts_with("ssl.")) continue;
      if (CheckKafkaProperty(name, value).has_value()) continue;  // refused anyway
      diagnostics_.Add(DiagnosticCode::kPropertyIneffective, spans_.Key("kafka.properties." + name),
                       fmt::format("'{}' has no effect: without security.protocol the connection "
                                   "is plaintext",
                                   name),
                       "set security.protocol to SASL_SSL or SSL");
    }
  }

  void CheckMembership() {
    if (!config_.kafka().static_membership() || !config_.instance_id().empty()) return;
    diagnostics_.Add(DiagnosticCode::kMissingKey, spans_.Key("kafka.static_membership"),
                     "required key 'instance_id' is missing: kafka.static_membership knows an "
                     "instance by it");
  }

  void UseTopic(const std::string& topic, const std::string& path, const std::string& purpose) {
    if (topic.empty()) return;
    const auto [it, is_new] = topics_.emplace(topic, purpose);
    if (is_new) return;
    Report(DiagnosticCode::kTopicClash, path,
           fmt::format("topic '{}' cannot be {}: it is {} already", topic, purpose, it->second));
  }

  void CheckTopics() {
    for (int i = 0; i < config_.streams_size(); ++i) {
      UseTopic(config_.streams(i).topic(), fmt::format("streams[{}].topic", i), "a source");
    }
    UseTopic(config_.alerts().topic(), "alerts.topic", "the alert topic");
    UseTopic(config_.dead_letters().topic(), "dead_letters.topic", "the dead-letter topic");
    for (int i = 0; i < config_.streams_size(); ++i) {
      const std::string own = fmt::format("streams[{}].state_topic", i);
      UseTopic(config_.streams(i).state_topic(), spans_.Has(own) ? own : "state.topic",
               "a state topic");
    }
  }

  void CheckStream(const v1::Stream& stream, const std::string& path) {
    const v1::Fields& fields = stream.fields();
    if (fields.latitude().empty() != fields.longitude().empty()) {
      Report(DiagnosticCode::kFieldConflict,
             path + (fields.latitude().empty() ? ".fields.longitude" : ".fields.latitude"),
             "latitude and longitude are mapped together or not at all");
    }
    if (stream.has_places() && fields.merchant().empty()) {
      Report(DiagnosticCode::kFieldConflict, path + ".places",
             "a place table needs the merchant's column: map fields.merchant");
    }
    if (!fields.amount().empty() && fields.currency().empty() && stream.currency().empty()) {
      diagnostics_.Add(
          DiagnosticCode::kCurrencyUndeclared, spans_.Key(path + ".fields.amount"),
          fmt::format("the currency of the amounts of '{}' is unknown", stream.topic()),
          "declare currency: EUR, or map fields.currency");
    }
    if (fields.id().empty() && !fields.account().empty()) {
      diagnostics_.Add(
          DiagnosticCode::kNoRowIdentity, spans_.Key(path + ".fields"),
          fmt::format("'{}' maps no id: rows delivered twice are judged twice", stream.topic()),
          "map fields.id");
    }
    CheckAttributes(fields, path + ".fields.attributes");
  }

  void CheckAttributes(const v1::Fields& fields, const std::string& path) {
    for (const auto& [name, column] : fields.attributes()) {
      const std::string entry = fmt::format("{}.{}", path, name);
      const FieldDescriptor* fixed = v1::Fields::descriptor()->FindFieldByName(name);
      if (fixed != nullptr) {
        diagnostics_.Add(DiagnosticCode::kFieldConflict, spans_.Key(entry),
                         fmt::format("'{}' is a field of its own", name),
                         fmt::format("write it as fields.{}", name));
      }
      if (const std::optional<std::string> problem = TextFormProblem(v1::TEXT_FORM_ANY, column)) {
        Report(DiagnosticCode::kMalformedText, entry,
               fmt::format("the column of attribute '{}' {}", name, *problem));
      }
    }
  }

  const v1::Config& config_;
  const PathSpans& spans_;
  const KafkaClientProperties* const client_;
  Diagnostics& diagnostics_;
  /// Topic → what it is used for.
  std::map<std::string, std::string> topics_;
};

}  // namespace

void CheckConfig(const v1::Config& config, const PathSpans& spans,
                 const KafkaClientProperties* client, Diagnostics& diagnostics) {
  Checker(config, spans, client, diagnostics).Run();
}

}  // namespace caracal::pipeline
