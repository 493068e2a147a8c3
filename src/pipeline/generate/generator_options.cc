#include "pipeline/generate/generator_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "agents/api/status_macros.h"
#include "pipeline/generate/arrival_clock.h"
#include "pipeline/generate/cities.h"

namespace caracal::pipeline {
namespace {

constexpr double kCardsEventRate = 100;
constexpr double kReferenceEventRate = 2000;
constexpr double kLowestEventRate = 1e-3;
constexpr double kHighestEventRate = 1e7;
constexpr int64_t kEarliestStartUs = 1'009'843'200'000'000;  // 2002-01-01
constexpr int64_t kLatestStartUs = 7'258'118'400'000'000;    // 2200-01-01
constexpr int64_t kLongestDelayUs = int64_t{7} * 24 * 3600 * 1'000'000;
constexpr uint32_t kMostAccounts = 100'000'000;
constexpr uint32_t kMostMerchants = 10'000'000;
constexpr double kLargestZipf = 4;
constexpr int64_t kLastInt32Id = INT32_MAX;

absl::Status CheckShare(std::string_view option, double share) {
  if (share >= 0 && share <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{} is {}: give a share between 0 and 1, such as 0.01", option, share));
}

absl::Status CheckNoise(const NoiseOptions& noise) {
  RETURN_IF_ERROR(CheckShare("--late", noise.late));
  RETURN_IF_ERROR(CheckShare("--duplicates", noise.duplicates));
  RETURN_IF_ERROR(CheckShare("--updates", noise.updates));
  RETURN_IF_ERROR(CheckShare("--deletes", noise.deletes));
  RETURN_IF_ERROR(CheckShare("--resnapshots", noise.resnapshots));
  RETURN_IF_ERROR(CheckShare("--malformed", noise.malformed));
  const double sum =
      noise.duplicates + noise.updates + noise.deletes + noise.resnapshots + noise.malformed;
  if (sum > 0.9) {
    return absl::InvalidArgumentError(fmt::format(
        "--duplicates, --updates, --deletes, --resnapshots and --malformed add up to {}: at most "
        "0.9, so that payments remain",
        sum));
  }
  if (noise.late_max_us < 1'000'000 || noise.late_max_us > kLongestDelayUs) {
    return absl::InvalidArgumentError("--late-max must be between 1s and 7d");
  }
  return absl::OkStatus();
}

absl::Status CheckTime(const GeneratorOptions& options) {
  const double rate = options.EffectiveEventRate();
  if (!(rate >= kLowestEventRate && rate <= kHighestEventRate)) {
    return absl::InvalidArgumentError(
        fmt::format("--event-rate is {}: give rows per second between {} and {}", rate,
                    kLowestEventRate, kHighestEventRate));
  }
  if (options.time.start_us < kEarliestStartUs || options.time.start_us >= kLatestStartUs) {
    return absl::InvalidArgumentError(
        "--start-time must be between 2002-01-01T00:00:00Z and 2200-01-01T00:00:00Z");
  }
  return absl::OkStatus();
}

absl::Status CheckCards(const GeneratorOptions& options) {
  const CardsModelOptions& cards = options.cards;
  RETURN_IF_ERROR(CheckShare("--burst-rate", cards.burst_rate));
  RETURN_IF_ERROR(CheckShare("--big-ticket-rate", cards.big_ticket_rate));
  RETURN_IF_ERROR(CheckShare("--travel-rate", cards.travel_rate));
  if (cards.burst_rate + cards.big_ticket_rate + cards.travel_rate > 0.1) {
    return absl::InvalidArgumentError(
        "--burst-rate, --big-ticket-rate and --travel-rate add up to more than 0.1: an episode is "
        "up to 14 payments, so most of the stream would be fraud");
  }
  if (cards.merchants < kCityCount || cards.merchants > kMostMerchants) {
    return absl::InvalidArgumentError(fmt::format(
        "--merchants must be between {} (one per city) and {}", kCityCount, kMostMerchants));
  }
  if (!(cards.zipf_exponent >= 0 && cards.zipf_exponent <= kLargestZipf)) {
    return absl::InvalidArgumentError(
        fmt::format("--zipf is {}: give an exponent between 0 (uniform) and {}",
                    cards.zipf_exponent, kLargestZipf));
  }
  const double rate = options.EffectiveEventRate();
  const double needed = rate * CardsModel::kAccountsPerRate;
  if (cards.accounts == 0 || cards.accounts > kMostAccounts || cards.accounts < needed) {
    return absl::InvalidArgumentError(fmt::format(
        "--accounts is {}: {} payments per second of event time need between {:.0f} and {} "
        "accounts, or normal traffic would look like bursts; raise --accounts or lower {}",
        cards.accounts, rate, std::max(needed, 1.0), kMostAccounts,
        options.time.realtime ? "--rate" : "--event-rate"));
  }
  return absl::OkStatus();
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 128 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

absl::Status CheckMessage(const MessageOptions& message) {
  for (const std::string& name :
       {message.source_name, message.database, message.schema, message.table}) {
    if (IsName(name)) continue;
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" is no name for a source, database, schema or table: use letters, "
                    "digits, '_', '-' and '.', at most 128",
                    name));
  }
  const std::string& currency = message.currency;
  if (currency.size() != 3 ||
      !std::all_of(currency.begin(), currency.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return absl::InvalidArgumentError(
        fmt::format("--currency is \"{}\": give an ISO 4217 code such as EUR", currency));
  }
  return absl::OkStatus();
}

}  // namespace

double GeneratorOptions::EffectiveEventRate() const {
  if (time.event_rate != 0) return time.event_rate;
  return profile == LoadProfile::kCards ? kCardsEventRate : kReferenceEventRate;
}

absl::Status ValidateGeneratorOptions(const GeneratorOptions& options) {
  RETURN_IF_ERROR(CheckNoise(options.noise));
  RETURN_IF_ERROR(CheckTime(options));
  RETURN_IF_ERROR(CheckMessage(options.message));
  if (options.profile == LoadProfile::kCards) RETURN_IF_ERROR(CheckCards(options));
  const bool int32_ids = options.profile == LoadProfile::kReference;
  if (options.first_id < 1 || (int32_ids && options.first_id > kLastInt32Id)) {
    return absl::InvalidArgumentError(
        fmt::format("--first-id is {}: it must be positive{}", options.first_id,
                    int32_ids ? " and fit the reference table's 32-bit id" : ""));
  }
  if (options.partitions < 0 || options.partitions > 100'000) {
    return absl::InvalidArgumentError("--partitions must be between 1 and 100000");
  }
  if (options.fixed_partition < -1 ||
      (options.partitions > 0 && options.fixed_partition >= options.partitions)) {
    return absl::InvalidArgumentError(
        fmt::format("--partition {} does not exist: there are {} partitions, from 0",
                    options.fixed_partition, options.partitions));
  }
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
