#include "tests/unit/pipeline_snapshot/state_topic.h"

#include <algorithm>
#include <set>
#include <utility>

namespace caracal::pipeline {

BucketSnapshot TestSnapshot(uint32_t bucket, int64_t offset, std::string image,
                            const agents::StateDigest& layout) {
  return {.place = {"bank.public.transactions", 3, bucket},
          .id = {offset, layout},
          .buckets = kTestBuckets,
          .seed_fingerprint = kTestFingerprint,
          .image = std::move(image)};
}

BucketSnapshot TestChanges(const BucketSnapshot& base, int64_t offset, std::string image) {
  BucketSnapshot changes = base;
  changes.id = {offset, base.id.layout, base.id.offset};
  changes.base_digest = DigestOfImage(base.image);
  changes.image = std::move(image);
  return changes;
}

AssemblerOptions TestOptions() {
  AssemblerOptions options;
  options.topic = "bank.public.transactions";
  options.partition = 3;
  options.buckets = kTestBuckets;
  options.seed_fingerprint = kTestFingerprint;
  options.layout = kTestLayout;
  options.committed = 1000;
  return options;
}

std::string RandomImage(std::mt19937& random, size_t bytes) {
  std::string image(bytes, '\0');
  for (char& c : image) c = static_cast<char>(random());
  return image;
}

void StateTopic::Put(const BucketChunks& chunks) {
  for (uint32_t i = 0; i < chunks.size(); ++i) Put(chunks.Record(i));
}

void StateTopic::Compact() {
  std::set<std::string> seen;
  std::vector<Entry> kept;
  for (auto entry = log_.rbegin(); entry != log_.rend(); ++entry) {
    if (seen.insert(entry->key).second) kept.push_back(std::move(*entry));
  }
  std::reverse(kept.begin(), kept.end());
  log_ = std::move(kept);
}

std::map<std::string, std::string> StateTopic::Content() const {
  std::map<std::string, std::string> content;
  for (const Entry& entry : log_) {
    if (entry.value.has_value()) {
      content[entry.key] = *entry.value;
    } else {
      content.erase(entry.key);
    }
  }
  return content;
}

AssembledState StateTopic::Read(const AssemblerOptions& options) const {
  BucketAssembler assembler(options);
  for (const Entry& entry : log_) {
    assembler.Add(entry.key,
                  entry.value.has_value() ? std::string_view(*entry.value) : std::string_view());
  }
  return assembler.Finish();
}

}  // namespace caracal::pipeline
