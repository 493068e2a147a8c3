// What the decode stage costs per event, against the least that reading the same fields with
// simdjson On-Demand can cost (bare_on_demand.h), compiled as the product is and for this machine.
// Either way simdjson chooses the kernel of its first stage at run time; what -march=native changes
// is the code around it. Run with --benchmark_repetitions and compare medians.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/bare_on_demand.h"
#include "pipeline/decode/decoder.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kMessages = 1024;

/// The columns of the row in the connector's schema block.
constexpr std::string_view kRowSchemaFields =
    R"({"type":"int32","optional":false,"default":0,"field":"id"},)"
    R"({"type":"int32","optional":true,"field":"user_id"},)"
    R"({"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,)"
    R"("parameters":{"scale":"2","connect.decimal.precision":"10"},"field":"amount"},)"
    R"({"type":"string","optional":true,"field":"card_type"},)"
    R"({"type":"int32","optional":true,"field":"merchant_id"},)"
    R"({"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1,)"
    R"("default":0,"field":"created_at"})";

constexpr std::string_view kSourceSchemaFields =
    R"({"type":"string","optional":false,"field":"version"},)"
    R"({"type":"string","optional":false,"field":"connector"},)"
    R"({"type":"string","optional":false,"field":"name"},)"
    R"({"type":"int64","optional":false,"field":"ts_ms"},)"
    R"({"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,"parameters":)"
    R"({"allowed":"true,first,first_in_data_collection,last_in_data_collection,last,false,)"
    R"(incremental"},"default":"false","field":"snapshot"},)"
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
    R"({"type":"int64","optional":true,"field":"origin_lsn"})";

std::string EnvelopeSchema() {
  const std::string row = fmt::format(
      R"({{"type":"struct","fields":[{}],"optional":true,"name":"bank.public.transactions.Value",)",
      kRowSchemaFields);
  return fmt::format(
      R"({{"type":"struct","fields":[{0}"field":"before"}},{0}"field":"after"}},)"
      R"({{"type":"struct","fields":[{1}],"optional":false,)"
      R"("name":"io.debezium.connector.postgresql.Source","version":1,"field":"source"}},)"
      R"({{"type":"string","optional":false,"field":"op"}},)"
      R"({{"type":"int64","optional":true,"field":"ts_ms"}}],"optional":false,)"
      R"("name":"bank.public.transactions.Envelope","version":2}})",
      row, kSourceSchemaFields);
}

/// Base64 of the shortest two's complement of a positive amount, as the connector's converter.
std::string Base64OfCents(int64_t cents) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  int width = 1;
  while (width < 8 && (cents >> (8 * width - 1)) != 0) ++width;
  for (int i = width - 1; i >= 0; --i) bytes += static_cast<char>((cents >> (8 * i)) & 0xFF);
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t size = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < size ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += j <= size ? kAlphabet[(group >> (18 - 6 * j)) & 63] : '=';
    }
  }
  return text;
}

enum class Shape { kBareDecimalText, kBareBase64, kWrappedBase64, kFlatRow };

/// The message of row `number`: ids and log positions grow as in a database, the rest is random.
std::string MakeMessage(Shape shape, size_t number, std::mt19937_64& random) {
  constexpr std::array<std::string_view, 4> kCards = {"visa", "mastercard", "amex", "discover"};
  const auto cents = static_cast<int64_t>(100 + random() % 1'000'000);
  const auto micros = static_cast<int64_t>(1'772'600'000'000'000 + random() % 10'000'000'000);
  const std::string amount = shape == Shape::kBareDecimalText || shape == Shape::kFlatRow
                                 ? fmt::format("{}.{:02}", cents / 100, cents % 100)
                                 : Base64OfCents(cents);
  const std::string row = fmt::format(
      R"("id":{},"user_id":{},"amount":"{}","card_type":"{}","merchant_id":{},"created_at":{})",
      88'121'000 + number, random() % 1'000'000, amount, kCards[random() % kCards.size()],
      random() % 10'000, micros);
  if (shape == Shape::kFlatRow) {
    return fmt::format(R"({{{},"__op":"c","__source_ts_ms":{}}})", row, micros / 1000);
  }
  const size_t position = 26'855'000 + 148 * number;
  const std::string envelope = fmt::format(
      R"({{"before":null,"after":{{{}}},"source":{{"version":"3.7.0.Final","connector":"postgresql",)"
      R"("name":"bank","ts_ms":{},"snapshot":"false","db":"bank","sequence":"[\"{}\",\"{}\"]",)"
      R"("ts_us":{},"ts_ns":{}000,"schema":"public","table":"transactions","txId":{},"lsn":{},)"
      R"("xmin":null,"origin":null,"origin_lsn":null}},"transaction":null,"op":"c","ts_ms":{},)"
      R"("ts_us":{},"ts_ns":{}000}})",
      row, micros / 1000, position - 148, position, micros, micros, 751 + number, position,
      micros / 1000 + 80, micros + 80'123, micros + 80'123);
  if (shape != Shape::kWrappedBase64) return envelope;
  static const std::string schema = EnvelopeSchema();
  return fmt::format(R"({{"schema":{},"payload":{}}})", schema, envelope);
}

/// Records in one buffer, one behind the other, with the headers Debezium adds to each.
class BenchBatch final : public RecordBatch {
 public:
  explicit BenchBatch(Shape shape) {
    std::mt19937_64 random(42);
    std::vector<std::pair<size_t, size_t>> ranges;
    for (size_t i = 0; i < kMessages; ++i) {
      const std::string message = MakeMessage(shape, i, random);
      ranges.emplace_back(bytes_.size(), message.size());
      bytes_ += message;
      bytes_ += '\0';
    }
    bytes_.append(simdjson::SIMDJSON_PADDING, '\0');
    for (const auto& [begin, size] : ranges) {
      RawRecord record;
      record.lease = lease_.get();
      record.offset = static_cast<int64_t>(records_.size());
      record.timestamp_ms = 1'772'700'000'000;
      record.value = std::string_view(bytes_).substr(begin, size);
      record.value_slack = simdjson::SIMDJSON_PADDING;
      records_.push_back(record);
    }
    value_bytes_ = bytes_.size();
  }

  std::optional<std::string_view> FindHeader(size_t, std::string_view name) const override {
    for (const auto& [header, value] : headers_) {
      if (header == name) return value;
    }
    return std::nullopt;
  }
  size_t value_bytes() const { return value_bytes_; }

 private:
  std::string bytes_;
  size_t value_bytes_ = 0;
  LeasePtr lease_ = std::make_shared<PartitionLease>(1, 0, "bank.public.transactions", 0, 0);
  const std::vector<std::pair<std::string_view, std::string_view>> headers_ = {
      {"__debezium.context.connectorLogicalName", "bank"},
      {"__debezium.context.taskId", "0"},
      {"__debezium.context.connectorName", "postgresql"},
      {"__debezium.context.runId", "01a1fcc1-a410-7bbc-bfa8-a46806eb117d"}};
};

BareForm FormOf(Shape shape) {
  if (shape == Shape::kFlatRow) return BareForm::kFlatRow;
  return shape == Shape::kWrappedBase64 ? BareForm::kWrapped : BareForm::kEnvelope;
}

void BM_BareOnDemand(benchmark::State& state, Shape shape, BareReader read) {
  const BenchBatch batch(shape);
  std::vector<BareMessage> messages;
  for (const RawRecord& record : batch.records()) {
    messages.push_back({record.value.data(), record.value.size()});
  }
  state.SetLabel("stage 1: " + simdjson::get_active_implementation()->name());
  for (auto _ : state) {
    if (!read(messages.data(), messages.size(), FormOf(shape))) {
      state.SkipWithError("the baseline cannot read a message");
      return;
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kMessages));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * batch.value_bytes()));
}

