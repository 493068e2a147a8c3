#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agents/api/transaction.h"
#include "agents/state/key_hash.h"
#include "agents/state/key_table.h"
#include "agents/state/state_digest.h"

namespace caracal::agents {

/// What a rule counts by: the stream's key, alone or with attributes after it. The order in which a
/// rule names the attributes does not matter: [country, merchant] and [merchant, country] are one
/// key, with one record. Immutable; any thread.
///
/// The canonical text of the stream's key alone is that key. With attributes it is, per attribute
/// by name, its length + 1 (0 = NULL) in LEB128 and its bytes, then the stream's key: no two
/// different combinations have the same text, and NULL differs from the empty text.
class RuleKey {
 public:
  /// Every name of `suffix` must be an attribute of `schema`, none twice (CHECK).
  RuleKey(std::vector<std::string> suffix, const AttributeSchema& schema);

  /// The key's canonical text, appended to `text`.
  void AppendText(const Transaction& transaction, std::string& text) const;
  /// The key of `transaction` in the tables. `stream_hash` is the hash of the stream's key and
  /// `seed` what it was made with; `scratch` is overwritten.
  TableKey Of(const Transaction& transaction, const KeyHash& stream_hash, uint64_t seed,
              std::string& scratch) const {
    if (slots_.empty()) return TableKey::Of(transaction.key, stream_hash);
    scratch.clear();
    AppendText(transaction, scratch);
    return TableKey::Of(scratch, HashKey(scratch, seed));
  }

  /// Attribute names, sorted.
  const std::vector<std::string>& suffix() const { return suffix_; }
  void AddTo(StateDigester& digester) const;
  /// Equal ids = the same attributes: a key has the same text under both.
  StateDigest Id() const;

 private:
  std::vector<std::string> suffix_;
  std::vector<uint16_t> slots_;
};

}  // namespace caracal::agents
