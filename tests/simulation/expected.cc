#include "tests/simulation/expected.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <span>
#include <tuple>

#include "agents/api/check.h"
#include "agents/ruleset/evaluator.h"
#include "agents/state/key_hash.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/emit/raw_dead_letter_encoder.h"

namespace caracal::pipeline::sim {
namespace {

using Activations = Judgements::Activations;

std::vector<std::pair<int64_t, std::string>> KeyOf(const Activations& activations) {
  std::vector<std::pair<int64_t, std::string>> key;
  for (const Activation& entry : activations) key.emplace_back(entry.offset, entry.rules);
  return key;
}

bool Before(const Output& a, const Output& b) {
  return std::tie(a.offset, a.kind, a.sequence) < std::tie(b.offset, b.kind, b.sequence);
}

}  // namespace

Output OutputOf(const OutputRecord& record) {
  return {record.kind, record.lease->partition(), record.offset, record.sequence, record.key,
          record.value};
}

agents::StateDigest Expected::DigestAt(size_t bucket, int64_t offset) const {
  const auto& history = digests[bucket];
  const auto after =
      std::upper_bound(history.begin(), history.end(), offset,
                       [](int64_t wanted, const auto& entry) { return wanted < entry.first; });
  return std::prev(after)->second;
}

/// One pass over a log by the rules of the last activation.
class Judgements::Run {
 public:
  Run(const Rules& rules, const Log& log)
      : plan_(rules.plan()), log_(log), counts_(*plan_.rulesets) {
    for (size_t bucket = 0; bucket < Rules::kBuckets; ++bucket) {
      buckets_.push_back(std::make_unique<agents::BucketState>(plan_.rulesets, plan_.limits));
      expected_.digests.push_back({{0, buckets_.back()->Digest()}});
    }
  }

  /// Records [begin, end) are seen by the rules whose state `sees` them; `raise`: by all, aloud.
  void Judge(int64_t begin, int64_t end, bool raise,
             const std::function<bool(const agents::StateSlice&)>& sees) {
    agents::Evaluator evaluator(raise ? plan_.rulesets : plan_.rulesets->Only(sees));
    for (int64_t offset = begin; offset < end; ++offset) {
      const std::optional<Event>& event = log_.events[static_cast<size_t>(offset)];
      if (event.has_value()) JudgeOne(*event, raise, evaluator);
    }
  }

  Expected Take() { return std::move(expected_); }

 private:
  void JudgeOne(const Event& event, bool raise, agents::Evaluator& evaluator) {
    const size_t index = agents::BucketOf(event.key_hash, Rules::kBuckets);
    agents::EvaluationInput input;
    input.transaction = &event.transaction;
    input.bucket = buckets_[index].get();
    input.key_hash = event.key_hash;
    input.row_tag = event.row_tag;
    input.has_row = event.has_row;
    input.raise = raise;
    evaluator.Evaluate(std::span(&input, 1), judgements_, counts_);
    for (const agents::Judgement& judgement : judgements_) {
      OutputRecord output = plan_.encoder->EncodeAlert(event, judgement);
      output.lease = log_.lease;
      expected_.outputs.push_back(OutputOf(output));
    }
    expected_.digests[index].emplace_back(event.offset + 1, buckets_[index]->Digest());
  }

  const StreamPlan& plan_;
  const Log& log_;
  agents::EvaluationCounts counts_;
  std::vector<agents::Judgement> judgements_;
  std::vector<std::unique_ptr<agents::BucketState>> buckets_;
  Expected expected_;
};

Judgements::Judgements(const Model& model, const Workload& workload,
                       std::map<std::string, const Rules*> rules)
    : model_(model), rules_(std::move(rules)) {
  for (size_t p = 0; p < workload.logs.size(); ++p) {
    logs_.push_back(Decode(static_cast<int32_t>(p), workload.logs[p]));
  }
}

Judgements::Log Judgements::Decode(int32_t partition,
                                   const std::vector<FakeRecord>& records) const {
  Decoder decoder(model_.decode());
  const RawDeadLetterEncoder dead_letters;
  Log log;
  log.lease = std::make_shared<PartitionLease>(1, uint16_t{0}, model_.decode().topic, partition, 0);
  auto batch = std::make_shared<FakeRecordBatch>();
  for (size_t i = 0; i < records.size(); ++i) {
    batch->Add(log.lease, static_cast<int64_t>(i), records[i]);
  }
  log.storage = std::make_shared<EventStorage>();
  log.storage->records = batch;
  for (size_t i = 0; i < records.size(); ++i) {
    Event event;
    const DecodeResult result = decoder.Decode(*batch, i, log.storage->arena, event);
    std::optional<Event>& decoded = log.events.emplace_back();
    if (result.outcome == DecodeOutcome::kTransaction) decoded = event;
    if (result.outcome != DecodeOutcome::kReject) continue;
    OutputRecord output =
        dead_letters.EncodeDeadLetter(*batch, i, result.reject_reason, result.detail);
    output.lease = log.lease;
    output.offset = static_cast<int64_t>(i);
    log.dead_letters.push_back(OutputOf(output));
  }
  return log;
}

const Expected& Judgements::Of(int32_t partition, const Activations& activations) {
  CHECK(!activations.empty());
  auto& judged = logs_[static_cast<size_t>(partition)].judged;
  const auto key = KeyOf(activations);
  if (const auto found = judged.find(key); found != judged.end()) return *found->second;
  if (activations.front().offset > 0) {
    const auto longer = std::find_if(judged.begin(), judged.end(), [&key](const auto& entry) {
      return entry.first.size() > key.size() &&
             std::equal(key.rbegin(), key.rend(), entry.first.rbegin());
    });
    CHECK(longer != judged.end());
    return *longer->second;
  }
  return *judged.emplace(key, std::make_unique<Expected>(Judge(partition, activations)))
              .first->second;
}

Expected Judgements::Judge(int32_t partition, const Activations& activations) {
  const Log& log = logs_[static_cast<size_t>(partition)];
  const Rules& rules = *rules_.at(activations.back().rules);
  const int64_t last = activations.back().offset;
  // For every state, how many of the activations, from the last one back, know it.
  const auto begins = [&](const agents::StateDigest& state) {
    size_t first = activations.size() - 1;
    while (first > 0 &&
           rules_.at(activations[first - 1].rules)->record().manifest.HasState(state)) {
      --first;
    }
    return activations[first].offset;
  };
  Run run(rules, log);
  for (size_t i = 0; i < activations.size(); ++i) {
    const bool is_last = i + 1 == activations.size();
    const int64_t begin = activations[i].offset;
    const int64_t end = is_last ? std::ssize(log.events) : activations[i + 1].offset;
    run.Judge(begin, end, is_last, [&begins, begin](const agents::StateSlice& slice) {
      return begins(slice.id) <= begin;
    });
  }
  Expected expected = run.Take();
  const auto belongs_before = [last](const Output& output) { return output.offset < last; };
  if (activations.size() > 1) {
    const Expected& before =
        Of(partition, Activations(activations.begin(), std::prev(activations.end())));
    std::copy_if(before.outputs.begin(), before.outputs.end(), std::back_inserter(expected.outputs),
                 belongs_before);
  }
  std::copy_if(
      log.dead_letters.begin(), log.dead_letters.end(), std::back_inserter(expected.outputs),
      [&](const Output& output) { return activations.size() == 1 || !belongs_before(output); });
  std::sort(expected.outputs.begin(), expected.outputs.end(), Before);
  return expected;
}

}  // namespace caracal::pipeline::sim
