#include "list_agent.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

namespace caracal_list {
namespace {

/// A kind of lists: its name under deny and allow, and the attribute it is of.
struct Kind {
  const char* name;
  const char* attribute;  ///< unless the rule names another one; "" = it has to
};

/// In the order of ListAgent::ReasonIndex.
constexpr Kind kKinds[] = {{"accounts", ""},
                           {"merchants", "merchant"},
                           {"devices", "device"},
                           {"countries", "country"},
                           {"others", ""}};

std::vector<std::shared_ptr<const EntrySet>> SetsOf(const caracal::Rule& rule,
                                                    const std::string& path) {
  std::vector<std::shared_ptr<const EntrySet>> sets;
  if (!rule.Has(path.c_str())) return sets;
  const size_t files = rule.Texts(path.c_str()).size();
  for (size_t i = 0; i < files; ++i) sets.push_back(SharedEntrySet(rule, path, i));
  return sets;
}

uint32_t SlotOf(const caracal::Rule& rule, const Kind& kind) {
  const std::string path = std::string("attributes.") + kind.name;
  const std::string attribute = rule.Has(path.c_str()) ? rule.Text(path.c_str()) : kind.attribute;
  if (attribute.empty()) {
    throw std::invalid_argument(path + ": say which attribute the lists are of");
  }
  const std::optional<uint32_t> slot = rule.FindAttribute(attribute.c_str());
  if (slot.has_value()) return *slot;
  throw std::invalid_argument(path + ": the stream maps no attribute '" + attribute +
                              "'; map it under the stream's fields, or name another one here");
}

}  // namespace

const char* const ListAgent::kSchema = R"({
  "type": "object",
  "properties": {
    "deny": {
      "type": "object",
      "description": "Lists whose entries raise.",
      "properties": {
        "accounts": {"type": "array", "items": {"type": "string", "format": "file"}},
        "merchants": {"type": "array", "items": {"type": "string", "format": "file"}},
        "devices": {"type": "array", "items": {"type": "string", "format": "file"}},
        "countries": {"type": "array", "items": {"type": "string", "format": "file"}},
        "others": {"type": "array", "items": {"type": "string", "format": "file"}}
      }
    },
    "allow": {
      "type": "object",
      "description": "Lists whose entries pass, even if they are on a deny list.",
      "properties": {
        "accounts": {"type": "array", "items": {"type": "string", "format": "file"}},
        "merchants": {"type": "array", "items": {"type": "string", "format": "file"}},
        "devices": {"type": "array", "items": {"type": "string", "format": "file"}},
        "countries": {"type": "array", "items": {"type": "string", "format": "file"}},
        "others": {"type": "array", "items": {"type": "string", "format": "file"}}
      }
    },
    "attributes": {
      "type": "object",
      "description": "Attributes of the stream that the lists are of.",
      "properties": {
        "merchants": {"type": "string", "description": "Unless given: merchant."},
        "devices": {"type": "string", "description": "Unless given: device."},
        "countries": {"type": "string", "description": "Unless given: country."},
        "others": {"type": "string", "description": "Any attribute; needed for lists of others."}
      }
    },
    "only_allowed": {
      "type": "boolean",
      "default": false,
      "description": "Raise on every transaction that is on no allow list."
    }
  }
})";

ListAgent::ListAgent(const caracal::Rule& rule) : only_allowed_(rule.Bool("only_allowed")) {
  size_t allowed = 0;
  bool denies = false;
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    Lookup lookup = {static_cast<ReasonIndex>(i), 0,
                     SetsOf(rule, std::string("allow.") + kKinds[i].name),
                     SetsOf(rule, std::string("deny.") + kKinds[i].name)};
    if (lookup.allow.empty() && lookup.deny.empty()) continue;
    if (i != kAccount) lookup.slot = SlotOf(rule, kKinds[i]);
    for (const auto& set : lookup.allow) allowed += set->size();
    denies = denies || !lookup.deny.empty();
    lookups_.push_back(std::move(lookup));
  }
  if (only_allowed_ && allowed == 0) {
    throw std::invalid_argument(
        "only_allowed: there is no entry on an allow list, so that everything would raise; name "
        "files under allow");
  }
  if (!only_allowed_ && !denies) {
    throw std::invalid_argument(
        "deny: the rule could never raise; name files under deny, or say only_allowed: true");
  }
}

bool ListAgent::AnyContains(const Sets& sets, std::string_view text, uint64_t hash) noexcept {
  return std::any_of(sets.begin(), sets.end(),
                     [&](const auto& set) { return set->Contains(text, hash); });
}

void ListAgent::Judge(const caracal::Event& event, caracal::Verdict& verdict) const noexcept {
  bool has_value = false;
  std::optional<ReasonIndex> denied;
  for (const Lookup& lookup : lookups_) {
    const std::string_view text =
        lookup.reason == kAccount ? event.account() : event.attribute(lookup.slot);
    if (text.data() == nullptr) continue;
    has_value = true;
    const uint64_t hash = EntrySet::HashOf(text);
    if (AnyContains(lookup.allow, text, hash)) {
      verdict.Observe(0, 1);
      return;
    }
    if (!denied.has_value() && AnyContains(lookup.deny, text, hash)) denied = lookup.reason;
  }
  if (!has_value && !only_allowed_) return verdict.MarkInactive();
  if (denied.has_value()) {
    verdict.Observe(1, 1);
    verdict.Raise(*denied);
  } else if (only_allowed_) {
    verdict.Raise(kNotAllowed);
  }
}

}  // namespace caracal_list
