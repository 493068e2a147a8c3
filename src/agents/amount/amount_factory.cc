#include "agents/amount/amount_factory.h"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agents/amount/amount_options.h"
#include "agents/amount/amount_reason.h"
#include "agents/api/status_macros.h"

namespace caracal::agents {
namespace {

// What a bound rule says of itself, whatever its kind.
struct RuleFacts {
  StateSpec state;
  std::string layout_fingerprint;
  std::vector<ObservedField> observed;
  std::string limit_json;
  bool accumulates_money = false;
};

std::string MoneyJson(std::string_view name, int64_t units, int scale) {
  return fmt::format(R"("{}":"{}")", name, FormatDecimal({units, scale}));
}

ObservedField ObservedAmount() { return {"amount", ValueKind::kMoney, kAmountSlot}; }

RuleFacts Describe(const LimitsOptions& options, int scale) {
  std::vector<std::string> limits;
  if (options.above) limits.push_back(MoneyJson("above", *options.above, scale));
  if (options.below) limits.push_back(MoneyJson("below", *options.below, scale));
  RuleFacts facts;
  facts.observed = {ObservedAmount()};
  facts.limit_json = fmt::format("{{{}}}", fmt::join(limits, ","));
  return facts;
}

RuleFacts Describe(const RoundAmountOptions& options, int scale) {
  RuleFacts facts;
  facts.observed = {ObservedAmount()};
  facts.limit_json = fmt::format(R"({{"round_amount":{{{},{}}}}})",
                                 MoneyJson("multiple_of", options.multiple_of, scale),
                                 MoneyJson("min", options.min, scale));
  return facts;
}

RuleFacts Describe(const ProfileOptions& options, int scale) {
  RuleFacts facts;
  facts.state = ProfileAgent::State(options);
  facts.layout_fingerprint = fmt::format("profile history={} scale={}{}", options.history, scale,
                                         options.include_refunds ? " refunds" : "");
  facts.observed = {ObservedAmount(),
                    {"mean", ValueKind::kMoney, ProfileAgent::kMeanSlot},
                    {"ratio", ValueKind::kReal, ProfileAgent::kRatioSlot},
                    {"history", ValueKind::kInteger, ProfileAgent::kHistorySlot}};
  const std::string floor =
      options.floor ? "," + MoneyJson("floor", *options.floor, scale) : std::string();
  facts.limit_json = fmt::format(R"({{"profile":{{"ratio":{},"min_history":{}{}}}}})",
                                 FormatDecimal(options.ratio), options.min_history, floor);
  facts.accumulates_money = true;
  return facts;
}

RuleFacts Describe(const ZscoreOptions& options, int scale) {
  RuleFacts facts;
  facts.state = ZscoreAgent::State(options);
  facts.layout_fingerprint = fmt::format("zscore half_life_us={} scale={}{}", options.half_life_us,
                                         scale, options.include_refunds ? " refunds" : "");
  facts.observed = {ObservedAmount(),
                    {"mean", ValueKind::kMoney, ZscoreAgent::kMeanSlot},
                    {"deviation", ValueKind::kMoney, ZscoreAgent::kDeviationSlot},
                    {"z", ValueKind::kReal, ZscoreAgent::kZSlot},
                    {"history", ValueKind::kInteger, ZscoreAgent::kHistorySlot}};
  facts.limit_json = fmt::format(R"({{"zscore":{{"above":{},"min_history":{}}}}})",
                                 FormatDecimal(options.above), options.min_history);
  facts.accumulates_money = true;
  return facts;
}

std::unique_ptr<Agent> MakeAgent(const LimitsOptions& options) {
  return std::make_unique<LimitsAgent>(options);
}
std::unique_ptr<Agent> MakeAgent(const ProfileOptions& options) {
  return std::make_unique<ProfileAgent>(options);
}
std::unique_ptr<Agent> MakeAgent(const ZscoreOptions& options) {
  return std::make_unique<ZscoreAgent>(options);
}
std::unique_ptr<Agent> MakeAgent(const RoundAmountOptions& options) {
  return std::make_unique<RoundAmountAgent>(options);
}

class AmountRule final : public BoundRule {
 public:
  AmountRule(AmountOptions options, int scale)
      : options_(std::move(options)),
        facts_(std::visit([scale](const auto& kind) { return Describe(kind, scale); }, options_)) {}

  StateSpec state() const override { return facts_.state; }
  std::string layout_fingerprint() const override { return facts_.layout_fingerprint; }
  std::vector<ObservedField> observed() const override { return facts_.observed; }
  std::string limit_json() const override { return facts_.limit_json; }
  bool accumulates_money() const override { return facts_.accumulates_money; }

  std::unique_ptr<Agent> NewAgent() const override {
    return std::visit([](const auto& kind) { return MakeAgent(kind); }, options_);
  }

 private:
  AmountOptions options_;
  RuleFacts facts_;
};

}  // namespace

AmountFactory::AmountFactory() {
  info_.name = "amount";
  info_.description =
      "Raises on amounts beyond a fixed limit, far above what the key usually pays, or "
      "suspiciously round.";
  info_.parameters = AmountParameters();
  // In the order of AmountReason.
  info_.reasons = {
      {"above_limit", "the amount is above the limit"},
      {"below_limit", "the amount is below the limit"},
      {"above_profile", "the amount exceeds ratio times the mean of the key's last amounts"},
      {"above_zscore", "the amount lies too many standard deviations above the key's mean"},
      {"round_amount", "the amount is a multiple of a round sum"}};
}

absl::StatusOr<std::unique_ptr<BoundRule>> AmountFactory::Bind(const Parameters& parameters,
                                                               const StreamContext& stream) const {
  ASSIGN_OR_RETURN(AmountOptions options, ParseAmountOptions(parameters, stream));
  return std::make_unique<AmountRule>(std::move(options), stream.amount_scale);
}

}  // namespace caracal::agents
