#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agents/api/ruleset.h"
#include "pipeline/ports/output_encoder.h"

namespace caracal::pipeline {

/// Writes alerts as JSON, schema version 1 (proto/caracal/alert/v1/alert.proto names every field).
///
/// One encoder belongs to one stream and one compiled set of rulesets: Judgement::ruleset indexes
/// the rulesets given here. An activation brings a new encoder.
///
/// The bytes are a function of (event, judgement, rulesets): no wall clock, no delivery attempt, so
/// a replay reproduces them. Text that comes from rows is escaped; the value is valid UTF-8
/// whatever they hold.
///
/// The result's key is the account, its headers are content-type, caracal-ruleset and, when the
/// record has one, traceparent; its sequence is the ruleset's index, its timestamp the producer's.
/// Its lease is left null: the caller, who owns one, sets it.
///
/// Immutable, any thread. About one kilobyte and three to eight allocations per alert. A judgement
/// that names a ruleset, rule or reason which does not exist is our own bug and stops the process.
class JsonAlertEncoder final : public AlertEncoder {
 public:
  /// `amount_scale`: decimal digits of the stream's minor unit, in [0, kMaxAmountScale].
  JsonAlertEncoder(int amount_scale, const std::vector<agents::RulesetInfo>& rulesets);

  OutputRecord EncodeAlert(const Event& event, const agents::Judgement& judgement) const override;

 private:
  /// The texts of an alert that are the same for every event, escaped once.
  struct ObservedText {
    std::string key;  ///< "count":
    agents::ObservedField field;
  };
  struct RuleText {
    std::string id;                    ///< "card-burst"
    std::string head;                  ///< {"rule":...,"reason":
    std::vector<std::string> reasons;  ///< "count_exceeded"
    std::string score;                 ///< ,"score":40,"observed":{
    std::vector<ObservedText> observed;
    std::string tail;  ///< },"limit":{...}}
  };
  struct RulesetText {
    std::string name;
    std::string version;
    std::string identity;     ///< ","schema_version":1,...,"severity":"
    std::string mode;         ///< ","mode":"enforce","score":
    std::string alert_above;  ///< ,"alert_above":70,"account":
    std::vector<RuleText> rules;
  };

  static ObservedText TextOf(const agents::ObservedField& field);
  static RuleText TextOf(const agents::RuleInfo& rule);
  static RulesetText TextOf(const agents::RulesetInfo& ruleset);

  void AppendTransaction(const agents::Transaction& transaction, std::string& out) const;
  static void AppendFailed(const RulesetText& ruleset, const std::vector<uint16_t>& failed,
                           std::string& out);
  void AppendReasons(const RulesetText& ruleset, const std::vector<agents::FiredRule>& fired,
                     std::string& out) const;
  void AppendReason(const RuleText& rule, const agents::Verdict& verdict, std::string& out) const;

  const int amount_scale_;
  std::vector<RulesetText> rulesets_;
};

}  // namespace caracal::pipeline
