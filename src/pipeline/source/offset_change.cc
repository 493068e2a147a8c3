#include "pipeline/source/offset_change.h"

#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace caracal::pipeline {

OffsetChange ChangeOffset(const GroupPosition& position, int64_t offset, bool reset_state) {
  OffsetChange change;
  change.offset = offset;
  const absl::StatusOr<OffsetMetadata> recorded = ParseOffsetMetadata(position.metadata);
  const bool known = position.committed >= 0 && recorded.ok();
  if (!known || reset_state || offset < recorded->activation) {
    change.resets_state = true;
    change.metadata = {offset, offset, known ? recorded->rules : ""};
    return change;
  }
  std::vector<Activation> activations = ActivationsOf(*recorded);
  while (activations.back().offset > offset) activations.pop_back();
  change.metadata = MetadataOf(std::move(activations), recorded->alert_from);
  const RecordMark& last = recorded->last;
  if (last.offset < offset && last.offset >= position.log_start) change.metadata.last = last;
  return change;
}

}  // namespace caracal::pipeline
