#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <caracal/agent.hpp>

namespace caracal_list {

/// Holds the entries of one list file in memory and tells whether a text is one of them: whole
/// texts are compared, there are no false positives.
///
/// A file is UTF-8 text with one entry per line. Blanks around an entry, a '\r' at the end of a
/// line and a byte order mark at the start of the file are passed over; '#' begins a comment at the
/// start of a line and after a blank. Entries are compared byte by byte: case counts. Duplicates
/// are one entry.
///
/// Immutable once made: any thread. A look-up touches one or two cache lines when the text is not
/// there, three when it is. Memory: per line with an entry 7.7 bytes and the entry's own; at most
/// kMaxEntryBytes per entry and 1 GiB per file. Fails in the constructor alone.
class EntrySet {
 public:
  static constexpr size_t kMaxEntryBytes = 255;

  /// Reads the entries of `file`, the text of a list file, which is not kept. Throws
  /// std::invalid_argument "LINE: what is wrong and what to do" for the first bad line.
  explicit EntrySet(std::string_view file);

  /// What Contains wants beside the text: computed once for several sets.
  static uint64_t HashOf(std::string_view text) noexcept;

  bool Contains(std::string_view text) const noexcept { return Contains(text, HashOf(text)); }
  /// `hash`: HashOf(text).
  bool Contains(std::string_view text, uint64_t hash) const noexcept {
    return !tags_.empty() && tags_[Find(text, hash)] != kFree;
  }

  /// Different entries.
  size_t size() const noexcept { return size_; }
  /// Bytes of memory.
  size_t memory_bytes() const noexcept {
    return sizeof(*this) + tags_.capacity() + offsets_.capacity() * sizeof(offsets_[0]) +
           texts_.capacity();
  }

 private:
  static constexpr uint8_t kFree = 0;

  /// The slot of `text`, or the free one where it belongs. Requires slots.
  size_t Find(std::string_view text, uint64_t hash) const noexcept;
  void Add(std::string_view text);

  // Open addressing with linear probing, three quarters full at most.
  std::vector<uint8_t> tags_;      ///< kFree, or seven bits of the hash and a set one
  std::vector<uint32_t> offsets_;  ///< of the slot's entry in texts_
  std::vector<char> texts_;        ///< per entry its size, one byte, and its text
  size_t size_ = 0;
};

/// The set of the file that parameter `path` names at `index`: one in the process for all rules and
/// workers, for as long as one of them holds it. The digest decides what is the same file, so its
/// path may change. Throws std::invalid_argument "parameter: file:line: what is wrong". Any thread;
/// waits while another one reads.
std::shared_ptr<const EntrySet> SharedEntrySet(const caracal::Rule& rule, const std::string& path,
                                               uint64_t index);

}  // namespace caracal_list
