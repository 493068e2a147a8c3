#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caracal::agents {

/// A country code packed as in ValueKind::kCode: first byte lowest, zero padded; 0 = none. Three
/// bytes are enough for every code of ISO 3166-1.
using CountryCode = uint32_t;

/// Packs `text`: two or three ASCII letters or digits (alpha-2, alpha-3 or numeric), small letters
/// taken as capitals. 0 for anything else, NULL and empty included. Codes of different kinds are
/// not converted into each other: "FR" and "FRA" are two countries.
CountryCode ParseCountryCode(std::string_view text);

/// The text of `code`; empty for 0.
std::string CountryText(CountryCode code);

/// A set of countries. Immutable; any thread.
class CountryList {
 public:
  CountryList() = default;
  explicit CountryList(std::vector<CountryCode> codes);

  bool Contains(CountryCode code) const;
  bool empty() const { return sorted_.empty(); }
  /// Ascending, without duplicates.
  const std::vector<CountryCode>& codes() const { return sorted_; }

 private:
  std::vector<CountryCode> sorted_;
};

/// What a country window says of an event.
struct CountryChange {
  /// The newest country in the window other than the event's; 0 = none.
  CountryCode from = 0;
  /// The event is older than T - W: it changed nothing.
  bool late = false;
};

/// Answers, per key, whether the closed window [T - W, T] holds a country other than the event's,
/// T being the newest event time the key has had, with or without a country.
///
/// Keeps the two newest different countries of the key, which is exact in any order of arrival:
/// whatever the event's country, the newest other one is among them. Of countries at equal times
/// the one seen last is the newer. State: 32 bytes, zeroed = never seen. Immutable; any thread, one
/// at a time on one record.
class CountryWindow {
 public:
  struct Record {
    int64_t newest_us;       // T
    int64_t first_time_us;   // newest time of `first`
    int64_t second_time_us;  // newest time of `second`, not after first_time_us
    uint32_t first;          // CountryCode, and kSeen
    uint32_t second;         // CountryCode
  };
  static_assert(sizeof(Record) == 32);

  /// `window_us` > 0.
  explicit CountryWindow(int64_t window_us) : window_us_(static_cast<uint64_t>(window_us)) {}

  /// `country` may be 0: the event then only moves T.
  CountryChange Add(Record& record, int64_t time_us, CountryCode country) const;

 private:
  // Set in Record::first once T is valid; a code needs only the lower 24 bits.
  static constexpr uint32_t kSeen = uint32_t{1} << 31;

  static void Remember(Record& record, int64_t time_us, CountryCode country);
  bool InWindow(const Record& record, int64_t time_us) const;

  uint64_t window_us_;
};

}  // namespace caracal::agents
