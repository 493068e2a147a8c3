#include "agents/plugin/plugin_host.h"

#include <memory>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"

namespace caracal::agents {
namespace {

constexpr size_t kMaxLogBytes = 1'000;

// What caracal_host.file returns.
constexpr int32_t kFileFound = 0;
constexpr int32_t kNoSuchFile = 1;
constexpr int32_t kFileUnreadable = 2;

caracal_text TextOf(std::string_view text) { return {text.size(), text.data()}; }
caracal_text TextOf(const ParameterFile& file) { return TextOf(file.path); }

template <typename T>
std::vector<caracal_text> TextsOf(const std::vector<T>& items) {
  std::vector<caracal_text> texts;
  for (const T& item : items) texts.push_back(TextOf(item));
  return texts;
}

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
  table_.file = PluginRuleArguments::FindFile;
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
                                         std::string_view parameters_json,
                                         const PluginFileReading& read_file)
    : parameters_(parameters), stream_(stream), read_file_(read_file), table_() {
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

int32_t PluginRuleArguments::FindFile(const caracal_rule* rule, const char* parameter,
                                      uint64_t index, caracal_text* content, caracal_text* sha256) {
  PluginRuleArguments& self = *static_cast<const Table*>(rule)->self;
  const ParameterFile* file = self.FileOf(parameter, index);
  if (file == nullptr) return kNoSuchFile;
  if (sha256 != nullptr) *sha256 = TextOf(file->sha256);
  if (content == nullptr || self.ReadFile(parameter, *file, *content)) return kFileFound;
  return kFileUnreadable;
}

const ParameterFile* PluginRuleArguments::FileOf(std::string_view parameter, uint64_t index) const {
  const ParameterValue* value = Find(parameter);
  if (value == nullptr) return nullptr;
  const auto* file = std::get_if<ParameterFile>(value);
  if (file != nullptr) return index == 0 ? file : nullptr;
  const auto* files = std::get_if<std::vector<ParameterFile>>(value);
  return files != nullptr && index < files->size() ? &(*files)[index] : nullptr;
}

bool PluginRuleArguments::ReadFile(std::string_view parameter, const ParameterFile& file,
                                   caracal_text& content) {
  content = {};
  auto it = contents_.find(&file);
  if (it == contents_.end()) {
    absl::StatusOr<std::string> bytes = read_file_ == nullptr
                                            ? absl::UnavailableError("no files can be read here")
                                            : read_file_(file);
    if (!bytes.ok()) {
      file_status_.Update(
          absl::InvalidArgumentError(fmt::format("{}: {}", parameter, MessageOf(bytes.status()))));
      return false;
    }
    it = contents_.emplace(&file, *std::move(bytes)).first;
  }
  content = TextOf(it->second);
  return true;
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
    FillTexts(CARACAL_PARAMETER_TEXT, {TextOf(*text)}, to);
  } else if (const auto* list = std::get_if<std::vector<std::string>>(&from)) {
    FillTexts(CARACAL_PARAMETER_TEXTS, TextsOf(*list), to);
  } else if (const auto* file = std::get_if<ParameterFile>(&from)) {
    FillTexts(CARACAL_PARAMETER_TEXT, {TextOf(*file)}, to);
  } else if (const auto* files = std::get_if<std::vector<ParameterFile>>(&from)) {
    FillTexts(CARACAL_PARAMETER_TEXTS, TextsOf(*files), to);
  } else {
    return false;
  }
  return true;
}

void PluginRuleArguments::FillTexts(uint32_t type, std::vector<caracal_text> texts,
                                    caracal_parameter& to) {
  const std::vector<caracal_text>& kept = texts_.emplace_back(std::move(texts));
  to.type = type;
  to.texts = kept.data();
  to.count = kept.size();
}

}  // namespace caracal::agents
