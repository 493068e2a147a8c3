#pragma once

namespace caracal::pipeline {

/// Puts the calling thread behind the others of the process where processors are scarce, for work
/// that may take longer so that payments do not wait for it. Threads that it makes from now on are
/// behind as well, those of a librdkafka client among them. Cannot be taken back.
///
/// Linux: nice value kBehindOthers, which counts within the process's scheduling group and leaves
/// an idle processor to whoever wants it. Best effort: where it is refused, nothing changes.
void RunBehindOthers();

/// Nice value: a sixth part of the processor time of a thread that was left at 0 when they compete
/// (weights 172 and 1024 in the kernel's sched_prio_to_weight).
inline constexpr int kBehindOthers = 8;

}  // namespace caracal::pipeline
