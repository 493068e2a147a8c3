#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/decode/layout_cache.h"
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

  /// Messages since the last call that took the full parse.
  uint64_t TakeFullParses() { return std::exchange(full_parses_, 0); }

  /// Not 0: the same number as for the message before says that both have the same kind, and the
  /// same source schema and table.
  uint64_t one_table_run() const { return one_table_run_; }

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
  uint64_t one_table_run_ = 0;
  uint64_t full_parses_ = 0;
};

}  // namespace caracal::pipeline
