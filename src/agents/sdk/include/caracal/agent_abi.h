/* The plugin interface of Caracal: everything a rule agent in a shared library and the engine say
 * to each other. Plain C11; C++ authors use caracal/agent.hpp, which is written on top of it.
 *
 * A plugin exports one symbol, caracal_agent_entry, and answers with one table, caracal_agent_api:
 *
 *   table      one per library    what the agent is: name, parameters, reasons
 *   agent      made by create     one rule bound to one stream, for one worker thread
 *   process    called per batch   (events, states of their keys) -> verdicts
 *
 * An agent is a pure function of (event, state). No clock, no random number, no I/O and no memory
 * of its own between events: what it must remember is in the state, which the engine owns, stores,
 * saves, restores and evicts. The same record may be replayed, on another machine, in batches of
 * other sizes, and must be judged alike.
 *
 * Rules of the border: fixed-width fields; texts are pointer and length, unless they are
 * `const char*`, which ends with a zero byte; money is int64 minor units, time int64 microseconds;
 * nothing allocated on one side is freed on the other; no C++ exception crosses.
 *
 * Versions. Tables begin with their size and only grow at their end. A library loads when its major
 * version equals the engine's and its minor version is not newer. Structs in arrays
 * (caracal_verdict, caracal_reason, caracal_observed, caracal_text) never change within a major
 * version. Fields are added to caracal_event under a new event schema: an agent may read those of
 * the schema it was compiled with.
 *
 * A plugin is native code in the engine's process. What it corrupts is corrupt, and when it crashes
 * the process ends; the engine contains errors that are reported, not memory errors.
 */
#ifndef CARACAL_AGENT_ABI_H_
#define CARACAL_AGENT_ABI_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CARACAL_AGENT_ABI_MAJOR 1u
#define CARACAL_AGENT_ABI_MINOR 0u
#define CARACAL_AGENT_ABI_VERSION ((CARACAL_AGENT_ABI_MAJOR << 16) | CARACAL_AGENT_ABI_MINOR)
#define CARACAL_EVENT_SCHEMA 1u

/* Put before the definition of caracal_agent_entry; compile the rest with -fvisibility=hidden. */
#define CARACAL_AGENT_EXPORT __attribute__((visibility("default")))

/* Name of the exported symbol, for loaders. */
#define CARACAL_AGENT_ENTRY_SYMBOL "caracal_agent_entry"

#define CARACAL_OBSERVED_MAX 6u        /* values an agent may observe per event */
#define CARACAL_REASONS_MAX 256u       /* reasons of an agent */
#define CARACAL_STATE_SIZE_MAX 65536u  /* bytes of state per key; 0 = stateless */
#define CARACAL_STATE_ALIGN_MAX 16u    /* its alignment, a power of two */
#define CARACAL_SCHEMA_SIZE_MAX 65536u /* bytes of parameters_schema */
#define CARACAL_COUNTERS_MAX 16u       /* counters of a library */

/* ---- values ---------------------------------------------------------------------------------- */

/* UTF-8 text, not ended by a zero byte. data == NULL: SQL NULL, or absent. */
typedef struct caracal_text {
  uint64_t size; /* bytes */
  const char* data;
} caracal_text;

enum caracal_time_source {
  CARACAL_TIME_FIELD = 0,  /* the mapped time field of the row */
  CARACAL_TIME_COMMIT = 1, /* when the database committed the row */
  CARACAL_TIME_RECORD = 2  /* the timestamp of the Kafka record */
};

/* One payment. Every pointer is valid until process returns. Event schema 1. */
typedef struct caracal_event {
  caracal_text key;               /* of the stream: the unit of state */
  caracal_text account;           /* the same text as key unless the stream is keyed otherwise */
  caracal_text id;                /* of the row in its table; empty when the stream maps none */
  caracal_text currency;          /* ISO 4217; empty when undeclared */
  const caracal_text* attributes; /* by the slots of caracal_host.attribute_slot */
  uint64_t attribute_count;
  int64_t amount;         /* minor units, |amount| <= 10^15; 0 unless has_amount */
  int64_t event_time_us;  /* microseconds since 1970-01-01T00:00:00Z; may be negative */
  int32_t latitude_udeg;  /* micro-degrees in [-90e6, 90e6]; meaningful if has_location */
  int32_t longitude_udeg; /* micro-degrees in [-180e6, 180e6] */
  uint8_t has_amount;     /* 0 or 1 */
  uint8_t has_location;   /* 0 or 1 */
  uint8_t time_source;    /* enum caracal_time_source */
} caracal_event;

