#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

/// Failpoints: named steps at which a test build can be made to crash, wait or fail, to try what
/// happens when a process ends exactly there. CARACAL_FAILPOINTS="name=action[,name=action...]" in
/// the environment arms them; an action is crash, stop (stand still until SIGCONT),
/// delay:MILLISECONDS or error, with @N for the N-th time only:
///
///   CARACAL_FAILPOINTS="transaction.commit=crash@3,snapshot.chunk=delay:200" caracal run -c ...
///
/// A program chooses when it is linked: caracal-failpoints and some tests link the target
/// caracal::failpoints. All others get failpoint_off.cc, where no point does anything, and contain
/// none of the names. A hit is a function call: for steps of epochs, copies and outputs, not for
/// every record. Any thread.
namespace caracal::pipeline {

enum class Failpoint : uint8_t {
  kEpochClose,         ///< before the workers are asked for their shares
  kEpochCollected,     ///< the last share has come
  kEpochSeal,          ///< before lapsed partitions are dropped and the metadata is read
  kEpochSealed,        ///< before the epoch goes to the commit thread
  kTransactionBegin,   ///< before a transaction begins
  kOutputSent,         ///< an alert or dead letter has been handed to the client
  kOffsetsSend,        ///< before the offsets are added to the transaction
  kOffsetsSent,        ///< the offsets are in the transaction
  kTransactionCommit,  ///< before the commit is asked for
  kTransactionDone,    ///< the commit is through; error: its reply is lost
  kProducerRenew,      ///< a doubtful producer is to be thrown away; error: it is kept
  kOffsetsHold,        ///< offsets are to be committed; error: although the group changes
  kOffsetsCommit,      ///< at_least_once: the outputs are acknowledged, the offsets are not sent
  kOffsetsCommitted,   ///< at_least_once: the offsets are committed
  kSnapshotChunk,      ///< between two chunks of a copy
  kSnapshotTombstone,  ///< all chunks are acknowledged, the older copies are not deleted
  kPartitionAssign,    ///< the group gives partitions
  kPartitionRevoke,    ///< the group takes partitions
  kRestoreCommitted,   ///< the committed offsets are read, the state is not
  kRestoreState,       ///< the state is read, the partition is not opened
};
inline constexpr size_t kFailpointCount = 20;

/// Does what the point is armed with. True = the step is to fail; only at points that can.
bool HitFailpoint(Failpoint point);
/// Arms what the environment variable names; OK when there is none.
absl::Status ArmFailpointsFromEnvironment();

// With caracal::failpoints alone:

/// Arms what `text` names, in the place of what was armed. InvalidArgument names what is wrong and
/// all points there are.
absl::Status ArmFailpoints(std::string_view text);
std::string_view FailpointName(Failpoint point);
/// How often the process has come by.
uint64_t FailpointHits(Failpoint point);

}  // namespace caracal::pipeline
