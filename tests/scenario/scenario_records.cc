#include "tests/scenario/scenario_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "tests/scenario/change_event.h"

namespace caracal::pipeline {
namespace {

/// 2030-01-01T00:00:00Z: later than any payment of a scenario, so that its event time is believed.
constexpr int64_t kUsualTimeMs = 1'893'456'000'000;
/// A column value that stands for the record's index.
constexpr std::string_view kRecordIndex = "$record";
constexpr int64_t kMaxRepeat = 10'000;

/// Reads the records of one scenario.
class RecordReader {
 public:
  RecordReader(const ScenarioDocument& document, const ScenarioConfig& config, Problems& problems)
      : config_(config), problems_(problems) {
    defaults_ = ReadColumns(document.Get("defaults"), "defaults");
    schema_ = ReadColumns(document.Get("schema"), "schema");
    const YAML::Node shape = document.Get("shape");
    if (shape.IsDefined()) shape_ = ReadShape(shape);
  }

  void Read(const YAML::Node& node, std::vector<ScenarioRecord>& records) {
    MapReader map(node, "a record", problems_);
    ScenarioRecord record = ReadPlace(map);
    const std::optional<int64_t> repeat = map.Integer("repeat");
    if (repeat.has_value() && (*repeat < 1 || *repeat > kMaxRepeat || !record.name.empty())) {
      problems_.Add(node, fmt::format("'repeat' is 1 to {} and goes without 'name'", kMaxRepeat));
      return;
    }
    // What depends on the record's index is read anew for each.
    for (int64_t i = 0; i < repeat.value_or(1); ++i) {
      ScenarioRecord copy = record;
      ReadContent(node, map, records.size(), copy);
      records.push_back(std::move(copy));
    }
    map.Finish();
  }

 private:
  ScenarioRecord ReadPlace(MapReader& map) {
    ScenarioRecord record;
    record.name = map.Text("name").value_or("");
    record.partition = static_cast<int32_t>(map.Integer("partition").value_or(0));
    const YAML::Node topic = map.Take("topic");
    if (topic.IsDefined()) record.stream = StreamOf(topic);
    record.record.timestamp_ms = kUsualTimeMs;
    const YAML::Node timestamp = map.Take("timestamp");
    if (timestamp.IsDefined()) record.record.timestamp_ms = ReadTime(timestamp).value_or(-1);
    for (const auto& [name, value] : ReadColumns(map.Take("headers"), "headers")) {
      record.record.headers.emplace_back(name, value.Scalar());
    }
    return record;
  }

  uint16_t StreamOf(const YAML::Node& topic) {
    const std::vector<StreamOptions>& streams = config_.options.streams;
    const auto found = std::find_if(
        streams.begin(), streams.end(),
        [&topic](const StreamOptions& stream) { return stream.decode.topic == topic.Scalar(); });
    if (found != streams.end()) return static_cast<uint16_t>(found - streams.begin());
    problems_.Add(topic, fmt::format("there is no stream '{}'", topic.Scalar()));
    return 0;
  }

  void ReadContent(const YAML::Node& node, MapReader& map, size_t index, ScenarioRecord& record) {
    const YAML::Node value = map.Take("value");
    const YAML::Node base64 = map.Take("base64");
    const bool tombstone = map.Flag("tombstone");
    const ChangeEvent event = ReadEvent(map, index);
    const bool is_event = map.Take("row").IsDefined() || map.Take("op").IsDefined();
    if (value.IsDefined() + base64.IsDefined() + tombstone + is_event != 1) {
      problems_.Add(node, "a record has one of row, op, value, base64 and tombstone");
    }
    record.record.null_value = tombstone;
    if (value.IsScalar()) {
      record.record.value = value.Scalar();
    } else if (value.IsDefined()) {
      AppendJson(value, record.record.value);
    } else if (base64.IsDefined()) {
      if (!absl::Base64Unescape(base64.Scalar(), &record.record.value)) {
        problems_.Add(base64, "not base64");
      }
    } else if (!tombstone) {
      record.record.value = MessageOf(event);
    }
    ReadKey(map.Take("key"), event.row, record);
  }

