#pragma once

#include <cstdint>

#include "agents/api/transaction.h"

namespace caracal::agents {

/// Learns, per key, where its transactions usually are: the mean of their coordinates, in integer
/// micro-degrees.
///
/// Longitudes are averaged as offsets from the first one, wrapped into [-180, 180) degrees, so a
/// key that lives astride the antimeridian has its home there. Quotients are truncated towards zero
/// (at most 0.12 m). When kMaxCount locations have been added, count and sums are halved: older
/// ones weigh half from then on, so a home follows its owner within some hundred transactions, and
/// the sums stay bounded. The mean of coordinates is no geodesic centre: near the poles it is
/// meaningless. Log order decides, event times play no part. State: 24 bytes, zeroed = never seen;
/// one thread at a time on one record.
struct Home {
  static constexpr uint32_t kMaxCount = 1'000;

  int64_t latitude_sum;
  int64_t longitude_offset_sum;
  int32_t first_longitude_udeg;
  uint32_t count;

  /// Requires count > 0.
  Location Mean() const;
  void Add(const Location& location);
};

}  // namespace caracal::agents
