// Reads an input as the image of a bucket, as records of a state topic, or as a plan for records
// that are intact: never a crash, never an image nobody has written, never more memory than
// allowed.
//
// Input: one byte for the reading, then
//   0  the image; read under the rules it may have been made with, and under others
//   1  records: key length (1 byte), key, value length (2 bytes, 0xFFFF = tombstone), value
//   2  six bytes per record: bucket and layout, offset, chunk index, number of chunks, what
//   happens,
//      length of the data
//   3  a whole image and changes to it: length of the whole one (2 bytes), it, the changes

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents/api/check.h"
#include "agents/ruleset/bucket_image.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/state/little_endian.h"
#include "pipeline/snapshot/bucket_assembler.h"
#include "pipeline/snapshot/bucket_chunks.h"
#include "tests/unit/agents_ruleset/test_agents.h"

namespace caracal::pipeline {
namespace {

using agents::BucketState;
using agents::ByteReader;
using agents::CompiledRulesets;
using agents::RestoredBucket;
using Rulesets = std::shared_ptr<const CompiledRulesets>;

constexpr uint32_t kBuckets = 4;
constexpr uint64_t kSeed = 99;
constexpr uint64_t kFingerprint = 5;
constexpr agents::BucketLimits kLimits{size_t{64} << 10, 16};
constexpr size_t kHeldBytesMax = 2000;
constexpr size_t kKnownChunksMax = 40;
constexpr uint16_t kTombstone = 0xFFFF;

Rulesets Compile(std::vector<agents::RuleSpec> rules) {
  static const agents::AgentRegistry* const registry = [] {
    auto* filled = new agents::AgentRegistry;
    agents::RegisterTestAgents(*filled);
    return filled;
  }();
  agents::StreamContext stream;
  stream.topic = "t";
  stream.attributes = agents::AttributeSchema({"merchant", "country"});
  return CompiledRulesets::Compile(std::vector{agents::Ruleset("x", 0, std::move(rules))},
                                   *registry, stream, {.hash_seed = kSeed})
      .value();
}

agents::RuleSpec Wide(std::string id, int64_t bytes, std::vector<std::string> key_suffix) {
  agents::RuleSpec rule = agents::CountRule(std::move(id), 2, 1);
  rule.parameters.Set("state_bytes", bytes);
  rule.key_suffix = std::move(key_suffix);
  return rule;
}

/// The rules of the corpus's images.
const Rulesets& SavedRules() {
  static const Rulesets rules =
      Compile({Wide("a", 12, {}), Wide("b", 21, {}), Wide("c", 16, {"merchant"})});
  return rules;
}

/// Some of them kept, others new, and a record that lets few keys fit.
const Rulesets& OtherRules() {
  static const Rulesets rules =
      Compile({Wide("b", 21, {}), Wide("d", 2000, {}), Wide("e", 8, {"merchant"})});
  return rules;
}

std::string ImageOf(const BucketState& bucket) {
  std::string image;
  bucket.AppendTo(kBuckets, image);
  return image;
}

/// A bucket that was read is one that works.
void Use(BucketState& bucket) {
  CHECK(bucket.used_bytes() <= kLimits.max_bytes);
  CHECK(bucket.rows().size() <= kLimits.rows_per_bucket);
  const size_t bytes = bucket.rulesets().event_bytes_max();
  for (const std::string_view text : {"1042", "a key longer than fifteen bytes"}) {
    while (!bucket.HasRoomFor(bytes)) bucket.EvictOldest();
    bucket.FindOrInsert(0, agents::TableKey::Of(text, agents::HashKey(text, kSeed)));
  }
  bucket.rows().InsertIfNew(1);
}

void CheckImage(std::string_view image) {
  for (const Rulesets& rulesets : {SavedRules(), OtherRules()}) {
    absl::StatusOr<RestoredBucket> restored =
        BucketState::Parse(rulesets, kLimits, kBuckets, image);
    if (!restored.ok()) {
      CHECK(absl::IsDataLoss(restored.status()) || absl::IsFailedPrecondition(restored.status()));
      continue;
    }
    const std::string again = ImageOf(restored->state);
    if (restored->report.exact) CHECK(again == image);
    absl::StatusOr<RestoredBucket> twice = BucketState::Parse(rulesets, kLimits, kBuckets, again);
    CHECK(twice.ok() && twice->report.exact);
    CHECK(twice->state.Digest() == restored->state.Digest());
    Use(restored->state);
    Use(twice->state);
    CHECK(twice->state.Digest() == restored->state.Digest());
  }
}

void CheckPair(std::string_view input) {
  ByteReader reader(input);
  uint16_t whole_bytes = 0;
  std::string_view whole;
  if (!reader.Read(whole_bytes) || !reader.Read(uint64_t{whole_bytes}, whole)) return;
  const absl::StatusOr<std::string> image =
      agents::BucketImage::WithChanges(whole, input.substr(sizeof(whole_bytes) + whole.size()));
  if (image.ok()) {
    CheckImage(*image);
  } else {
    CHECK(absl::IsDataLoss(image.status()) || absl::IsFailedPrecondition(image.status()));
  }
}

AssemblerOptions Options() {
  AssemblerOptions options;
  options.topic = "t";
  options.buckets = kBuckets;
  options.seed_fingerprint = kFingerprint;
  options.layout = {1, 1};
  options.committed = 200;
  options.carry_over_until = 100;
  options.held_bytes_max = kHeldBytesMax;
  options.known_chunks_max = kKnownChunksMax;
  return options;
}

void CheckCounts(const AssembledState& state) {
  const AssemblerCounts& counts = state.counts;
  CHECK(counts.records == counts.chunks + counts.tombstones + counts.damaged + counts.older_format +
                              counts.newer_format + counts.other_place + counts.other_kind +
                              counts.malformed + counts.beyond_limit);
  size_t chunks = 0;
  for (const auto& [bucket, catalog] : state.catalogs) {
    for (const auto& [id, entry] : catalog.snapshots()) chunks += entry.chunks.size();
    CHECK(!catalog.snapshots().empty());
  }
  CHECK(chunks <= kKnownChunksMax);
}

void CheckRecords(std::string_view input) {
  BucketAssembler assembler(Options());
  ByteReader reader(input);
  uint8_t key_bytes = 0;
  uint16_t value_bytes = 0;
  std::string_view key;
  while (reader.Read(key_bytes) && reader.Read(uint64_t{key_bytes}, key) &&
         reader.Read(value_bytes)) {
    std::string_view value;
    if (value_bytes != kTombstone && !reader.Read(uint64_t{value_bytes}, value)) break;
    const StateKey parsed = ParseStateKey(key);
    if (parsed.kind == StateKeyKind::kChunk) CHECK(FormatChunkKey(parsed.chunk) == key);
    assembler.Add(key, value);
    CHECK(assembler.held_bytes() <= kHeldBytesMax);
  }
  CheckCounts(assembler.Finish());
}

/// The only image a snapshot with this id has.
std::string PlannedImage(const SnapshotId& id) {
  std::string image;
  for (int64_t i = 0; i < id.offset % 61 + 1; ++i) {
    image += static_cast<char>(id.offset + 7 * i + static_cast<int64_t>(id.layout.low) + id.base);
  }
  return image;
}

struct PlannedRecord {
  uint8_t place, offset, index, chunks, deed, data_bytes;
};

StateRecord RecordOf(const PlannedRecord& plan) {
  ChunkKey key;
  key.place = {"t", 0, plan.place % 6U};
  key.snapshot = {plan.offset, {plan.place % 3U, 1}};
  // Changes, to a base a little before them.
  if (plan.deed % 16 >= 8 && plan.offset >= plan.deed) {
    key.snapshot.base = plan.offset - plan.deed % 16;
  }
  key.index = plan.index;
  const std::string image = PlannedImage(key.snapshot);
  // Data that may be the right piece: the last chunk has what is left.
  const size_t piece = plan.data_bytes + size_t{1};
  const size_t begin = std::min(image.size() - 1, plan.index * piece);
  const std::string_view data = std::string_view(image).substr(begin, piece);
  StateRecord record;
  record.key = FormatChunkKey(key);
  const SnapshotDescription snapshot{
      .chunks = plan.chunks,
      .buckets = plan.deed % 16 == 1 ? 3U : kBuckets,
      .seed_fingerprint = kFingerprint,
      .image_bytes = image.size(),
      .image_digest = DigestOfImage(image),
      .base_digest = DigestOfImage(PlannedImage(key.snapshot.BaseId()))};
  record.value = EncodeChunkValue(key, record.key, {snapshot, data});
  if (plan.deed % 16 == 2) record.value.back() = static_cast<char>(record.value.back() ^ 1);
  return record;
}

void CheckPlanned(const AssembledSnapshot& snapshot) {
  CHECK(snapshot.image == PlannedImage(snapshot.WholeId()));
  CHECK(snapshot.changes == (snapshot.id.is_whole() ? "" : PlannedImage(snapshot.id)));
}

void CheckPlan(std::string_view input) {
  BucketAssembler assembler(Options());
  for (; input.size() >= 6; input.remove_prefix(6)) {
    const auto byte = [input](size_t i) { return static_cast<uint8_t>(input[i]); };
    const PlannedRecord plan{byte(0), byte(1), byte(2), byte(3), byte(4), byte(5)};
    const StateRecord record = RecordOf(plan);
    assembler.Add(record.key, plan.deed % 16 == 3 ? std::string_view() : record.value);
    CHECK(assembler.held_bytes() <= kHeldBytesMax);
  }
  const AssembledState state = assembler.Finish();
  CheckCounts(state);
  for (const AssembledSnapshot& snapshot : state.snapshots) {
    CheckPlanned(snapshot);
    CHECK(snapshot.id.offset <= 200);
  }
  for (const AssembledSnapshot& snapshot : state.carry_over) {
    CheckPlanned(snapshot);
    CHECK(snapshot.id.offset <= 100);
  }
}

}  // namespace
}  // namespace caracal::pipeline

namespace caracal::pipeline {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // A copy of exactly the input, so that a sanitizer sees every byte read too far.
  const std::vector<char> exact(data + 1, data + size);
  const std::string_view input(exact.data(), exact.size());
  switch (data[0] % 4) {
    case 0:
      CheckImage(input);
      break;
    case 1:
      CheckRecords(input);
      break;
    case 2:
      CheckPlan(input);
      break;
    default:
      CheckPair(input);
  }
  return 0;
}

}  // namespace caracal::pipeline
