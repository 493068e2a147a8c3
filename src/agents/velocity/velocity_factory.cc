#include "agents/velocity/velocity_factory.h"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "agents/velocity/velocity_agent.h"
#include "agents/velocity/velocity_options.h"

namespace caracal::agents {
namespace {

class VelocityRule final : public BoundRule {
 public:
  VelocityRule(VelocityOptions options, int amount_scale)
      : options_(std::move(options)), amount_scale_(amount_scale) {}

  StateSpec state() const override {
    const EventWindow window(options_.window());
    return {window.state_size(), window.state_align(), window.state_version()};
  }

  std::string layout_fingerprint() const override {
    std::string text =
        fmt::format("window_us={} capacity={}", options_.window_us, options_.capacity);
    if (options_.max_amount) {
      text += fmt::format(" amounts=scale{}{}", amount_scale_,
                          options_.include_refunds ? ",refunds" : "");
    }
    if (options_.distinct) text += fmt::format(" values={}", options_.distinct->attribute);
    return text;
  }

  std::vector<ObservedField> observed() const override {
    std::vector<ObservedField> fields = {{"count", ValueKind::kInteger, VelocitySlots::kCount}};
    if (options_.max_amount) fields.push_back({"sum", ValueKind::kMoney, VelocitySlots::kSum});
    if (options_.distinct) {
      fields.push_back({"distinct", ValueKind::kInteger, VelocitySlots::kDistinct});
    }
    fields.push_back({"window_s", ValueKind::kMicros, VelocitySlots::kWindow});
    return fields;
  }

  std::string limit_json() const override {
    std::vector<std::string> limits;
    if (options_.max_count) limits.push_back(fmt::format(R"("max_count":{})", *options_.max_count));
    if (options_.max_amount) {
      limits.push_back(fmt::format(R"("max_amount":"{}")",
                                   FormatDecimal({*options_.max_amount, amount_scale_})));
    }
    if (options_.distinct) {
      limits.push_back(fmt::format(R"("distinct":{{"max":{}}})", options_.distinct->max));
    }
    return fmt::format("{{{}}}", fmt::join(limits, ","));
  }

  bool accumulates_money() const override { return options_.max_amount.has_value(); }

  std::unique_ptr<Agent> NewAgent() const override {
    return std::make_unique<VelocityAgent>(options_);
  }

 private:
  VelocityOptions options_;
  int amount_scale_;
};

}  // namespace

VelocityFactory::VelocityFactory() {
  info_.name = "velocity";
  info_.description =
      "Raises when too many transactions, too much money or too many different values of an "
      "attribute fall within a sliding window of event time.";
  info_.parameters = VelocityParameters();
  // In the order of VelocityReason.
  info_.reasons = {
      {"count_exceeded", "more than max_count events lie in the window"},
      {"amount_exceeded", "the amounts in the window add up to more than max_amount"},
      {"distinct_exceeded", "more than distinct.max different values lie in the window"},
      {"window_saturated",
       "the window holds more events than capacity, so a sum or a number of values within its "
       "limit cannot be proven"}};
}

absl::StatusOr<std::unique_ptr<BoundRule>> VelocityFactory::Bind(
    const Parameters& parameters, const StreamContext& stream) const {
  ASSIGN_OR_RETURN(VelocityOptions options, ParseVelocityOptions(parameters, stream));
  return std::make_unique<VelocityRule>(std::move(options), stream.amount_scale);
}

}  // namespace caracal::agents
