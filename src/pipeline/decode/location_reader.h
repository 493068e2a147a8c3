#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "agents/api/transaction.h"
#include "pipeline/decode/column_schema.h"
#include "pipeline/decode/decode_options.h"
#include "pipeline/decode/decode_result.h"
#include "pipeline/decode/json_token.h"
#include "pipeline/types/arena.h"

namespace caracal::pipeline {

/// The coordinate columns of a row.
struct CoordinateTokens {
  const JsonToken& latitude;
  const JsonToken& longitude;
  const ColumnSchema& latitude_schema;
  const ColumnSchema& longitude_schema;
};

/// Finds the location of a transaction: its coordinate columns, else the place table. Coordinates
/// are decimal degrees as numbers, decimal text, or base64 decimals whose schema gives the scale;
/// they are rounded as in coordinates.h. What cannot be read is no location, never an error: the
/// payment is judged without it, and the outcome is there to be counted.
///
/// Immutable; any thread. Shares the place table.
class LocationReader {
 public:
  explicit LocationReader(const DecodeOptions& options);

  /// The stream maps coordinates or a place table; else Read finds kUnmapped.
  bool is_mapped() const { return has_columns_ || place_slot_.has_value(); }

  /// Sets location and has_location of `transaction`, and its country attribute where the row has
  /// none and the place table has one (copied to `arena`). `attributes` are the transaction's.
  LocationOutcome Read(const CoordinateTokens& tokens, std::span<std::string_view> attributes,
                       Arena& arena, agents::Transaction& transaction) const;

 private:
  LocationOutcome ReadColumns(const CoordinateTokens& tokens, Arena& arena,
                              agents::Transaction& transaction) const;

  const bool has_columns_;
  const std::shared_ptr<const PlaceTable> places_;
  std::optional<size_t> place_slot_;
  std::optional<size_t> country_slot_;
};

}  // namespace caracal::pipeline
