#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "pipeline/decode/message_layout.h"

namespace caracal::pipeline {

/// Remembers the layouts of a stream, the most frequent first.
///
/// A layout only ever loosens: an id that has grown by a digit once is of any length ever after. So
/// from time to time a fresh one is learnt from a few messages and tried on a few more; where it is
/// tighter than the one that knows them, and fits nearly all of them, it goes before that one,
/// which stays for the messages that fit it only.
///
/// One thread; owned by the MessageReader. Limits: `max_layouts` layouts of at most
/// kMaxMessageBytes each; the rarest gives way to a new one. Learning is rationed, so that a stream
/// without layouts (or an attacker) pays for the full parse only.
class LayoutCache {
 public:
  static constexpr size_t kMaxMessageBytes = 64 * 1024;
  static constexpr size_t kMaxScalars = 1024;
  /// Messages before the first renewal; four times as many before each further one, up to the
  /// longest interval: a sample takes the full parse, with a schema block as long as dozens of
  /// matches. Messages between the samples of one renewal: a prime, lest what repeats in a stream
  /// hides.
  static constexpr uint32_t kFirstRenewal = 4096;
  static constexpr uint32_t kLongestInterval = 1 << 18;
  static constexpr uint32_t kSampleInterval = 127;
  /// Samples that a fresh layout is learnt from; as many again that it is tried on, and how many of
  /// these it may miss.
  static constexpr uint32_t kSamplesToLearn = 32;
  static constexpr uint32_t kSamplesPerRenewal = 2 * kSamplesToLearn;
  static constexpr uint32_t kMissesAllowed = 2;

  explicit LayoutCache(size_t max_layouts) : max_layouts_(max_layouts) {}

  /// The layout of `json`, with `tokens` set as by MessageLayout::Match; nullptr when none fits or
  /// the message is wanted as a sample: it then takes the full parse and comes back by Learn. Valid
  /// until the next Learn. `tokens` are always the same ones, and only a caller that got nullptr
  /// changes them.
  const MessageLayout* Match(std::string_view json, std::span<JsonToken> tokens);
  /// Which run of messages of one layout the last match belongs to, from 1; whatever else happens
  /// in between begins another.
  uint64_t run() const { return run_; }
  /// Takes a message that has passed the full parse.
  void Learn(std::string_view json, const JsonTape& tape, const PlannedMessage& message);

 private:
  struct Entry {
    std::unique_ptr<MessageLayout> layout;
    uint32_t hits = 0;
  };

  static constexpr int kMaxCredit = 64;
  static constexpr uint32_t kHitsPerCredit = 32;
  static constexpr uint32_t kMissesPerCredit = 4096;
  static constexpr uint32_t kHitsPerAging = 1 << 16;

  void CountHit(size_t index);
  void TakeSample(std::string_view json, const JsonTape& tape, const PlannedMessage& message);
  void EndRenewal();

  const size_t max_layouts_;
  std::vector<Entry> entries_;
  std::vector<LayoutScalar> scalars_;
  /// The layout that has matched last, without a failed try since.
  const MessageLayout* settled_ = nullptr;
  uint64_t run_ = 0;
  int credit_ = kMaxCredit;
  uint32_t hits_ = 0;
  uint32_t misses_ = 0;
  uint32_t renewal_interval_ = kFirstRenewal;
  uint32_t until_sample_ = kFirstRenewal;
  bool sampling_ = false;
  /// The layout of the renewal going on, how many samples it has seen, and how many it has missed.
  std::unique_ptr<MessageLayout> fresh_;
  uint32_t samples_ = 0;
  uint32_t sample_misses_ = 0;
  std::vector<JsonToken> scratch_;
};

}  // namespace caracal::pipeline
