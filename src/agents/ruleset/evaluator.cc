#include "agents/ruleset/evaluator.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "agents/api/check.h"

namespace caracal::agents {

EvaluationCounts::EvaluationCounts(const CompiledRulesets& compiled) {
  for (const RulesetInfo& info : compiled.infos()) {
    rulesets.emplace_back().rules.resize(info.rules.size());
  }
}

void EvaluationCounts::Reset() {
  evaluated = warmed = duplicates = 0;
  for (RulesetEvaluationCounts& ruleset : rulesets) {
    ruleset.alerts = 0;
    std::fill(ruleset.rules.begin(), ruleset.rules.end(), RuleEvaluationCounts());
  }
}

Evaluator::Evaluator(std::shared_ptr<const CompiledRulesets> rulesets)
    : rulesets_(std::move(rulesets)) {
  for (const CompiledRule& rule : rulesets_->rules()) agents_.push_back(rule.bound->NewAgent());
  const size_t groups = rulesets_->groups().size();
  keys_.resize(kMiniBatch * groups);
  handles_.resize(kMiniBatch * groups);
  pending_.reserve(kMiniBatch);
  events_.reserve(kMiniBatch);
  states_.reserve(kMiniBatch);
  admitted_.reserve(kMiniBatch);
}

void Evaluator::Evaluate(std::span<const EvaluationInput> inputs,
                         std::vector<Judgement>& judgements, EvaluationCounts& counts) {
  for (size_t first = 0; first < inputs.size(); first += kMiniBatch) {
    const size_t count = std::min(kMiniBatch, inputs.size() - first);
    const std::span<const EvaluationInput> batch = inputs.subspan(first, count);
    Prefetch(batch);
    Resolve(batch, static_cast<uint32_t>(first), judgements, counts);
    Flush(judgements, counts);
  }
}

void Evaluator::Prefetch(std::span<const EvaluationInput> inputs) {
  const std::vector<RuleGroup>& groups = rulesets_->groups();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const EvaluationInput& input = inputs[i];
    if (input.has_row) input.bucket->rows().Prefetch(input.row_tag);
    for (size_t g = 0; g < groups.size(); ++g) {
      const std::string_view text = groups[g].KeyText(*input.transaction, key_scratch_);
      const KeyHash hash =
          groups[g].suffix.empty() ? input.key_hash : HashKey(text, rulesets_->hash_seed());
      TableKey& key = keys_[i * groups.size() + g];
      key = TableKey::Of(text, hash);
      input.bucket->table(g).PrefetchIndex(key);
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    for (size_t g = 0; g < groups.size(); ++g) {
      inputs[i].bucket->table(g).PrefetchRecord(keys_[i * groups.size() + g]);
    }
  }
}

void Evaluator::Resolve(std::span<const EvaluationInput> inputs, uint32_t first,
                        std::vector<Judgement>& judgements, EvaluationCounts& counts) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const EvaluationInput& input = inputs[i];
    if (input.has_row && !input.bucket->rows().InsertIfNew(input.row_tag)) {
      ++counts.duplicates;
      continue;
    }
    ++(input.raise ? counts.evaluated : counts.warmed);
    Locate(input, i, judgements, counts);
    pending_.push_back(
        {first + static_cast<uint32_t>(i), input.transaction, input.bucket, input.raise});
  }
}

size_t Evaluator::FindHandles(BucketState& bucket, size_t index) {
  const size_t groups = rulesets_->groups().size();
  size_t missing_bytes = 0;
  for (size_t g = 0; g < groups; ++g) {
    const KeyTable::Handle handle = bucket.table(g).Find(keys_[index * groups + g]);
    HandleOf(pending_.size(), g) = handle;
    if (handle == KeyTable::kNone) missing_bytes += bucket.bytes_per_key(g);
  }
  return missing_bytes;
}

