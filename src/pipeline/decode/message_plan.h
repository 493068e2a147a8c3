#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/decode/column_schema.h"
#include "pipeline/decode/decode_options.h"
#include "pipeline/decode/json_tape.h"

namespace caracal::pipeline {

/// The values of a message that decoding needs; attributes follow kFirstAttribute in slot order.
enum FieldSlot : uint16_t {
  kOperationSlot,     ///< `op`, or `__op` of a flat row
  kSourceTimeSlot,    ///< `source.ts_ms`, or `__source_ts_ms`
  kSourceSchemaSlot,  ///< `source.schema`, `source.db` where there is none; no flat counterpart
  kSourceTableSlot,   ///< `source.table`, or `__table`
  kAccountSlot,
  kKeySlot,
  kIdSlot,
  kAmountSlot,
  kAmountScaleSlot,  ///< `scale` and `value` of an amount that is an object
  kAmountValueSlot,
  kTimeSlot,
  kLatitudeSlot,
  kLongitudeSlot,
  kCurrencySlot,
  kFirstAttributeSlot,
};

enum class MessageKind : uint8_t {
  kEnvelope,
  kFlatRow,
  kDeleted,  ///< JSON null in the place of a row
  kHeartbeat,
  kTransactionMarker,
  kUnknown,  ///< none of these; see MessagePlan::problem
};

/// What a message is and where its row is, without any value of the row: the same for all messages
/// of the same layout.
struct MessagePlan {
  MessageKind kind = MessageKind::kUnknown;
  /// The member of an envelope that holds the row: after, before. Static; empty in a flat row.
  std::string_view row_name;
  bool has_row = false;
  /// A flat row with `__deleted` true.
  bool deleted = false;
  /// kUnknown: what is wrong. Static.
  std::string_view problem;
  ColumnSchema amount;
  ColumnSchema time;
  ColumnSchema latitude;
  ColumnSchema longitude;
};

/// A plan together with the nodes of the tape it was made from.
struct PlannedMessage {
  MessagePlan plan;
  /// Per FieldSlot the node of its value, JsonTape::kNone when absent.
  std::vector<uint32_t> slot_nodes;
  /// Nodes, with all they contain, whose values the plan depends on.
  std::vector<uint32_t> fixed_nodes;
  /// The plan depends on nothing but the layout and the fixed nodes; the operation may also vary
  /// among c, r and u.
  bool reusable = false;
};

/// What decides, besides the value, whether a message is a heartbeat.
struct MessageOrigin {
  std::string_view topic;
  std::string_view key;
};

/// Classifies messages by their own bytes and finds the columns a stream maps.
///
/// Between the full parse (json_tape.h) and the reading of values (decoder.h). Immutable after
/// construction; one thread because of the tapes. Never fails: what it does not know is kUnknown.
class MessagePlanner {
 public:
  explicit MessagePlanner(const DecodeOptions& options);

  size_t slot_count() const { return columns_.size(); }
  /// The column of a slot, empty when none is mapped or the slot is no column.
  const std::string& column(size_t slot) const { return columns_[slot]; }

  /// Plans the document in `tape`; `message` is overwritten.
  void Plan(const JsonTape& tape, const MessageOrigin& origin, PlannedMessage& message) const;

 private:
  void PlanEnvelope(const JsonTape& tape, uint32_t payload, PlannedMessage& message) const;
  void PlanFlatRow(const JsonTape& tape, uint32_t payload, const MessageOrigin& origin,
                   PlannedMessage& message) const;
  void FindColumns(const JsonTape& tape, uint32_t row, PlannedMessage& message) const;
  void ReadSchema(const JsonTape& tape, uint32_t schema, MessagePlan& plan) const;
  bool IsWrapper(const JsonTape& tape) const;

  const StreamFormat format_;
  /// Per FieldSlot.
  std::vector<std::string> columns_;
};

}  // namespace caracal::pipeline
