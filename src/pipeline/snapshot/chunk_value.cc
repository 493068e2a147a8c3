#include "pipeline/snapshot/chunk_value.h"

#include <span>

#include "agents/state/little_endian.h"

namespace caracal::pipeline {
namespace {

using agents::AppendLittleEndian;
using agents::ByteReader;
using agents::LoadLittleEndian;
using agents::StateDigest;
using agents::StateDigester;

constexpr std::string_view kMagic = "CRCB";
constexpr size_t kFormatAt = 4;
constexpr size_t kHeaderBytesAt = 6;
constexpr size_t kDigestAt = 8;
constexpr size_t kDigestEnd = 24;
constexpr uint32_t kAsItIs = 0;

void AddBytes(std::string_view bytes, StateDigester& digester) {
  digester.AddBytes(std::as_bytes(std::span(bytes)));
}

void AppendDigest(const StateDigest& digest, std::string& out) {
  AppendLittleEndian(digest.low, out);
  AppendLittleEndian(digest.high, out);
}

bool ReadDigest(ByteReader& reader, StateDigest& digest) {
  return reader.Read(digest.low) && reader.Read(digest.high);
}

/// The fields behind the digest.
struct HeaderFields {
  uint32_t codec = 0;
  uint32_t index = 0;
  int64_t offset = 0;
  StateDigest layout;
  SnapshotDescription snapshot;
};

bool ReadFields(ByteReader reader, bool is_whole, HeaderFields& fields) {
  SnapshotDescription& snapshot = fields.snapshot;
  return reader.Read(fields.codec) && reader.Read(fields.index) && reader.Read(snapshot.chunks) &&
         reader.Read(snapshot.buckets) && reader.Read(fields.offset) &&
         reader.Read(snapshot.seed_fingerprint) && ReadDigest(reader, fields.layout) &&
         reader.Read(snapshot.image_bytes) && ReadDigest(reader, snapshot.image_digest) &&
         (is_whole || ReadDigest(reader, snapshot.base_digest));
}

bool BelongTo(const HeaderFields& fields, const ChunkKey& key) {
  return fields.index == key.index && fields.offset == key.snapshot.offset &&
         fields.layout == key.snapshot.layout;
}

/// A header of this format, some data, and nothing changed since they were written.
bool IsIntact(std::string_view key_text, std::string_view bytes, size_t header_bytes_min) {
  if (bytes.size() <= header_bytes_min || bytes.substr(0, kMagic.size()) != kMagic) return false;
  const auto header_bytes = LoadLittleEndian<uint16_t>(&bytes[kHeaderBytesAt]);
  if (LoadLittleEndian<uint16_t>(&bytes[kFormatAt]) != kSnapshotFormat ||
      header_bytes < header_bytes_min || header_bytes >= bytes.size()) {
    return false;
  }
  const StateDigest written = {LoadLittleEndian<uint64_t>(&bytes[kDigestAt]),
                               LoadLittleEndian<uint64_t>(&bytes[kDigestAt + 8])};
  return written == DigestOfChunk(key_text, bytes);
}

}  // namespace

std::string EncodeChunkValue(const ChunkKey& key, std::string_view key_text,
                             const ChunkValue& value) {
  const SnapshotDescription& snapshot = value.snapshot;
  const size_t header_bytes = ChunkValue::HeaderBytes(key.snapshot);
  std::string bytes;
  bytes.reserve(header_bytes + value.data.size());
  bytes += kMagic;
  AppendLittleEndian(static_cast<uint16_t>(kSnapshotFormat), bytes);
  AppendLittleEndian(static_cast<uint16_t>(header_bytes), bytes);
  AppendDigest({}, bytes);
  AppendLittleEndian(kAsItIs, bytes);
  AppendLittleEndian(key.index, bytes);
  AppendLittleEndian(snapshot.chunks, bytes);
  AppendLittleEndian(snapshot.buckets, bytes);
  AppendLittleEndian(key.snapshot.offset, bytes);
  AppendLittleEndian(snapshot.seed_fingerprint, bytes);
  AppendDigest(key.snapshot.layout, bytes);
  AppendLittleEndian(snapshot.image_bytes, bytes);
  AppendDigest(snapshot.image_digest, bytes);
  if (!key.snapshot.is_whole()) AppendDigest(snapshot.base_digest, bytes);
  bytes += value.data;
  const StateDigest digest = DigestOfChunk(key_text, bytes);
  agents::StoreLittleEndian(digest.low, &bytes[kDigestAt]);
  agents::StoreLittleEndian(digest.high, &bytes[kDigestAt + 8]);
  return bytes;
}

ChunkVerdict DecodeChunkValue(const ChunkKey& key, std::string_view key_text,
                              std::string_view bytes, ChunkValue& value) {
  if (!IsIntact(key_text, bytes, ChunkValue::HeaderBytes(key.snapshot))) {
    return ChunkVerdict::kDamaged;
  }
  HeaderFields fields;
  if (!ReadFields(ByteReader(bytes.substr(kDigestEnd)), key.snapshot.is_whole(), fields) ||
      !BelongTo(fields, key)) {
    return ChunkVerdict::kDamaged;
  }
  if (fields.codec != kAsItIs) return ChunkVerdict::kNewerFormat;
  const SnapshotDescription& snapshot = fields.snapshot;
  const std::string_view data = bytes.substr(LoadLittleEndian<uint16_t>(&bytes[kHeaderBytesAt]));
  if (snapshot.chunks > ChunkValue::kMaxChunks || fields.index >= snapshot.chunks ||
      data.size() > snapshot.image_bytes) {
    return ChunkVerdict::kDamaged;
  }
  value = {snapshot, data};
  return ChunkVerdict::kIntact;
}

StateDigest DigestOfChunk(std::string_view key_text, std::string_view bytes) {
  StateDigester digester;
  digester.AddText(key_text);
  AddBytes(bytes.substr(0, kDigestAt), digester);
  AddBytes(bytes.substr(kDigestEnd), digester);
  return digester.Digest();
}

StateDigest DigestOfImage(std::string_view image) {
  StateDigester digester;
  AddBytes(image, digester);
  return digester.Digest();
}

}  // namespace caracal::pipeline
