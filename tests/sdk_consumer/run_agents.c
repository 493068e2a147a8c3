/* A host in plain C: loads the two agents of this folder and has each judge four events of one key.
 * Usage: run_agents BUSY LARGE. Exits with 1, and says why on stderr, when one judges wrongly. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <caracal/agent_abi.h>

#define EVENTS 4

static int32_t Parameter(const caracal_rule* rule, const char* path, caracal_parameter* value) {
  (void)rule;
  memset(value, 0, sizeof(*value));
  value->type = CARACAL_PARAMETER_INTEGER;
  if (strcmp(path, "max") == 0) {
    value->number = 2;
  } else if (strcmp(path, "above") == 0) {
    value->number = 200;
  } else {
    return 1;
  }
  return 0;
}

static int32_t AttributeSlot(const caracal_rule* rule, const char* name) {
  (void)rule;
  (void)name;
  return -1;
}

static void Log(const caracal_host* host, uint32_t level, caracal_text text) {
  (void)host;
  (void)level;
  fprintf(stderr, "%.*s\n", (int)text.size, text.data);
}

static const caracal_host kHost = {.struct_size = sizeof(caracal_host),
                                   .abi_version = CARACAL_AGENT_ABI_VERSION,
                                   .event_schema = CARACAL_EVENT_SCHEMA,
                                   .log = Log,
                                   .parameter = Parameter,
                                   .attribute_slot = AttributeSlot};

static const caracal_agent_api* Load(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const caracal_agent_api* (*entry)(const caracal_host*) = NULL;
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return NULL;
  }
  *(void**)&entry = dlsym(library, CARACAL_AGENT_ENTRY_SYMBOL);
  return entry == NULL ? NULL : entry(&kHost);
}

/* The events that raise, one bit each; -1 when the agent could not be run. */
static int Judge(const caracal_agent_api* api) {
  static _Alignas(CARACAL_STATE_ALIGN_MAX) unsigned char state[CARACAL_STATE_SIZE_MAX];
  caracal_event events[EVENTS];
  const caracal_event* pointers[EVENTS];
  void* states[EVENTS];
  caracal_verdict verdicts[EVENTS];
  char sentence[200];
  caracal_error error = {sizeof(sentence), 0, sentence};
  caracal_rule rule = {.struct_size = sizeof(caracal_rule), .amount_scale = 2, .has_amount = 1};
  caracal_description description = {.struct_size = sizeof(caracal_description)};
  caracal_batch batch = {.struct_size = sizeof(caracal_batch), .count = EVENTS};
  caracal_agent* agent = NULL;
  int raised = 0;

  if (api->create(&kHost, &rule, &agent, &error) != 0) {
    fprintf(stderr, "%s: %.*s\n", api->name, (int)error.size, error.data);
    return -1;
  }
  api->describe(agent, &description);
  memset(state, 0, sizeof(state));
  memset(events, 0, sizeof(events));
  memset(verdicts, 0, sizeof(verdicts));
  for (int i = 0; i < EVENTS; ++i) {
    events[i].amount = 100 * (i + 1);
    events[i].has_amount = 1;
    pointers[i] = &events[i];
    states[i] = description.state_size == 0 ? NULL : state;
  }
  batch.events = pointers;
  batch.states = states;
  if (api->process(agent, &batch, verdicts, &error) != 0) raised = -1;
  for (int i = 0; i < EVENTS && raised >= 0; ++i) raised |= verdicts[i].fired << i;
  api->destroy(agent);
  return raised;
}

int main(int argc, char** argv) {
  int wrong = argc != 3;
  for (int i = 1; i < argc && !wrong; ++i) {
    const caracal_agent_api* api = Load(argv[i]);
    /* Both raise on the third and the fourth. */
    wrong = api == NULL || Judge(api) != 0xC;
    if (wrong) fprintf(stderr, "%s: judged wrongly\n", argv[i]);
  }
  return wrong;
}
