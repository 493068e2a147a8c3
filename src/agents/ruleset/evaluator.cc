#include "agents/ruleset/evaluator.h"

#include <algorithm>
#include <utility>

#include "agents/api/check.h"

namespace caracal::agents {

Evaluator::Evaluator(std::shared_ptr<const CompiledRulesets> rulesets)
    : rulesets_(std::move(rulesets)),
      records_(*rulesets_),
      judgements_(*rulesets_),
      admitted_(rulesets_->filters().size()) {
  for (const CompiledRule& rule : rulesets_->rules()) agents_.push_back(rule.bound->NewAgent());
}

void Evaluator::Evaluate(std::span<const EvaluationInput> inputs, std::vector<Judgement>& out,
                         EvaluationCounts& counts) {
  out.clear();
  for (size_t first = 0; first < inputs.size(); first += kMiniBatchEvents) {
    const size_t size = std::min(kMiniBatchEvents, inputs.size() - first);
    EvaluateMiniBatch(inputs.subspan(first, size), first, out, counts);
  }
}

void Evaluator::EvaluateMiniBatch(Batch batch, size_t first, std::vector<Judgement>& out,
                                  EvaluationCounts& counts) {
  for (const EvaluationInput& input : batch) {
    DCHECK(&input.bucket->rulesets() == rulesets_.get());
    if (input.has_row) input.bucket->rows().Prefetch(input.row_tag);
  }
  SelectRules(batch);
  records_.PrefetchIndexes(batch);
  const EventMask active = DropDuplicates(batch, counts);
  records_.PrefetchRecords(batch);
  for (size_t begin = 0; begin < batch.size();) {
    const size_t end = records_.Resolve(batch, active, begin);
    const EventMask run = active & EventRange(begin, end);
    for (size_t i = 0; i < agents_.size(); ++i) RunRule(i, batch, run, counts);
    judgements_.Flush(first, out, counts);
    begin = end;
  }
}

void Evaluator::SelectRules(Batch batch) {
  const std::vector<RuleFilter>& filters = rulesets_->filters();
  for (size_t f = 0; f < filters.size(); ++f) {
    admitted_[f] = EventRange(0, batch.size());
    if (filters[f].matches_all()) continue;
    for (size_t event = 0; event < batch.size(); ++event) {
      if (!filters[f].Matches(*batch[event].transaction)) admitted_[f] &= ~EventBit(event);
    }
  }
  records_.Clear();
  for (const CompiledRule& rule : rulesets_->rules()) {
    if (rule.group != CompiledRule::kStateless) records_.Want(rule.group, admitted_[rule.filter]);
  }
}

EventMask Evaluator::DropDuplicates(Batch batch, EvaluationCounts& counts) {
  EventMask active = 0;
  for (size_t event = 0; event < batch.size(); ++event) {
    const EvaluationInput& input = batch[event];
    if (input.has_row && !input.bucket->rows().InsertIfNew(input.row_tag)) {
      ++counts.duplicates;
      continue;
    }
    active |= EventBit(event);
    ++(input.raise ? counts.evaluated : counts.warmed);
  }
  return active;
}

void Evaluator::RunRule(size_t rule_index, Batch batch, EventMask events,
                        EvaluationCounts& counts) {
  const CompiledRule& rule = rulesets_->rules()[rule_index];
  const bool stateless = rule.group == CompiledRule::kStateless;
  size_t n = 0;
  ForEachEvent(events & admitted_[rule.filter], [&](size_t event) {
    gathered_events_[n] = static_cast<uint8_t>(event);
    transactions_[n] = batch[event].transaction;
    states_[n] = stateless ? nullptr : records_.record(rule.group, event) + rule.offset;
    ++n;
  });
  if (n == 0) return;
  std::fill_n(verdicts_.begin(), n, Verdict{});
  agents_[rule_index]->Process({transactions_.data(), n}, {states_.data(), n},
                               {verdicts_.data(), n});
  if (rule.enforced && !stateless) {
    const EventMask truncated = records_.truncated(rule.group) & admitted_[rule.filter] & events;
    judgements_.MarkTruncated(rule.ruleset, truncated);
  }
  Collect(rule, batch, n, counts);
}

void Evaluator::Collect(const CompiledRule& rule, Batch batch, size_t gathered,
                        EvaluationCounts& counts) {
  RuleCounts& tally = counts.rulesets[rule.ruleset].rules[rule.rule];
  for (size_t i = 0; i < gathered; ++i) {
    const size_t event = gathered_events_[i];
    if (!batch[event].raise) continue;
    const Verdict& verdict = verdicts_[i];
    ++tally.evaluations;
    tally.late += (verdict.flags & kLate) != 0 ? 1 : 0;
    tally.inactive += (verdict.flags & kInactive) != 0 ? 1 : 0;
    tally.at_least += (verdict.flags & kAtLeast) != 0 ? 1 : 0;
    if (!verdict.fired) continue;
    CHECK(verdict.reason < rulesets_->infos()[rule.ruleset].rules[rule.rule].reasons.size());
    ++tally.fired;
    if (rule.enforced) judgements_.Add(rule, event, verdict);
  }
}

}  // namespace caracal::agents
