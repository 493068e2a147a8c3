#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace caracal::pipeline {

/// Makes the 64-bit tags by which re-delivered rows are recognised: a seeded hash over the row's
/// table and its id. A table is schema and name of a change event's source; for flat rows it is the
/// topic, and `__table` if the rows have it. Equal rows have equal tags in every message shape of
/// one kind, on every host; unequal rows share a tag with probability 2^-64.
///
/// One thread (it remembers the last table). The table's texts are copied.
class RowIdentity {
 public:
  RowIdentity(std::string topic, uint64_t seed);

  uint64_t TagOfSourceRow(std::string_view schema, std::string_view table, std::string_view id);
  uint64_t TagOfFlatRow(std::string_view table, std::string_view id);
  /// The tag of a row of the table that one of the above was last called with.
  uint64_t TagInLastTable(std::string_view id) const;

 private:
  /// The hash of a pair of texts, remembered.
  struct Memo {
    std::string first;
    std::string second;
    uint64_t hash = 0;
    bool valid = false;
  };

  /// The tag of a row of the table of two names.
  uint64_t TagOfRow(Memo& memo, std::string_view first, std::string_view second, uint64_t seed,
                    std::string_view id);

  const std::string topic_;
  const uint64_t seed_;
  Memo source_;
  Memo flat_;
  uint64_t last_table_hash_ = 0;
};

}  // namespace caracal::pipeline
