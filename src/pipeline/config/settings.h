#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "caracal/config/v1/annotations.pb.h"
#include "pipeline/config/diagnostics.h"

/// What the descriptors say of settings, and the texts of their values. Everything that is parsed,
/// checked, listed or put into a schema goes through here. Any thread.
namespace caracal::pipeline {

namespace v1 = ::caracal::config::v1;
using FieldDescriptor = ::google::protobuf::FieldDescriptor;
using MessageDescriptor = ::google::protobuf::Descriptor;
using ProtoMessage = ::google::protobuf::Message;

const v1::Setting& SettingOf(const FieldDescriptor& field);
const v1::Section& SectionOf(const MessageDescriptor& message);
const v1::Choice& ChoiceOf(const ::google::protobuf::EnumValueDescriptor& value);

/// The keys of a section, in the order of the proto.
std::vector<std::string> KeysOf(const MessageDescriptor& message);
/// The texts a choice may have: those of the enum, or of the setting where it narrows them or is a
/// text with choices; empty when any text will do.
std::vector<std::string> ChoicesOf(const FieldDescriptor& field);
/// True for a (single) sub-section that may be left out only because everything in it may be.
bool IsOptionalSection(const FieldDescriptor& field);
/// "duration", "size", "integer", "bool", "text", "one of a, b", "list of text", "section": for
/// people.
std::string TypeText(const FieldDescriptor& field);

/// What is wrong with the text of a value.
struct ValueProblem {
  DiagnosticCode code = DiagnosticCode::kWrongType;
  std::string message;
  std::string hint = {};
};

/// Parses `text` as a value of the field and sets it, or appends it to a repeated field. nullopt =
/// done.
std::optional<ValueProblem> SetScalar(const FieldDescriptor& field, const std::string& text,
                                      ProtoMessage& message);
/// The canonical text of a value, the inverse of SetScalar: 60000000 is "1m". `index` counts into a
/// repeated field; an unset field with `auto` is "auto".
std::string ScalarText(const ProtoMessage& message, const FieldDescriptor& field, int index = -1);

/// A whole number in decimal digits with an optional minus sign; nullopt otherwise, or beyond 18
/// digits.
std::optional<int64_t> ParseInteger(std::string_view text);
/// "64KiB", "512MiB", "1GB", "100B" in bytes; nullopt when malformed or too large.
std::optional<int64_t> ParseByteSize(std::string_view text);
/// The largest binary unit that divides it: 536870912 is "512MiB".
std::string FormatByteSize(int64_t bytes);
/// "'a', 'b' or 'c'": for messages.
std::string ListText(const std::vector<std::string>& texts);

}  // namespace caracal::pipeline
