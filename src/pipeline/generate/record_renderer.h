#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/generate/generator_options.h"
#include "pipeline/generate/payment.h"
#include "pipeline/generate/text_cursor.h"

namespace caracal::pipeline {

/// What a change event says besides the row.
struct Change {
  char op = 'c';
  /// `source.snapshot`: false, first, true, last or incremental.
  std::string_view snapshot = "false";
  /// When the database committed the row: microseconds since 1970, in [2002, 2262).
  int64_t commit_us = 0;
  /// When the connector sent it: nanoseconds since 1970, in [2002, 2262).
  int64_t sent_ns = 0;
  int64_t transaction_id = 0;
  /// Log position of the row, and of the commit before it (0 = none seen yet).
  int64_t lsn = 0;
  int64_t previous_commit_lsn = 0;
};

/// Writes the bytes of change events, byte for byte as Debezium 3.7 and Kafka Connect's
/// JsonConverter write them, from pre-rendered pieces into one reused buffer: no allocation per
/// record. One thread at a time.
///
/// IMPORTANT: Buffer Lifetime. A returned view lives until the next call of the same method.
class RecordRenderer {
 public:
  RecordRenderer(LoadProfile profile, const MessageOptions& options);
  RecordRenderer(const RecordRenderer&) = delete;
  RecordRenderer& operator=(const RecordRenderer&) = delete;

  /// The message key of `row`.
  std::string_view RenderKey(const Payment& row);
  /// The message value; `before` or `after` may be null, as `change.op` demands. kFlat writes the
  /// row alone: after, or before with "__deleted":"true".
  std::string_view RenderValue(const Change& change, const Payment* before, const Payment* after);

  /// Where in a value the payload begins, behind the schema block.
  size_t payload_offset() const { return payload_offset_; }

 private:
  void PutEnvelope(const Change& change, const Payment* before, const Payment* after,
                   TextCursor& out) const;
  void PutFlatRow(const Change& change, const Payment& row, TextCursor& out) const;
  void PutSource(const Change& change, TextCursor& out) const;
  void PutRowOrNull(const Payment* row, TextCursor& out) const;
  /// The row's members without the closing brace.
  void PutRow(const Payment& row, TextCursor& out) const;
  void PutAmount(int64_t amount, TextCursor& out) const;

  const bool places_;
  const MessageOptions options_;
  /// Pieces of the `source` block between its variable parts.
  std::string source_head_;
  std::string source_database_;
  std::string source_table_;
  std::string row_tail_;
  size_t payload_offset_ = 0;
  std::vector<char> value_;
  size_t key_offset_ = 0;
  std::vector<char> key_;
};

}  // namespace caracal::pipeline
