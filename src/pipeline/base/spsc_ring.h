#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "agents/api/check.h"

namespace caracal::pipeline {

/// Two lines of 64 bytes: the adjacent-line prefetcher couples them.
inline constexpr size_t kCacheLineBytes = 128;

/// Bounded lock-free queue of one producer and one consumer thread, for messages that are moved and
/// can be default-constructed (an empty slot holds a default one).
///
/// Requires: TryPush on one thread, TryPop and WaitNotEmpty on one other; destruction
/// after both have stopped. Guarantees: FIFO; TryPush and TryPop never block and are wait-free;
/// everything the producer wrote before a push is visible to the consumer after the pop of that
/// message.
///
/// Memory order: `tail_` is published with release after the slot is filled and read with acquire
/// before the slot is taken; `head_` the same the other way round. Each side keeps a copy of the
/// other's index and reads the shared one only when the copy says full or empty, so that in steady
/// state a push and a pop touch no line the other side writes. Waiting uses the indices themselves
/// as futex words: a side that parks first announces it, then looks again (sequentially
/// consistent), so that no wake-up is lost.
///
/// Tested by execution under ThreadSanitizer with random batch sizes and waits.
template <typename T>
class SpscRing {
 public:
  /// `capacity` messages, a power of two.
  explicit SpscRing(size_t capacity)
      : mask_(capacity - 1), slots_(std::make_unique<T[]>(capacity)) {
    CHECK(std::has_single_bit(capacity));
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  /// Moves `message` in, or leaves it alone and returns false when full. Producer.
  bool TryPush(T& message) {
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - cached_head_ > mask_) {
      cached_head_ = head_.load(std::memory_order_acquire);
      if (tail - cached_head_ > mask_) return false;
    }
    slots_[tail & mask_] = std::move(message);
    tail_.store(tail + 1, std::memory_order_seq_cst);
    if (consumer_parked_.load(std::memory_order_seq_cst)) tail_.notify_one();
    return true;
  }

  /// Moves the oldest message into `message`, or returns false when there is none. Consumer.
  bool TryPop(T& message) {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == cached_tail_) {
      cached_tail_ = tail_.load(std::memory_order_acquire);
      if (head == cached_tail_) return false;
    }
    message = std::exchange(slots_[head & mask_], T());
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  /// Parks the consumer until there is a message. Consumer.
  void WaitNotEmpty() {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    consumer_parked_.store(true, std::memory_order_seq_cst);
    while (tail_.load(std::memory_order_seq_cst) == head)
      tail_.wait(head, std::memory_order_seq_cst);
    consumer_parked_.store(false, std::memory_order_relaxed);
  }

  /// Messages in the ring as the calling side sees them; exact only when the other side rests.
  size_t size() const {
    return static_cast<size_t>(tail_.load(std::memory_order_acquire) -
                               head_.load(std::memory_order_acquire));
  }
  size_t capacity() const { return static_cast<size_t>(mask_) + 1; }

 private:
  const uint64_t mask_;
  const std::unique_ptr<T[]> slots_;

  alignas(kCacheLineBytes) std::atomic<uint64_t> tail_{0};  // written by the producer
  uint64_t cached_head_ = 0;                                // producer's copy of head_
  alignas(kCacheLineBytes) std::atomic<uint64_t> head_{0};  // written by the consumer
  uint64_t cached_tail_ = 0;                                // consumer's copy of tail_
  alignas(kCacheLineBytes) std::atomic<bool> consumer_parked_{false};
};

}  // namespace caracal::pipeline
