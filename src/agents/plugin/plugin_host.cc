#include "agents/plugin/plugin_host.h"

#include <memory>
#include <utility>
#include <variant>

namespace caracal::agents {
namespace {

constexpr size_t kMaxLogBytes = 1'000;

caracal_text TextOf(std::string_view text) { return {text.size(), text.data()}; }

}  // namespace

PluginHost::PluginHost(PluginLog log) : table_() {
  table_.struct_size = sizeof(caracal_host);
  table_.abi_version = CARACAL_AGENT_ABI_VERSION;
  table_.event_schema = CARACAL_EVENT_SCHEMA;
  table_.log = Log;
  table_.parameter = PluginRuleArguments::FindParameter;
  table_.attribute_slot = PluginRuleArguments::FindAttribute;
  table_.feature = PluginRuleArguments::FindFeature;
  table_.counter = FindCounter;
  table_.count = Count;
  table_.log_lines = std::move(log);
}

int32_t PluginHost::FindCounter(const caracal_host* host, const char* name) {
  return name == nullptr ? -1 : static_cast<const Table*>(host)->counters->Find(name);
}

void PluginHost::Count(const caracal_host* host, int32_t counter, uint64_t amount) {
  static_cast<const Table*>(host)->counters->Add(counter, amount);
}

void PluginHost::Log(const caracal_host* host, uint32_t level, caracal_text text) {
  const auto& table = *static_cast<const Table*>(host);
  if (text.data == nullptr || table.log_lines == nullptr) return;
  const std::string_view line(text.data, text.size);
  table.log_lines(table.agent, level, line.substr(0, kMaxLogBytes));
}

PluginRuleArguments::PluginRuleArguments(const Parameters& parameters, const StreamContext& stream,
                                         std::string_view parameters_json)
    : parameters_(parameters), stream_(stream), table_() {
  table_.struct_size = sizeof(caracal_rule);
  table_.amount_scale = static_cast<uint32_t>(stream.amount_scale);
  table_.topic = TextOf(stream.topic);
  table_.currency = TextOf(stream.currency);
  table_.parameters_json = TextOf(parameters_json);
  table_.has_amount = stream.has_amount ? 1 : 0;
  table_.has_location = stream.has_location ? 1 : 0;
  table_.self = this;
}

int32_t PluginRuleArguments::FindParameter(const caracal_rule* rule, const char* path,
                                           caracal_parameter* value) {
  PluginRuleArguments& self = *static_cast<const Table*>(rule)->self;
  *value = {};
  const ParameterValue* found = self.Find(path);
  return found != nullptr && self.Fill(*found, *value) ? 0 : 1;
}

int32_t PluginRuleArguments::FindAttribute(const caracal_rule* rule, const char* name) {
  const PluginRuleArguments& self = *static_cast<const Table*>(rule)->self;
  const std::optional<uint16_t> slot = self.stream_.attributes.Find(name);
  return slot.has_value() ? *slot : -1;
}

int32_t PluginRuleArguments::FindFeature(const caracal_rule* rule, const char* name,
                                         uint32_t* kind) {
  PluginRuleArguments& self = *static_cast<const Table*>(rule)->self;
  const std::vector<FeatureSpec>& known = self.stream_.features;
  for (size_t i = 0; i < known.size(); ++i) {
    if (known[i].name != name) continue;
    if (kind != nullptr) *kind = static_cast<uint32_t>(known[i].kind);
    self.features_.push_back(static_cast<uint16_t>(i));
    return static_cast<int32_t>(self.features_.size() - 1);
  }
  if (self.unknown_feature_.empty()) self.unknown_feature_ = name;
  return -1;
}

const ParameterValue* PluginRuleArguments::Find(std::string_view path) const {
  const Parameters* parameters = &parameters_;
  while (true) {
    const size_t dot = path.find('.');
    const auto it = parameters->values().find(path.substr(0, dot));
    if (it == parameters->values().end()) return nullptr;
    if (dot == std::string_view::npos) return &it->second;
    const auto* object = std::get_if<std::shared_ptr<const Parameters>>(&it->second);
    if (object == nullptr) return nullptr;
    parameters = object->get();
    path.remove_prefix(dot + 1);
  }
}

bool PluginRuleArguments::Fill(const ParameterValue& from, caracal_parameter& to) {
  if (const bool* flag = std::get_if<bool>(&from)) {
    to.type = CARACAL_PARAMETER_BOOL;
    to.number = *flag ? 1 : 0;
  } else if (const int64_t* number = std::get_if<int64_t>(&from)) {
    to.type = CARACAL_PARAMETER_INTEGER;
    to.number = *number;
  } else if (const Decimal* decimal = std::get_if<Decimal>(&from)) {
    to.type = CARACAL_PARAMETER_DECIMAL;
    to.number = decimal->unscaled;
    to.scale = static_cast<uint32_t>(decimal->scale);
  } else if (const std::string* text = std::get_if<std::string>(&from)) {
    to.type = CARACAL_PARAMETER_TEXT;
    texts_.push_back({TextOf(*text)});
    to.texts = texts_.back().data();
    to.count = 1;
  } else if (const auto* list = std::get_if<std::vector<std::string>>(&from)) {
    to.type = CARACAL_PARAMETER_TEXTS;
    to.texts = Keep(*list);
    to.count = list->size();
  } else {
    return false;
  }
  return true;
}

const caracal_text* PluginRuleArguments::Keep(const std::vector<std::string>& texts) {
  std::vector<caracal_text>& kept = texts_.emplace_back();
  for (const std::string& text : texts) kept.push_back(TextOf(text));
  return kept.data();
}

}  // namespace caracal::agents