enum caracal_verdict_flag {
  CARACAL_AT_LEAST = 1, /* observed counts and sums are lower bounds */
  CARACAL_LATE = 2,     /* the event is older than the window: it changed and raised nothing */
  CARACAL_INACTIVE = 4  /* there was nothing to judge (no amount, no location, no history) */
};

/* What the agent says of one event. The host zeroes it before the call. */
typedef struct caracal_verdict {
  int64_t observed[CARACAL_OBSERVED_MAX]; /* by caracal_observed.slot */
  uint16_t reason; /* index into caracal_agent_api.reasons; meaningful if fired */
  uint8_t fired;   /* 0 or 1 */
  uint8_t flags;   /* enum caracal_verdict_flag */
  int32_t status;  /* 0 = judged; else the agent's own code of an error with this event alone */
} caracal_verdict;

enum caracal_value_kind {
  CARACAL_INTEGER = 0, /* a JSON number in the alert: 6 */
  CARACAL_MONEY = 1,   /* minor units; a JSON string in the stream's scale: "4720.15" */
  CARACAL_MICROS = 2,  /* microseconds; JSON seconds: 60, 0.5 */
  CARACAL_REAL = 3,    /* the bits of an IEEE double; three decimals: 3.142 */
  CARACAL_CODE = 4     /* up to 8 ASCII bytes, first byte lowest; a JSON string: "FR" */
};

/* One entry of the `observed` object of an alert. */
typedef struct caracal_observed {
  const char* name; /* snake_case */
  uint32_t kind;    /* enum caracal_value_kind */
  uint32_t slot;    /* index into caracal_verdict.observed, below CARACAL_OBSERVED_MAX */
} caracal_observed;

/* One reason the agent may give. */
typedef struct caracal_reason {
  const char* name;        /* snake_case, stable: consumers of alerts match on it */
  const char* description; /* one sentence */
} caracal_reason;

enum caracal_parameter_type {
  CARACAL_PARAMETER_BOOL = 0,    /* number: 0 or 1 */
  CARACAL_PARAMETER_INTEGER = 1, /* number */
  CARACAL_PARAMETER_DECIMAL = 2, /* exactly number x 10^-scale */
  CARACAL_PARAMETER_TEXT = 3,    /* texts[0]; of a file: its path */
  CARACAL_PARAMETER_TEXTS = 4    /* texts[0 .. count) */
};

/* The value of one parameter. texts are valid until create returns. */
typedef struct caracal_parameter {
  uint32_t type; /* enum caracal_parameter_type */
  uint32_t scale;
  int64_t number;
  const caracal_text* texts;
  uint64_t count;
} caracal_parameter;

/* The value of an earlier rule on one event: see caracal_host.feature. */
typedef struct caracal_feature {
  int64_t value;       /* as in that rule's caracal_verdict.observed, by its kind */
  uint64_t is_present; /* 0: that rule did not see the event or had nothing to judge */
} caracal_feature;

/* Where a sentence for people goes: at most `capacity` bytes to `data`, their number to `size`.
 * The host owns the buffer; caracal_set_error fills it. */
typedef struct caracal_error {
  uint32_t capacity;
  uint32_t size;
  char* data;
} caracal_error;

/* ---- tables of the host ---------------------------------------------------------------------- */

/* What a rule is made from. Valid until create returns. Append only. */
typedef struct caracal_rule {
  uint32_t struct_size;
  uint32_t amount_scale;        /* decimal digits of the minor unit: 2 = cents */
  caracal_text topic;           /* of the stream */
  caracal_text currency;        /* of every event; empty = undeclared or mapped per event */
  caracal_text parameters_json; /* an object; valid by the agent's schema, defaults filled in */
  uint8_t has_amount;           /* the stream maps an amount */
  uint8_t has_location;         /* the stream maps coordinates */
} caracal_rule;

enum caracal_log_level { CARACAL_LOG_INFO = 0, CARACAL_LOG_WARNING = 1, CARACAL_LOG_ERROR = 2 };

