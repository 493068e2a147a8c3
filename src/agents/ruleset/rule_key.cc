#include "agents/ruleset/rule_key.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "agents/api/check.h"

namespace caracal::agents {
namespace {

void AppendLeb128(uint64_t number, std::string& text) {
  while (number >= 0x80) {
    text.push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  text.push_back(static_cast<char>(number));
}

}  // namespace

RuleKey::RuleKey(std::vector<std::string> suffix, const AttributeSchema& schema)
    : suffix_(std::move(suffix)) {
  std::sort(suffix_.begin(), suffix_.end());
  CHECK(std::adjacent_find(suffix_.begin(), suffix_.end()) == suffix_.end());
  for (const std::string& name : suffix_) {
    const std::optional<uint16_t> slot = schema.Find(name);
    CHECK(slot.has_value());
    slots_.push_back(*slot);
  }
}

void RuleKey::AppendText(const Transaction& transaction, std::string& text) const {
  for (const uint16_t slot : slots_) {
    DCHECK(slot < transaction.attributes.size());
    const std::string_view value = transaction.attributes[slot];
    AppendLeb128(value.data() == nullptr ? 0 : value.size() + 1, text);
    text.append(value);
  }
  text.append(transaction.key);
}

void RuleKey::AddTo(StateDigester& digester) const {
  digester.AddNumber(suffix_.size());
  for (const std::string& name : suffix_) digester.AddText(name);
}

StateDigest RuleKey::Id() const {
  StateDigester digester;
  AddTo(digester);
  return digester.Digest();
}

}  // namespace caracal::agents
