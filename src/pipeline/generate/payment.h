#pragma once

#include <cstdint>
#include <string_view>

#include "agents/api/transaction.h"

namespace caracal::pipeline {

/// The kinds of fraud that are planted, each the ground truth of one rule.
enum class EpisodeKind : uint8_t {
  kNone,       ///< normal traffic
  kBurst,      ///< more than 6 payments of an account within 60 s
  kBigTicket,  ///< an amount above 10 x the account's mean and above 2000.00
  kTravel,     ///< consecutive payments more than 100 km apart at more than 900 km/h
};

std::string_view EpisodeKindName(EpisodeKind kind);  ///< "none", "burst", "big_ticket", "travel"

/// What a payment is in a planted episode.
struct EpisodeMark {
  EpisodeKind kind = EpisodeKind::kNone;
  /// This payment crosses the rule's threshold: the ground truth of an alert. The others of an
  /// episode lead up to it.
  bool crossing = false;
  uint16_t index = 0;    ///< position in the episode, from 0
  uint16_t size = 0;     ///< payments of the episode
  uint32_t episode = 0;  ///< number of the episode, from 1; 0 = normal traffic

  friend bool operator==(const EpisodeMark&, const EpisodeMark&) = default;
};

/// One row of the payments table, as model values. `card_type` and `country` point to static
/// storage.
struct Payment {
  int64_t id = 0;
  int64_t account = 0;
  /// Minor units, scale 2.
  int64_t amount = 0;
  /// `created_at`: microseconds since 1970.
  int64_t event_time_us = 0;
  std::string_view card_type;
  /// Empty in the reference profile, which has no places.
  std::string_view country;
  agents::Location location;
  /// From 1.
  uint32_t merchant = 0;
  /// The device column is "dev-" and this in hex.
  uint32_t device = 0;
  /// The model's own index of the account.
  uint32_t account_index = 0;
  EpisodeMark mark;
};

/// The decimal digits of an amount's minor unit.
inline constexpr int kPaymentAmountScale = 2;

}  // namespace caracal::pipeline
