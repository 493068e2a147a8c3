#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace caracal::pipeline {

/// What can be wrong with a configuration. The printed codes are stable; new ones go at the end of
/// their group.
enum class DiagnosticCode : uint8_t {
  kFileUnreadable,
  kFileNotText,
  kYamlSyntax,
  kYamlTooLarge,
  kYamlFeature,
  kWrongType,
  kDuplicateKey,
  kUnknownKey,
  kMissingKey,
  kMissingUnit,
  kOutOfBounds,
  kNotAChoice,
  kMalformedText,
  kEmptyValue,
  kReferenceSyntax,
  kVariableUnset,
  kSecretUnreadable,
  kReferenceNewline,
  kSecretExposed,
  kOverrideSyntax,
  kOverrideUnknown,
  kPropertyOwned,
  kPropertyUnsafe,
  kPropertyForeign,
  kPropertyIneffective,
  kPropertyRefused,
  kUnavailable,
  kTopicClash,
  kFieldConflict,
  kCurrencyUndeclared,
  kPlaceTable,
  kNoRowIdentity,
  kAdminExposed,
  kRuleFileMissing,
  kRulesetTwice,
  kRuleTwice,
  kAgentUnknown,
  kParameterUnknown,
  kParameterRefused,
  kRuleKey,
  kAttributeUnknown,
  kMixedCurrencies,
  kStreamUnknown,
  kListUnknown,
  kNeverAlerts,
  kListUnused,
};

enum class DiagnosticSeverity : uint8_t { kError, kWarning };

/// One row of `caracal list errors`.
struct DiagnosticInfo {
  DiagnosticCode code;
  std::string_view name;  ///< "CFG012"
  DiagnosticSeverity severity;
  std::string_view meaning;
  std::string_view remedy;
};

/// All codes, in the order of the enum.
std::span<const DiagnosticInfo> AllDiagnostics();
const DiagnosticInfo& InfoOf(DiagnosticCode code);

/// A place in a source that Diagnostics knows. Lines and columns count from 1, columns in bytes;
/// line 0 = the source has no lines (a --set argument, an environment variable).
struct SourceSpan {
  int32_t source = -1;  ///< -1 = nowhere in particular
  int32_t line = 0;
  int32_t column = 0;
  int32_t length = 1;

  friend bool operator==(const SourceSpan&, const SourceSpan&) = default;
};

struct Diagnostic {
  DiagnosticCode code = DiagnosticCode::kFileUnreadable;
  SourceSpan span;
  std::string message;
  /// What to do, printed beside the caret; may be empty.
  std::string hint;
};

/// Collects everything wrong with a configuration, so that one run reports it all. Keeps the texts
/// it may have to quote, and masks registered secrets in all it prints. Keeps the first 1,000
/// findings and counts the rest; a repeated finding counts once. One thread at a time.
class Diagnostics {
 public:
  /// Registers a text that spans may point into; returns its id.
  int32_t AddSource(std::string name, std::string text);
  void Add(DiagnosticCode code, SourceSpan span, std::string message, std::string hint = "");
  /// `secret` never appears in the output. Shorter than four characters: it cannot be told from
  /// ordinary text and is not masked.
  void AddSecret(const std::string& secret);

  size_t errors() const { return errors_; }
  size_t warnings() const { return warnings_; }
  bool ok() const { return errors_ == 0; }

  /// By source, line and column.
  std::vector<Diagnostic> Sorted() const;
  /// The name of a source, empty for source -1.
  const std::string& SourceName(int32_t source) const;
  /// Line `line` (from 1) of a source, without its end; empty when there is none.
  std::string_view SourceLine(int32_t source, int32_t line) const;
  /// `text` with all registered secrets replaced by asterisks of the same length.
  std::string Masked(std::string_view text) const;

 private:
  struct Source {
    std::string name;
    std::string text;
  };

  std::vector<Source> sources_;
  std::vector<Diagnostic> items_;
  std::vector<std::string> secrets_;
  size_t errors_ = 0;
  size_t warnings_ = 0;
};

}  // namespace caracal::pipeline
