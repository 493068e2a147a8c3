#include "pipeline/decode/record_key.h"

#include <simdjson.h>

#include <string>

namespace caracal::pipeline {
namespace {

namespace ondemand = simdjson::ondemand;

KeyMatch Compare(std::string_view found, std::string_view wanted) {
  return found == wanted ? KeyMatch::kMatch : KeyMatch::kMismatch;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

template <typename Value>
KeyMatch CompareValue(Value&& value, std::string_view wanted) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return KeyMatch::kOpaque;
  if (type == ondemand::json_type::string) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return KeyMatch::kOpaque;
    return Compare(text, wanted);
  }
  if (type == ondemand::json_type::null) return KeyMatch::kMismatch;
  if (type != ondemand::json_type::number) return KeyMatch::kOpaque;
  return Compare(Trimmed(value.raw_json_token()), wanted);
}

KeyMatch CompareObject(ondemand::object object, std::string_view wanted) {
  size_t fields = 0;
  if (object.count_fields().get(fields) != simdjson::SUCCESS) return KeyMatch::kOpaque;
  ondemand::object payload;
  if (object.find_field_unordered("schema").error() == simdjson::SUCCESS &&
      object.find_field_unordered("payload").get_object().get(payload) == simdjson::SUCCESS) {
    return CompareObject(payload, wanted);
  }
  if (fields != 1 || object.reset().error() != simdjson::SUCCESS) return KeyMatch::kOpaque;
  for (auto field : object) {
    ondemand::value value;
    if (field.value().get(value) != simdjson::SUCCESS) return KeyMatch::kOpaque;
    return CompareValue(value, wanted);
  }
  return KeyMatch::kOpaque;
}

}  // namespace

KeyMatch MatchRecordKey(std::string_view record_key, std::string_view stream_key) {
  // A Kafka null key is spread over the partitions by the producer's taste.
  if (record_key.data() == nullptr) return KeyMatch::kMismatch;
  if (record_key == stream_key) return KeyMatch::kMatch;
  const simdjson::padded_string padded(record_key.data(), record_key.size());
  ondemand::parser parser;
  ondemand::document document;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return KeyMatch::kOpaque;
  ondemand::json_type type{};
  if (document.type().get(type) != simdjson::SUCCESS) return KeyMatch::kOpaque;
  if (type != ondemand::json_type::object) return CompareValue(document, stream_key);
  ondemand::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) return KeyMatch::kOpaque;
  return CompareObject(object, stream_key);
}

}  // namespace caracal::pipeline
