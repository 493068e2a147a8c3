#include "agents/ruleset/judgement_collector.h"

#include <algorithm>

namespace caracal::agents {

JudgementCollector::JudgementCollector(const CompiledRulesets& rulesets)
    : rulesets_(rulesets.infos().size()) {
  for (size_t i = 0; i < rulesets_.size(); ++i) {
    rulesets_[i].info = &rulesets.infos()[i];
  }
}

void JudgementCollector::Add(const CompiledRule& rule, size_t event, const Verdict& verdict) {
  Ruleset& ruleset = rulesets_[rule.ruleset];
  const auto entry = static_cast<uint32_t>(fired_.size());
  fired_.push_back({{rule.rule, verdict}, kEnd});
  if ((ruleset.fired & EventBit(event)) == 0) {
    ruleset.fired |= EventBit(event);
    ruleset.scores[event] = 0;
    ruleset.heads[event] = entry;
  } else {
    fired_[ruleset.tails[event]].next = entry;
  }
  ruleset.tails[event] = entry;
  ruleset.scores[event] += rule.score;
  fired_events_ |= EventBit(event);
}

void JudgementCollector::Flush(size_t first, std::vector<Judgement>& out,
                               EvaluationCounts& counts) {
  ForEachEvent(fired_events_, [&](size_t event) {
    for (size_t r = 0; r < rulesets_.size(); ++r) {
      const Ruleset& ruleset = rulesets_[r];
      if ((ruleset.fired & EventBit(event)) == 0) continue;
      if (ruleset.scores[event] <= ruleset.info->alert_above) continue;
      out.push_back(JudgementOf(r, event, first));
      ++counts.rulesets[r].alerts[static_cast<size_t>(out.back().severity)];
    }
  });
  for (Ruleset& ruleset : rulesets_) ruleset.fired = ruleset.truncated = 0;
  fired_.clear();
  failed_.clear();
  fired_events_ = 0;
}

Judgement JudgementCollector::JudgementOf(size_t ruleset_index, size_t event, size_t first) const {
  const Ruleset& ruleset = rulesets_[ruleset_index];
  Judgement judgement;
  judgement.event = static_cast<uint32_t>(first + event);
  judgement.ruleset = static_cast<uint16_t>(ruleset_index);
  judgement.score = ruleset.scores[event];
  judgement.state_truncated = (ruleset.truncated & EventBit(event)) != 0;
  for (uint32_t entry = ruleset.heads[event]; entry != kEnd; entry = fired_[entry].next) {
    const FiredRule& fired = fired_[entry].rule;
    judgement.severity = std::max(judgement.severity, ruleset.info->rules[fired.rule].severity);
    judgement.fired.push_back(fired);
  }
  for (const Failed& failed : failed_) {
    if (failed.event == event && failed.ruleset == ruleset_index) {
      judgement.failed.push_back(failed.rule);
    }
  }
  return judgement;
}

}  // namespace caracal::agents
