#include "pipeline/config/settings.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>

#include "caracal/config/v1/config.pb.h"
#include "caracal/config/v1/rules.pb.h"

namespace caracal::pipeline {
namespace {

using FieldVisitor = std::function<void(const FieldDescriptor&)>;

void Visit(const MessageDescriptor& message, std::set<std::string>& seen,
           const FieldVisitor& visit) {
  if (!seen.insert(message.full_name()).second) return;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (!message.options().map_entry()) visit(field);
    if (field.message_type() != nullptr) Visit(*field.message_type(), seen, visit);
  }
}

/// Every setting of the configuration and of rule files.
void VisitAll(const FieldVisitor& visit) {
  std::set<std::string> seen;
  Visit(*v1::Config::descriptor(), seen, visit);
  Visit(*v1::RuleFile::descriptor(), seen, visit);
}

std::unique_ptr<ProtoMessage> NewMessage(const FieldDescriptor& field) {
  return std::unique_ptr<ProtoMessage>(::google::protobuf::MessageFactory::generated_factory()
                                           ->GetPrototype(field.containing_type())
                                           ->New());
}

TEST(SettingsTest, EverySettingIsDocumentedInASentence) {
  VisitAll([](const FieldDescriptor& field) {
    const std::string& doc = SettingOf(field).doc();
    EXPECT_TRUE(!doc.empty() && doc.back() == '.') << field.full_name();
  });
}

TEST(SettingsTest, EveryDefaultIsAGoodValueInItsCanonicalForm) {
  VisitAll([](const FieldDescriptor& field) {
    if (!SettingOf(field).has_default_()) return;
    const std::unique_ptr<ProtoMessage> message = NewMessage(field);
    const auto problem = SetScalar(field, SettingOf(field).default_(), *message);
    EXPECT_FALSE(problem.has_value()) << field.full_name() << ": " << problem->message;
    EXPECT_EQ(ScalarText(*message, field), SettingOf(field).default_()) << field.full_name();
  });
}

TEST(SettingsTest, EveryBoundIsAGoodValue) {
  VisitAll([](const FieldDescriptor& field) {
    const v1::Setting& setting = SettingOf(field);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) return;
    for (const std::string& bound : {setting.min(), setting.max()}) {
      if (bound.empty()) continue;
      const std::unique_ptr<ProtoMessage> message = NewMessage(field);
      EXPECT_FALSE(SetScalar(field, bound, *message).has_value())
          << field.full_name() << " " << bound;
    }
  });
}

TEST(SettingsTest, EveryNumberIsBounded) {
  VisitAll([](const FieldDescriptor& field) {
    const bool is_number = field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
                           field.cpp_type() == FieldDescriptor::CPPTYPE_INT64;
    EXPECT_TRUE(!is_number || (SettingOf(field).has_min() && SettingOf(field).has_max()))
        << field.full_name();
  });
}

TEST(SettingsTest, EveryChoiceHasAText) {
  VisitAll([](const FieldDescriptor& field) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM) return;
    for (const std::string& choice : ChoicesOf(field)) {
      EXPECT_FALSE(choice.empty()) << field.full_name();
    }
  });
}

TEST(ByteSizeTest, ReadsBinaryAndDecimalUnits) {
  EXPECT_EQ(ParseByteSize("0B"), 0);
  EXPECT_EQ(ParseByteSize("64KiB"), 65'536);
  EXPECT_EQ(ParseByteSize("1GB"), 1'000'000'000);
  for (const char* text : {"", "5", "KiB", "1.5MiB", "-1B", "1 MiB", "1mib", "99999999999TiB"}) {
    EXPECT_EQ(ParseByteSize(text), std::nullopt) << text;
  }
}

TEST(ByteSizeTest, WritesTheLargestUnitThatDivides) {
  EXPECT_EQ(FormatByteSize(0), "0B");
  EXPECT_EQ(FormatByteSize(1'000), "1000B");
  EXPECT_EQ(FormatByteSize(65'536), "64KiB");
  EXPECT_EQ(FormatByteSize(int64_t{3} << 30), "3GiB");
  for (const int64_t bytes : {int64_t{1}, int64_t{1'000'000}, int64_t{512} << 20}) {
    EXPECT_EQ(ParseByteSize(FormatByteSize(bytes)), bytes);
  }
}

TEST(ParseIntegerTest, ReadsPlainDigitsOnly) {
  EXPECT_EQ(ParseInteger("-42"), -42);
  EXPECT_EQ(ParseInteger("999999999999999999"), 999'999'999'999'999'999);
  for (const char* text : {"", "-", "+1", "1.0", "0x10", "1_000", " 1", "1234567890123456789"}) {
    EXPECT_EQ(ParseInteger(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace caracal::pipeline
