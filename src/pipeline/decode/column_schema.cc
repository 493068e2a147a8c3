#include "pipeline/decode/column_schema.h"

#include <array>
#include <charconv>

#include "pipeline/decode/iso_time.h"

namespace caracal::pipeline {
namespace {

struct SemanticType {
  std::string_view name;
  ColumnType type;
};

/// Debezium 3 (io.debezium.time, io.debezium.data) and Kafka Connect logical types.
constexpr std::array<SemanticType, 19> kSemanticTypes = {{
    {"org.apache.kafka.connect.data.Decimal", ColumnType::kDecimal},
    {"io.debezium.data.VariableScaleDecimal", ColumnType::kVariableScaleDecimal},
    {"io.debezium.time.Date", ColumnType::kDays},
    {"org.apache.kafka.connect.data.Date", ColumnType::kDays},
    {"io.debezium.time.Timestamp", ColumnType::kMilliseconds},
    {"org.apache.kafka.connect.data.Timestamp", ColumnType::kMilliseconds},
    {"io.debezium.time.MicroTimestamp", ColumnType::kMicroseconds},
    {"io.debezium.time.NanoTimestamp", ColumnType::kNanoseconds},
    {"io.debezium.time.ZonedTimestamp", ColumnType::kIsoTime},
    {"io.debezium.time.IsoTimestamp", ColumnType::kIsoTime},
    {"io.debezium.time.IsoDate", ColumnType::kIsoTime},
    {"io.debezium.time.Time", ColumnType::kTimeOfDay},
    {"io.debezium.time.MicroTime", ColumnType::kTimeOfDay},
    {"io.debezium.time.NanoTime", ColumnType::kTimeOfDay},
    {"io.debezium.time.ZonedTime", ColumnType::kTimeOfDay},
    {"io.debezium.time.IsoTime", ColumnType::kTimeOfDay},
    {"io.debezium.time.Year", ColumnType::kTimeOfDay},
    {"io.debezium.time.Interval", ColumnType::kTimeOfDay},
    {"org.apache.kafka.connect.data.Time", ColumnType::kTimeOfDay},
}};

bool TextIs(const JsonTape& tape, uint32_t node, std::string_view text) {
  return IsText(tape.Token(node), text);
}

/// The field schema called `name` in a struct schema; a field's name is its member `field`.
uint32_t FindField(const JsonTape& tape, uint32_t struct_schema, std::string_view name) {
  const uint32_t fields = tape.Find(struct_schema, "fields");
  if (tape.Kind(fields) != JsonKind::kArray) return JsonTape::kNone;
  const uint32_t end = tape.node(fields).next;
  for (uint32_t i = fields + 1; i < end; i = tape.node(i).next) {
    if (TextIs(tape, tape.Find(i, "field"), name)) return i;
  }
  return JsonTape::kNone;
}

ColumnType TypeOf(const JsonTape& tape, uint32_t field) {
  const uint32_t name = tape.Find(field, "name");
  for (const SemanticType& semantic : kSemanticTypes) {
    if (TextIs(tape, name, semantic.name)) return semantic.type;
  }
  return TextIs(tape, tape.Find(field, "type"), "bytes") ? ColumnType::kBytes : ColumnType::kOther;
}

std::optional<int32_t> ReadScale(const JsonTape& tape, uint32_t field) {
  const JsonToken token = tape.Token(tape.Find(tape.Find(field, "parameters"), "scale"));
  Arena arena;
  std::string_view text;
  if (ReadText(token, arena, text) != TextStatus::kText) return std::nullopt;
  int32_t scale = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, scale);
  if (error != std::errc() || stop != end) return std::nullopt;
  return scale;
}

bool IsZeroInstant(const JsonToken& token) {
  if (token.kind == JsonKind::kNumber) return token.text == "0";
  Arena arena;
  std::string_view text;
  if (ReadText(token, arena, text) != TextStatus::kText) return false;
  int64_t micros = -1;
  return ParseIsoTime(text, micros) == IsoStatus::kTime && micros == 0;
}

}  // namespace

ColumnSchema ReadColumnSchema(const JsonTape& tape, uint32_t schema, std::string_view row,
                              std::string_view column) {
  const uint32_t row_schema = row.empty() ? schema : FindField(tape, schema, row);
  const uint32_t field = FindField(tape, row_schema, column);
  ColumnSchema result;
  if (field == JsonTape::kNone) return result;
  result.type = TypeOf(tape, field);
  if (result.type == ColumnType::kDecimal) result.scale = ReadScale(tape, field);
  result.zero_default = IsZeroInstant(tape.Token(tape.Find(field, "default")));
  return result;
}

}  // namespace caracal::pipeline
