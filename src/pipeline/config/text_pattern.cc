#include "pipeline/config/text_pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <string>
#include <utility>

#include "absl/status/status.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kMaxCompiledBytes = 1 << 20;

class Re2Pattern final : public agents::TextPattern {
 public:
  explicit Re2Pattern(std::string_view text)
      : text_(text), expression_(re2::StringPiece(text.data(), text.size()), Options()) {}

  bool Matches(std::string_view text) const override {
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), expression_);
  }
  const std::string& text() const override { return text_; }
  /// What RE2 does not like; empty = nothing.
  const std::string& error() const { return expression_.error(); }

 private:
  static RE2::Options Options() {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMaxCompiledBytes);
    return options;
  }

  const std::string text_;
  const RE2 expression_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const agents::TextPattern>> CompilePattern(std::string_view text) {
  if (text.size() > kMaxPatternBytes) {
    return absl::InvalidArgumentError(
        fmt::format("has {} bytes, at most {} are allowed", text.size(), kMaxPatternBytes));
  }
  auto pattern = std::make_shared<const Re2Pattern>(text);
  if (pattern->error().empty()) return pattern;
  return absl::InvalidArgumentError(
      fmt::format("is no regular expression of RE2: {}", pattern->error()));
}

}  // namespace caracal::pipeline
