#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "agents/api/transaction.h"

namespace caracal::pipeline {

/// Where a merchant (or any other place an attribute names) is.
struct Place {
  agents::Location location;
  /// As written in the table; empty = not given.
  std::string country;
};

/// Maps the text of an attribute to a place, from a CSV file:
///
///     merchant,latitude,longitude,country
///     70,48.856613,2.352222,FR
///     "Bar ""Le Coin"", Lyon",45.764043,4.835659,FR
///
/// The header line is required, its `country` column is not. Fields may be quoted as in RFC 4180,
/// but hold no line break. Lines end in LF or CRLF; empty lines are skipped; a UTF-8 byte order
/// mark is tolerated. Coordinates are decimal degrees, rounded half away from zero to
/// micro-degrees. Merchants are compared as canonical text, byte by byte.
///
/// Immutable; any thread. Held by shared_ptr, so that a reload never pulls it from under a decoder.
/// Limits: kMaxBytes of CSV; a table takes about 100 bytes per place plus its text.
class PlaceTable {
 public:
  static constexpr size_t kMaxBytes = 256 * 1024 * 1024;

  /// The first mistake as "<name>:<line>: <what>". `name` stands for the file in messages.
  static absl::StatusOr<PlaceTable> Parse(std::string_view csv, std::string_view name);

  /// nullptr when the table does not know `merchant`. The place lives as long as the table.
  const Place* Find(std::string_view merchant) const;
  size_t size() const { return places_.size(); }

  /// 32 hex digits over the places, not over the layout of the file: equal for equal content,
  /// whatever the order, quoting or line ends. Part of the ruleset version.
  const std::string& digest() const { return digest_; }

 private:
  PlaceTable() = default;

  absl::flat_hash_map<std::string, Place> places_;
  std::string digest_;
};

}  // namespace caracal::pipeline