DecodeOptions BenchOptions(size_t max_layouts) {
  DecodeOptions options;
  options.topic = "bank.public.transactions";
  options.fields.id = "id";
  options.fields.account = "user_id";
  options.fields.amount = "amount";
  options.fields.time = "created_at";
  options.fields.attributes = {{"card_type", "card_type"}, {"merchant", "merchant_id"}};
  options.currency = "EUR";
  options.time_unit = TimeUnit::kMicroseconds;
  options.max_layouts = max_layouts;
  return options;
}

/// The decode stage, everything included: validation to the last byte, canonical texts, hashes, row
/// tag, headers, event. `max_layouts` 0 = the full parse for every message.
void BM_Decode(benchmark::State& state, Shape shape, size_t max_layouts) {
  const BenchBatch batch(shape);
  DecodeOptions options = BenchOptions(max_layouts);
  if (shape == Shape::kBareBase64) {
    options.amount_encoding = AmountEncoding::kBase64;
    options.amount_source_scale = 2;
  }
  Decoder decoder(options);
  for (auto _ : state) {
    Arena arena;
    Event event;
    for (size_t i = 0; i < kMessages; ++i) {
      const DecodeResult result = decoder.Decode(batch, i, arena, event);
      if (result.outcome != DecodeOutcome::kTransaction) {
        state.SkipWithError("the decoder cannot read a message");
        return;
      }
      benchmark::DoNotOptimize(event);
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kMessages));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * batch.value_bytes()));
}

BENCHMARK_CAPTURE(BM_BareOnDemand, bare_text, Shape::kBareDecimalText, CaracalBareReadAsBuilt);
BENCHMARK_CAPTURE(BM_BareOnDemand, bare_text_native, Shape::kBareDecimalText,
                  CaracalBareReadNative);
BENCHMARK_CAPTURE(BM_Decode, bare_text, Shape::kBareDecimalText, 16);
BENCHMARK_CAPTURE(BM_Decode, bare_text_full_parse, Shape::kBareDecimalText, 0);
BENCHMARK_CAPTURE(BM_BareOnDemand, bare_base64, Shape::kBareBase64, CaracalBareReadAsBuilt);
BENCHMARK_CAPTURE(BM_BareOnDemand, bare_base64_native, Shape::kBareBase64, CaracalBareReadNative);
BENCHMARK_CAPTURE(BM_Decode, bare_base64, Shape::kBareBase64, 16);
BENCHMARK_CAPTURE(BM_BareOnDemand, wrapped_base64, Shape::kWrappedBase64, CaracalBareReadAsBuilt);
BENCHMARK_CAPTURE(BM_BareOnDemand, wrapped_base64_native, Shape::kWrappedBase64,
                  CaracalBareReadNative);
BENCHMARK_CAPTURE(BM_Decode, wrapped_base64, Shape::kWrappedBase64, 16);
BENCHMARK_CAPTURE(BM_Decode, wrapped_base64_full_parse, Shape::kWrappedBase64, 0);
BENCHMARK_CAPTURE(BM_BareOnDemand, flat_row, Shape::kFlatRow, CaracalBareReadAsBuilt);
BENCHMARK_CAPTURE(BM_BareOnDemand, flat_row_native, Shape::kFlatRow, CaracalBareReadNative);
BENCHMARK_CAPTURE(BM_Decode, flat_row, Shape::kFlatRow, 16);
BENCHMARK_CAPTURE(BM_Decode, flat_row_full_parse, Shape::kFlatRow, 0);

}  // namespace
}  // namespace caracal::pipeline

BENCHMARK_MAIN();
