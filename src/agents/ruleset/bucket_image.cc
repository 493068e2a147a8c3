#include "agents/ruleset/bucket_image.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "agents/state/key_hash.h"
#include "agents/state/little_endian.h"

namespace caracal::agents {
namespace {

constexpr size_t kHeaderBytes = 40;
constexpr size_t kRowCountAt = 36;
constexpr size_t kGroupBytes = 32;
constexpr size_t kKeyCountInGroup = 24;
constexpr size_t kSliceBytes = 20;

absl::Status Malformed(std::string_view what) {
  return absl::DataLossError(fmt::format("the image of a bucket {}", what));
}

void AppendDigest(const StateDigest& digest, std::string& out) {
  AppendLittleEndian(digest.low, out);
  AppendLittleEndian(digest.high, out);
}

bool ReadDigest(ByteReader& reader, StateDigest& digest) {
  return reader.Read(digest.low) && reader.Read(digest.high);
}

bool HasEqual(std::vector<StateDigest> ids) {
  std::sort(ids.begin(), ids.end());
  return std::adjacent_find(ids.begin(), ids.end()) != ids.end();
}

std::vector<RecordPiece> PiecesOf(const KeyGroup& group) {
  std::vector<RecordPiece> pieces;
  uint32_t in_image = 0;
  for (const StateSlice& slice : group.slices) {
    AppendPiece({in_image, slice.offset, slice.size}, pieces);
    in_image += slice.size;
  }
  return pieces;
}

size_t SavedRecordBytes(const KeyGroup& group) {
  size_t bytes = 0;
  for (const StateSlice& slice : group.slices) bytes += slice.size;
  return bytes;
}

size_t HeaderBytes(const StateLayout& layout) {
  size_t bytes = kHeaderBytes;
  for (const KeyGroup& group : layout.groups) {
    bytes += kGroupBytes + group.slices.size() * kSliceBytes;
  }
  return bytes;
}

size_t EntryBytes(const KeyGroup& group) {
  return KeyTableImage::kSavedKeyBytes + SavedRecordBytes(group);
}

/// What of a bucket goes into an image.
struct Content {
  uint32_t format = 0;
  size_t rows = 0;                                 ///< so many of the newest
  std::vector<std::vector<KeyTable::Slot>> slots;  ///< by group, in tag order
};

void AppendGroup(const KeyGroup& group, const KeyTable& table, size_t keys, std::string& out) {
  AppendDigest(group.key.Id(), out);
  AppendLittleEndian(table.evictions(), out);
  AppendLittleEndian(static_cast<uint32_t>(keys), out);
  AppendLittleEndian(static_cast<uint32_t>(group.slices.size()), out);
  for (const StateSlice& slice : group.slices) {
    AppendDigest(slice.id, out);
    AppendLittleEndian(slice.size, out);
  }
}

void AppendContent(const CompiledRulesets& rulesets, uint32_t buckets, const RowFilter& rows,
                   std::span<const KeyTable> tables, const Content& content, std::string& out) {
  const StateLayout& layout = rulesets.layout();
  AppendLittleEndian(content.format, out);
  AppendLittleEndian(buckets, out);
  AppendLittleEndian(BucketImage::SeedFingerprint(rulesets.hash_seed()), out);
  AppendDigest(layout.id, out);
  AppendLittleEndian(static_cast<uint32_t>(tables.size()), out);
  AppendLittleEndian(static_cast<uint32_t>(content.rows), out);
  if (content.format == BucketImage::kChangesFormat) {
    AppendLittleEndian(static_cast<uint32_t>(rows.size() - content.rows), out);
  }
  for (size_t g = 0; g < tables.size(); ++g) {
    AppendGroup(layout.groups[g], tables[g], content.slots[g].size(), out);
  }
  rows.AppendNewest(content.rows, out);
  for (size_t g = 0; g < tables.size(); ++g) {
    const KeyGroup& group = layout.groups[g];
    KeyTableImage::Append(tables[g], content.slots[g], PiecesOf(group), SavedRecordBytes(group),
                          out);
  }
}

/// What the header says of a group, before its entries are at hand.
struct GroupHeader {
  StateDigest key;
  uint64_t evictions = 0;
  uint32_t keys = 0;
  size_t record_bytes = 0;
  std::vector<BucketImage::Slice> slices;
};

absl::Status ReadSlices(ByteReader& reader, uint32_t count, GroupHeader& group) {
  if (count == 0) return Malformed("has a rule key without state");
  if (reader.left() / kSliceBytes < count) return Malformed("is cut off in its header");
  group.slices.resize(count);
  for (BucketImage::Slice& slice : group.slices) {
    slice.offset = static_cast<uint32_t>(group.record_bytes);
    if (!ReadDigest(reader, slice.id) || !reader.Read(slice.size)) {
      return Malformed("is cut off in its header");
    }
    if (slice.size == 0 || slice.size > KeyTable::kRecordBytesMax - group.record_bytes) {
      return Malformed(
          fmt::format("has a state of {} bytes at {} of a record", slice.size, group.record_bytes));
    }
    group.record_bytes += slice.size;
  }
  return absl::OkStatus();
}

absl::Status ReadGroups(ByteReader& reader, uint32_t count, std::vector<GroupHeader>& groups) {
  if (reader.left() / kGroupBytes < count) return Malformed("is cut off in its header");
  groups.resize(count);
  std::vector<StateDigest> keys;
  std::vector<StateDigest> slices;
  for (GroupHeader& group : groups) {
    uint32_t slice_count = 0;
    if (!ReadDigest(reader, group.key) || !reader.Read(group.evictions) ||
        !reader.Read(group.keys) || !reader.Read(slice_count)) {
      return Malformed("is cut off in its header");
    }
    RETURN_IF_ERROR(ReadSlices(reader, slice_count, group));
    keys.push_back(group.key);
    for (const BucketImage::Slice& slice : group.slices) slices.push_back(slice.id);
  }
  if (HasEqual(std::move(keys)) || HasEqual(std::move(slices))) {
    return Malformed("names a rule's state twice");
  }
  return absl::OkStatus();
}

absl::Status ReadKeys(ByteReader& reader, std::vector<GroupHeader>& headers, BucketImage& image) {
  for (GroupHeader& header : headers) {
    const uint64_t entry_bytes = KeyTableImage::kSavedKeyBytes + header.record_bytes;
    std::string_view entries;
    if (!reader.Read(header.keys * entry_bytes, entries)) {
      return Malformed(fmt::format("announces {} keys and ends before the last", header.keys));
    }
    image.groups.push_back({header.key, std::move(header.slices),
                            KeyTableImage(entries, header.record_bytes, header.evictions)});
  }
  if (reader.left() != 0) return Malformed("is longer than its header says");
  return absl::OkStatus();
}

/// The images may be of one bucket that has evicted nothing in between.
bool AreOfOneBucket(const BucketImage& one, const BucketImage& other) {
  using Group = BucketImage::Group;
  using Slice = BucketImage::Slice;
  const auto same_slice = [](const Slice& a, const Slice& b) {
    return a.id == b.id && a.size == b.size;
  };
  const auto same_group = [&same_slice](const Group& a, const Group& b) {
    return a.key == b.key && a.keys.evictions() == b.keys.evictions() &&
           std::equal(a.slices.begin(), a.slices.end(), b.slices.begin(), b.slices.end(),
                      same_slice);
  };
  return one.buckets == other.buckets && one.seed_fingerprint == other.seed_fingerprint &&
         one.layout == other.layout &&
         std::equal(one.groups.begin(), one.groups.end(), other.groups.begin(), other.groups.end(),
                    same_group);
}

}  // namespace

absl::StatusOr<BucketImage> BucketImage::Read(std::string_view bytes, uint32_t format) {
  ByteReader reader(bytes);
  uint32_t written = 0;
  if (!reader.Read(written)) return Malformed("is cut off in its header");
  if (written != format) {
    return absl::FailedPreconditionError(
        fmt::format("the image of a bucket has format {}; this version reads {}", written, format));
  }
  BucketImage image;
  uint32_t group_count = 0;
  uint32_t row_count = 0;
  if (!reader.Read(image.buckets) || !reader.Read(image.seed_fingerprint) ||
      !ReadDigest(reader, image.layout) || !reader.Read(group_count) || !reader.Read(row_count) ||
      (format == kChangesFormat && !reader.Read(image.older_rows))) {
    return Malformed("is cut off in its header");
  }
  std::vector<GroupHeader> groups;
  RETURN_IF_ERROR(ReadGroups(reader, group_count, groups));
  if (!reader.Read(row_count * uint64_t{sizeof(uint64_t)}, image.rows)) {
    return Malformed(fmt::format("announces {} rows and ends before the last", row_count));
  }
  RETURN_IF_ERROR(ReadKeys(reader, groups, image));
  return image;
}

absl::StatusOr<std::string> BucketImage::WithChanges(std::string_view whole,
                                                     std::string_view changes) {
  ASSIGN_OR_RETURN(const BucketImage base, Read(whole));
  ASSIGN_OR_RETURN(const BucketImage since, Read(changes, kChangesFormat));
  const size_t older_bytes = since.older_rows * sizeof(uint64_t);
  if (!AreOfOneBucket(base, since) || older_bytes > base.rows.size()) {
    return Malformed("has changes that are not of this image");
  }
  // The header is that of the whole image, with other numbers of rows and keys.
  std::string out;
  out.reserve(whole.size() + changes.size());
  out += whole.substr(0, static_cast<size_t>(base.rows.data() - whole.data()));
  const size_t rows = (older_bytes + since.rows.size()) / sizeof(uint64_t);
  StoreLittleEndian(static_cast<uint32_t>(rows), &out[kRowCountAt]);
  out += base.rows.substr(base.rows.size() - older_bytes);
  out += since.rows;
  size_t group_at = kHeaderBytes;
  for (size_t g = 0; g < base.groups.size(); ++g) {
    const size_t keys = KeyTableImage::Merge(base.groups[g].keys, since.groups[g].keys, out);
    StoreLittleEndian(static_cast<uint32_t>(keys), &out[group_at + kKeyCountInGroup]);
    group_at += kGroupBytes + base.groups[g].slices.size() * kSliceBytes;
  }
  return out;
}

void BucketImage::Append(const CompiledRulesets& rulesets, uint32_t buckets, const RowFilter& rows,
                         std::span<const KeyTable> tables, std::string& out) {
  out.reserve(out.size() + Bytes(rulesets.layout(), rows, tables));
  Content content = {kFormat, rows.size(), {}};
  for (const KeyTable& table : tables) content.slots.push_back(table.SlotsInTagOrder());
  AppendContent(rulesets, buckets, rows, tables, content, out);
}

void BucketImage::AppendChanges(const CompiledRulesets& rulesets, uint32_t buckets,
                                const RowFilter& rows, std::span<const KeyTable> tables,
                                std::string& out) {
  out.reserve(out.size() + ChangesBytes(rulesets.layout(), rows, tables));
  Content content = {kChangesFormat, rows.changed_rows(), {}};
  for (const KeyTable& table : tables) {
    CHECK(table.notes_changes());
    content.slots.push_back(table.ChangesInTagOrder());
  }
  AppendContent(rulesets, buckets, rows, tables, content, out);
}

size_t BucketImage::Bytes(const StateLayout& layout, const RowFilter& rows,
                          std::span<const KeyTable> tables) {
  size_t bytes = HeaderBytes(layout) + rows.size() * sizeof(uint64_t);
  for (size_t g = 0; g < tables.size(); ++g) {
    bytes += tables[g].size() * EntryBytes(layout.groups[g]);
  }
  return bytes;
}

size_t BucketImage::ChangesBytes(const StateLayout& layout, const RowFilter& rows,
                                 std::span<const KeyTable> tables) {
  size_t bytes = HeaderBytes(layout) + sizeof(uint32_t) + rows.changed_rows() * sizeof(uint64_t);
  for (size_t g = 0; g < tables.size(); ++g) {
    bytes += tables[g].changed_keys() * EntryBytes(layout.groups[g]);
  }
  return bytes;
}

uint64_t BucketImage::SeedFingerprint(uint64_t hash_seed) {
  return HashKey("caracal hash seed fingerprint", hash_seed).low;
}

}  // namespace caracal::agents
