/* The layout of the plugin interface, version 1.0, as compiled plugins rely on it. A line that does
 * not compile is a broken promise: add fields at the end of a table and new lines at the end of its
 * block; change none. */
#include <caracal/agent_abi.h>

#define AT(type, field, offset) \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), "the size of " #type " has changed")

SIZE(caracal_text, 16);
AT(caracal_text, size, 0);
AT(caracal_text, data, 8);

AT(caracal_event, key, 0);
AT(caracal_event, account, 16);
AT(caracal_event, id, 32);
AT(caracal_event, currency, 48);
AT(caracal_event, attributes, 64);
AT(caracal_event, attribute_count, 72);
AT(caracal_event, amount, 80);
AT(caracal_event, event_time_us, 88);
AT(caracal_event, latitude_udeg, 96);
AT(caracal_event, longitude_udeg, 100);
AT(caracal_event, has_amount, 104);
AT(caracal_event, has_location, 105);
AT(caracal_event, time_source, 106);

SIZE(caracal_verdict, 56);
AT(caracal_verdict, observed, 0);
AT(caracal_verdict, reason, 48);
AT(caracal_verdict, fired, 50);
AT(caracal_verdict, flags, 51);
AT(caracal_verdict, status, 52);

SIZE(caracal_observed, 16);
AT(caracal_observed, name, 0);
AT(caracal_observed, kind, 8);
AT(caracal_observed, slot, 12);

SIZE(caracal_reason, 16);
AT(caracal_reason, name, 0);
AT(caracal_reason, description, 8);

SIZE(caracal_parameter, 32);
AT(caracal_parameter, type, 0);
AT(caracal_parameter, scale, 4);
AT(caracal_parameter, number, 8);
AT(caracal_parameter, texts, 16);
AT(caracal_parameter, count, 24);

SIZE(caracal_feature, 16);
AT(caracal_feature, value, 0);
AT(caracal_feature, is_present, 8);

SIZE(caracal_error, 16);
AT(caracal_error, capacity, 0);
AT(caracal_error, size, 4);
AT(caracal_error, data, 8);

AT(caracal_rule, struct_size, 0);
AT(caracal_rule, amount_scale, 4);
AT(caracal_rule, topic, 8);
AT(caracal_rule, currency, 24);
AT(caracal_rule, parameters_json, 40);
AT(caracal_rule, has_amount, 56);
AT(caracal_rule, has_location, 57);

AT(caracal_host, struct_size, 0);
AT(caracal_host, abi_version, 4);
AT(caracal_host, event_schema, 8);
AT(caracal_host, reserved, 12);
AT(caracal_host, log, 16);
AT(caracal_host, parameter, 24);
AT(caracal_host, attribute_slot, 32);
AT(caracal_host, feature, 40);
AT(caracal_host, counter, 48);
AT(caracal_host, count, 56);
AT(caracal_host, file, 64);

AT(caracal_batch, struct_size, 0);
AT(caracal_batch, feature_count, 4);
AT(caracal_batch, count, 8);
AT(caracal_batch, events, 16);
AT(caracal_batch, states, 24);
AT(caracal_batch, features, 32);

AT(caracal_description, struct_size, 0);
AT(caracal_description, state_size, 4);
AT(caracal_description, state_align, 8);
AT(caracal_description, state_version, 12);
AT(caracal_description, state_layout, 16);
AT(caracal_description, observed, 24);
AT(caracal_description, observed_count, 32);
AT(caracal_description, accumulates_money, 36);

AT(caracal_agent_api, struct_size, 0);
AT(caracal_agent_api, abi_version, 4);
AT(caracal_agent_api, event_schema, 8);
AT(caracal_agent_api, flags, 12);
AT(caracal_agent_api, name, 16);
AT(caracal_agent_api, version, 24);
AT(caracal_agent_api, licence, 32);
AT(caracal_agent_api, description, 40);
AT(caracal_agent_api, parameters_schema, 48);
AT(caracal_agent_api, reasons, 56);
AT(caracal_agent_api, reason_count, 64);
AT(caracal_agent_api, limit_count, 68);
AT(caracal_agent_api, limits, 72);
AT(caracal_agent_api, create, 80);
AT(caracal_agent_api, describe, 88);
AT(caracal_agent_api, process, 96);
AT(caracal_agent_api, destroy, 104);
_Static_assert(sizeof(caracal_agent_api) >= 112, "caracal_agent_api has shrunk");

_Static_assert(CARACAL_TIME_FIELD == 0 && CARACAL_TIME_COMMIT == 1 && CARACAL_TIME_RECORD == 2,
               "time sources");
_Static_assert(CARACAL_AT_LEAST == 1 && CARACAL_LATE == 2 && CARACAL_INACTIVE == 4, "flags");
_Static_assert(CARACAL_INTEGER == 0 && CARACAL_MONEY == 1 && CARACAL_MICROS == 2 &&
                   CARACAL_REAL == 3 && CARACAL_CODE == 4,
               "value kinds");
_Static_assert(CARACAL_PARAMETER_BOOL == 0 && CARACAL_PARAMETER_INTEGER == 1 &&
                   CARACAL_PARAMETER_DECIMAL == 2 && CARACAL_PARAMETER_TEXT == 3 &&
                   CARACAL_PARAMETER_TEXTS == 4,
               "parameter types");
_Static_assert(CARACAL_AGENT_NO_EVENT_ERRORS == 1, "agent flags");

/* What a C compiler makes of the versions, for the C++ test to compare with. */
const uint32_t kAbiVersionInC = CARACAL_AGENT_ABI_VERSION;
