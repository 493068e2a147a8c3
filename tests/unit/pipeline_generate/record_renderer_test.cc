#include "pipeline/generate/record_renderer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/unit/pipeline_generate/parsed_record.h"

namespace caracal::pipeline {
namespace {

// The expectations are the bytes that Debezium 3.7.0.Final and Kafka Connect 4.3.1 put on a topic.

Payment Row(int64_t id, int64_t account, int64_t amount, uint32_t merchant, int64_t time_us) {
  Payment row;
  row.id = id;
  row.account = account;
  row.amount = amount;
  row.card_type = "visa";
  row.merchant = merchant;
  row.event_time_us = time_us;
  return row;
}

Change MakeChange(char op, int64_t commit_us, int64_t sent_ns, int64_t transaction_id, int64_t lsn,
                  int64_t previous_lsn) {
  Change change;
  change.op = op;
  change.commit_us = commit_us;
  change.sent_ns = sent_ns;
  change.transaction_id = transaction_id;
  change.lsn = lsn;
  change.previous_commit_lsn = previous_lsn;
  return change;
}

MessageOptions Options(MessageShape shape, DecimalForm decimals, const char* source) {
  MessageOptions options;
  options.shape = shape;
  options.decimals = decimals;
  options.source_name = source;
  options.database = "course";
  return options;
}

const Payment kCreated = Row(5, 201, 7710, 70, 1'772'600'767'123'456);

TEST(RecordRendererTest, WritesACreateByteForByte) {
  RecordRenderer renderer(LoadProfile::kReference,
                          Options(MessageShape::kBare, DecimalForm::kBase64, "coursens"));
  EXPECT_EQ(
      renderer.RenderValue(
          MakeChange('c', 1'795'241'960'951'012, 1'795'241'961'065'186'220, 751, 26'854'952, 0),
          nullptr, &kCreated),
      R"({"before":null,"after":{"id":5,"user_id":201,"amount":"Hh4=","card_type":"visa",)"
      R"("merchant_id":70,"created_at":1772600767123456},"source":{"version":"3.7.0.Final",)"
      R"("connector":"postgresql","name":"coursens","ts_ms":1795241960951,"snapshot":"false",)"
      R"("db":"course","sequence":"[null,\"26854952\"]","ts_us":1795241960951012,)"
      R"("ts_ns":1795241960951012000,"schema":"public","table":"transactions","txId":751,)"
      R"("lsn":26854952,"xmin":null,"origin":null,"origin_lsn":null},"transaction":null,)"
      R"("op":"c","ts_ms":1795241961065,"ts_us":1795241961065186,"ts_ns":1795241961065186220})");
}

TEST(RecordRendererTest, WritesAnUpdateByteForByte) {
  RecordRenderer renderer(LoadProfile::kReference,
                          Options(MessageShape::kBare, DecimalForm::kBase64, "coursens"));
  const Payment before = Row(13, 301, 1000, 1, 0);
  const Payment after = Row(13, 301, 1100, 1, 0);
  EXPECT_EQ(
      renderer.RenderValue(MakeChange('u', 1'795'242'071'426'639, 1'795'242'071'893'014'233, 759,
                                      26'860'016, 26'859'960),
                           &before, &after),
      R"({"before":{"id":13,"user_id":301,"amount":"A+g=","card_type":"visa","merchant_id":1,)"
      R"("created_at":0},"after":{"id":13,"user_id":301,"amount":"BEw=","card_type":"visa",)"
      R"("merchant_id":1,"created_at":0},"source":{"version":"3.7.0.Final",)"
      R"("connector":"postgresql","name":"coursens","ts_ms":1795242071426,"snapshot":"false",)"
      R"("db":"course","sequence":"[\"26859960\",\"26860016\"]","ts_us":1795242071426639,)"
      R"("ts_ns":1795242071426639000,"schema":"public","table":"transactions","txId":759,)"
      R"("lsn":26860016,"xmin":null,"origin":null,"origin_lsn":null},"transaction":null,)"
      R"("op":"u","ts_ms":1795242071893,"ts_us":1795242071893014,"ts_ns":1795242071893014233})");
}

TEST(RecordRendererTest, WritesADeleteByteForByte) {
  RecordRenderer renderer(LoadProfile::kReference,
                          Options(MessageShape::kBare, DecimalForm::kBase64, "coursens"));
  const Payment before = Row(2000, 302, 1100, 1, 0);
  EXPECT_EQ(
      renderer.RenderValue(MakeChange('d', 1'795'242'088'698'399, 1'795'242'089'097'574'058, 762,
                                      26'860'640, 26'860'584),
                           &before, nullptr),
      R"({"before":{"id":2000,"user_id":302,"amount":"BEw=","card_type":"visa","merchant_id":1,)"
      R"("created_at":0},"after":null,"source":{"version":"3.7.0.Final",)"
      R"("connector":"postgresql","name":"coursens","ts_ms":1795242088698,"snapshot":"false",)"
      R"("db":"course","sequence":"[\"26860584\",\"26860640\"]","ts_us":1795242088698399,)"
      R"("ts_ns":1795242088698399000,"schema":"public","table":"transactions","txId":762,)"
      R"("lsn":26860640,"xmin":null,"origin":null,"origin_lsn":null},"transaction":null,)"
      R"("op":"d","ts_ms":1795242089097,"ts_us":1795242089097574,"ts_ns":1795242089097574058})");
}

TEST(RecordRendererTest, WritesASnapshotRowByteForByte) {
  RecordRenderer renderer(LoadProfile::kReference,
                          Options(MessageShape::kBare, DecimalForm::kBase64, "coursens"));
  Change change =
      MakeChange('r', 1'795'241'911'379'643, 1'795'241'911'435'241'339, 746, 26'722'280, 0);
  change.snapshot = "first";
  const Payment row = Row(1, 101, 1250, 7, 1'767'323'045'678'901);
  EXPECT_EQ(
      renderer.RenderValue(change, nullptr, &row),
      R"({"before":null,"after":{"id":1,"user_id":101,"amount":"BOI=","card_type":"visa",)"
      R"("merchant_id":7,"created_at":1767323045678901},"source":{"version":"3.7.0.Final",)"
      R"("connector":"postgresql","name":"coursens","ts_ms":1795241911379,"snapshot":"first",)"
      R"("db":"course","sequence":"[null,\"26722280\"]","ts_us":1795241911379643,)"
      R"("ts_ns":1795241911379643000,"schema":"public","table":"transactions","txId":746,)"
      R"("lsn":26722280,"xmin":null,"origin":null,"origin_lsn":null},"transaction":null,)"
      R"("op":"r","ts_ms":1795241911435,"ts_us":1795241911435241,"ts_ns":1795241911435241339})");
}

TEST(RecordRendererTest, WritesDoubles) {
  RecordRenderer renderer(LoadProfile::kReference,
                          Options(MessageShape::kBare, DecimalForm::kDouble, "uiddbl"));
  const std::string value(renderer.RenderValue(
      MakeChange('c', 1'795'241'960'951'012, 1'795'241'961'189'860'315, 751, 26'854'952, 0),
      nullptr, &kCreated));
  EXPECT_EQ(value.substr(0, 125),
            R"({"before":null,"after":{"id":5,"user_id":201,"amount":77.1,"card_type":"visa",)"
            R"("merchant_id":70,"created_at":1772600767123456})");
}

TEST(RecordRendererTest, WritesFlatRowsByteForByte) {
  RecordRenderer renderer(LoadProfile::kReference,
                          Options(MessageShape::kFlat, DecimalForm::kString, "flat"));
  const Payment created = Row(13, 301, 1000, 1, 0);
  EXPECT_EQ(
      renderer.RenderValue(MakeChange('c', 1'795'242'065'028'000, 0, 1, 1, 1), nullptr, &created),
      R"({"id":13,"user_id":301,"amount":"10.00","card_type":"visa","merchant_id":1,)"
      R"("created_at":0,"__deleted":"false","__op":"c","__source_ts_ms":1795242065028})");
  const Payment deleted = Row(2000, 302, 1100, 1, 0);
  EXPECT_EQ(
      renderer.RenderValue(MakeChange('d', 1'795'242'088'698'399, 0, 1, 1, 1), &deleted, nullptr),
      R"({"id":2000,"user_id":302,"amount":"11.00","card_type":"visa","merchant_id":1,)"
      R"("created_at":0,"__deleted":"true","__op":"d","__source_ts_ms":1795242088698})");
}

TEST(RecordRendererTest, WritesTheSchemaByteForByte) {
  std::ifstream file(CARACAL_TEST_DATA "/captured_wrapped_create.json");
  const std::string captured((std::istreambuf_iterator<char>(file)),
                             std::istreambuf_iterator<char>());
  ASSERT_GT(captured.size(), 3000u);
  MessageOptions options = Options(MessageShape::kWrapped, DecimalForm::kBase64, "course");
  options.key = MessageKey::kId;
  RecordRenderer renderer(LoadProfile::kReference, options);
  EXPECT_EQ(renderer.RenderValue(MakeChange('c', 1'795'241'960'951'012, 1'795'241'961'244'105'488,
                                            751, 26'854'952, 0),
                                 nullptr, &kCreated),
            captured);
  EXPECT_EQ(renderer.RenderKey(kCreated),
            R"({"schema":{"type":"struct","fields":[{"type":"int32","optional":false,)"
            R"("default":0,"field":"id"}],"optional":false,)"
            R"("name":"course.public.transactions.Key"},"payload":{"id":5}})");
}

TEST(RecordRendererTest, WritesKeys) {
  MessageOptions options = Options(MessageShape::kBare, DecimalForm::kString, "bank");
  EXPECT_EQ(RecordRenderer(LoadProfile::kReference, options).RenderKey(kCreated),
            R"({"user_id":201})");
  options.key = MessageKey::kId;
  EXPECT_EQ(RecordRenderer(LoadProfile::kReference, options).RenderKey(kCreated), R"({"id":5})");
}

TEST(RecordRendererTest, DescribesEveryColumnOfTheCardsTable) {
  for (const DecimalForm decimals :
       {DecimalForm::kString, DecimalForm::kBase64, DecimalForm::kDouble}) {
    const MessageOptions options = Options(MessageShape::kWrapped, decimals, "bank");
    RecordRenderer renderer(LoadProfile::kCards, options);
    Payment row = kCreated;
    row.country = "DE";
    row.location = {52'520'008, 13'404'954};
    row.device = 0x3f9a2c71;
    const std::string value(renderer.RenderValue(
        MakeChange('c', 1'795'241'960'951'012, 1'795'241'961'244'105'488, 751, 1, 0), nullptr,
        &row));
    const auto message = boost::json::parse(value).as_object();
    const auto& after_schema = message.at("schema").at("fields").as_array().at(1);
    ASSERT_EQ(after_schema.at("field").as_string(), "after");
    const auto& columns = after_schema.at("fields").as_array();
    const auto& after = message.at("payload").at("after").as_object();
    ASSERT_EQ(columns.size(), after.size());
    size_t i = 0;
    for (const auto& member : after) {
      EXPECT_EQ(columns[i++].at("field").as_string(), member.key());
    }
    ExpectSameRow(*ParseRecord(value, options).after, row, LoadProfile::kCards);
  }
}

}  // namespace
}  // namespace caracal::pipeline
