#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <caracal/agent.hpp>

#include "entry_set.hpp"

namespace caracal_list {

/// Looks accounts, merchants, devices, countries and one more attribute up in lists that come from
/// files. A transaction on an allow list passes, whatever else it is on; one on a deny list raises;
/// with only_allowed, so does one that is on no list at all.
///
/// Stateless. One worker's, as every agent; the lists are shared by all of them (SharedEntrySet).
/// Fails in the constructor alone, with a sentence for the user: a list that cannot be read, an
/// attribute the stream does not map, a rule that could never raise.
class ListAgent {
 public:
  /// Indices into kReasons; the first five are also those of the kinds of lists.
  enum ReasonIndex : uint16_t { kAccount, kMerchant, kDevice, kCountry, kOther, kNotAllowed };

  static constexpr const char* kName = "list";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "Apache-2.0";
  static constexpr const char* kDescription =
      "Raises on accounts, merchants, devices, countries or another attribute that are on a deny "
      "list, or on no allow list. Lists are files, one entry per line.";
  static const char* const kSchema;
  static constexpr caracal::Reason kReasons[] = {
      {"deny_account", "the account is on a deny list"},
      {"deny_merchant", "the merchant is on a deny list"},
      {"deny_device", "the device is on a deny list"},
      {"deny_country", "the country is on a deny list"},
      {"deny_other", "the attribute that attributes.others names is on a deny list"},
      {"not_allowed", "it is on no allow list, and the rule has only_allowed"}};
  static constexpr caracal::Observed kObserved[] = {{"allowed", CARACAL_INTEGER, 0},
                                                    {"denied", CARACAL_INTEGER, 1}};

  explicit ListAgent(const caracal::Rule& rule);

  void Judge(const caracal::Event& event, caracal::Verdict& verdict) const noexcept;

 private:
  using Sets = std::vector<std::shared_ptr<const EntrySet>>;

  /// The lists one value of an event is looked up in.
  struct Lookup {
    ReasonIndex reason;
    uint32_t slot;  ///< of the attribute; kAccount: of no meaning
    Sets allow;
    Sets deny;
  };

  static bool AnyContains(const Sets& sets, std::string_view text, uint64_t hash) noexcept;

  std::vector<Lookup> lookups_;  ///< in the order of the reasons
  bool only_allowed_;
};

}  // namespace caracal_list
