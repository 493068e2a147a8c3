#include "pipeline/generate/connect_schema.h"

#include <fmt/format.h>

#include <string_view>

#include "pipeline/generate/payment.h"

namespace caracal::pipeline {
namespace {

constexpr std::string_view kSourceSchema =
    R"({"type":"struct","fields":[{"type":"string","optional":false,"field":"version"},)"
    R"({"type":"string","optional":false,"field":"connector"},)"
    R"({"type":"string","optional":false,"field":"name"},)"
    R"({"type":"int64","optional":false,"field":"ts_ms"},)"
    R"({"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,)"
    R"("parameters":{"allowed":"true,first,first_in_data_collection,)"
    R"(last_in_data_collection,last,false,incremental"},"default":"false","field":"snapshot"},)"
    R"({"type":"string","optional":false,"field":"db"},)"
    R"({"type":"string","optional":true,"field":"sequence"},)"
    R"({"type":"int64","optional":true,"field":"ts_us"},)"
    R"({"type":"int64","optional":true,"field":"ts_ns"},)"
    R"({"type":"string","optional":false,"field":"schema"},)"
    R"({"type":"string","optional":false,"field":"table"},)"
    R"({"type":"int64","optional":true,"field":"txId"},)"
    R"({"type":"int64","optional":true,"field":"lsn"},)"
    R"({"type":"int64","optional":true,"field":"xmin"},)"
    R"({"type":"string","optional":true,"field":"origin"},)"
    R"({"type":"int64","optional":true,"field":"origin_lsn"}],)"
    R"("optional":false,"name":"io.debezium.connector.postgresql.Source","version":1,)"
    R"("field":"source"})";

constexpr std::string_view kEnvelopeTail =
    R"({"type":"struct","fields":[{"type":"string","optional":false,"field":"id"},)"
    R"({"type":"int64","optional":false,"field":"total_order"},)"
    R"({"type":"int64","optional":false,"field":"data_collection_order"}],)"
    R"("optional":true,"name":"event.block","version":1,"field":"transaction"},)"
    R"({"type":"string","optional":false,"field":"op"},)"
    R"({"type":"int64","optional":true,"field":"ts_ms"},)"
    R"({"type":"int64","optional":true,"field":"ts_us"},)"
    R"({"type":"int64","optional":true,"field":"ts_ns"}])";

constexpr std::string_view kCardsColumns =
    R"(,{"type":"string","optional":true,"field":"country"},)"
    R"({"type":"double","optional":true,"field":"latitude"},)"
    R"({"type":"double","optional":true,"field":"longitude"},)"
    R"({"type":"string","optional":true,"field":"device"},)"
    R"({"type":"string","optional":true,"field":"currency"})";

std::string_view IdType(LoadProfile profile) {
  return profile == LoadProfile::kReference ? "int32" : "int64";
}

std::string IdColumn(LoadProfile profile) {
  return fmt::format(R"({{"type":"{}","optional":false,"default":0,"field":"id"}})",
                     IdType(profile));
}

std::string_view AmountType(DecimalForm decimals) {
  switch (decimals) {
    case DecimalForm::kString:
      return R"("type":"string","optional":true)";
    case DecimalForm::kDouble:
      return R"("type":"double","optional":true)";
    case DecimalForm::kBase64:
      return R"("type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal",)"
             R"("version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"})";
  }
  return {};
}

std::string RowFields(LoadProfile profile, DecimalForm decimals) {
  return fmt::format(
      R"({},{{"type":"int32","optional":true,"field":"user_id"}},{{{},"field":"amount"}},)"
      R"({{"type":"string","optional":true,"field":"card_type"}},)"
      R"({{"type":"int32","optional":true,"field":"merchant_id"}},)"
      R"({{"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1,)"
      R"("default":0,"field":"created_at"}}{})",
      IdColumn(profile), AmountType(decimals),
      profile == LoadProfile::kCards ? kCardsColumns : std::string_view());
}

std::string StructName(const MessageOptions& options, std::string_view what) {
  return fmt::format("{}.{}.{}.{}", options.source_name, options.schema, options.table, what);
}

}  // namespace

std::string ConnectValueSchema(LoadProfile profile, const MessageOptions& options) {
  const std::string fields = RowFields(profile, options.decimals);
  const auto row = [&](std::string_view field) {
    return fmt::format(
        R"({{"type":"struct","fields":[{}],"optional":true,"name":"{}","field":"{}"}})", fields,
        StructName(options, "Value"), field);
  };
  return fmt::format(
      R"({{"type":"struct","fields":[{},{},{},{},"optional":false,"name":"{}","version":2}})",
      row("before"), row("after"), kSourceSchema, kEnvelopeTail, StructName(options, "Envelope"));
}

std::string ConnectKeySchema(LoadProfile profile, const MessageOptions& options) {
  const std::string column = options.key == MessageKey::kId
                                 ? IdColumn(profile)
                                 : R"({"type":"int32","optional":true,"field":"user_id"})";
  return fmt::format(R"({{"type":"struct","fields":[{}],"optional":false,"name":"{}"}})", column,
                     StructName(options, "Key"));
}

}  // namespace caracal::pipeline