void Evaluator::Locate(const EvaluationInput& input, size_t index,
                       std::vector<Judgement>& judgements, EvaluationCounts& counts) {
  BucketState& bucket = *input.bucket;
  const size_t missing_bytes = FindHandles(bucket, index);
  if (missing_bytes > 0 && bucket.Full(missing_bytes)) {
    // Eviction may take records that events before this one are waiting to be judged on, and some
    // of this event's own.
    Flush(judgements, counts);
    bucket.MakeRoom(missing_bytes);
    FindHandles(bucket, index);
  }
  const size_t groups = rulesets_->groups().size();
  for (size_t g = 0; g < groups; ++g) {
    KeyTable& table = bucket.table(g);
    KeyTable::Handle& handle = HandleOf(pending_.size(), g);
    if (handle == KeyTable::kNone) {
      handle = table.FindOrInsert(keys_[index * groups + g]).first;
      bucket.NoteInsertion(g);
    }
    table.Touch(handle, input.transaction->event_time_us);
  }
}

void Evaluator::Flush(std::vector<Judgement>& judgements, EvaluationCounts& counts) {
  if (pending_.empty()) return;
  for (size_t rule = 0; rule < agents_.size(); ++rule) RunRule(rule, counts);
  if (!fired_.empty()) Collect(judgements, counts);
  pending_.clear();
}

void Evaluator::RunRule(size_t rule_index, EvaluationCounts& counts) {
  const CompiledRule& rule = rulesets_->rules()[rule_index];
  events_.clear();
  states_.clear();
  admitted_.clear();
  for (uint32_t i = 0; i < pending_.size(); ++i) {
    const Pending& pending = pending_[i];
    if (!rule.filters.empty() && !rule.Admits(*pending.transaction)) continue;
    events_.push_back(pending.transaction);
    states_.push_back(rule.state_size == 0
                          ? nullptr
                          : pending.bucket->table(rule.group).record(HandleOf(i, rule.group)) +
                                rule.offset);
    admitted_.push_back(i);
  }
  if (events_.empty()) return;
  verdicts_.assign(events_.size(), Verdict());
  agents_[rule_index]->Process(events_, states_, verdicts_);
  RuleEvaluationCounts& rule_counts = counts.rulesets[rule.ruleset].rules[rule.rule];
  rule_counts.evaluations += events_.size();
  for (size_t i = 0; i < verdicts_.size(); ++i) {
    const Verdict& verdict = verdicts_[i];
    if (verdict.flags != 0) {
      rule_counts.late += (verdict.flags & kLate) != 0 ? 1 : 0;
      rule_counts.inactive += (verdict.flags & kInactive) != 0 ? 1 : 0;
      rule_counts.at_least += (verdict.flags & kAtLeast) != 0 ? 1 : 0;
    }
    if (!verdict.fired || !pending_[admitted_[i]].raise) continue;
    ++rule_counts.fired;
    if (rule.enforced) fired_.push_back({admitted_[i], static_cast<uint16_t>(rule_index), verdict});
  }
}

void Evaluator::Collect(std::vector<Judgement>& judgements, EvaluationCounts& counts) {
  const std::vector<CompiledRule>& rules = rulesets_->rules();
  // Rules are numbered in ruleset order, so this is the order of the judgements too.
  std::sort(fired_.begin(), fired_.end(), [](const Fired& a, const Fired& b) {
    return std::tie(a.pending, a.rule) < std::tie(b.pending, b.rule);
  });
  for (size_t i = 0; i < fired_.size();) {
    const size_t begin = i;
    const uint32_t pending_index = fired_[i].pending;
    const Pending& pending = pending_[pending_index];
    const uint16_t ruleset = rules[fired_[i].rule].ruleset;
    int32_t score = 0;
    for (; i < fired_.size() && fired_[i].pending == pending_index &&
           rules[fired_[i].rule].ruleset == ruleset;
         ++i) {
      score += rules[fired_[i].rule].score;
    }
    if (score <= rulesets_->infos()[ruleset].alert_above) continue;
    Judgement& judgement = judgements.emplace_back();
    judgement.event = pending.event;
    judgement.ruleset = ruleset;
    judgement.score = score;
    for (size_t f = begin; f < i; ++f) {
      const CompiledRule& rule = rules[fired_[f].rule];
      judgement.fired.push_back({rule.rule, fired_[f].verdict});
      judgement.state_truncated |= Truncated(pending, pending_index, rule.group);
    }
    ++counts.rulesets[ruleset].alerts;
  }
  fired_.clear();
}

bool Evaluator::Truncated(const Pending& pending, size_t pending_index, uint16_t group) const {
  const KeyTable::Handle handle = handles_[pending_index * rulesets_->groups().size() + group];
  return pending.bucket->table(group).truncated(handle);
}

}  // namespace caracal::agents
