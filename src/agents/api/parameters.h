#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace caracal::agents {

/// The types a rule parameter may have. The text forms are those of the rule files.
enum class ParameterType : uint8_t {
  kBool,      ///< true, false
  kInteger,   ///< 5
  kDecimal,   ///< 2.5 (exact, never a double)
  kMoney,     ///< "4000.00", in the major unit; becomes minor units of the stream's scale
  kDuration,  ///< 60s, 1h30m, 500ms; becomes microseconds
  kText,      ///< UTF-8
  kTextList,  ///< list of texts
  kObject,    ///< nested parameters, see ParameterSpec::fields
  kFile,      ///< absolute path of a file, see ParameterFile
  kFileList,  ///< list of them
};

/// An exact decimal: unscaled × 10^-scale.
struct Decimal {
  int64_t unscaled = 0;
  int scale = 0;

  friend bool operator==(const Decimal&, const Decimal&) = default;
};

/// Parses "-12.50", "3", "+1.0" exactly. Errors: empty, not a plain decimal (no exponent), or more
/// than 18 significant digits.
absl::StatusOr<Decimal> ParseDecimal(std::string_view text);
/// The shortest plain text of `value` that keeps its scale: {1250, 2} is "12.50".
std::string FormatDecimal(const Decimal& value);
/// `value` in units of 10^-scale. InvalidArgument when that is not exact or exceeds kMaxAmount.
absl::StatusOr<int64_t> ToMinorUnits(const Decimal& value, int scale);

/// `value` as a double, within one unit in the last place; the same bits on every host.
double ToDouble(const Decimal& value);

/// Parses "1h30m", "60s", "500ms", "250us", "7d" into microseconds; "0s" is allowed. Errors: no
/// unit, unknown unit, negative, overflow.
absl::StatusOr<int64_t> ParseDuration(std::string_view text);
/// The canonical text of a duration: the largest unit that divides it: 60000000 is "1m".
std::string FormatDuration(int64_t micros);

/// A regular expression that a text must match somewhere. Immutable; any thread.
class TextPattern {
 public:
  virtual ~TextPattern() = default;
  virtual bool Matches(std::string_view text) const = 0;
  /// As it is written.
  virtual const std::string& text() const = 0;
};

/// Declares one parameter of an agent: the rule-file parser, its error messages, the JSON Schema
/// and the reference documentation all come from it.
struct ParameterSpec {
  std::string name;
  ParameterType type = ParameterType::kText;
  std::string doc;
  bool required = false;
  /// Canonical text; nullopt = absent unless given.
  std::optional<std::string> default_text = std::nullopt;
  /// Inclusive bounds in the same text form as the value; nullopt = unbounded.
  std::optional<std::string> min_text = std::nullopt;
  std::optional<std::string> max_text = std::nullopt;
  /// Allowed values of a kText (or of each item of a kTextList); empty = any.
  std::vector<std::string> choices = {};
  /// What a kText (or each item of a kTextList), or the path of a file, must match; null =
  /// anything.
  std::shared_ptr<const TextPattern> pattern = nullptr;
  /// Fields of a kObject.
  std::vector<ParameterSpec> fields = {};
};

class Parameters;

/// A file that is part of a rule by its bytes: two rules are the same when its digest is, wherever
/// the file lies. The path only says where to read it.
struct ParameterFile {
  std::string path;    ///< absolute
  std::string sha256;  ///< of the bytes when the rule was loaded: 64 lower-case hex digits

  friend bool operator==(const ParameterFile&, const ParameterFile&) = default;
};

/// bool, integer or microseconds (int64), decimal or money, text, list of texts, nested object,
/// file, list of files.
using ParameterValue =
    std::variant<bool, int64_t, Decimal, std::string, std::vector<std::string>,
                 std::shared_ptr<const Parameters>, ParameterFile, std::vector<ParameterFile>>;

/// A rule's parameters after the rule-file parser has checked them against the agent's specs and
/// filled in the defaults: names are known, types and bounds hold. Immutable once bound; any
/// thread.
class Parameters {
 public:
  void Set(std::string name, ParameterValue value) {
    values_.insert_or_assign(std::move(name), std::move(value));
  }
  bool Has(std::string_view name) const { return values_.find(name) != values_.end(); }

  /// Each getter requires Has(name) and the declared type (CHECK).
  bool Bool(std::string_view name) const;
  int64_t Integer(std::string_view name) const;
  const Decimal& DecimalValue(std::string_view name) const;
  int64_t DurationMicros(std::string_view name) const;
  const std::string& Text(std::string_view name) const;
  const std::vector<std::string>& TextList(std::string_view name) const;
  const Parameters& Object(std::string_view name) const;
  /// Money in minor units of `scale`. InvalidArgument ("<name>: ...") when it does not convert
  /// exactly.
  absl::StatusOr<int64_t> Money(std::string_view name, int scale) const;

  const std::map<std::string, ParameterValue, std::less<>>& values() const { return values_; }

 private:
  const ParameterValue& Get(std::string_view name) const;

  std::map<std::string, ParameterValue, std::less<>> values_;
};

}  // namespace caracal::agents
