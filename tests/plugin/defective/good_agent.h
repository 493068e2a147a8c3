#pragma once

/* An agent without defects: counts the events of a key and raises from the third. Each fixture of
 * this folder takes its table and spoils one thing. */
#include <stddef.h>
#include <stdint.h>

#include <caracal/agent_abi.h>

struct caracal_agent {
  int64_t max;
};

static int32_t GoodCreate(const caracal_host* host, const caracal_rule* rule, caracal_agent** agent,
                          caracal_error* error) {
  static struct caracal_agent the_agent = {2};
  (void)host;
  (void)rule;
  (void)error;
  *agent = &the_agent;
  return 0;
}

static void GoodDescribe(const caracal_agent* agent, caracal_description* description) {
  static const caracal_observed kObserved[] = {{"count", CARACAL_INTEGER, 0}};
  (void)agent;
  description->state_size = sizeof(int64_t);
  description->state_align = sizeof(int64_t);
  description->observed = kObserved;
  description->observed_count = 1;
}

static int32_t GoodProcess(caracal_agent* agent, const caracal_batch* batch,
                           caracal_verdict* verdicts, caracal_error* error) {
  (void)error;
  for (uint64_t i = 0; i < batch->count; ++i) {
    verdicts[i].observed[0] = ++*(int64_t*)batch->states[i];
    verdicts[i].fired = verdicts[i].observed[0] > agent->max;
  }
  return 0;
}

static void GoodDestroy(caracal_agent* agent) { (void)agent; }

/* The good table after `spoil` has changed it. */
static inline const caracal_agent_api* Spoilt(void (*spoil)(caracal_agent_api*)) {
  static const caracal_reason kReasons[] = {{"too_many", "more than two events"}};
  static caracal_agent_api api;
  api.struct_size = sizeof(api);
  api.abi_version = CARACAL_AGENT_ABI_VERSION;
  api.event_schema = CARACAL_EVENT_SCHEMA;
  api.name = "spoilt";
  api.version = "1.0.0";
  api.licence = "Apache-2.0";
  api.description = "Raises from the third event of a key.";
  api.parameters_schema = "{\"type\": \"object\"}";
  api.reasons = kReasons;
  api.reason_count = 1;
  api.create = GoodCreate;
  api.describe = GoodDescribe;
  api.process = GoodProcess;
  api.destroy = GoodDestroy;
  spoil(&api);
  return &api;
}
