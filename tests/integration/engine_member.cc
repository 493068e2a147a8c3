#include "tests/integration/engine_member.h"

#include <utility>

#include "agents/api/check.h"
#include "agents/builtin/builtin_agents.h"

namespace caracal::pipeline {

EngineMember::EngineMember(EngineOptions options) {
  CHECK(agents::RegisterBuiltinAgents(registry_).ok());
  auto engine = Engine::Create(std::move(options), registry_);
  CHECK(engine.ok());
  engine_ = *std::move(engine);
  thread_ = std::thread([this] {
    absl::Status result = engine_->Run();
    absl::MutexLock lock(&mutex_);
    result_ = std::move(result);
    ended_ = true;
  });
}

EngineMember::~EngineMember() {
  if (thread_.joinable()) static_cast<void>(Stop());
}

absl::Status EngineMember::Stop() {
  engine_->RequestStop();
  thread_.join();
  absl::MutexLock lock(&mutex_);
  return result_;
}

absl::Status EngineMember::AwaitEnd(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithTimeout(absl::Condition(&ended_), timeout)) {
    return absl::DeadlineExceededError("the engine still runs");
  }
  return result_;
}

bool EngineMember::ended() const {
  absl::MutexLock lock(&mutex_);
  return ended_;
}

uint64_t EngineMember::consumed() const {
  uint64_t sum = 0;
  for (const auto& stream : engine_->probe().streams) sum += stream->consumed.value();
  return sum;
}

uint64_t EngineMember::evaluated() const {
  uint64_t sum = 0;
  for (const auto& stream : engine_->probe().streams) sum += stream->evaluated.value();
  return sum;
}

uint64_t EngineMember::dead_letters() const {
  uint64_t sum = 0;
  for (const auto& stream : engine_->probe().streams) {
    for (const Counter& rejected : stream->rejected) sum += rejected.value();
  }
  return sum;
}

}  // namespace caracal::pipeline
