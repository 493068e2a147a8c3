#include "pipeline/conformance/hostile_events.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace caracal::pipeline {
namespace {

using agents::Transaction;

constexpr const char* kAttributes[] = {"country", "merchant", "card_type", "device"};
constexpr size_t kAttributeCount = std::size(kAttributes);
constexpr size_t kEndless = 64 * 1024;
/// The beginning of the year 1 and the end of the year 9999.
constexpr int64_t kEarliestUs = -62'135'596'800'000'000;
constexpr int64_t kLatestUs = 253'402'300'799'999'999;
constexpr int32_t kMaxLatitude = 90'000'000;
constexpr int32_t kMaxLongitude = 180'000'000;

/// One of `values`.
template <typename T, size_t n>
T OneOf(std::mt19937& random, const T (&values)[n]) {
  return values[random() % n];
}

}  // namespace

agents::StreamContext HostileEvents::Stream() {
  agents::StreamContext stream;
  stream.topic = "conformance";
  stream.attributes = agents::AttributeSchema({std::begin(kAttributes), std::end(kAttributes)});
  stream.amount_scale = kAmountScale;
  stream.has_location = true;
  stream.currency = "EUR";
  return stream;
}

HostileEvents::HostileEvents(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  MakeTexts();
  GuardedMemory attributes(count * kAttributeCount * sizeof(std::string_view),
                           alignof(std::string_view), GuardedMemory::Edge::kEnd);
  GuardedMemory events(count * sizeof(Transaction), alignof(Transaction),
                       GuardedMemory::Edge::kEnd);
  auto* attribute = reinterpret_cast<std::string_view*>(attributes.data());
  auto* event = reinterpret_cast<Transaction*>(events.data());
  for (size_t i = 0; i < count; ++i, attribute += kAttributeCount, ++event) {
    // Half of them are of four busy keys.
    const size_t key = random() % (random() % 2 == 0 ? 4 : kKeys);
    keys_.push_back(static_cast<uint8_t>(key));
    std::uninitialized_default_construct_n(attribute, kAttributeCount);
    std::construct_at(event, Make(random, key, attribute));
    pointers_.push_back(event);
  }
  attributes.Protect();
  events.Protect();
  memory_.push_back(std::move(attributes));
  memory_.push_back(std::move(events));
}

void HostileEvents::AddText(std::string_view text) {
  GuardedMemory memory(text.size(), 1, GuardedMemory::Edge::kEnd);
  std::memcpy(memory.data(), text.data(), text.size());
  memory.Protect();
  texts_.emplace_back(reinterpret_cast<const char*>(memory.data()), text.size());
  memory_.push_back(std::move(memory));
}

void HostileEvents::MakeTexts() {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      "0"sv,
                                      "-1"sv,
                                      "FR"sv,
                                      "DE"sv,
                                      "fr"sv,
                                      "M-1"sv,
                                      "M-2"sv,
                                      "a\0b"sv,
                                      "\0"sv,
                                      "NaN"sv,
                                      "null"sv,
                                      "%s%n"sv,
                                      "' OR 1=1 --"sv,
                                      "../../etc/passwd"sv,
                                      "\"\\\n\t"sv,
                                      "\xC3\xA9"sv,
                                      "\xF0\x9F\x92\xB3"sv,
                                      "\xEF\xBF\xBD"sv,
                                      "9223372036854775808"sv,
                                      "1e308"sv}) {
    AddText(text);
  }
  for (const size_t size : {size_t{15}, size_t{16}, size_t{17}, size_t{255}, kEndless}) {
    AddText(std::string(size, 'x'));
  }
  for (size_t key = 0; key < kKeys; ++key) {
    AddText(key == 0   ? std::string()
            : key == 1 ? std::string(kEndless, 'k')
                       : fmt::format("account-{}", key));
    key_texts_.push_back(texts_.back());
    texts_.pop_back();
  }
}

std::string_view HostileEvents::Pick(std::mt19937& random) const {
  return random() % 8 == 0 ? std::string_view() : texts_[random() % texts_.size()];
}

Transaction HostileEvents::Make(std::mt19937& random, size_t key, std::string_view* attributes) {
  const bool ordinary = random() % 3 == 0;
  now_us_ += static_cast<int64_t>(random() % 60'000'000);
  for (size_t i = 0; i < kAttributeCount; ++i) attributes[i] = Pick(random);
  Transaction event;
  event.key = event.account = key_texts_[key];
  event.id = Pick(random);
  event.currency = "EUR";
  event.attributes = {attributes, kAttributeCount};
  event.has_amount = ordinary || random() % 8 != 0;
  event.has_location = random() % 2 == 0;
  event.time_source = static_cast<agents::TimeSource>(random() % 3);
  event.event_time_us = now_us_;
  if (ordinary) {
    event.amount = 1 + static_cast<int64_t>(random() % 100'000);
    event.location = {48'856'600 + static_cast<int32_t>(random() % 1'000'000), 2'352'200};
    return event;
  }
  static constexpr int64_t kAmounts[] = {0, 1, -1, agents::kMaxAmount, -agents::kMaxAmount, 100};
  static constexpr int64_t kSteps[] = {0, 1, -1, -60'000'000, -86'400'000'000, 3'600'000'000};
  if (event.has_amount) event.amount = OneOf(random, kAmounts);
  event.event_time_us += OneOf(random, kSteps);
  if (random() % 64 == 0) event.event_time_us = random() % 2 == 0 ? kEarliestUs : kLatestUs;
  static constexpr int32_t kLatitudes[] = {0, 1, kMaxLatitude, -kMaxLatitude};
  static constexpr int32_t kLongitudes[] = {0, 1, kMaxLongitude, -kMaxLongitude};
  event.location = {OneOf(random, kLatitudes), OneOf(random, kLongitudes)};
  return event;
}

}  // namespace caracal::pipeline