/* Services of the engine. Valid until the last agent of the library is destroyed. Append only. */
typedef struct caracal_host {
  uint32_t struct_size;
  uint32_t abi_version;  /* CARACAL_AGENT_ABI_VERSION of the engine */
  uint32_t event_schema; /* CARACAL_EVENT_SCHEMA of the engine */
  uint32_t reserved;

  /* Writes a line to the engine's log, with the agent's name. Repeated lines are held back.
   * Arguments: host = this table; level = enum caracal_log_level; text = UTF-8 without payload
   * data. Returns: nothing; never fails. Ownership: text is copied. Concurrency: any thread. */
  void (*log)(const struct caracal_host* host, uint32_t level, caracal_text text);

  /* Looks a parameter up.
   * Arguments: rule = that of the running create; path = "window" or, in a nested object,
   * "distinct.max"; value = result.
   * Returns: 0, or non-zero when the parameter was not given and has no default.
   * Ownership: value->texts is the host's, until create returns. Concurrency: only in create. */
  int32_t (*parameter)(const caracal_rule* rule, const char* path, caracal_parameter* value);

  /* Finds the slot of an attribute (merchant, country, device, ...) in caracal_event.attributes.
   * Arguments: rule = that of the running create; name = as the stream maps it.
   * Returns: the slot, or -1 when the stream does not map the attribute.
   * Ownership: name is read during the call. Concurrency: only in create. */
  int32_t (*attribute_slot)(const caracal_rule* rule, const char* name);

  /* Asks for a value that a rule before this one in its ruleset observes: it then comes with every
   * event, see caracal_batch.features. Ask for the same ones, in the same order, in every create.
   * Arguments: rule = that of the running create; name = "rule_id.value"; kind = result, enum
   * caracal_value_kind, or NULL.
   * Returns: its index, counting from 0 in the order of the calls; -1 when no earlier rule observes
   * such a value: the host then refuses the rule, whatever create returns.
   * Ownership: name is read during the call. Concurrency: only in create. */
  int32_t (*feature)(const caracal_rule* rule, const char* name, uint32_t* kind);

  /* Finds or makes a counter of the library: caracal_plugin_events_total{agent,counter} of the
   * engine's metrics. At most CARACAL_COUNTERS_MAX of them.
   * Arguments: host = this table; name = [a-z][a-z0-9_]{0,63}.
   * Returns: the counter; -1 for a name that cannot be, or one too many.
   * Ownership: name is copied. Concurrency: any thread; takes a lock, so not in process. */
  int32_t (*counter)(const struct caracal_host* host, const char* name);

  /* Adds to a counter, for people to read. Replayed and repeated events count again, so this is no
   * place to keep what verdicts depend on, and cannot be read here.
   * Arguments: host = this table; counter = of the function above, nothing happens for -1.
   * Returns: nothing; never fails. Ownership: none. Concurrency: any thread; never waits. */
  void (*count)(const struct caracal_host* host, int32_t counter, uint64_t amount);

  /* Gives the file that a parameter of format "file" names: the bytes that are part of the
   * ruleset's version, at most 1 GiB. sha256 alone costs nothing: an agent that shares what it
   * makes of a file looks there first. The path decides nothing, it is for messages.
   * Arguments: rule = that of the running create; parameter = "model", "lists.deny"; index = of the
   * file in an array, else 0; content = result, or NULL: the file is not read; sha256 = result, 64
   * lower-case hex digits, or NULL.
   * Returns: 0; 1 when the parameter names no such file; 2 when it has changed since the rules were
   * loaded, or cannot be read: the host then refuses the rule, whatever create returns.
   * Ownership: content and sha256 are the host's, valid until create returns; parameter is read
   * during the call. Concurrency: only in create. */
  int32_t (*file)(const caracal_rule* rule, const char* parameter, uint64_t index,
                  caracal_text* content, caracal_text* sha256);
} caracal_host;

/* Events to judge. Valid until process returns. Append only. */
typedef struct caracal_batch {
  uint32_t struct_size;
  uint32_t feature_count;             /* asked for in create */
  uint64_t count;                     /* at least 1 */
  const caracal_event* const* events; /* in the order of the log */
  /* states[i] is the record of events[i]'s key, of the declared size and alignment; zeroed when the
   * key was never seen; NULL for a stateless agent. One record may appear several times. */
  void* const* states;
  const caracal_feature* features; /* those of events[i] begin at features + i * feature_count */
} caracal_batch;

/* ---- tables of the plugin -------------------------------------------------------------------- */

/* An agent: one rule for one worker thread. The plugin defines it. */
typedef struct caracal_agent caracal_agent;

/* What a bound rule needs and shows. Texts and arrays stay the plugin's, valid until destroy; the
 * host sets struct_size and zeroes the rest before the call of describe. Append only. */
