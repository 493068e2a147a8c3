#include "pipeline/decode/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/pipeline_decode/record_fixture.h"

namespace caracal::pipeline {
namespace {

using agents::TimeSource;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kCommitMs = 1'795'241'911'379;

constexpr const char* kRow =
    R"("id":5,"user_id":201,"amount":"77.10","card_type":"visa","merchant_id":70,)"
    R"("created_at":1772600767123456)";

std::string Envelope(const std::string& op, const std::string& before, const std::string& after) {
  return R"({"before":)" + before + R"(,"after":)" + after +
         R"(,"source":{"version":"3.7.0.Final","ts_ms":1795241911379,"schema":"public",)" +
         R"("table":"transactions","lsn":26722280},"transaction":null,"op":")" + op +
         R"(","ts_ms":1795241911435})";
}
std::string Create(const std::string& row) { return Envelope("c", "null", "{" + row + "}"); }
std::string Flat(const std::string& row) { return "{" + row + "}"; }

/// The row of kRow with one member replaced by `json`; an empty text leaves it out.
std::string RowWith(const std::string& column, const std::string& json) {
  const std::map<std::string, std::string> defaults = {{"id", "5"},
                                                       {"user_id", "201"},
                                                       {"amount", "\"77.10\""},
                                                       {"card_type", "\"visa\""},
                                                       {"merchant_id", "70"},
                                                       {"created_at", "1772600767123456"}};
  std::string row;
  for (const auto& [name, value] : defaults) {
    const std::string& member = name == column ? json : value;
    if (member.empty()) continue;
    row += (row.empty() ? "\"" : ",\"") + name + "\":" + member;
  }
  return row;
}

Decoded Decode(const std::string& value, DecodeOptions options = TransactionOptions()) {
  Decoder decoder(std::move(options));
  return DecodeValue(decoder, value);
}

std::string OutcomeOf(const std::string& value, DecodeOptions options = TransactionOptions()) {
  return Summary(Decode(value, std::move(options)).result);
}

