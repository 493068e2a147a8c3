#include "pipeline/decode/message_reader.h"

namespace caracal::pipeline {

MessageReader::MessageReader(const DecodeOptions& options)
    : planner_(options),
      tape_(options.max_depth),
      layouts_(options.max_layouts),
      tokens_(planner_.slot_count()) {}

JsonStatus MessageReader::Read(std::string_view json, uint32_t slack, const MessageOrigin& origin) {
  if (const MessageLayout* const layout = layouts_.Match(json, tokens_); layout != nullptr) {
    plan_ = &layout->plan();
    one_table_run_ = layout->has_one_table() ? layouts_.run() : 0;
    return JsonStatus::kOk;
  }
  ++full_parses_;
  one_table_run_ = 0;
  const JsonStatus status = tape_.Parse(json, slack);
  if (status != JsonStatus::kOk) return status;
  planner_.Plan(tape_, origin, message_);
  plan_ = &message_.plan;
  for (size_t slot = 0; slot < tokens_.size(); ++slot) {
    tokens_[slot] = tape_.Token(message_.slot_nodes[slot]);
  }
  if (message_.reusable) layouts_.Learn(json, tape_, message_);
  return JsonStatus::kOk;
}

}  // namespace caracal::pipeline
