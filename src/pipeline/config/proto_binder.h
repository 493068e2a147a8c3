#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "pipeline/config/diagnostics.h"
#include "pipeline/config/path_spans.h"
#include "pipeline/config/settings.h"
#include "pipeline/config/yaml_tree.h"

namespace caracal::pipeline {

/// Binds a YAML tree to a message by its descriptor: types, units, bounds, choices, required keys,
/// unknown keys. Every problem goes to the diagnostics; binding goes on, so that one run reports
/// them all. Afterwards every setting holds its value or its default, except those without a
/// default and those set to `auto`. One tree per binder; one thread at a time; `diagnostics` and
/// the tree outlive it.
class ProtoBinder {
 public:
  explicit ProtoBinder(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  /// `what` names the document in messages: "the configuration".
  void Bind(const YamlNode& root, const std::string& what, ProtoMessage& message);

  const PathSpans& spans() const { return spans_; }
  /// Settings whose value came from a reference, and the reference:
  /// "kafka.properties.sasl.password" → "${file:/run/secrets/sasl}".
  const std::map<std::string, std::string>& references() const { return references_; }
  /// Keys of open sections that the message does not declare, by the path of the section. They
  /// point into the tree.
  const std::map<std::string, std::vector<const YamlEntry*>>& extras() const { return extras_; }

 private:
  void BindSection(const YamlNode& node, const std::string& path, ProtoMessage& message);
  void BindEntries(const YamlNode& node, const std::string& path, ProtoMessage& message);
  void BindField(const FieldDescriptor& field, const YamlNode& node, const std::string& path,
                 ProtoMessage& message);
  void BindMap(const FieldDescriptor& field, const YamlNode& node, const std::string& path,
               ProtoMessage& message);
  void BindMapEntry(const FieldDescriptor& field, const YamlEntry& entry, const std::string& path,
                    ProtoMessage& message);
  void BindList(const FieldDescriptor& field, const YamlNode& node, const std::string& path,
                ProtoMessage& message);
  /// nullptr when the node is no usable text (reported).
  const std::string* ScalarOf(const YamlNode& node, const std::string& name);
  void BindScalar(const FieldDescriptor& field, const YamlNode& node, const std::string& path,
                  ProtoMessage& message);
  void FillAbsent(const YamlNode* node, const std::string& path, ProtoMessage& message);
  void CheckSize(const FieldDescriptor& field, size_t size, const YamlNode& node);
  void UnknownKey(const YamlEntry& entry, const std::string& path, const ProtoMessage& message);
  void WrongKind(const YamlNode& node, const std::string& name, std::string_view expected);
  std::string SectionName(const std::string& path) const;

  Diagnostics& diagnostics_;
  PathSpans spans_;
  std::map<std::string, std::string> references_;
  std::map<std::string, std::vector<const YamlEntry*>> extras_;
  /// Required keys whose absence an unknown key explains.
  std::set<std::string> misspelt_;
  std::string what_;
};

}  // namespace caracal::pipeline
