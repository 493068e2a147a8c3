#include "pipeline/config/text_form.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace caracal::pipeline {
namespace {

using namespace std::string_view_literals;
namespace v1 = ::caracal::config::v1;

constexpr size_t kMaxTextBytes = 4096;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlphanumeric(char c) { return IsLower(c) || IsUpper(c) || IsDigit(c); }

bool IsOneOf(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

template <typename Predicate>
bool All(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

bool IsTopic(std::string_view text) {
  return text.size() <= 249 && text != "." && text != ".." &&
         All(text, [](char c) { return IsAlphanumeric(c) || IsOneOf(c, "._-"); });
}

bool IsName(std::string_view text, std::string_view extra) {
  return text.size() <= 64 && IsLower(text.front()) &&
         All(text, [extra](char c) { return IsLower(c) || IsDigit(c) || IsOneOf(c, extra); });
}

bool IsIdentity(std::string_view text) {
  return text.size() <= 128 &&
         All(text, [](char c) { return IsAlphanumeric(c) || IsOneOf(c, "._-"); });
}

/// The host of "host:port" or "[v6]:port"; empty when the text is neither.
std::string_view HostOf(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  const std::string_view port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || !All(port, IsDigit)) return {};
  if (port.size() == 5 && port > "65535"sv) return {};
  std::string_view host = text.substr(0, colon);
  if (host.front() == '[') {
    if (host.size() < 4 || host.back() != ']') return {};
    host = host.substr(1, host.size() - 2);
    const auto in_address = [](char c) { return IsAlphanumeric(c) || IsOneOf(c, ":.%"); };
    return All(host, in_address) ? host : std::string_view();
  }
  const auto in_name = [](char c) { return IsAlphanumeric(c) || IsOneOf(c, "._-"); };
  return All(host, in_name) ? host : std::string_view();
}

bool AreHostPorts(std::string_view text) {
  while (true) {
    const size_t comma = text.find(',');
    std::string_view entry = text.substr(0, comma);
    while (!entry.empty() && entry.front() == ' ') entry.remove_prefix(1);
    while (!entry.empty() && entry.back() == ' ') entry.remove_suffix(1);
    if (HostOf(entry).empty()) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

std::optional<std::string> ProblemUnless(bool good, std::string problem) {
  if (good) return std::nullopt;
  return problem;
}

}  // namespace

std::optional<std::string> TextFormProblem(v1::TextForm form, const std::string& text) {
  if (text.empty()) return "is empty";
  if (text.size() > kMaxTextBytes) return "is longer than 4096 bytes";
  if (text.find('\0') != std::string::npos) return "contains a NUL character";
  if (form == v1::TEXT_FORM_PROSE) return std::nullopt;
  if (!All(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; })) {
    return "contains a control character";
  }
  switch (form) {
    case v1::TEXT_FORM_TOPIC:
      return ProblemUnless(IsTopic(text),
                           "is not a topic name: letters, digits, '.', '_' and '-', at most 249");
    case v1::TEXT_FORM_HOST_PORT:
      return ProblemUnless(!HostOf(text).empty(),
                           "is not an address: write host:port, for example 127.0.0.1:9464");
    case v1::TEXT_FORM_HOST_PORTS:
      return ProblemUnless(AreHostPorts(text),
                           "is not a list of addresses: write host:port,host:port");
    case v1::TEXT_FORM_CURRENCY:
      return ProblemUnless(text.size() == 3 && All(text, IsUpper),
                           "is not a currency code: write three capital letters, for example EUR");
    case v1::TEXT_FORM_NAME:
      return ProblemUnless(IsName(text, "-_"),
                           "is not a name: a lower-case letter, then lower-case letters, digits, "
                           "'-' and '_', at most 64");
    case v1::TEXT_FORM_ATTRIBUTE:
      return ProblemUnless(IsName(text, "_"),
                           "is not a name: a lower-case letter, then lower-case letters, digits "
                           "and '_', at most 64");
    case v1::TEXT_FORM_TIME:
      return ProblemUnless(ParseTimestamp(text).ok(),
                           "is not a time: write RFC 3339, for example 2026-01-31T00:00:00Z");
    case v1::TEXT_FORM_IDENTITY:
      return ProblemUnless(IsIdentity(text),
                           "is not a name: letters, digits, '.', '_' and '-', at most 128");
    case v1::TEXT_FORM_PROPERTY:
      return ProblemUnless(IsIdentity(text), "is not the name of a librdkafka property");
    default:
      return std::nullopt;
  }
}

std::string TextFormPattern(v1::TextForm form) {
  switch (form) {
    case v1::TEXT_FORM_TOPIC:
      return "^[A-Za-z0-9._-]{1,249}$";
    case v1::TEXT_FORM_HOST_PORT:
      return "^[^ ,]+:[0-9]{1,5}$";
    case v1::TEXT_FORM_HOST_PORTS:
      return "^[^,]+:[0-9]{1,5} *(,[^,]+:[0-9]{1,5} *)*$";
    case v1::TEXT_FORM_CURRENCY:
      return "^[A-Z]{3}$";
    case v1::TEXT_FORM_NAME:
      return "^[a-z][a-z0-9_-]{0,63}$";
    case v1::TEXT_FORM_ATTRIBUTE:
      return "^[a-z][a-z0-9_]{0,63}$";
    case v1::TEXT_FORM_TIME:
      return "^[0-9]{4}-[0-9]{2}-[0-9]{2}T";
    case v1::TEXT_FORM_IDENTITY:
    case v1::TEXT_FORM_PROPERTY:
      return "^[A-Za-z0-9._-]{1,128}$";
    default:
      return "";
  }
}

absl::StatusOr<int64_t> ParseTimestamp(const std::string& text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return absl::InvalidArgumentError(error);
  }
  return absl::ToUnixMicros(time);
}

bool IsLoopback(std::string_view host_port) {
  const std::string_view host = HostOf(host_port);
  return host == "localhost" || host == "::1" || host.substr(0, 4) == "127.";
}

}  // namespace caracal::pipeline
