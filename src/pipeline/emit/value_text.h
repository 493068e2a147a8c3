#pragma once

#include <cstdint>
#include <string>

#include "agents/api/verdict.h"

/// The JSON texts of the values an alert shows. Every function appends to `out` and is exact and
/// the same on every host: no locale, no rounding except AppendReal's.
namespace caracal::pipeline {

/// Most digits after the point a stream may declare.
inline constexpr int kMaxAmountScale = 18;

/// A decimal with exactly `scale` digits after the point, without quotes: (472015, 2) is 4720.15,
/// (-5, 2) is -0.05. `scale` in [0, kMaxAmountScale].
void AppendDecimal(int64_t minor_units, int scale, std::string& out);

/// Microseconds as seconds without trailing zeros: 60000000 is 60, 500000 is 0.5.
void AppendSeconds(int64_t micros, std::string& out);

/// Three decimals, ties to even on the exact binary value; `null` for NaN and infinities, which
/// JSON numbers cannot be.
void AppendReal(double value, std::string& out);

/// Up to eight bytes, the lowest first, as a JSON string; ends at the first zero byte.
void AppendCode(int64_t code, std::string& out);

/// The JSON value of one slot of a verdict. `kind` is not kConstant.
void AppendObserved(agents::ValueKind kind, int64_t value, int amount_scale, std::string& out);

}  // namespace caracal::pipeline
