#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/generate/generator_options.h"
#include "pipeline/types/record_outcome.h"

namespace caracal::pipeline {

/// The ways in which a record can fail to be a transaction.
enum class MalformedKind : uint8_t {
  kNone,
  kTruncated,      ///< cut inside the row
  kTrailingBytes,  ///< something behind the closing brace
  kNotJson,        ///< plain text
  kEmpty,          ///< zero bytes; not a tombstone, which is a null value
  kInvalidUtf8,    ///< a broken sequence inside a string
  kTooDeep,        ///< 2,000 nested arrays where the amount belongs
  kNotAnObject,    ///< a JSON array
  kNoAmountField,
  kNullAccount,
  kNullAmount,
  kTextAmount,        ///< not a number
  kBooleanAmount,     ///< not even text
  kNanAmount,         ///< as PostgreSQL's NaN arrives; not in base64, where it arrives as null
  kFractionalAmount,  ///< three digits after the point; not in base64, whose scale is fixed
  kHugeAmount,        ///< above 10^15 minor units
};

std::string_view MalformedKindName(MalformedKind kind);  ///< "truncated", "trailing_bytes", ...

/// The reason for which the pipeline dead-letters a record of this kind; kind != kNone.
RejectReason ExpectedRejectReason(MalformedKind kind);

/// The kinds that exist under `decimals`.
std::span<const MalformedKind> MalformedKinds(DecimalForm decimals);

/// Spoils `value`, a message as RecordRenderer writes it for op c, r or a flat row, whose payload
/// begins at `payload_offset`. kind != kNone. The result has no line feed.
std::string MakeMalformed(MalformedKind kind, DecimalForm decimals, std::string_view value,
                          size_t payload_offset);

}  // namespace caracal::pipeline
