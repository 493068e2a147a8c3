#include "pipeline/generate/payment.h"

namespace caracal::pipeline {

std::string_view EpisodeKindName(EpisodeKind kind) {
  switch (kind) {
    case EpisodeKind::kNone:
      return "none";
    case EpisodeKind::kBurst:
      return "burst";
    case EpisodeKind::kBigTicket:
      return "big_ticket";
    case EpisodeKind::kTravel:
      return "travel";
  }
  return "unknown";
}

}  // namespace caracal::pipeline
