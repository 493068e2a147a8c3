#include "pipeline/decode/message_plan.h"

namespace caracal::pipeline {
namespace {

constexpr uint32_t kRoot = 0;
constexpr uint32_t kNone = JsonTape::kNone;
constexpr std::string_view kHeartbeatTopicPrefix = "__debezium-heartbeat";
constexpr std::string_view kHeartbeatKeyField = "\"serverName\"";

bool Has(const JsonTape& tape, uint32_t object, std::string_view name) {
  return tape.Find(object, name) != kNone;
}

/// {"ts_ms":..} and nothing else.
bool LooksLikeHeartbeat(const JsonTape& tape, uint32_t payload) {
  return tape.CountChildren(payload) == 1 && Has(tape, payload, "ts_ms");
}

/// A heartbeat topic, or a heartbeat's key {"serverName":..}.
bool IsHeartbeat(const MessageOrigin& origin) {
  return origin.topic.starts_with(kHeartbeatTopicPrefix) ||
         origin.key.find(kHeartbeatKeyField) != std::string_view::npos;
}

/// BEGIN or END of provide.transaction.metadata.
bool IsTransactionMarker(const JsonTape& tape, uint32_t payload) {
  const JsonToken status = tape.Token(tape.Find(payload, "status"));
  return IsText(status, "BEGIN") || IsText(status, "END");
}

bool LooksLikeTransactionMarker(const JsonTape& tape, uint32_t payload) {
  return Has(tape, payload, "status") && Has(tape, payload, "id") &&
         Has(tape, payload, "event_count") && Has(tape, payload, "data_collections");
}

bool IsObjectOrNull(JsonKind kind) { return kind == JsonKind::kObject || kind == JsonKind::kNull; }

bool IsScalar(JsonKind kind) { return kind != JsonKind::kObject && kind != JsonKind::kArray; }

/// true, or the text "true" that Debezium's flattener writes.
bool IsTrue(const JsonToken& token) {
  return (token.kind == JsonKind::kBool && token.text == "true") || IsText(token, "true");
}

/// Marks a node whose value the plan has looked at.
void Fix(PlannedMessage& message, const JsonTape& tape, uint32_t node) {
  if (node != kNone && IsScalar(tape.Kind(node))) message.fixed_nodes.push_back(node);
}

void SetUnknown(PlannedMessage& message, std::string_view problem) {
  message.plan.kind = MessageKind::kUnknown;
  message.plan.problem = problem;
}

std::vector<std::string> MakeColumns(const FieldMap& fields) {
  std::vector<std::string> columns(kFirstAttributeSlot);
  columns[kAccountSlot] = fields.account;
  columns[kKeySlot] = fields.key;
  columns[kIdSlot] = fields.id;
  columns[kAmountSlot] = fields.amount;
  columns[kTimeSlot] = fields.time;
  columns[kLatitudeSlot] = fields.latitude;
  columns[kLongitudeSlot] = fields.longitude;
  columns[kCurrencySlot] = fields.currency;
  for (const AttributeColumn& attribute : fields.attributes) columns.push_back(attribute.column);
  return columns;
}

}  // namespace

MessagePlanner::MessagePlanner(const DecodeOptions& options)
    : format_(options.format), columns_(MakeColumns(options.fields)) {}

bool MessagePlanner::IsWrapper(const JsonTape& tape) const {
  const uint32_t schema = tape.Find(kRoot, "schema");
  const uint32_t payload = tape.Find(kRoot, "payload");
  if (schema == kNone || payload == kNone) return false;
  if (format_ != StreamFormat::kRowJson) return true;
  // A row may have columns of these names; it has more columns than these two, and scalar ones.
  return tape.CountChildren(kRoot) == 2 && IsObjectOrNull(tape.Kind(payload)) &&
         IsObjectOrNull(tape.Kind(schema));
}

void MessagePlanner::Plan(const JsonTape& tape, const MessageOrigin& origin,
                          PlannedMessage& message) const {
  message.plan = MessagePlan{};
  message.slot_nodes.assign(columns_.size(), kNone);
  message.fixed_nodes.clear();
  message.reusable = false;
  if (tape.Kind(kRoot) == JsonKind::kNull) {
    message.plan.kind = MessageKind::kDeleted;
    return;
  }
  if (tape.Kind(kRoot) != JsonKind::kObject) {
    return SetUnknown(message, "the value is not a JSON object");
  }
  uint32_t payload = kRoot;
  uint32_t schema = kNone;
  if (IsWrapper(tape)) {
    payload = tape.Find(kRoot, "payload");
    schema = tape.Find(kRoot, "schema");
    message.fixed_nodes.push_back(schema);
  }
  if (tape.Kind(payload) == JsonKind::kNull) {
    message.plan.kind = MessageKind::kDeleted;
    return;
  }
  if (tape.Kind(payload) != JsonKind::kObject) {
    return SetUnknown(message, "'payload' is not an object");
  }
  const bool is_envelope =
      format_ != StreamFormat::kRowJson && Has(tape, payload, "op") && Has(tape, payload, "source");
  if (is_envelope) {
    PlanEnvelope(tape, payload, message);
  } else {
    PlanFlatRow(tape, payload, origin, message);
  }
  // A row of just these two columns is told from a wrapper by what they hold.
  if (schema == kNone && tape.CountChildren(kRoot) == 2 && Has(tape, kRoot, "schema") &&
      Has(tape, kRoot, "payload")) {
    message.reusable = false;
  }
  ReadSchema(tape, schema, message.plan);
}

void MessagePlanner::PlanEnvelope(const JsonTape& tape, uint32_t payload,
                                  PlannedMessage& message) const {
  const uint32_t op = tape.Find(payload, "op");
  const uint32_t source = tape.Find(payload, "source");
  if (tape.Kind(op) != JsonKind::kString) return SetUnknown(message, "'op' is not a string");
  if (!IsObjectOrNull(tape.Kind(source))) {
    return SetUnknown(message, "'source' is not an object");
  }
  message.plan.kind = MessageKind::kEnvelope;
  message.reusable = true;
  message.slot_nodes[kOperationSlot] = op;
  message.slot_nodes[kSourceTimeSlot] = tape.Find(source, "ts_ms");
  const uint32_t schema = tape.Find(source, "schema");
  message.slot_nodes[kSourceSchemaSlot] = schema != kNone ? schema : tape.Find(source, "db");
  message.slot_nodes[kSourceTableSlot] = tape.Find(source, "table");
  const bool is_delete = IsText(tape.Token(op), "d");
  message.plan.row_name = is_delete ? "before" : "after";
  const uint32_t row = tape.Find(payload, message.plan.row_name);
  Fix(message, tape, row);
  Fix(message, tape, source);
  FindColumns(tape, row, message);
}

void MessagePlanner::PlanFlatRow(const JsonTape& tape, uint32_t payload,
                                 const MessageOrigin& origin, PlannedMessage& message) const {
  const bool like_heartbeat = LooksLikeHeartbeat(tape, payload);
  if (like_heartbeat && IsHeartbeat(origin)) {
    message.plan.kind = MessageKind::kHeartbeat;
    return;
  }
  const bool like_marker = LooksLikeTransactionMarker(tape, payload);
  if (like_marker && IsTransactionMarker(tape, payload)) {
    message.plan.kind = MessageKind::kTransactionMarker;
    return;
  }
  if (format_ == StreamFormat::kDebeziumJson) {
    return SetUnknown(message, "not a Debezium envelope: 'op' or 'source' is missing");
  }
  const uint32_t op = tape.Find(payload, "__op");
  const JsonKind op_kind = tape.Kind(op);
  if (op_kind != JsonKind::kString && op_kind != JsonKind::kNull && op_kind != JsonKind::kAbsent) {
    return SetUnknown(message, "'__op' is not a string");
  }
  message.plan.kind = MessageKind::kFlatRow;
  message.reusable = !like_marker && !like_heartbeat;
  message.slot_nodes[kOperationSlot] = op;
  message.slot_nodes[kSourceTimeSlot] = tape.Find(payload, "__source_ts_ms");
  message.slot_nodes[kSourceTableSlot] = tape.Find(payload, "__table");
  const uint32_t deleted = tape.Find(payload, "__deleted");
  message.plan.deleted = IsTrue(tape.Token(deleted));
  Fix(message, tape, deleted);
  FindColumns(tape, payload, message);
}

void MessagePlanner::FindColumns(const JsonTape& tape, uint32_t row,
                                 PlannedMessage& message) const {
  message.plan.has_row = tape.Kind(row) == JsonKind::kObject;
  if (!message.plan.has_row) return;
  for (size_t slot = 0; slot < columns_.size(); ++slot) {
    if (!columns_[slot].empty()) message.slot_nodes[slot] = tape.Find(row, columns_[slot]);
  }
  const uint32_t amount = message.slot_nodes[kAmountSlot];
  if (amount != kNone && tape.Kind(amount) == JsonKind::kObject) {
    message.slot_nodes[kAmountScaleSlot] = tape.Find(amount, "scale");
    message.slot_nodes[kAmountValueSlot] = tape.Find(amount, "value");
  }
}

void MessagePlanner::ReadSchema(const JsonTape& tape, uint32_t schema, MessagePlan& plan) const {
  if (schema == kNone || !plan.has_row) return;
  plan.amount = ReadColumnSchema(tape, schema, plan.row_name, columns_[kAmountSlot]);
  plan.time = ReadColumnSchema(tape, schema, plan.row_name, columns_[kTimeSlot]);
  plan.latitude = ReadColumnSchema(tape, schema, plan.row_name, columns_[kLatitudeSlot]);
  plan.longitude = ReadColumnSchema(tape, schema, plan.row_name, columns_[kLongitudeSlot]);
}

}  // namespace caracal::pipeline
