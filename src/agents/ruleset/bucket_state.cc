#include "agents/ruleset/bucket_state.h"

#include <algorithm>
#include <utility>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "agents/ruleset/bucket_image.h"
#include "agents/state/eviction.h"

namespace caracal::agents {
namespace {

constexpr size_t kKeysMin = 16;

}  // namespace

BucketState::BucketState(std::shared_ptr<const CompiledRulesets> rulesets,
                         const BucketLimits& limits, HugePagePool* pool)
    : rulesets_(std::move(rulesets)), limits_(limits), rows_(limits.rows_per_bucket, pool) {
  CHECK(limits.max_bytes >= MinBytes(*rulesets_, limits.rows_per_bucket));
  tables_.reserve(rulesets_->layout().groups.size());
  for (const KeyGroup& group : rulesets_->layout().groups) tables_.emplace_back(group.record, pool);
  used_bytes_ = UsedBytes();
}

BucketState::BucketState(std::shared_ptr<const CompiledRulesets> rulesets,
                         const BucketLimits& limits, RestoredContent content)
    : rulesets_(std::move(rulesets)),
      limits_(limits),
      rows_(std::move(content.rows)),
      tables_(std::move(content.tables)),
      used_bytes_(UsedBytes()) {
  CHECK(used_bytes_ <= limits_.max_bytes);
}

absl::StatusOr<RestoredBucket> BucketState::Parse(
    std::shared_ptr<const CompiledRulesets> rulesets, const BucketLimits& limits, uint32_t buckets,
    std::string_view image, std::optional<std::span<const StateDigest>> carried,
    HugePagePool* pool) {
  CHECK(limits.max_bytes >= MinBytes(*rulesets, limits.rows_per_bucket));
  ASSIGN_OR_RETURN(RestoredContent content,
                   RestoreBucket(*rulesets, limits, buckets, image, carried, pool));
  const RestoreReport report = content.report;
  return RestoredBucket{BucketState(std::move(rulesets), limits, std::move(content)), report};
}

void BucketState::AppendTo(uint32_t buckets, std::string& out) const {
  BucketImage::Append(*rulesets_, buckets, rows_, tables_, out);
}

void BucketState::BeginChanges() {
  rows_.BeginChanges();
  for (KeyTable& table : tables_) table.BeginChanges();
  has_begun_changes_ = true;
}

std::optional<size_t> BucketState::ChangesBytes() const {
  const bool known = has_begun_changes_ &&
                     std::all_of(tables_.begin(), tables_.end(),
                                 [](const KeyTable& table) { return table.notes_changes(); });
  if (!known) return std::nullopt;
  return BucketImage::ChangesBytes(rulesets_->layout(), rows_, tables_);
}

void BucketState::AppendChangesTo(uint32_t buckets, std::string& out) const {
  CHECK(has_begun_changes_);
  BucketImage::AppendChanges(*rulesets_, buckets, rows_, tables_, out);
}

size_t BucketState::MinBytes(const CompiledRulesets& rulesets, uint32_t rows_per_bucket) {
  return RowFilter::MaxBytes(rows_per_bucket) + kKeysMin * rulesets.event_bytes_max();
}

KeyTable::Handle BucketState::FindOrInsert(size_t group, const TableKey& key) {
  const auto [handle, inserted] = tables_[group].FindOrInsert(key);
  if (inserted) {
    used_bytes_ += KeyTable::BytesPerKey(tables_[group].layout());
    CHECK(used_bytes_ <= limits_.max_bytes);
  }
  return handle;
}

void BucketState::EvictOldest() {
  EvictOldestSixteenth(tables_);
  used_bytes_ = UsedBytes();
}

size_t BucketState::UsedBytes() const {
  size_t used = RowFilter::MaxBytes(limits_.rows_per_bucket);
  for (const KeyTable& table : tables_) {
    used += table.size() * KeyTable::BytesPerKey(table.layout());
  }
  return used;
}

size_t BucketState::keys() const {
  size_t keys = 0;
  for (const KeyTable& table : tables_) keys += table.size();
  return keys;
}

size_t BucketState::bytes() const {
  size_t bytes = rows_.bytes();
  for (const KeyTable& table : tables_) bytes += table.bytes();
  return bytes;
}

uint64_t BucketState::evictions() const {
  uint64_t evictions = 0;
  for (const KeyTable& table : tables_) evictions += table.evictions();
  return evictions;
}

StateDigest BucketState::Digest() const {
  StateDigester digester;
  digester.AddNumber(rulesets_->layout().id.low);
  digester.AddNumber(rulesets_->layout().id.high);
  rows_.AddTo(digester);
  for (const KeyTable& table : tables_) table.AddTo(digester);
  return digester.Digest();
}

}  // namespace caracal::agents
