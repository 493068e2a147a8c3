#pragma once

#include <cstddef>

#include "pipeline/decode/amount_reader.h"
#include "pipeline/decode/decode_options.h"
#include "pipeline/decode/decode_result.h"
#include "pipeline/decode/event_time.h"
#include "pipeline/decode/location_reader.h"
#include "pipeline/decode/message_reader.h"
#include "pipeline/decode/row_identity.h"
#include "pipeline/types/arena.h"
#include "pipeline/types/event_batch.h"
#include "pipeline/types/record_batch.h"

namespace caracal::pipeline {

/// Decodes raw records of one stream: each becomes a transaction, a skip or a reject, by its own
/// bytes alone. Between source and route; the first stage that looks into a value.
///
/// One per ingest thread and stream, not thread-safe: it reuses its parser and remembers message
/// layouts. What it remembers saves time and never changes a result.
///
/// IMPORTANT: Buffer Lifetime. The views of an event point into the record's bytes (owned by the
/// batch) or into the arena; the Decoder may go before them.
///
/// Limits: values of max_record_bytes, nesting of max_depth, JsonTape::kMaxValues values. Memory:
/// see JsonTape and LayoutCache. No allocation per record once warm, but in the arena. Bad input is
/// a result; nothing throws.
class Decoder {
 public:
  /// CHECKs ValidateDecodeOptions(options).
  explicit Decoder(DecodeOptions options);
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Decodes batch.records()[index]. For kTransaction `event` is overwritten whole, but `replayed`
  /// is the caller's to set; otherwise it is left in an unspecified state.
  DecodeResult Decode(const RecordBatch& batch, size_t index, Arena& arena, Event& event);

  /// Messages since the last call that took the full parse, as no remembered layout fitted them.
  uint64_t TakeFullParses() { return reader_.TakeFullParses(); }

 private:
  struct Row;

  DecodeResult DecodeMessage(Row& row);
  DecodeResult DecodeChange(Row& row);
  bool ReadRow(Row& row);
  bool ReadKeyText(Row& row, size_t slot, std::string_view& text);
  bool ReadRareKeyText(Row& row, size_t slot, std::string_view& text);
  bool ReadKeys(Row& row);
  bool ReadAmount(Row& row);
  bool ReadCurrency(Row& row);
  bool ReadTime(Row& row);
  bool ReadAttributes(Row& row);
  void ReadLocation(Row& row);
  void FillIdentity(Row& row);
  void FillOrigin(Row& row);

  bool IsMapped(FieldSlot slot) const { return (mapped_ >> slot & 1) != 0; }
  /// Whether the column of a mapped slot is in the row; the row is rejected if not.
  bool RequireColumn(Row& row, size_t slot);
  /// Rejects the row for the column of `slot`. Always false.
  bool RejectColumn(Row& row, size_t slot, RejectReason reason, std::string_view problem);

  const DecodeOptions options_;
  MessageReader reader_;
  RowIdentity identity_;
  /// The run of messages of one table that identity_ has seen last; 0 = none.
  uint64_t identity_run_ = 0;
  const AmountReader amounts_;
  const EventTimeReader times_;
  const LocationReader locations_;
  const uint32_t mapped_;
  /// Slot of currency_attribute when it is read from the currency's column.
  const std::optional<size_t> currency_attribute_;
};

}  // namespace caracal::pipeline