  ChangeEvent ReadEvent(MapReader& map, size_t index) {
    ChangeEvent event;
    event.operation = map.Text("op").value_or("c");
    event.snapshot = map.Text("snapshot").value_or(event.operation == "r" ? "true" : "false");
    const YAML::Node shape = map.Take("shape");
    event.shape = shape.IsDefined() ? ReadShape(shape) : shape_;
    event.schema = schema_;
    event.source = ReadColumns(map.Take("source"), "source");
    event.commit_ms = kUsualTimeMs;
    const YAML::Node committed = map.Take("ts_ms");
    if (committed.IsDefined()) event.commit_ms = ReadTime(committed);
    std::set<std::string> without;
    for (const YAML::Node& column : map.List("without")) without.insert(column.Scalar());
    const YAML::Node row = map.Take("row");
    if (row.IsDefined()) event.row = Complete(ReadColumns(row, "row"), without, index);
    const YAML::Node before = map.Take("before");
    if (before.IsDefined()) event.before = Complete(ReadColumns(before, "before"), {}, index);
    return event;
  }

  /// The row that `columns` are of: laid over the defaults, without some.
  Columns Complete(const Columns& columns, const std::set<std::string>& without, size_t index) {
    Columns row = defaults_;
    for (const auto& [name, value] : columns) Set(row, name, value);
    Columns complete;
    for (const auto& [name, value] : row) {
      if (without.contains(name)) continue;
      const bool is_index = value.IsScalar() && value.Scalar() == kRecordIndex;
      complete.emplace_back(name, is_index ? YAML::Load(std::to_string(index)) : value);
    }
    return complete;
  }

  void ReadKey(const YAML::Node& key, const Columns& row, ScenarioRecord& record) {
    const std::string& column = config_.key_columns[record.stream];
    const YAML::Node value = Find(row, column);
    if (key.IsScalar()) {
      record.record.key = key.Scalar();
    } else if (key.IsMap()) {
      AppendJson(key, record.record.key);
    } else if (!key.IsDefined() && value.IsDefined()) {
      YAML::Node object;
      object[column] = value;
      AppendJson(object, record.record.key);
    } else {
      record.record.null_key = true;
    }
  }

  Columns ReadColumns(const YAML::Node& node, const std::string& what) {
    Columns columns;
    if (node.IsDefined() && !node.IsMap()) problems_.Add(node, what + " is not a mapping");
    if (!node.IsMap()) return columns;
    for (const auto& entry : node) {
      const std::string& name = entry.first.Scalar();
      if (Find(columns, name).IsDefined()) {
        problems_.Add(entry.first, fmt::format("{}: '{}' is given twice", what, name));
      }
      columns.emplace_back(name, entry.second);
    }
    return columns;
  }

  MessageShape ReadShape(const YAML::Node& node) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (text == "envelope") return MessageShape::kEnvelope;
    if (text == "wrapped") return MessageShape::kWrapped;
    if (text == "flat") return MessageShape::kFlat;
    problems_.Add(node, "'shape' is envelope, wrapped or flat");
    return MessageShape::kEnvelope;
  }

  /// Milliseconds since 1970, or RFC 3339; nullopt for null.
  std::optional<int64_t> ReadTime(const YAML::Node& node) {
    if (node.IsNull()) return std::nullopt;
    absl::Time time;
    if (absl::ParseTime(absl::RFC3339_full, node.Scalar(), &time, nullptr)) {
      return absl::ToUnixMillis(time);
    }
    return ReadInteger(node, problems_);
  }

  const ScenarioConfig& config_;
  Problems& problems_;
  Columns defaults_;
  Columns schema_;
  MessageShape shape_ = MessageShape::kEnvelope;
};

}  // namespace

std::vector<ScenarioRecord> ReadRecords(const ScenarioDocument& document,
                                        const ScenarioConfig& config, Problems& problems) {
  std::vector<ScenarioRecord> records;
  RecordReader reader(document, config, problems);
  for (const YAML::Node& record : document.Get("records")) reader.Read(record, records);
  if (records.empty()) problems.Add(document.root(), "no 'records'");
  return records;
}

}  // namespace caracal::pipeline
