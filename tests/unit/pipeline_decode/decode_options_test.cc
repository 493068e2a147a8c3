#include "pipeline/decode/decode_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "tests/unit/pipeline_decode/record_fixture.h"

namespace caracal::pipeline {
namespace {

using testing::HasSubstr;

TEST(DecodeOptionsTest, AcceptsTheDefaultsOnceAnAccountIsMapped) {
  DecodeOptions options;
  options.fields.account = "user_id";
  EXPECT_TRUE(ValidateDecodeOptions(options).ok());
  EXPECT_TRUE(ValidateDecodeOptions(TransactionOptions()).ok());
}

TEST(DecodeOptionsTest, SaysWhatIsWrong) {
  const std::vector<std::pair<std::function<void(DecodeOptions&)>, std::string>> cases = {
      {[](DecodeOptions& o) { o.fields.account = ""; }, "no column is mapped as account"},
      {[](DecodeOptions& o) { o.fields.latitude = "lat"; }, "only one of latitude and longitude"},
      {[](DecodeOptions& o) {
         o.fields.attributes.push_back({"merchant", "x"});
       },
       "attribute 'merchant' is mapped twice"},
      {[](DecodeOptions& o) { o.fields.attributes.resize(257); }, "257 attributes are mapped"},
      {[](DecodeOptions& o) { o.currency = "eur"; }, "currency 'eur' is not an ISO 4217 code"},
      {[](DecodeOptions& o) { o.amount_scale = 16; }, "amount_scale is 16; it must lie in 0..15"},
      {[](DecodeOptions& o) { o.amount_source_scale = 39; }, "amount_source_scale is 39"},
      {[](DecodeOptions& o) { o.max_ahead_us = -1; }, "max_ahead in microseconds is -1"},
      {[](DecodeOptions& o) { o.max_record_bytes = 0; }, "max_record_bytes is 0"},
      {[](DecodeOptions& o) { o.max_depth = 513; }, "max_depth is 513"},
      {[](DecodeOptions& o) { o.max_layouts = 65; }, "max_layouts is 65"},
      {[](DecodeOptions& o) {
         auto table = PlaceTable::Parse("merchant,latitude,longitude\n", "places");
         o.places = std::make_shared<const PlaceTable>(*std::move(table));
         o.place_attribute = "shop";
       },
       "looked up by attribute 'shop', which is not mapped"},
  };
  for (const auto& [change, error] : cases) {
    DecodeOptions options = TransactionOptions();
    change(options);
    const absl::Status status = ValidateDecodeOptions(options);
    EXPECT_FALSE(status.ok()) << error;
    EXPECT_THAT(agents::MessageOf(status), HasSubstr(error));
  }
}

TEST(DecodeOptionsTest, DecoderRefusesOptionsThatAreNotValid) {
  EXPECT_DEATH(Decoder{DecodeOptions()}, "CHECK failed");
}

}  // namespace
}  // namespace caracal::pipeline
