#include "pipeline/decode/json_tape.h"

#include <simdjson.h>

#include "agents/api/check.h"
#include "pipeline/decode/json_scan.h"
#include "pipeline/decode/padded_input.h"

namespace caracal::pipeline {
namespace {

namespace ondemand = simdjson::ondemand;

bool IsJsonSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool AllSpace(const char* p, const char* end) {
  while (p < end && IsJsonSpace(*p)) ++p;
  return p == end;
}

std::string_view TrimJsonSpace(std::string_view text) {
  while (!text.empty() && IsJsonSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsJsonSpace(text.back())) text.remove_suffix(1);
  return text;
}

/// Walks a document with simdjson On-Demand and checks everything that On-Demand leaves unchecked
/// in values nobody asks for. Positions come from simdjson, bytes are read from the original value.
class Walker {
 public:
  Walker(std::string_view json, const char* padded, size_t max_depth, std::vector<TapeNode>& nodes)
      : json_(json), padded_(padded), max_depth_(max_depth), nodes_(nodes) {}

  JsonStatus WalkDocument(ondemand::document& document) {
    nodes_.emplace_back();
    JsonStatus status = JsonStatus::kMalformed;
    if (TrimJsonSpace(json_).front() == '{') {
      ondemand::object object;
      if (document.get_object().get(object) != simdjson::SUCCESS) return JsonStatus::kMalformed;
      status = WalkObject(object, 0, 1);
    } else {
      ondemand::array array;
      if (document.get_array().get(array) != simdjson::SUCCESS) return JsonStatus::kMalformed;
      status = WalkArray(array, 0, 1);
    }
    if (status != JsonStatus::kOk) return status;
    // A location exists only while there is something left: trailing content.
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS ? JsonStatus::kOk
                                                                          : JsonStatus::kMalformed;
  }

 private:
  JsonStatus WalkObject(ondemand::object& object, uint32_t index, size_t depth) {
    if (depth > max_depth_) return JsonStatus::kTooDeep;
    nodes_[index].token.kind = JsonKind::kObject;
    for (auto result : object) {
      ondemand::field field;
      if (std::move(result).get(field) != simdjson::SUCCESS) return JsonStatus::kMalformed;
      if (!ReadKey(field.key().raw(), nodes_.emplace_back())) return JsonStatus::kMalformed;
      const JsonStatus status = WalkValue(field.value(), depth);
      if (status != JsonStatus::kOk) return status;
    }
    nodes_[index].next = static_cast<uint32_t>(nodes_.size());
    return JsonStatus::kOk;
  }

  JsonStatus WalkArray(ondemand::array& array, uint32_t index, size_t depth) {
    if (depth > max_depth_) return JsonStatus::kTooDeep;
    nodes_[index].token.kind = JsonKind::kArray;
    for (auto result : array) {
      ondemand::value value;
      if (std::move(result).get(value) != simdjson::SUCCESS) return JsonStatus::kMalformed;
      nodes_.emplace_back();
      const JsonStatus status = WalkValue(value, depth);
      if (status != JsonStatus::kOk) return status;
    }
    nodes_[index].next = static_cast<uint32_t>(nodes_.size());
    return JsonStatus::kOk;
  }

  /// Fills the last node.
  JsonStatus WalkValue(ondemand::value value, size_t depth) {
    if (nodes_.size() > JsonTape::kMaxValues) return JsonStatus::kTooManyValues;
    const auto index = static_cast<uint32_t>(nodes_.size() - 1);
    ondemand::json_type type;
    if (value.type().get(type) != simdjson::SUCCESS) return JsonStatus::kMalformed;
    if (type == ondemand::json_type::object) {
      ondemand::object object;
      if (value.get_object().get(object) != simdjson::SUCCESS) return JsonStatus::kMalformed;
      return WalkObject(object, index, depth + 1);
    }
    if (type == ondemand::json_type::array) {
      ondemand::array array;
      if (value.get_array().get(array) != simdjson::SUCCESS) return JsonStatus::kMalformed;
      return WalkArray(array, index, depth + 1);
    }
    nodes_[index].next = index + 1;
    if (!ReadScalar(value.raw_json_token(), nodes_[index])) return JsonStatus::kMalformed;
    // Left to itself On-Demand would step over a string as over a key, colon included.
    ondemand::raw_json_string consumed;
    const bool is_string = type == ondemand::json_type::string;
    return is_string && value.get_raw_json_string().get(consumed) != simdjson::SUCCESS
               ? JsonStatus::kMalformed
               : JsonStatus::kOk;
  }

