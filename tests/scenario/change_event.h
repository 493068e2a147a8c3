#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Writes what change data capture would: rows as the messages Debezium makes of them.
namespace caracal::pipeline {

/// Appends `node` as JSON. Unquoted scalars that look like numbers, true, false or null are what
/// they look like; any other scalar is a string.
void AppendJson(const YAML::Node& node, std::string& out);

/// Columns and their values, in the order of the row.
using Columns = std::vector<std::pair<std::string, YAML::Node>>;

enum class MessageShape : uint8_t {
  kEnvelope,  ///< {"before":..,"after":..,"source":..,"op":..}
  kWrapped,   ///< {"schema":..,"payload":an envelope}
  kFlat,      ///< the row alone
};

/// One change of one row.
struct ChangeEvent {
  MessageShape shape = MessageShape::kEnvelope;
  std::string operation = "c";
  Columns row;  ///< after the change; what is deleted, for d
  std::optional<Columns> before;
  /// When the database committed; nullopt = null.
  std::optional<int64_t> commit_ms;
  std::string snapshot;
  Columns source;  ///< members of `source` that differ
  Columns schema;  ///< column → its Connect schema, for kWrapped
};

/// The message of `event` as the JSON converter writes it.
std::string MessageOf(const ChangeEvent& event);

/// The value of a column; undefined when the row has none.
YAML::Node Find(const Columns& columns, const std::string& name);
/// Sets a column, in its place when the row has it, else at the end.
void Set(Columns& columns, const std::string& name, const YAML::Node& value);

}  // namespace caracal::pipeline
