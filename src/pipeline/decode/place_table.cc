#include "pipeline/decode/place_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "agents/api/status_macros.h"
#include "agents/state/key_hash.h"
#include "pipeline/decode/coordinates.h"
#include "pipeline/decode/decimal.h"

namespace caracal::pipeline {
namespace {

using agents::MessageOf;

/// Any fixed number: the digest must be the same on every host.
constexpr uint64_t kDigestSeed = 0x706c616365735631;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::array<std::string_view, 4> kColumns = {"merchant", "latitude", "longitude",
                                                      "country"};
constexpr size_t kRequiredColumns = 3;

/// Reads one field and the comma behind it; `line` is what is left of the line.
absl::StatusOr<std::string> TakeField(std::string_view& line, bool& more) {
  std::string field;
  if (line.starts_with('"')) {
    size_t i = 1;
    while (i < line.size() && (line[i] != '"' || line.substr(i, 2) == "\"\"")) {
      field += line[i];
      i += line[i] == '"' ? 2 : 1;
    }
    if (i >= line.size()) return absl::InvalidArgumentError("a quoted field is not closed");
    line.remove_prefix(i + 1);
    if (!line.empty() && line.front() != ',') {
      return absl::InvalidArgumentError(
          "a comma or the end of the line must follow a closing quote");
    }
  } else {
    const size_t length = std::min(line.find(','), line.size());
    field = std::string(line.substr(0, length));
    line.remove_prefix(length);
    if (field.find('"') != std::string::npos) {
      return absl::InvalidArgumentError("a quote inside a field that is not quoted");
    }
  }
  more = !line.empty();
  if (more) line.remove_prefix(1);
  return field;
}

absl::StatusOr<std::vector<std::string>> SplitLine(std::string_view line) {
  std::vector<std::string> fields;
  bool more = true;
  while (more) {
    ASSIGN_OR_RETURN(std::string field, TakeField(line, more));
    fields.push_back(std::move(field));
  }
  return fields;
}

absl::Status CheckHeader(const std::vector<std::string>& header) {
  const bool known = header.size() >= kRequiredColumns && header.size() <= kColumns.size() &&
                     std::equal(header.begin(), header.end(), kColumns.begin());
  if (known) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the first line must be merchant,latitude,longitude or merchant,latitude,longitude,country");
}

absl::StatusOr<Decimal> ReadDegrees(std::string_view name, const std::string& text) {
  Decimal degrees;
  if (ParseDecimal(text, degrees) == DecimalStatus::kOk) return degrees;
  return absl::InvalidArgumentError(fmt::format("{} '{}' is not a number of degrees", name, text));
}

absl::StatusOr<Place> ReadPlace(const std::vector<std::string>& fields, size_t columns) {
  if (fields.size() != columns) {
    return absl::InvalidArgumentError(
        fmt::format("{} fields where the header has {}", fields.size(), columns));
  }
  if (fields[0].empty()) return absl::InvalidArgumentError("the merchant is empty");
  ASSIGN_OR_RETURN(const Decimal latitude, ReadDegrees("latitude", fields[1]));
  ASSIGN_OR_RETURN(const Decimal longitude, ReadDegrees("longitude", fields[2]));
  Place place;
  if (!MakeLocation(ToMicroDegrees(latitude), ToMicroDegrees(longitude), place.location)) {
    return absl::InvalidArgumentError(
        fmt::format("{},{} is not on the globe: latitude lies in -90..90, longitude in -180..180",
                    fields[1], fields[2]));
  }
  if (columns == kColumns.size()) place.country = fields[3];
  return place;
}

std::string_view TakeLine(std::string_view& text) {
  const size_t length = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, length);
  text.remove_prefix(std::min(length + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string MakeDigest(const absl::flat_hash_map<std::string, Place>& places) {
  std::vector<std::string> lines;
  lines.reserve(places.size());
  for (const auto& [merchant, place] : places) {
    // Lengths first: no text can be taken for another split of the same bytes.
    lines.push_back(fmt::format("{}:{},{},{},{}:{}\n", merchant.size(), merchant,
                                place.location.latitude_udeg, place.location.longitude_udeg,
                                place.country.size(), place.country));
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line;
  const agents::KeyHash hash = agents::HashKey(text, kDigestSeed);
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

}  // namespace

absl::StatusOr<PlaceTable> PlaceTable::Parse(std::string_view csv, std::string_view name) {
  const auto error = [&](size_t line, std::string_view what) {
    return absl::InvalidArgumentError(fmt::format("{}:{}: {}", name, line, what));
  };
  if (csv.size() > kMaxBytes) {
    return error(1, fmt::format("the place table has more than {} MiB", kMaxBytes >> 20));
  }
  if (csv.starts_with(kByteOrderMark)) csv.remove_prefix(kByteOrderMark.size());
  PlaceTable table;
  size_t columns = 0;
  for (size_t number = 1; !csv.empty(); ++number) {
    const std::string_view line = TakeLine(csv);
    if (line.empty()) continue;
    absl::StatusOr<std::vector<std::string>> fields = SplitLine(line);
    if (!fields.ok()) return error(number, MessageOf(fields.status()));
    if (columns == 0) {
      const absl::Status header = CheckHeader(*fields);
      if (!header.ok()) return error(number, MessageOf(header));
      columns = fields->size();
      continue;
    }
    absl::StatusOr<Place> place = ReadPlace(*fields, columns);
    if (!place.ok()) return error(number, MessageOf(place.status()));
    if (!table.places_.try_emplace(fields->front(), *std::move(place)).second) {
      return error(number, fmt::format("merchant '{}' is given twice", fields->front()));
    }
  }
  if (columns == 0) return error(1, "the place table is empty: it needs a header line");
  table.digest_ = MakeDigest(table.places_);
  return table;
}

const Place* PlaceTable::Find(std::string_view merchant) const {
  const auto found = places_.find(absl::string_view(merchant.data(), merchant.size()));
  return found == places_.end() ? nullptr : &found->second;
}

}  // namespace caracal::pipeline