typedef struct caracal_description {
  uint32_t struct_size;
  uint32_t state_size;    /* bytes per key, at most CARACAL_STATE_SIZE_MAX; 0 = stateless */
  uint32_t state_align;   /* power of two, at most CARACAL_STATE_ALIGN_MAX; 0 is taken as 1 */
  uint32_t state_version; /* raised when the meaning of the bytes changes; 0 is taken as 1 */
  /* Text of the parameters that decide the meaning of the state ("window_us=60000000"). A rule
   * whose text changes starts with empty state. NULL = all parameters. */
  const char* state_layout;
  const caracal_observed* observed; /* entries of the alert's `observed`, in order */
  uint32_t observed_count;          /* at most CARACAL_OBSERVED_MAX */
  uint32_t accumulates_money;       /* 1 = sums or averages money: refused for mixed currencies */
} caracal_description;

enum caracal_agent_flag {
  /* process never sets caracal_verdict.status: the host keeps no copies of states. A status from
   * such an agent is a broken promise and stops the engine. */
  CARACAL_AGENT_NO_EVENT_ERRORS = 1
};

/* What caracal_agent_entry returns: static, valid as long as the process. Every field is required
 * unless it says otherwise. Append only. */
typedef struct caracal_agent_api {
  uint32_t struct_size;  /* sizeof(caracal_agent_api) */
  uint32_t abi_version;  /* CARACAL_AGENT_ABI_VERSION */
  uint32_t event_schema; /* CARACAL_EVENT_SCHEMA */
  uint32_t flags;        /* enum caracal_agent_flag */

  const char* name;        /* of the agent in rule files: [a-z][a-z0-9_-]{0,63} */
  const char* version;     /* of the agent: major.minor.patch */
  const char* licence;     /* SPDX expression, or "proprietary" */
  const char* description; /* one or two sentences */
  /* JSON Schema of the parameters: an object whose properties are the keys of the rule. Known
   * keywords: type (boolean, integer, number, string, array of strings, object), properties,
   * required, additionalProperties (false), enum, pattern (RE2 syntax), minimum, maximum, items,
   * format ("file" = absolute path of a file, see caracal_host.file), default, description, title,
   * $schema, $id, $comment, examples. Any other is refused. */
  const char* parameters_schema;
  const caracal_reason* reasons;
  uint32_t reason_count; /* 1 to CARACAL_REASONS_MAX */
  uint32_t limit_count;
  /* Optional: names of parameters shown in the `limit` object of alerts, in this order. */
  const char* const* limits;

  /* Makes an agent for a rule. Called at least once per rule and worker.
   * Required. Arguments: host = services; rule = parameters and stream; agent = result; error =
   * what is wrong with the rule and what to do, "<parameter>: sentence".
   * Returns: 0, or non-zero when the rule cannot be served; *agent is then not used.
   * Ownership: *agent is the plugin's, until destroy. Concurrency: any thread, also at once. */
  int32_t (*create)(const caracal_host* host, const caracal_rule* rule, caracal_agent** agent,
                    caracal_error* error);

  /* Says what the agent needs: a function of the rule alone, the same for all its agents.
   * Required. Arguments: agent; description = result, zeroed by the host.
   * Returns: nothing. Ownership: see caracal_description. Concurrency: not during process. */
  void (*describe)(const caracal_agent* agent, caracal_description* description);

  /* Judges events[i] with states[i] into verdicts[i], for i in order.
   * An error with one event: set verdicts[i].status and go on; the host puts that state back.
   * Required. Arguments: agent; batch = events and states; verdicts = batch->count of them, zeroed;
   * error = sentence for a non-zero return.
   * Returns: 0; anything else says that the agent is broken: the engine stops, nothing of the batch
   * is used. Ownership: everything is the host's; nothing may be kept after the call.
   * Concurrency: one call at a time per agent, from different threads over time. */
  int32_t (*process)(caracal_agent* agent, const caracal_batch* batch, caracal_verdict* verdicts,
                     caracal_error* error);

  /* Frees an agent. Required. Arguments: agent, never NULL. Returns: nothing.
   * Ownership: ends the agent's life. Concurrency: after all other calls with it. */
  void (*destroy)(caracal_agent* agent);
} caracal_agent_api;

/* The exported function. Called once, when the library is loaded.
 * Required. Arguments: host = services, valid until the last agent is destroyed.
 * Returns: the plugin's table, or NULL when it cannot work with this host.
 * Ownership: the table is the plugin's, valid as long as the process. Concurrency: one thread. */
CARACAL_AGENT_EXPORT const caracal_agent_api* caracal_agent_entry(const caracal_host* host);

/* Puts a zero-terminated sentence into an error, cut to its capacity. */
static inline void caracal_set_error(caracal_error* error, const char* sentence) {
  error->size = 0;
  while (error->size < error->capacity && sentence[error->size] != '\0') {
    error->data[error->size] = sentence[error->size];
    ++error->size;
  }
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CARACAL_AGENT_ABI_H_ */
