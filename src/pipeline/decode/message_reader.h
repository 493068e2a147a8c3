#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "pipeline/decode/message_layout.h"
#include "pipeline/decode/message_plan.h"

namespace caracal::pipeline {

/// Turns the bytes of one JSON value into a plan and the tokens of the mapped fields: by a
/// remembered layout where one fits, else by the full parse. Both give the same.
///
/// This is the seam for another wire format: a reader of its bytes that yields a plan and tokens
/// needs nothing else of the decode stage. One thread; owned by the Decoder.
class MessageReader {
 public:
  explicit MessageReader(const DecodeOptions& options);

  /// Reads `json`. On kOk, plan() and token() describe it until the next call; tokens point into
  /// `json`. `slack` as in PaddedInput.
  [[nodiscard]] JsonStatus Read(std::string_view json, uint32_t slack, const MessageOrigin& origin);

  const MessagePlan& plan() const { return *plan_; }
  const JsonToken& token(size_t slot) const { return tokens_[slot]; }
  const MessagePlanner& planner() const { return planner_; }

 private:
  const MessagePlanner planner_;
  JsonTape tape_;
  LayoutCache layouts_;
  PlannedMessage message_;
  std::vector<JsonToken> tokens_;
  const MessagePlan* plan_ = &message_.plan;
};

}  // namespace caracal::pipeline
