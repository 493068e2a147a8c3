#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "caracal/config/v1/config.pb.h"
#include "pipeline/config/diagnostics.h"
#include "pipeline/config/file_reader.h"
#include "pipeline/config/loaded_config.h"
#include "pipeline/config/path_spans.h"

namespace caracal::pipeline {

/// Checks the text of a place table; the message of its error begins with "<name>:<line>:". The
/// decoder owns the format, so whoever composes the program passes its parser in here.
using PlaceTableCheck = std::function<absl::Status(std::string_view csv, std::string_view name)>;

/// Most bytes of a place table.
inline constexpr size_t kMaxPlaceTableBytes = 256 << 20;

/// Fills in what a stream says by saying nothing: its key (the account's column) and its state
/// topic (state.topic; with .<topic> appended when there are several streams).
void FillDerivedSettings(caracal::config::v1::Config& config);

/// Derives what rules may rely on in each stream. One thread at a time; everything passed in
/// outlives it.
class StreamLoader {
 public:
  /// `config_file` is where relative paths start from.
  StreamLoader(std::string config_file, const FileReader& files, const PathSpans& spans,
               const PlaceTableCheck& check_places, Diagnostics& diagnostics);

  /// Loads stream `index` of a configuration after FillDerivedSettings.
  LoadedStream Load(const caracal::config::v1::Config& config, int index);

 private:
  void LoadPlaces(const std::string& file, int index, LoadedStream& loaded);

  const std::string config_file_;
  const FileReader& files_;
  const PathSpans& spans_;
  const PlaceTableCheck& check_places_;
  Diagnostics& diagnostics_;
};

}  // namespace caracal::pipeline
