#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "pipeline/decode/json_token.h"

namespace caracal::pipeline {

enum class JsonStatus : uint8_t { kOk, kMalformed, kInvalidUtf8, kTooDeep, kTooManyValues };

/// One value of a parsed document, in document order.
struct TapeNode {
  /// The member's name; absent for array elements and the root.
  JsonToken key;
  /// Text and kind of the value; containers have no text.
  JsonToken token;
  /// Index of the node behind this value and all it contains.
  uint32_t next = 0;
};

/// Parses one JSON document completely and strictly (RFC 8259) into a flat list of its values.
///
/// This is the full parse of the decode stage: simdjson finds the structure and validates UTF-8,
/// and every key and scalar is then checked, used or not, up to the end of the document. A repeated
/// key is legal JSON; Find answers the first.
///
/// One thread; reused for every message. Limits: max_depth (also of the recursion) and kMaxValues.
/// Memory: about 7 bytes per byte of the longest document and 56 bytes per value, of which no more
/// than kKeptValues are kept for the next document.
class JsonTape {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kMaxValues = 1024 * 1024;

  explicit JsonTape(size_t max_depth);
  ~JsonTape();
  JsonTape(const JsonTape&) = delete;
  JsonTape& operator=(const JsonTape&) = delete;

  /// Parses `json`; the tape's views point into it. `slack` as in PaddedInput. On an error the tape
  /// is unusable until the next call. Invalid UTF-8 takes precedence over every other error.
  [[nodiscard]] JsonStatus Parse(std::string_view json, uint32_t slack);

  /// The root is node 0.
  const std::vector<TapeNode>& nodes() const { return nodes_; }
  const TapeNode& node(uint32_t index) const { return nodes_[index]; }
  /// The first member of that name; kNone when the node is no object or has none.
  uint32_t Find(uint32_t object, std::string_view name) const;
  /// The token at `index`, an absent one for kNone.
  JsonToken Token(uint32_t index) const {
    return index == kNone ? JsonToken{} : nodes_[index].token;
  }
  JsonKind Kind(uint32_t index) const { return Token(index).kind; }
  /// Members or elements of a container.
  size_t CountChildren(uint32_t container) const;

 private:
  struct Parser;
  static constexpr size_t kKeptValues = 16 * 1024;

  JsonStatus ParseRootScalar(std::string_view json);

  const size_t max_depth_;
  std::vector<TapeNode> nodes_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace caracal::pipeline
