#include "pipeline/config/stream_loader.h"

#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/sha256.h"

namespace caracal::pipeline {
namespace {

namespace v1 = ::caracal::config::v1;

struct Mapping {
  std::string attribute;
  std::string column;
};

/// True when the header of a place table names a country column.
bool HasCountry(std::string_view csv) {
  const std::string_view header = csv.substr(0, csv.find_first_of("\r\n"));
  return header.ends_with(",country") || header.ends_with(",\"country\"");
}

/// The mapped attributes in slot order, with their columns.
std::vector<Mapping> AttributesOf(const v1::Stream& stream, bool places_have_country) {
  const v1::Fields& fields = stream.fields();
  std::vector<Mapping> mapped;
  const auto add = [&mapped](const std::string& attribute, const std::string& column) {
    if (!column.empty()) mapped.push_back({attribute, column});
  };
  if (stream.key() != fields.account()) add("account", fields.account());
  add("currency", fields.currency());
  add("country", fields.country());
  if (fields.country().empty() && places_have_country) mapped.push_back({"country", ""});
  add("merchant", fields.merchant());
  add("card_type", fields.card_type());
  add("device", fields.device());
  // The proto's map has no order of its own.
  const std::map<std::string, std::string> own(fields.attributes().begin(),
                                               fields.attributes().end());
  for (const auto& [attribute, column] : own) add(attribute, column);
  return mapped;
}

std::string KeyName(const v1::Stream& stream, const std::vector<Mapping>& attributes) {
  if (stream.key() == stream.fields().account()) return "account";
  for (const Mapping& mapping : attributes) {
    if (mapping.column == stream.key()) return mapping.attribute;
  }
  return stream.key();
}

}  // namespace

void FillDerivedSettings(v1::Config& config) {
  for (v1::Stream& stream : *config.mutable_streams()) {
    if (stream.key().empty()) stream.set_key(stream.fields().account());
    if (!stream.state_topic().empty() || config.state().topic().empty()) continue;
    stream.set_state_topic(config.streams_size() == 1
                               ? config.state().topic()
                               : config.state().topic() + "." + stream.topic());
  }
}

StreamLoader::StreamLoader(std::string config_file, const FileReader& files, const PathSpans& spans,
                           const PlaceTableCheck& check_places, Diagnostics& diagnostics)
    : config_file_(std::move(config_file)),
      files_(files),
      spans_(spans),
      check_places_(check_places),
      diagnostics_(diagnostics) {}

LoadedStream StreamLoader::Load(const v1::Config& config, int index) {
  const v1::Stream& stream = config.streams(index);
  LoadedStream loaded;
  if (!stream.places().file().empty()) LoadPlaces(stream.places().file(), index, loaded);
  const std::vector<Mapping> attributes =
      AttributesOf(stream, loaded.places_csv != nullptr && HasCountry(*loaded.places_csv));
  std::vector<std::string> names;
  for (const Mapping& mapping : attributes) {
    names.push_back(mapping.attribute);
    loaded.attribute_columns.push_back(mapping.column);
  }
  loaded.key_column = stream.key();
  loaded.key_name = KeyName(stream, attributes);
  loaded.context.topic = stream.topic();
  loaded.context.attributes = agents::AttributeSchema(std::move(names));
  loaded.context.amount_scale = stream.amount_scale();
  loaded.context.has_amount = !stream.fields().amount().empty();
  loaded.context.has_location = !stream.fields().latitude().empty() || stream.has_places();
  loaded.context.currency = stream.currency();
  return loaded;
}

void StreamLoader::LoadPlaces(const std::string& file, int index, LoadedStream& loaded) {
  const SourceSpan span = spans_.Value(fmt::format("streams[{}].places.file", index));
  const std::string path = ResolvePath(config_file_, file);
  absl::StatusOr<FileContent> content = files_.Read(path, kMaxPlaceTableBytes);
  if (!content.ok()) {
    diagnostics_.Add(
        DiagnosticCode::kFileUnreadable, span,
        fmt::format("cannot read '{}': {}", path, agents::MessageOf(content.status())));
    return;
  }
  if (check_places_ != nullptr) {
    const absl::Status status = check_places_(content->text, path);
    if (!status.ok()) {
      diagnostics_.Add(DiagnosticCode::kPlaceTable, span, agents::MessageOf(status));
    }
  }
  loaded.places_sha256 = Sha256Hex(content->text);
  loaded.places_csv = std::make_shared<const std::string>(std::move(content->text));
}

}  // namespace caracal::pipeline
