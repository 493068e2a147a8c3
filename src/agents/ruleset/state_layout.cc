#include "agents/ruleset/state_layout.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

namespace caracal::agents {
namespace {

/// How much of a long slice is taken to be touched by every event: what comes first in it, such as
/// counters and positions; a history that follows is touched in places.
constexpr uint32_t kHotSliceBytes = 64;

bool LiesBefore(const SliceRequest* a, const SliceRequest* b) {
  const bool a_is_long = a->state.size > kHotSliceBytes;
  const bool b_is_long = b->state.size > kHotSliceBytes;
  return std::tie(a_is_long, b->state.align, a->state.size, a->id.high, a->id.low) <
         std::tie(b_is_long, a->state.align, b->state.size, b->id.high, b->id.low);
}

KeyGroup LayOutGroup(std::vector<const SliceRequest*> requests) {
  std::sort(requests.begin(), requests.end(), LiesBefore);
  KeyGroup group{requests.front()->key, {}, {}};
  uint64_t end = 0;
  for (const SliceRequest* request : requests) {
    const uint64_t align = request->state.align;
    const uint64_t offset = (end + align - 1) & ~(align - 1);
    group.slices.push_back({request->ruleset, request->rule, static_cast<uint32_t>(offset),
                            request->state.size, request->id});
    end = offset + request->state.size;
    group.record.align = std::max(group.record.align, request->state.align);
  }
  group.record.size = static_cast<uint32_t>(std::min<uint64_t>(end, UINT32_MAX));
  const StateSlice& last = group.slices.back();
  group.record.hot_size = last.offset + std::min(last.size, kHotSliceBytes);
  return group;
}

StateDigest IdOf(const std::vector<KeyGroup>& groups, uint64_t hash_seed) {
  StateDigester digester;
  digester.AddNumber(hash_seed);
  digester.AddNumber(groups.size());
  for (const KeyGroup& group : groups) {
    group.key.AddTo(digester);
    digester.AddNumber(group.record.size);
    digester.AddNumber(group.record.align);
    digester.AddNumber(group.slices.size());
    for (const StateSlice& slice : group.slices) {
      digester.AddNumber(slice.offset);
      digester.AddNumber(slice.id.low);
      digester.AddNumber(slice.id.high);
    }
  }
  return digester.Digest();
}

}  // namespace

StateLayout LayOutState(const std::vector<SliceRequest>& requests, uint64_t hash_seed) {
  // An ordered map: the empty suffix, the stream's key alone, comes first.
  std::map<std::vector<std::string>, std::vector<const SliceRequest*>> by_key;
  for (const SliceRequest& request : requests) by_key[request.key.suffix()].push_back(&request);
  StateLayout layout;
  for (auto& [suffix, group] : by_key) layout.groups.push_back(LayOutGroup(std::move(group)));
  layout.id = IdOf(layout.groups, hash_seed);
  return layout;
}

}  // namespace caracal::agents
