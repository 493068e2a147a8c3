#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <caracal/agent.hpp>

namespace scorer {

/// Turns an event into the row of numbers a model was trained on.
///
/// | name | value |
/// |---|---|
/// | `amount` | in major units: 12.34 |
/// | `hour_of_day`, `day_of_week` | of the event's time, UTC: 0 to 23; Monday = 0 to 6 |
/// | `has_location`, `latitude`, `longitude` | 0 or 1; degrees |
/// | `rule_id.value` | observed by an earlier rule: amounts in major units, times in seconds |
/// | `rule_id.value=FR` | 1 if that rule observed this code, else 0 |
/// | `country=FR` | 1 if the attribute is this text, else 0 |
/// | `age` | the attribute's text as a number |
///
/// What an event does not have is missing: NaN. So is an attribute that is no number.
///
/// Immutable; any thread.
class ModelInputs {
 public:
  /// Throws std::invalid_argument naming what the rule's stream or ruleset does not have.
  ModelInputs(const caracal::Rule& rule, const std::vector<std::string>& names);

  size_t size() const { return inputs_.size(); }
  /// Writes size() values.
  void Read(const caracal::Event& event, double* row) const noexcept;

 private:
  enum class Kind : uint8_t {
    kAmount,
    kHourOfDay,
    kDayOfWeek,
    kHasLocation,
    kLatitude,
    kLongitude,
    kNumberAttribute,
    kTextAttribute,
    kFeature,
    kRealFeature,
    kCodeFeature,
  };
  struct Input {
    Kind kind;
    uint32_t index = 0;     // of the attribute or feature
    double divisor = 1;     // of an integer value
    int64_t code = 0;       // what a code is compared with
    std::string text = {};  // what an attribute is compared with
  };

  static Input Resolve(const caracal::Rule& rule, const std::string& name);
  static Input ResolveFeature(const caracal::Rule& rule, const std::string& name);
  static Input ResolveAttribute(const caracal::Rule& rule, const std::string& name);
  static double ValueOf(const Input& input, const caracal::Event& event) noexcept;

  std::vector<Input> inputs_;
};

}  // namespace scorer
