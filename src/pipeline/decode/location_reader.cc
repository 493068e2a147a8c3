#include "pipeline/decode/location_reader.h"

#include "pipeline/decode/coordinates.h"
#include "pipeline/decode/decimal.h"

namespace caracal::pipeline {
namespace {

std::optional<size_t> FindAttribute(const DecodeOptions& options, std::string_view name) {
  const auto& attributes = options.fields.attributes;
  for (size_t i = 0; i < attributes.size(); ++i) {
    if (attributes[i].name == name) return i;
  }
  return std::nullopt;
}

/// A coordinate in micro-degrees.
TextStatus ReadCoordinate(const JsonToken& token, const ColumnSchema& schema, Arena& arena,
                          int64_t& udeg) {
  std::string_view text;
  if (token.kind == JsonKind::kBool) return TextStatus::kUnreadable;
  const TextStatus status = ReadText(token, arena, text);
  if (status != TextStatus::kText) return status;
  Decimal degrees;
  DecimalStatus parsed = DecimalStatus::kInvalid;
  if (token.kind == JsonKind::kNumber || schema.type != ColumnType::kDecimal) {
    if (ParseShortRounded(text, kMicroDegreeScale, udeg)) return TextStatus::kText;
    parsed = ParseDecimal(text, degrees);
  } else if (schema.scale.has_value()) {
    parsed = ParseBase64Decimal(text, *schema.scale, degrees);
  }
  if (parsed != DecimalStatus::kOk) return TextStatus::kUnreadable;
  udeg = ToMicroDegrees(degrees);
  return TextStatus::kText;
}

}  // namespace

LocationReader::LocationReader(const DecodeOptions& options)
    : has_columns_(!options.fields.latitude.empty()), places_(options.places) {
  if (places_ == nullptr) return;
  place_slot_ = FindAttribute(options, options.place_attribute);
  country_slot_ = FindAttribute(options, options.country_attribute);
}

LocationOutcome LocationReader::ReadColumns(const CoordinateTokens& tokens, Arena& arena,
                                            agents::Transaction& transaction) const {
  if (!has_columns_) return LocationOutcome::kUnmapped;
  int64_t latitude = 0;
  int64_t longitude = 0;
  const TextStatus north = ReadCoordinate(tokens.latitude, tokens.latitude_schema, arena, latitude);
  const TextStatus east =
      ReadCoordinate(tokens.longitude, tokens.longitude_schema, arena, longitude);
  if (north == TextStatus::kNull || east == TextStatus::kNull) return LocationOutcome::kAbsent;
  if (north != TextStatus::kText || east != TextStatus::kText ||
      !MakeLocation(latitude, longitude, transaction.location)) {
    return LocationOutcome::kUnreadable;
  }
  transaction.has_location = true;
  return LocationOutcome::kColumns;
}

LocationOutcome LocationReader::Read(const CoordinateTokens& tokens,
                                     std::span<std::string_view> attributes, Arena& arena,
                                     agents::Transaction& transaction) const {
  const LocationOutcome columns = ReadColumns(tokens, arena, transaction);
  const bool needs_country =
      country_slot_.has_value() && attributes[*country_slot_].data() == nullptr;
  if (!place_slot_.has_value() || (transaction.has_location && !needs_country)) return columns;
  const std::string_view place_name = attributes[*place_slot_];
  const Place* const place = place_name.data() == nullptr ? nullptr : places_->Find(place_name);
  if (place != nullptr && needs_country && !place->country.empty()) {
    attributes[*country_slot_] = arena.Copy(place->country);
  }
  if (columns == LocationOutcome::kColumns) return columns;
  if (place != nullptr) {
    transaction.location = place->location;
    transaction.has_location = true;
    return LocationOutcome::kPlaceTable;
  }
  // A broken coordinate is worth more attention than a place the table does not know.
  if (columns == LocationOutcome::kUnreadable) return columns;
  return place_name.data() == nullptr ? LocationOutcome::kAbsent : LocationOutcome::kUnknownPlace;
}

}  // namespace caracal::pipeline