TEST(DecoderTest, DecodesAnEnvelope) {
  DecodeOptions options = TransactionOptions();
  options.currency = "EUR";
  Decoder decoder(options);
  TestRecord record;
  record.value = Create(kRow);
  record.offset = 99;
  record.headers = {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
  const Decoded decoded = DecodeRecord(decoder, record);
  ASSERT_EQ(Summary(decoded.result), "transaction");
  const agents::Transaction& transaction = decoded.transaction();
  EXPECT_EQ(transaction.account, "201");
  EXPECT_EQ(transaction.key, "201");
  EXPECT_EQ(transaction.key.data(), transaction.account.data());
  EXPECT_EQ(transaction.id, "5");
  EXPECT_EQ(transaction.currency, "EUR");
  EXPECT_TRUE(transaction.has_amount);
  EXPECT_EQ(transaction.amount, 7710);
  EXPECT_EQ(transaction.event_time_us, 1'772'600'767'123'456);
  EXPECT_EQ(transaction.time_source, TimeSource::kField);
  EXPECT_FALSE(transaction.has_location);
  ASSERT_EQ(transaction.attributes.size(), 2U);
  EXPECT_EQ(transaction.attributes[0], "visa");
  EXPECT_EQ(transaction.attributes[1], "70");
  EXPECT_EQ(decoded.event.lease, decoded.batch->lease());
  EXPECT_EQ(decoded.event.offset, 99);
  EXPECT_EQ(decoded.event.key_hash, agents::HashKey("201", options.hash_seed));
  EXPECT_TRUE(decoded.event.has_row);
  EXPECT_EQ(decoded.event.commit_time_ms, kCommitMs);
  EXPECT_EQ(decoded.event.traceparent, record.headers[0].second);
  EXPECT_EQ(decoded.event.action, EventAction::kEvaluate);
  EXPECT_FALSE(decoded.event.replayed);
}

TEST(DecoderTest, PointsIntoTheRecordWherePossible) {
  Decoder decoder(TransactionOptions());
  for (int i = 0; i < 3; ++i) {  // Full parse, then a remembered layout.
    const Decoded decoded = DecodeValue(decoder, Create(kRow));
    const std::string_view value = decoded.batch->records()[0].value;
    for (const std::string_view text : {decoded.transaction().account, decoded.transaction().id,
                                        decoded.transaction().attributes[0]}) {
      EXPECT_GE(text.data(), value.data());
      EXPECT_LE(text.data() + text.size(), value.data() + value.size());
    }
  }
}

TEST(DecoderTest, OutlivedByItsEvents) {
  auto decoder = std::make_unique<Decoder>([] {
    DecodeOptions options = TransactionOptions();
    options.currency = "EUR";
    return options;
  }());
  const Decoded decoded = DecodeValue(*decoder, Create(RowWith("card_type", R"("vi\u0073a")")));
  decoder.reset();
  EXPECT_EQ(decoded.transaction().currency, "EUR");
  EXPECT_EQ(decoded.transaction().attributes[0], "visa");
}

TEST(DecoderTest, AppliesTheOperationPolicy) {
  const std::string row = std::string("{") + kRow + "}";
  EXPECT_EQ(Decode(Envelope("c", "null", row)).event.action, EventAction::kEvaluate);
  EXPECT_EQ(Decode(Envelope("r", "null", row)).event.action, EventAction::kWarm);
  EXPECT_EQ(OutcomeOf(Envelope("u", "null", row)), "skip:operation");
  EXPECT_EQ(OutcomeOf(Envelope("d", row, "null")), "skip:operation");
  DecodeOptions options = TransactionOptions();
  options.operations = {OperationPolicy::kSkip, OperationPolicy::kSkip, OperationPolicy::kWarm,
                        OperationPolicy::kEvaluate};
  EXPECT_EQ(OutcomeOf(Envelope("c", "null", row), options), "skip:operation");
  EXPECT_EQ(OutcomeOf(Envelope("r", "null", row), options), "skip:operation");
  const Decoded update = Decode(Envelope("u", row, row), options);
  EXPECT_EQ(update.event.action, EventAction::kWarm);
  EXPECT_FALSE(update.event.has_row);
  const Decoded removal = Decode(Envelope("d", row, "null"), options);
  EXPECT_EQ(removal.event.action, EventAction::kEvaluate);
  EXPECT_EQ(removal.transaction().account, "201");
  EXPECT_FALSE(removal.event.has_row);
}

TEST(DecoderTest, SkipsWhatIsNoRow) {
  Decoder decoder(TransactionOptions());
  EXPECT_EQ(Summary(DecodeRecord(decoder, TestRecord{}).result), "skip:tombstone");
  EXPECT_EQ(OutcomeOf("null"), "skip:deleted");
  EXPECT_EQ(OutcomeOf(" null\n"), "skip:deleted");
  EXPECT_EQ(OutcomeOf(R"({"schema":null,"payload":null})"), "skip:deleted");
  EXPECT_EQ(OutcomeOf(Envelope("t", "null", "null")), "skip:truncate");
  EXPECT_EQ(OutcomeOf(R"({"op":"m","source":{"ts_ms":1},"message":{"prefix":"p"}})"),
            "skip:message");
  EXPECT_EQ(OutcomeOf(R"({"op":"\u0074","source":{}})"), "skip:truncate");
}

TEST(DecoderTest, SkipsHeartbeatsByTopicOrKey) {
  const std::string value = R"({"ts_ms":1795241913569})";
  TestRecord record;
  record.value = value;
  DecodeOptions options = TransactionOptions();
  {
    Decoder decoder(options);
    EXPECT_EQ(Summary(DecodeRecord(decoder, record).result), "reject:missing_field");
    record.key = R"({"serverName":"uidstr"})";
    EXPECT_EQ(Summary(DecodeRecord(decoder, record).result), "skip:heartbeat");
    record.value = R"({"schema":{"type":"struct"},"payload":{"ts_ms":1795241913569}})";
    EXPECT_EQ(Summary(DecodeRecord(decoder, record).result), "skip:heartbeat");
    record.key.reset();
    EXPECT_EQ(Summary(DecodeRecord(decoder, record).result), "reject:missing_field");
  }
  options.topic = "__debezium-heartbeat.bank";
  EXPECT_EQ(OutcomeOf(value, options), "skip:heartbeat");
  options.format = StreamFormat::kDebeziumJson;
  EXPECT_EQ(OutcomeOf(value, options), "skip:heartbeat");
}

TEST(DecoderTest, SkipsTransactionMarkers) {
  const auto marker = [](const std::string& status) {
    return R"({"status":)" + status +
           R"(,"id":"752:26855656","event_count":null,"data_collections":null,"ts_ms":1})";
  };
  EXPECT_EQ(OutcomeOf(marker("\"BEGIN\"")), "skip:transaction_marker");
  EXPECT_EQ(OutcomeOf(marker("\"END\"")), "skip:transaction_marker");
  EXPECT_EQ(OutcomeOf(marker("\"DONE\"")), "reject:missing_field");
}

TEST(DecoderTest, SkipsRowsThatMoved) {
  DecodeOptions options = TransactionOptions();
  options.operations.update = OperationPolicy::kEvaluate;
  Decoder decoder(options);
  TestRecord record;
  record.headers = {{"__debezium.oldkey", R"({"id":6})"}};
  record.value = Create(kRow);
  EXPECT_EQ(Summary(DecodeRecord(decoder, record).result), "skip:moved_row");
  record.value = Flat(kRow);
  EXPECT_EQ(Summary(DecodeRecord(decoder, record).result), "skip:moved_row");
  const std::string row = std::string("{") + kRow + "}";
  for (const std::string op : {"r", "u"}) {
    record.value = Envelope(op, "null", row);
    EXPECT_EQ(Summary(DecodeRecord(decoder, record).result), "transaction") << op;
  }
}

TEST(DecoderTest, ReadsFlatRows) {
  const std::string meta = R"(,"__op":"r","__source_ts_ms":1795241911379,"__deleted":"false")";
  const Decoded snapshot = Decode(Flat(kRow + meta));
  EXPECT_EQ(snapshot.event.action, EventAction::kWarm);
  EXPECT_EQ(snapshot.event.commit_time_ms, kCommitMs);
  EXPECT_TRUE(snapshot.event.has_row);
  const Decoded bare = Decode(Flat(kRow));
  EXPECT_EQ(bare.event.action, EventAction::kEvaluate);
  EXPECT_EQ(bare.event.commit_time_ms, -1);
  EXPECT_EQ(Decode(Flat(std::string(kRow) + R"(,"__op":null)")).event.action,
            EventAction::kEvaluate);
  EXPECT_EQ(OutcomeOf(Flat(std::string(kRow) + R"(,"__op":"u")")), "skip:operation");
  EXPECT_EQ(OutcomeOf(Flat(std::string(kRow) + R"(,"__op":"d")")), "skip:operation");
  EXPECT_EQ(OutcomeOf(Flat(std::string(kRow) + R"(,"__op":"x")")), "reject:unknown_format");
  EXPECT_EQ(OutcomeOf(Flat(std::string(kRow) + R"(,"__op":7)")), "reject:unknown_format");
  for (const std::string deleted : {"\"true\"", "true"}) {
    const std::string value = Flat(kRow + (R"(,"__op":"d","__deleted":)" + deleted));
    EXPECT_EQ(OutcomeOf(value), "skip:deleted");
    DecodeOptions options = TransactionOptions();
    options.operations.remove = OperationPolicy::kEvaluate;
    EXPECT_EQ(OutcomeOf(value, options), "transaction");
  }
}

TEST(DecoderTest, ClassifiesEachMessageByItself) {
  const std::string envelope = Create(kRow);
  const std::string flat = Flat(kRow);
  const std::string wrapped = R"({"schema":null,"payload":)" + envelope + "}";
  const std::string wrapped_flat = R"({"payload":)" + flat + R"(,"schema":null})";
  Decoder decoder(TransactionOptions());
  for (int pass = 0; pass < 3; ++pass) {
    for (const std::string& value : {envelope, flat, wrapped, wrapped_flat}) {
      const Decoded decoded = DecodeValue(decoder, value);
      EXPECT_EQ(Summary(decoded.result), "transaction") << value;
      EXPECT_EQ(decoded.transaction().amount, 7710);
    }
  }
}

TEST(DecoderTest, RemembersLayoutsAgainAfterAChangeOfTheSchema) {
  Decoder decoder(TransactionOptions());
  const auto parses_of = [&decoder](const std::string& row, int messages) {
    for (int i = 0; i < messages; ++i) {
      EXPECT_EQ(Summary(DecodeValue(decoder, Create(row)).result), "transaction");
    }
    return decoder.TakeFullParses();
  };
  EXPECT_EQ(parses_of(kRow, 100), 1U);
  const std::string with_column = R"("channel":"app",)" + std::string(kRow);
  EXPECT_EQ(parses_of(with_column, 100), 1U);
  EXPECT_EQ(parses_of(kRow, 100), 0U) << "both schemas are in the topic for a while";
  EXPECT_EQ(parses_of(with_column, 100), 0U);
}

TEST(DecoderTest, KeepsToAnExplicitFormat) {
  DecodeOptions debezium = TransactionOptions();
  debezium.format = StreamFormat::kDebeziumJson;
  EXPECT_EQ(OutcomeOf(Create(kRow), debezium), "transaction");
  EXPECT_EQ(OutcomeOf(Flat(kRow), debezium), "reject:unknown_format");
  EXPECT_EQ(OutcomeOf("null", debezium), "skip:deleted");

  // Columns with the names of envelope members need the explicit format.
  DecodeOptions rows = TransactionOptions();
  rows.fields.attributes = {{"merchant", "op"}, {"channel", "source"}, {"schema", "schema"}};
  const std::string row =
      std::string(kRow) + R"(,"op":"topup","source":"web","schema":{},"payload":"x")";
  EXPECT_EQ(OutcomeOf(Flat(row), rows), "reject:unknown_format");
  rows.fields.attributes.pop_back();
  rows.format = StreamFormat::kRowJson;
  const Decoded decoded = Decode(Flat(row), rows);
  ASSERT_EQ(Summary(decoded.result), "transaction");
  EXPECT_EQ(decoded.transaction().attributes[0], "topup");
  EXPECT_EQ(decoded.transaction().attributes[1], "web");
  EXPECT_EQ(OutcomeOf(R"({"schema":null,"payload":)" + Flat(row) + "}", rows), "transaction");
  EXPECT_EQ(OutcomeOf(R"({"schema":{},"payload":null})", rows), "skip:deleted");
}

TEST(DecoderTest, TellsAWrapperFromARowOfTwoColumns) {
  // Two columns called schema and payload: what they hold decides, also once a layout is known.
  DecodeOptions options;
  options.format = StreamFormat::kRowJson;
  options.fields.account = "schema";
  Decoder decoder(options);
  TestRecord record;
  for (int i = 0; i < 3; ++i) {
    record.value = R"({"schema":"7","payload":"x"})";
    EXPECT_EQ(DecodeRecord(decoder, record).transaction().account, "7");
    record.value = R"({"schema":null,"payload":null})";
    EXPECT_EQ(Summary(DecodeRecord(decoder, record).result), "skip:deleted");
  }
}

TEST(DecoderTest, RefusesWhatIsNotTheStreamsFormat) {
  for (const std::string value :
       {"[]", "[1,2]", "7", "\"text\"", "true", R"({"op":1,"source":{}})",
        R"({"op":"c","source":"postgres","after":{}})", R"({"op":"x","source":{},"after":{}})",
        R"({"op":"","source":{}})", R"({"schema":{},"payload":7})",
        R"({"schema":{},"payload":[]})"}) {
    EXPECT_EQ(OutcomeOf(value), "reject:unknown_format") << value;
  }
}

TEST(DecoderTest, RefusesConfluentFramingWithAHint) {
  for (const StreamFormat format :
       {StreamFormat::kAuto, StreamFormat::kDebeziumJson, StreamFormat::kRowJson}) {
    DecodeOptions options = TransactionOptions();
    options.format = format;
    const Decoded decoded = Decode(std::string("\0\0\0\0\2abc", 8), options);
    EXPECT_EQ(Summary(decoded.result), "reject:unknown_format");
    EXPECT_THAT(std::string(decoded.result.detail), HasSubstr("Avro is not supported"));
  }
}

TEST(DecoderTest, RefusesBrokenBytes) {
  EXPECT_EQ(OutcomeOf(""), "reject:malformed_json");
  EXPECT_EQ(OutcomeOf("   "), "reject:malformed_json");
  EXPECT_EQ(OutcomeOf("nul"), "reject:malformed_json");
  const std::string value = Create(kRow);
  for (size_t length = 1; length < value.size(); ++length) {
    ASSERT_EQ(OutcomeOf(value.substr(0, length)), "reject:malformed_json") << length;
  }
  EXPECT_EQ(OutcomeOf(value + " "), "transaction");
  EXPECT_EQ(OutcomeOf(value + "}"), "reject:malformed_json");
  EXPECT_EQ(OutcomeOf(value + "{}"), "reject:malformed_json");
  EXPECT_EQ(OutcomeOf(value + std::string(1, '\0')), "reject:malformed_json");
  EXPECT_EQ(OutcomeOf(Create(RowWith("card_type", "\"\xC3\x28\""))), "reject:invalid_utf8");
  // Also where no mapped field looks: in the source, in a key, behind the row.
  EXPECT_EQ(OutcomeOf(Create(std::string(kRow) + R"(,"x":01)")), "reject:malformed_json");
  EXPECT_EQ(OutcomeOf(Create(std::string(kRow) + R"(,"x":"\q")")), "reject:malformed_json");
  EXPECT_EQ(OutcomeOf(Create(std::string(kRow) + ",\"\xFF\":1")), "reject:invalid_utf8");
}

TEST(DecoderTest, ValidatesWhatItSkips) {
  const std::string row = std::string("{") + kRow + "}";
  EXPECT_EQ(OutcomeOf(Envelope("d", row, "nul")), "reject:malformed_json");
  EXPECT_EQ(OutcomeOf(Envelope("t", "null", "null") + ","), "reject:malformed_json");
}

TEST(DecoderTest, BoundsSizeAndDepth) {
  DecodeOptions options = TransactionOptions();
  const std::string value = Create(kRow);
  options.max_record_bytes = value.size();
  EXPECT_EQ(OutcomeOf(value, options), "transaction");
  options.max_record_bytes = value.size() - 1;
  EXPECT_EQ(OutcomeOf(value, options), "reject:too_large");
  options = TransactionOptions();
  options.max_depth = 2;
  EXPECT_EQ(OutcomeOf(value, options), "transaction");
  options.max_depth = 1;
  EXPECT_EQ(OutcomeOf(value, options), "reject:too_deep");
  const std::string nested = std::string(62, '[') + std::string(62, ']');
  EXPECT_EQ(OutcomeOf(Create(std::string(kRow) + ",\"x\":" + nested)), "transaction");
  EXPECT_EQ(OutcomeOf(Create(std::string(kRow) + ",\"x\":[" + nested + "]")), "reject:too_deep");
}

TEST(DecoderTest, RejectsWhatIsMissingFromTheRow) {
  const std::vector<std::pair<std::string, std::string>> absent = {
      {"id", "reject:missing_field"},     {"user_id", "reject:missing_field"},
      {"amount", "reject:missing_field"}, {"created_at", "reject:missing_field"},
      {"card_type", "transaction"},       {"merchant_id", "transaction"}};
  for (const auto& [column, outcome] : absent) {
    EXPECT_EQ(OutcomeOf(Create(RowWith(column, ""))), outcome) << column;
  }
  const std::vector<std::pair<std::string, std::string>> null = {
      {"id", "transaction"},
      {"user_id", "reject:missing_account"},
      {"card_type", "transaction"},
      {"amount", "reject:missing_amount"},
      {"created_at", "transaction"}};
  for (const auto& [column, outcome] : null) {
    EXPECT_EQ(OutcomeOf(Create(RowWith(column, "null"))), outcome) << column;
    EXPECT_EQ(OutcomeOf(Create(RowWith(column, "\"__debezium_unavailable_value\""))), outcome)
        << column;
  }
  EXPECT_EQ(OutcomeOf(Envelope("c", "null", "null")), "reject:missing_field");
  EXPECT_EQ(OutcomeOf(R"({"op":"c","source":{}})"), "reject:missing_field");
  DecodeOptions options = TransactionOptions();
  options.operations.remove = OperationPolicy::kWarm;
  EXPECT_EQ(OutcomeOf(Envelope("d", "null", "null"), options), "reject:missing_field");
}

TEST(DecoderTest, RejectsValuesItCannotRead) {
  for (const std::string json : {"{}", "[1]", R"("\uD800")"}) {
    for (const std::string column : {"id", "user_id", "card_type", "created_at"}) {
      EXPECT_EQ(OutcomeOf(Create(RowWith(column, json))), "reject:invalid_value")
          << column << " " << json;
    }
  }
  EXPECT_EQ(OutcomeOf(Create(RowWith("amount", "\"abc\""))), "reject:invalid_amount");
  EXPECT_EQ(OutcomeOf(Create(RowWith("amount", "\"NAN\""))), "reject:amount_not_finite");
  EXPECT_EQ(OutcomeOf(Create(RowWith("amount", "0.001"))), "reject:amount_scale");
  EXPECT_EQ(OutcomeOf(Create(RowWith("amount", "1.0E300"))), "reject:amount_out_of_range");
  EXPECT_EQ(OutcomeOf(Create(RowWith("amount", "\"BOI=\""))), "reject:amount_scale_unknown");
  EXPECT_EQ(OutcomeOf(Create(RowWith("created_at", "\"soon\""))), "reject:invalid_value");
  EXPECT_EQ(OutcomeOf(Create(RowWith("created_at", "1e15"))), "reject:invalid_value");
}

TEST(DecoderTest, NamesTheFieldButNeverThePayload) {
  const Decoded null = Decode(Create(RowWith("amount", "null")));
  EXPECT_EQ(null.result.detail, "amount column 'amount' is null");
  const Decoded bad = Decode(Create(RowWith("amount", "\"4111111111111111x\"")));
  EXPECT_EQ(bad.result.detail, "amount column 'amount' is not a number");
  const Decoded absent = Decode(Create(RowWith("user_id", "")));
  EXPECT_EQ(absent.result.detail, "account column 'user_id' is absent from the row");
  const Decoded attribute = Decode(Create(RowWith("card_type", R"({"secret":1})")));
  EXPECT_EQ(attribute.result.detail, "attribute column 'card_type' is neither text nor a number");
  DecodeOptions options = TransactionOptions();
  options.fields.account = std::string(1000, 'x');
  EXPECT_LE(Decode(Create(kRow), options).result.detail.size(), 256U);
}

TEST(DecoderTest, TakesTheFirstOfRepeatedMembers) {
  const Decoded decoded = Decode(Create(std::string(kRow) + R"(,"user_id":999,"amount":"1.00")"));
  EXPECT_EQ(decoded.transaction().account, "201");
  EXPECT_EQ(decoded.transaction().amount, 7710);
  std::string value = Create(kRow);
  value.back() = ',';
  value += R"("op":"d","after":null,"source":null})";
  EXPECT_EQ(OutcomeOf(value), "transaction");
}

TEST(DecoderTest, MakesOneKeyOfNumberAndText) {
  const auto hash = [](const std::string& json) {
    const Decoded decoded = Decode(Create(RowWith("user_id", json)));
    EXPECT_TRUE(decoded.is_transaction());
    return decoded.event.key_hash;
  };
  EXPECT_EQ(hash("1042"), hash("\"1042\""));
  EXPECT_EQ(hash(R"("10\u00342")"), hash("1042"));
  EXPECT_EQ(hash("-0"), hash("0"));
  EXPECT_NE(hash("1042.0"), hash("1042"));
  EXPECT_EQ(Decode(Create(RowWith("user_id", "\"\""))).transaction().account, "");
}

TEST(DecoderTest, KeysByAnotherColumnWhenTold) {
  DecodeOptions options = TransactionOptions();
  options.fields.key = "merchant_id";
  const Decoded decoded = Decode(Create(kRow), options);
  EXPECT_EQ(decoded.transaction().key, "70");
  EXPECT_EQ(decoded.transaction().account, "201");
  EXPECT_EQ(decoded.event.key_hash, agents::HashKey("70", options.hash_seed));
  EXPECT_EQ(OutcomeOf(Create(RowWith("merchant_id", "null")), options), "reject:missing_account");
  options.fields.key = "user_id";
  const Decoded same = Decode(Create(kRow), options);
  EXPECT_EQ(same.transaction().key.data(), same.transaction().account.data());
}

TEST(DecoderTest, DoesWithoutWhatIsNotMapped) {
  DecodeOptions options;
  options.fields.account = "user_id";
  const Decoded decoded = Decode(Create(kRow), options);
  ASSERT_EQ(Summary(decoded.result), "transaction");
  EXPECT_FALSE(decoded.transaction().has_amount);
  EXPECT_EQ(decoded.transaction().amount, 0);
  EXPECT_TRUE(decoded.transaction().id.empty());
  EXPECT_TRUE(decoded.transaction().attributes.empty());
  EXPECT_TRUE(decoded.transaction().currency.empty());
  EXPECT_FALSE(decoded.event.has_row);
  EXPECT_EQ(decoded.transaction().event_time_us, kCommitMs * 1000);
  EXPECT_EQ(decoded.transaction().time_source, TimeSource::kSourceCommit);
  EXPECT_EQ(decoded.result.location, LocationOutcome::kUnmapped);
}

TEST(DecoderTest, MapsOneColumnToSeveralFields) {
  DecodeOptions options = TransactionOptions();
  options.fields.id = "user_id";
  options.fields.key = "user_id";
  options.fields.attributes = {{"merchant", "card_type"}, {"device", "card_type"}};
  Decoder decoder(options);
  for (int i = 0; i < 3; ++i) {
    const Decoded decoded = DecodeValue(decoder, Create(kRow));
    EXPECT_EQ(decoded.transaction().id, "201");
    EXPECT_EQ(decoded.transaction().key, "201");
    EXPECT_EQ(decoded.transaction().attributes[0], "visa");
    EXPECT_EQ(decoded.transaction().attributes[1], "visa");
  }
}

TEST(DecoderTest, ShowsRulesTheCurrencyInCapitals) {
  DecodeOptions options = TransactionOptions();
  options.fields.currency = "card_type";
  options.fields.attributes = {{"as_written", "card_type"}, {"currency", "card_type"}};
  const Decoded decoded = Decode(Create(RowWith("card_type", R"("eur")")), options);
  EXPECT_EQ(decoded.transaction().currency, "EUR");
  EXPECT_EQ(decoded.transaction().attributes[0], "eur");
  EXPECT_EQ(decoded.transaction().attributes[1], "EUR");
}

TEST(DecoderTest, ReadsTheCurrency) {
  DecodeOptions options = TransactionOptions();
  options.fields.currency = "card_type";
  const auto currency = [&](const std::string& json) {
    const Decoded decoded = Decode(Create(RowWith("card_type", json)), options);
    return decoded.is_transaction() ? std::string(decoded.transaction().currency)
                                    : Summary(decoded.result);
  };
  EXPECT_EQ(currency("\"EUR\""), "EUR");
  EXPECT_EQ(currency("\"usd\""), "USD");
  for (const std::string json : {"null", "\"EURO\"", "\"\"", "\"E1R\"", "978", "true", "{}"}) {
    EXPECT_EQ(currency(json), "reject:invalid_currency") << json;
  }
  EXPECT_EQ(currency(""), "reject:missing_field");
  options.currency = "EUR";
  EXPECT_EQ(currency("\"eur\""), "EUR");
  EXPECT_EQ(currency("\"USD\""), "reject:invalid_currency");
}

TEST(DecoderTest, IdentifiesRowsByTableAndId) {
  const auto tag = [](const std::string& value, const std::string& topic = "t") {
    DecodeOptions options = TransactionOptions();
    options.topic = topic;
    const Decoded decoded = Decode(value, options);
    EXPECT_TRUE(decoded.event.has_row) << value;
    return decoded.event.row_tag;
  };
  const std::string created = Create(kRow);
  EXPECT_EQ(tag(created), tag(Envelope("r", "null", std::string("{") + kRow + "}")));
  EXPECT_EQ(tag(created), tag(Create(RowWith("amount", "\"1.00\""))));
  EXPECT_EQ(tag(created), tag(created, "another topic"));
  EXPECT_EQ(tag(Create(RowWith("id", "\"5\""))), tag(created));
  EXPECT_NE(tag(Create(RowWith("id", "6"))), tag(created));
  EXPECT_NE(tag(Flat(kRow)), tag(created));
  EXPECT_NE(tag(Flat(kRow)), tag(Flat(kRow), "another topic"));
  EXPECT_NE(tag(Flat(kRow)), tag(Flat(std::string(kRow) + R"(,"__table":"payments")")));
  std::string other_table = created;
  other_table.replace(other_table.find("\"transactions\""), 14, "\"payments\"");
  EXPECT_NE(tag(other_table), tag(created));
  // A source without schemas (MySQL) is told apart by its database.
  std::string mysql = created;
  mysql.replace(mysql.find(R"("schema":"public")"), 17, R"("db":"bank")");
  std::string other_db = created;
  other_db.replace(other_db.find(R"("schema":"public")"), 17, R"("db":"shop")");
  EXPECT_NE(tag(mysql), tag(other_db));
  EXPECT_FALSE(Decode(Create(RowWith("id", "null"))).event.has_row);
}

TEST(DecoderTest, IdentifiesRowsOfTablesThatTakeTurns) {
  const auto of_table = [](const std::string& table, const std::string& more, int id) {
    std::string value = Create(RowWith("id", std::to_string(id)) + more);
    const size_t at = value.find("transactions");
    return value.replace(at, std::string("transactions").size(), table);
  };
  DecodeOptions options = TransactionOptions();
  Decoder decoder(options);
  options.max_layouts = 0;
  Decoder parsing_decoder(options);
  const auto check = [&](const std::string& value) {
    ASSERT_EQ(Describe(DecodeValue(decoder, value)), Describe(DecodeValue(parsing_decoder, value)));
  };
  // Tables of a layout each, then of one layout.
  const std::string turns = "aaabbbabababccaabcbbaca";
  for (size_t i = 0; i < turns.size(); ++i) {
    const int id = static_cast<int>(i + 1);
    if (turns[i] == 'a') check(of_table("transactions", "", id));
    if (turns[i] == 'b') check(of_table("payments", R"(,"x":1)", id));
    if (turns[i] == 'c') check(Flat(RowWith("id", std::to_string(id))));
  }
  for (int id = 1; id < 20; ++id) {
    check(of_table(id % 3 == 0 ? "transactionz" : "transactions", "", id));
    check(of_table(id % 5 == 0 ? "refunds" : "payments", R"(,"x":1)", id));
  }
}

TEST(DecoderTest, EventsPointIntoTheirRecords) {
  DecodeOptions options = TransactionOptions();
  options.fields.attributes = {{"table", "__table"}, {"operation", "__op"}, {"card", "card_type"}};
  Decoder decoder(options);
  const std::string value = Flat(std::string(kRow) + R"(,"__op":"c","__table":"payments")");
  for (int i = 0; i < 3; ++i) {
    const Decoded decoded = DecodeValue(decoder, value);
    ASSERT_TRUE(decoded.is_transaction());
    const std::string_view record = decoded.batch->records()[0].value;
    ASSERT_EQ(decoded.transaction().attributes.size(), 3U);
    EXPECT_EQ(decoded.transaction().attributes[0], "payments");
    EXPECT_EQ(decoded.transaction().attributes[1], "c");
    for (const std::string_view text : decoded.transaction().attributes) {
      EXPECT_GE(text.data(), record.data());
      EXPECT_LE(text.data() + text.size(), record.data() + record.size());
    }
  }
}

TEST(DecoderTest, FallsBackToTheRecordsClocks) {
  const auto source_of = [](const std::string& value, int64_t record_ms) {
    Decoder decoder(TransactionOptions());
    TestRecord record;
    record.value = value;
    record.timestamp_ms = record_ms;
    return DecodeRecord(decoder, record);
  };
  const std::string no_time = Flat(RowWith("created_at", "null"));
  const Decoded record_time = source_of(no_time, 1'795'000'000'000);
  EXPECT_EQ(record_time.transaction().time_source, TimeSource::kRecord);
  EXPECT_EQ(record_time.transaction().event_time_us, 1'795'000'000'000'000);
  EXPECT_EQ(Summary(source_of(no_time, -1).result), "reject:missing_time");
  const Decoded commit = source_of(Create(RowWith("created_at", "0")), 1);
  EXPECT_EQ(commit.transaction().time_source, TimeSource::kSourceCommit);
  EXPECT_EQ(commit.transaction().event_time_us, kCommitMs * 1000);
}

TEST(DecoderTest, ReadsCoordinatesOrThePlaceTable) {
  DecodeOptions options = TransactionOptions();
  options.fields.latitude = "lat";
  options.fields.longitude = "lon";
  auto table = PlaceTable::Parse("merchant,latitude,longitude,country\n70,1.5,2.5,FR\n", "places");
  ASSERT_TRUE(table.ok());
  options.places = std::make_shared<const PlaceTable>(*std::move(table));
  options.fields.attributes.push_back({"country", "country"});
  Decoder decoder(options);
  const auto decode = [&](const std::string& more) {
    return DecodeValue(decoder, Create(std::string(kRow) + more));
  };
  const Decoded columns = decode(R"(,"lat":48.856613,"lon":"2.352222","country":"BE")");
  EXPECT_EQ(columns.result.location, LocationOutcome::kColumns);
  EXPECT_EQ(columns.transaction().location, (agents::Location{48'856'613, 2'352'222}));
  EXPECT_EQ(columns.transaction().attributes[2], "BE");
  const Decoded place = decode("");
  EXPECT_EQ(place.result.location, LocationOutcome::kPlaceTable);
  EXPECT_TRUE(place.transaction().has_location);
  EXPECT_EQ(place.transaction().location, (agents::Location{1'500'000, 2'500'000}));
  EXPECT_EQ(place.transaction().attributes[2], "FR");
}

TEST(DecoderTest, ReplacedEventsKeepNothing) {
  Decoder decoder(TransactionOptions());
  TestBatch batch;
  Arena arena;
  Event event;
  event.replayed = true;
  event.traceparent = "old";
  event.transaction.has_location = true;
  event.transaction.currency = "XXX";
  TestRecord record;
  record.value = Flat(RowWith("id", "null"));
  const DecodeResult result = decoder.Decode(batch, batch.Add(record), arena, event);
  ASSERT_EQ(Summary(result), "transaction");
  EXPECT_FALSE(event.replayed);
  EXPECT_TRUE(event.traceparent.empty());
  EXPECT_FALSE(event.transaction.has_location);
  EXPECT_TRUE(event.transaction.currency.empty());
  EXPECT_FALSE(event.has_row);
}

}  // namespace
}  // namespace caracal::pipeline
