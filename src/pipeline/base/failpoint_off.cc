#include "pipeline/base/failpoint.h"

// What a program gets that does not link failpoint.cc. Defines nothing that failpoint.cc does not
// define: an archive's member is left out only when nothing in it is missing.
namespace caracal::pipeline {

bool HitFailpoint(Failpoint /*point*/) { return false; }

absl::Status ArmFailpointsFromEnvironment() { return absl::OkStatus(); }

}  // namespace caracal::pipeline
