#include <cstdint>

#include <caracal/agent.hpp>

namespace {

struct Count {
  int64_t events;
};

class Busy {
 public:
  using State = Count;
  static constexpr const char* kName = "busy";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "Apache-2.0";
  static constexpr const char* kDescription = "Raises once a key has had many events.";
  static constexpr const char* kSchema = R"({"type": "object", "required": ["max"],
      "properties": {"max": {"type": "integer", "minimum": 1}}})";
  static constexpr caracal::Reason kReasons[] = {{"too_many", "more than max events"}};
  static constexpr caracal::Observed kObserved[] = {{"count", CARACAL_INTEGER, 0}};
  static constexpr const char* kLimits[] = {"max"};

  explicit Busy(const caracal::Rule& rule) : max_(rule.Integer("max")) {}

  void Judge(const caracal::Event&, Count& state, caracal::Verdict& verdict) const noexcept {
    verdict.Observe(0, ++state.events);
    if (state.events > max_) verdict.Raise(0);
  }

 private:
  int64_t max_;
};

}  // namespace

CARACAL_AGENT(Busy)
