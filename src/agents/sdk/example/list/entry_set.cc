#include "entry_set.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>

namespace caracal_list {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// Bytes of the character that begins with `first`; 0 when none does.
size_t CharacterSize(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

/// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool IsUtf8(std::string_view text) {
  const auto byte = [&text](size_t i) { return static_cast<unsigned char>(text[i]); };
  for (size_t i = 0; i < text.size();) {
    const size_t size = CharacterSize(byte(i));
    if (size == 0 || text.size() - i < size) return false;
    for (size_t j = 1; j < size; ++j) {
      if ((byte(i + j) & 0xC0) != 0x80) return false;
    }
    if (byte(i) == 0xE0 && byte(i + 1) < 0xA0) return false;
    if (byte(i) == 0xED && byte(i + 1) > 0x9F) return false;
    if (byte(i) == 0xF0 && byte(i + 1) < 0x90) return false;
    if (byte(i) == 0xF4 && byte(i + 1) > 0x8F) return false;
    i += size;
  }
  return true;
}

std::string_view WithoutComment(std::string_view line) {
  for (size_t i = line.find('#'); i != line.npos; i = line.find('#', i + 1)) {
    if (i == 0 || IsBlank(line[i - 1])) return line.substr(0, i);
  }
  return line;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

[[noreturn]] void Refuse(size_t line, const std::string& what) {
  throw std::invalid_argument(std::to_string(line) + ": " + what);
}

/// The entry of a line, empty when it has none.
std::string_view EntryOf(std::string_view line, size_t number) {
  if (line.find('\0') != line.npos) {
    Refuse(number, "a NUL byte; a list is a text file, one entry per line");
  }
  if (!IsUtf8(line)) Refuse(number, "is not UTF-8; save the file as UTF-8");
  const std::string_view entry = Trimmed(WithoutComment(line));
  if (entry.size() > EntrySet::kMaxEntryBytes) {
    Refuse(number, "the entry has " + std::to_string(entry.size()) + " bytes, more than " +
                       std::to_string(EntrySet::kMaxEntryBytes) + "; shorten or remove it");
  }
  if (std::any_of(entry.begin(), entry.end(), IsControl)) {
    Refuse(number, "a tab or control character inside the entry; a line has one entry alone");
  }
  return entry;
}

/// Calls take(entry) for every entry of `file`.
template <typename Take>
void ForEachEntry(std::string_view file, const Take& take) {
  if (file.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    file.remove_prefix(kByteOrderMark.size());
  }
  for (size_t number = 1; !file.empty(); ++number) {
    const size_t end = std::min(file.find('\n'), file.size());
    const std::string_view entry = EntryOf(file.substr(0, end), number);
    if (!entry.empty()) take(entry);
    file.remove_prefix(std::min(end + 1, file.size()));
  }
}

/// Both halves of the product of two words, folded.
uint64_t Mix(uint64_t a, uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

/// Where a hash falls among `slots`, by its upper bits.
size_t HomeOf(uint64_t hash, size_t slots) noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<size_t>((static_cast<Wide>(hash) * slots) >> 64);
}

uint8_t TagOf(uint64_t hash) noexcept { return static_cast<uint8_t>(hash | 0x80); }

}  // namespace

EntrySet::EntrySet(std::string_view file) {
  size_t lines = 0;
  size_t bytes = 0;
  ForEachEntry(file, [&](std::string_view entry) {
    ++lines;
    bytes += 1 + entry.size();
  });
  if (lines == 0) return;
  tags_.resize(lines + lines / 3 + 1, kFree);
  offsets_.resize(tags_.size());
  texts_.reserve(bytes);
  ForEachEntry(file, [this](std::string_view entry) { Add(entry); });
}

uint64_t EntrySet::HashOf(std::string_view text) noexcept {
  constexpr uint64_t kFirst = 0x9E3779B97F4A7C15;
  constexpr uint64_t kSecond = 0xD6E8FEB86659FD93;
  uint64_t hash = Mix(text.size() ^ kFirst, kSecond);
  uint64_t word = 0;
  for (; text.size() >= sizeof(word); text.remove_prefix(sizeof(word))) {
    std::memcpy(&word, text.data(), sizeof(word));
    hash = Mix(hash ^ word, kFirst);
  }
  word = 0;
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  return Mix(hash ^ word, kSecond);
}

size_t EntrySet::Find(std::string_view text, uint64_t hash) const noexcept {
  const uint8_t tag = TagOf(hash);
  size_t slot = HomeOf(hash, tags_.size());
  while (tags_[slot] != kFree) {
    if (tags_[slot] == tag) {
      const char* entry = texts_.data() + offsets_[slot];
      const size_t size = static_cast<unsigned char>(entry[0]);
      if (std::string_view(entry + 1, size) == text) return slot;
    }
    if (++slot == tags_.size()) slot = 0;
  }
  return slot;
}

void EntrySet::Add(std::string_view text) {
  const uint64_t hash = HashOf(text);
  const size_t slot = Find(text, hash);
  if (tags_[slot] != kFree) return;
  tags_[slot] = TagOf(hash);
  offsets_[slot] = static_cast<uint32_t>(texts_.size());
  texts_.push_back(static_cast<char>(text.size()));
  texts_.insert(texts_.end(), text.begin(), text.end());
  ++size_;
}

std::shared_ptr<const EntrySet> SharedEntrySet(const caracal::Rule& rule, const std::string& path,
                                               uint64_t index) {
  // What is shared cannot change, so no verdict depends on who else has it. Never destroyed: agents
  // may outlive static objects.
  static auto& mutex = *new std::mutex;
  static auto& sets = *new std::map<std::string, std::weak_ptr<const EntrySet>>;
  const std::lock_guard<std::mutex> lock(mutex);
  std::weak_ptr<const EntrySet>& known = sets[rule.FileSha256(path.c_str(), index)];
  std::shared_ptr<const EntrySet> set = known.lock();
  if (set != nullptr) return set;
  const std::string_view file = rule.File(path.c_str(), index);
  try {
    set = std::make_shared<const EntrySet>(file);
  } catch (const std::invalid_argument& problem) {
    const std::string name = rule.Texts(path.c_str())[index];
    throw std::invalid_argument(path + ": " + name + ":" + problem.what());
  }
  known = set;
  return set;
}

}  // namespace caracal_list
