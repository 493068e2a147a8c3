#include "model_inputs.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace scorer {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kMicros = 1e6;
constexpr int64_t kHourUs = 3'600'000'000;
constexpr int64_t kDayUs = 24 * kHourUs;
constexpr int64_t kFirstDay = 3;  // 1970-01-01 was a Thursday
constexpr size_t kCodeBytes = 8;
constexpr const char* kFields =
    "amount, hour_of_day, day_of_week, has_location, latitude, longitude";

[[noreturn]] void Refuse(const std::string& name, const std::string& what) {
  throw std::invalid_argument("inputs: '" + name + "' " + what);
}

double MajorUnit(const caracal::Rule& rule) {
  double unit = 1;
  for (uint32_t i = 0; i < rule.amount_scale(); ++i) unit *= 10;
  return unit;
}

int64_t FloorMod(int64_t value, int64_t divisor) {
  const int64_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

int64_t FloorDivide(int64_t value, int64_t divisor) {
  return (value - FloorMod(value, divisor)) / divisor;
}

double NumberOf(std::string_view text) noexcept {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && rest == end && std::isfinite(value) ? value : kMissing;
}

}  // namespace

ModelInputs::ModelInputs(const caracal::Rule& rule, const std::vector<std::string>& names) {
  for (const std::string& name : names) inputs_.push_back(Resolve(rule, name));
}

ModelInputs::Input ModelInputs::Resolve(const caracal::Rule& rule, const std::string& name) {
  if (name == "amount") {
    if (!rule.has_amount()) Refuse(name, "needs a stream that maps an amount");
    return {Kind::kAmount, 0, MajorUnit(rule)};
  }
  if (name == "hour_of_day") return {Kind::kHourOfDay};
  if (name == "day_of_week") return {Kind::kDayOfWeek};
  if (name == "has_location" || name == "latitude" || name == "longitude") {
    if (!rule.has_location()) Refuse(name, "needs a stream that maps coordinates");
    if (name == "has_location") return {Kind::kHasLocation};
    return {name == "latitude" ? Kind::kLatitude : Kind::kLongitude, 0, kMicros};
  }
  const std::string tested = name.substr(0, name.find('='));
  if (tested.empty()) Refuse(name, "names nothing");
  return tested.find('.') == std::string::npos ? ResolveAttribute(rule, name)
                                               : ResolveFeature(rule, name);
}

ModelInputs::Input ModelInputs::ResolveFeature(const caracal::Rule& rule, const std::string& name) {
  const size_t equals = name.find('=');
  const bool is_test = equals != std::string::npos;
  uint32_t kind = 0;
  const uint32_t index = rule.Feature(name.substr(0, equals), kind);
  if (is_test != (kind == CARACAL_CODE)) {
    Refuse(name, is_test ? "compares a number with a text; use it without '='"
                         : "is a code and no number; compare it: '" + name + "=FR'");
  }
  if (is_test) {
    Input input = {Kind::kCodeFeature, index};
    const std::string code = name.substr(equals + 1);
    if (code.empty() || code.size() > kCodeBytes) Refuse(name, "needs a code of 1 to 8 bytes");
    for (size_t i = 0; i < code.size(); ++i) {
      input.code |= static_cast<int64_t>(static_cast<unsigned char>(code[i])) << (8 * i);
    }
    return input;
  }
  if (kind == CARACAL_REAL) return {Kind::kRealFeature, index};
  if (kind == CARACAL_MONEY) return {Kind::kFeature, index, MajorUnit(rule)};
  return {Kind::kFeature, index, kind == CARACAL_MICROS ? kMicros : 1};
}

ModelInputs::Input ModelInputs::ResolveAttribute(const caracal::Rule& rule,
                                                 const std::string& name) {
  const size_t equals = name.find('=');
  const std::optional<uint32_t> slot = rule.FindAttribute(name.substr(0, equals).c_str());
  if (!slot.has_value()) {
    Refuse(name, std::string("is none of ") + kFields +
                     ", no attribute that the stream maps, and no 'rule_id.value' of an earlier "
                     "rule; correct the name or map the attribute under the stream's fields");
  }
  if (equals == std::string::npos) return {Kind::kNumberAttribute, *slot};
  return {Kind::kTextAttribute, *slot, 1, 0, name.substr(equals + 1)};
}

void ModelInputs::Read(const caracal::Event& event, double* row) const noexcept {
  for (const Input& input : inputs_) *row++ = ValueOf(input, event);
}

double ModelInputs::ValueOf(const Input& input, const caracal::Event& event) noexcept {
  switch (input.kind) {
    case Kind::kAmount:
      return event.has_amount() ? static_cast<double>(event.amount()) / input.divisor : kMissing;
    case Kind::kHourOfDay:
      return static_cast<double>(FloorMod(event.time_us(), kDayUs) / kHourUs);
    case Kind::kDayOfWeek:
      return static_cast<double>(FloorMod(FloorDivide(event.time_us(), kDayUs) + kFirstDay, 7));
    case Kind::kHasLocation:
      return event.has_location() ? 1 : 0;
    case Kind::kLatitude:
      return event.has_location() ? event.latitude_udeg() / input.divisor : kMissing;
    case Kind::kLongitude:
      return event.has_location() ? event.longitude_udeg() / input.divisor : kMissing;
    case Kind::kNumberAttribute:
      return NumberOf(event.attribute(input.index));
    case Kind::kTextAttribute: {
      const std::string_view text = event.attribute(input.index);
      return text.data() != nullptr && text == input.text ? 1 : 0;
    }
    case Kind::kFeature: {
      const std::optional<int64_t> value = event.feature(input.index);
      return value.has_value() ? static_cast<double>(*value) / input.divisor : kMissing;
    }
    case Kind::kRealFeature:
      return event.real_feature(input.index).value_or(kMissing);
    case Kind::kCodeFeature:
      return event.feature(input.index) == input.code ? 1 : 0;
  }
  return kMissing;
}

}  // namespace scorer