  /// `raw` points behind the key's opening quote, in the padded input.
  bool ReadKey(const char* raw, TapeNode& member) const {
    const char* const end = json_.data() + json_.size();
    return ScanString(json_.data() + (raw - padded_), end, member.key) != nullptr;
  }

  /// `raw` reaches to the next structural byte: nothing but one scalar and space may be in it.
  bool ReadScalar(std::string_view raw, TapeNode& node) const {
    const char* const begin = json_.data() + (raw.data() - padded_);
    const char* const end = begin + raw.size();
    const char* const behind = ScanScalar(begin, end, node.token);
    return behind != nullptr && AllSpace(behind, end);
  }

  const std::string_view json_;
  const char* const padded_;
  const size_t max_depth_;
  std::vector<TapeNode>& nodes_;
};

}  // namespace

struct JsonTape::Parser {
  ondemand::parser parser;
  PaddedInput padding;
};

JsonTape::JsonTape(size_t max_depth) : max_depth_(max_depth), parser_(std::make_unique<Parser>()) {}

JsonTape::~JsonTape() = default;

JsonStatus JsonTape::Parse(std::string_view json, uint32_t slack) {
  nodes_.clear();
  if (nodes_.capacity() > kKeptValues) nodes_.shrink_to_fit();
  const std::string_view trimmed = TrimJsonSpace(json);
  if (trimmed.empty()) return JsonStatus::kMalformed;
  JsonStatus status = JsonStatus::kMalformed;
  if (trimmed.front() == '{' || trimmed.front() == '[') {
    const char* const padded = parser_->padding.Pad(json, slack);
    ondemand::document document;
    const auto error = parser_->parser
                           .iterate(simdjson::padded_string_view(
                               padded, json.size(), json.size() + PaddedInput::kPadding))
                           .get(document);
    // Out of memory is ours to die of, never the message's fault.
    CHECK(error != simdjson::MEMALLOC && error != simdjson::CAPACITY);
    if (error == simdjson::SUCCESS) {
      status = Walker(json, padded, max_depth_, nodes_).WalkDocument(document);
    }
  } else {
    status = ParseRootScalar(trimmed);
  }
  if (status == JsonStatus::kMalformed && !simdjson::validate_utf8(json)) {
    return JsonStatus::kInvalidUtf8;
  }
  return status;
}

JsonStatus JsonTape::ParseRootScalar(std::string_view json) {
  TapeNode root;
  root.next = 1;
  const char* const end = json.data() + json.size();
  if (ScanScalar(json.data(), end, root.token) != end) return JsonStatus::kMalformed;
  nodes_.push_back(root);
  return JsonStatus::kOk;
}

uint32_t JsonTape::Find(uint32_t object, std::string_view name) const {
  if (Kind(object) != JsonKind::kObject) return kNone;
  const uint32_t end = nodes_[object].next;
  for (uint32_t i = object + 1; i < end; i = nodes_[i].next) {
    const JsonToken& key = nodes_[i].key;
    if (key.plain ? key.text == name : IsText(key, name)) return i;
  }
  return kNone;
}

size_t JsonTape::CountChildren(uint32_t container) const {
  size_t count = 0;
  for (uint32_t i = container + 1; i < nodes_[container].next; i = nodes_[i].next) ++count;
  return count;
}

}  // namespace caracal::pipeline
