#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/state_layout.h"
#include "agents/state/key_table.h"
#include "agents/state/key_table_image.h"
#include "agents/state/row_filter.h"
#include "agents/state/state_digest.h"

namespace caracal::agents {

/// The bytes of a bucket at rest: a header that says how its records are made up, the rows, and per
/// rule key the saved keys. Equal buckets have equal images, whatever their history in memory and
/// whatever the host. All numbers little-endian.
///
///   u32 format, u32 buckets per partition, u64 fingerprint of the hash seed, 2 x u64 layout id,
///   u32 groups, u32 rows
///   per group: 2 x u64 id of the rule key, u64 evictions, u32 keys, u32 slices
///     per slice: 2 x u64 id, u32 bytes
///   per row: u64 tag, oldest first
///   per group: its saved keys, see KeyTableImage; their records are the slices side by side, in
///     the order of the header, without padding
///
/// The changes of a bucket since a whole image of it have an image, too: the same, but
///
///   - the format is kChangesFormat, which earlier readers refuse, and a header's end says how many
///     rows are older: u32
///   - it has the rows that came since, and the keys that were touched
///
/// Nothing was evicted in between (each group's evictions are those of the whole image), so both
/// together say all there is: see WithChanges.
///
/// This struct is the image taken apart: sizes are checked against the bytes present, ids are not
/// doubled; what rows and saved keys say is not checked yet. A view: the bytes belong to the
/// caller.
struct BucketImage {
  /// Raised with every change that an older reader would misread.
  static constexpr uint32_t kFormat = 1;
  static constexpr uint32_t kChangesFormat = 0x8000'0000U | kFormat;

  struct Slice {
    StateDigest id;       ///< StateSlice::id
    uint32_t offset = 0;  ///< in the saved record
    uint32_t size = 0;
  };
  struct Group {
    StateDigest key;  ///< RuleKey::Id
    std::vector<Slice> slices;
    KeyTableImage keys;
  };

  uint32_t buckets = 0;
  uint64_t seed_fingerprint = 0;
  StateDigest layout;  ///< StateLayout::id
  std::string_view rows;
  uint32_t older_rows = 0;  ///< of changes: remembered, and in the whole image
  std::vector<Group> groups;

  /// FailedPrecondition for another `format`, DataLoss for bytes that no bucket has as image.
  /// Allocates in proportion to the header alone.
  static absl::StatusOr<BucketImage> Read(std::string_view image, uint32_t format = kFormat);
  /// The whole image of a bucket from an earlier one and the changes since: byte for byte what
  /// Append would have written when the changes were. Which whole image they belong to is for the
  /// caller to know. Errors as Read, and DataLoss for two images that do not fit; what rows and
  /// saved keys say is as unchecked as it was.
  static absl::StatusOr<std::string> WithChanges(std::string_view whole, std::string_view changes);

  /// Appends the image of a bucket with these parts, `tables` by group of the layout. `buckets`:
  /// per partition. One allocation at most, of exactly what is missing.
  static void Append(const CompiledRulesets& rulesets, uint32_t buckets, const RowFilter& rows,
                     std::span<const KeyTable> tables, std::string& out);
  /// The same for the image of its changes; rows and tables note them (CHECK).
  static void AppendChanges(const CompiledRulesets& rulesets, uint32_t buckets,
                            const RowFilter& rows, std::span<const KeyTable> tables,
                            std::string& out);
  /// Bytes that Append and AppendChanges append.
  static size_t Bytes(const StateLayout& layout, const RowFilter& rows,
                      std::span<const KeyTable> tables);
  static size_t ChangesBytes(const StateLayout& layout, const RowFilter& rows,
                             std::span<const KeyTable> tables);

  /// Identifies a hash seed: buckets of different seeds hold different keys. Not cryptographic:
  /// images are as confidential as the seed. They hold the keys anyway.
  static uint64_t SeedFingerprint(uint64_t hash_seed);
};

}  // namespace caracal::agents
