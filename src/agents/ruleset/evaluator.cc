#include "agents/ruleset/evaluator.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"

namespace caracal::agents {
namespace {

void CountFlags(uint8_t flags, RuleCounts& tally) {
  tally.late += (flags & kLate) != 0 ? 1 : 0;
  tally.inactive += (flags & kInactive) != 0 ? 1 : 0;
  tally.at_least += (flags & kAtLeast) != 0 ? 1 : 0;
}

}  // namespace

Evaluator::Evaluator(std::shared_ptr<const CompiledRulesets> rulesets)
    : rulesets_(std::move(rulesets)),
      records_(*rulesets_),
      judgements_(*rulesets_),
      under_way_(kUnderWay, MiniBatch(*rulesets_)) {
  for (const CompiledRule& rule : rulesets_->rules()) {
    agents_.push_back(rule.bound->NewAgent());
    if (!rule.is_observed) agents_.back()->OmitUnreadValues();
    observed_.push_back(rule.is_observed ? std::make_unique<Observed>() : nullptr);
  }
}

void Evaluator::Evaluate(std::span<const EvaluationInput> inputs, std::vector<Judgement>& out,
                         EvaluationCounts& counts) {
  out.clear();
  if (!failure_.ok()) return;
  const size_t batches = (inputs.size() + kMiniBatchEvents - 1) / kMiniBatchEvents;
  for (size_t step = 0; step < batches + kUnderWay - 1; ++step) {
    if (step < batches) {
      MiniBatch& batch = under_way_[step % kUnderWay];
      batch.first = step * kMiniBatchEvents;
      batch.inputs =
          inputs.subspan(batch.first, std::min(kMiniBatchEvents, inputs.size() - batch.first));
      Announce(batch);
    }
    if (step >= 1 && step - 1 < batches) {
      records_.PrefetchRecords(under_way_[(step - 1) % kUnderWay]);
    }
    if (step >= 2) Judge(under_way_[(step - 2) % kUnderWay], out, counts);
  }
  CheckAgents();
}

void Evaluator::CheckAgents() {
  for (size_t i = 0; i < agents_.size(); ++i) {
    const absl::Status status = agents_[i]->status();
    if (status.ok()) continue;
    const CompiledRule& rule = rulesets_->rules()[i];
    const RulesetInfo& info = rulesets_->infos()[rule.ruleset];
    failure_ = absl::InternalError(fmt::format("ruleset '{}', rule '{}': {}", info.name,
                                               info.rules[rule.rule].id, MessageOf(status)));
    return;
  }
}

void Evaluator::Announce(MiniBatch& batch) {
  for (const EvaluationInput& input : batch.inputs) {
    DCHECK(input.bucket->rulesets().layout().id == rulesets_->layout().id);
    if (input.has_row) input.bucket->rows().Prefetch(input.row_tag);
  }
  SelectRules(batch);
  records_.PrefetchIndexes(batch);
}

void Evaluator::Judge(const MiniBatch& batch, std::vector<Judgement>& out,
                      EvaluationCounts& counts) {
  const EventMask active = DropDuplicates(batch, counts);
  for (size_t begin = 0; begin < batch.inputs.size();) {
    const size_t end = records_.Resolve(batch, active, begin);
    const EventMask run = active & EventRange(begin, end);
    for (size_t i = 0; i < agents_.size(); ++i) RunRule(i, batch, run, counts);
    judgements_.Flush(batch.first, out, counts);
    begin = end;
  }
}

void Evaluator::SelectRules(MiniBatch& batch) const {
  const std::vector<RuleFilter>& filters = rulesets_->filters();
  for (size_t f = 0; f < filters.size(); ++f) {
    batch.admitted[f] = EventRange(0, batch.inputs.size());
    if (filters[f].matches_all()) continue;
    for (size_t event = 0; event < batch.inputs.size(); ++event) {
      if (!filters[f].Matches(*batch.inputs[event].transaction)) {
        batch.admitted[f] &= ~EventBit(event);
      }
    }
  }
  for (MiniBatch::GroupKeys& group : batch.groups) group.wanted = 0;
  for (const CompiledRule& rule : rulesets_->rules()) {
    if (rule.group == CompiledRule::kStateless) continue;
    batch.groups[rule.group].wanted |= batch.admitted[rule.filter];
  }
}

EventMask Evaluator::DropDuplicates(const MiniBatch& batch, EvaluationCounts& counts) {
  EventMask active = 0;
  for (size_t event = 0; event < batch.inputs.size(); ++event) {
    const EvaluationInput& input = batch.inputs[event];
    if (input.has_row && !input.bucket->rows().InsertIfNew(input.row_tag)) {
      ++counts.duplicates;
      continue;
    }
    active |= EventBit(event);
    ++(input.raise ? counts.evaluated : counts.warmed);
  }
  return active;
}

void Evaluator::RunRule(size_t rule_index, const MiniBatch& batch, EventMask events,
                        EvaluationCounts& counts) {
  const CompiledRule& rule = rulesets_->rules()[rule_index];
  const bool stateless = rule.group == CompiledRule::kStateless;
  size_t n = 0;
  ForEachEvent(events & batch.admitted[rule.filter], [&](size_t event) {
    gathered_events_[n] = static_cast<uint8_t>(event);
    transactions_[n] = batch.inputs[event].transaction;
    states_[n] = stateless ? nullptr : records_.record(rule.group, event) + rule.offset;
    ++n;
  });
  if (observed_[rule_index] != nullptr) observed_[rule_index]->present = 0;
  if (n == 0) return;
  Process(rule_index, n);
  if (rule.enforced && !stateless) {
    const EventMask truncated =
        records_.truncated(rule.group) & batch.admitted[rule.filter] & events;
    judgements_.MarkTruncated(rule.ruleset, truncated);
  }
  Collect(rule, batch, n, counts);
}

void Evaluator::Process(size_t rule_index, size_t count) {
  const CompiledRule& rule = rulesets_->rules()[rule_index];
  Agent& agent = *agents_[rule_index];
  const std::span<const Transaction* const> events(transactions_.data(), count);
  const std::span<std::byte* const> states(states_.data(), count);
  const std::span<Verdict> verdicts(verdicts_.data(), count);
  std::fill(verdicts.begin(), verdicts.end(), Verdict{});
  if (rule.features.empty()) {
    agent.Process(events, states, verdicts);
  } else {
    features_.clear();
    for (size_t i = 0; i < count; ++i) {
      for (const FeatureSource& source : rule.features) {
        const Observed& observed = *observed_[source.rule];
        const bool present = (observed.present & EventBit(gathered_events_[i])) != 0;
        const Verdict& verdict = observed.verdicts[gathered_events_[i]];
        features_.push_back(present ? Feature{verdict.observed[source.slot], 1} : Feature{});
      }
    }
    agent.ProcessWithFeatures(events, states, features_, verdicts);
  }
  if (observed_[rule_index] == nullptr) return;
  Observed& observed = *observed_[rule_index];
  for (size_t i = 0; i < count; ++i) {
    if ((verdicts[i].flags & (kInactive | kFailed)) != 0) continue;
    observed.present |= EventBit(gathered_events_[i]);
    observed.verdicts[gathered_events_[i]] = verdicts[i];
  }
}

void Evaluator::Collect(const CompiledRule& rule, const MiniBatch& batch, size_t gathered,
                        EvaluationCounts& counts) {
  RuleCounts& tally = counts.rulesets[rule.ruleset].rules[rule.rule];
  for (size_t i = 0; i < gathered; ++i) {
    const size_t event = gathered_events_[i];
    if (!batch.inputs[event].raise) continue;
    const Verdict& verdict = verdicts_[i];
    ++tally.evaluations;
    if (verdict.flags != 0) CountFlags(verdict.flags, tally);
    if ((verdict.flags & kFailed) != 0) {
      ++tally.errors;
      if (rule.enforced) judgements_.AddFailed(rule, event);
      continue;
    }
    if (!verdict.fired) continue;
    CHECK(verdict.reason < rulesets_->infos()[rule.ruleset].rules[rule.rule].reasons.size());
    ++tally.fired;
    if (rule.enforced) judgements_.Add(rule, event, verdict);
  }
}

}  // namespace caracal::agents
