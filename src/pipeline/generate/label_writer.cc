#include "pipeline/generate/label_writer.h"

#include <fmt/format.h>

#include <string_view>

#include "agents/api/status_macros.h"
#include "pipeline/generate/merchant_directory.h"

namespace caracal::pipeline {
namespace {

// RFC 3339 with microseconds, UTC.
std::string FormatTime(int64_t micros) {
  char buffer[TextCursor::kMaxNumberBytes];
  TextCursor out(buffer);
  out.PutTimestamp(micros);
  std::string text(buffer, out.position());
  text[text.find(' ')] = 'T';
  return text + "Z";
}

std::string FormatMicroDegrees(int32_t value) {
  char buffer[TextCursor::kMaxNumberBytes];
  TextCursor out(buffer);
  out.PutDecimal(value, 6);
  return {buffer, out.position()};
}

}  // namespace

absl::StatusOr<std::unique_ptr<LabelWriter>> LabelWriter::Open(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file, OutputFile::Open(path));
  return std::unique_ptr<LabelWriter>(new LabelWriter(std::move(file)));
}

absl::Status LabelWriter::Add(const GeneratedRecord& record) {
  if (record.kind == RecordKind::kMalformed) return WriteMalformed(record);
  if (record.kind != RecordKind::kPayment || record.row->mark.kind == EpisodeKind::kNone) {
    return absl::OkStatus();
  }
  const Payment& row = *record.row;
  const auto [place, is_new] = open_.try_emplace(row.mark.episode);
  Episode& episode = place->second;
  if (is_new) {
    ++episodes_;
    episode = {row.mark.kind, row.account, record.partition, row.mark.size, {}};
  }
  episode.payments.push_back(
      {row.id, row.event_time_us, record.position, record.offset, row.mark.crossing});
  if (episode.payments.size() < episode.size) return absl::OkStatus();
  const absl::Status written = WriteEpisode(row.mark.episode, episode);
  open_.erase(place);
  return written;
}

absl::Status LabelWriter::Close() {
  for (const auto& [number, episode] : open_) RETURN_IF_ERROR(WriteEpisode(number, episode));
  open_.clear();
  return file_->Close();
}

absl::Status LabelWriter::WriteEpisode(uint32_t number, const Episode& episode) {
  std::string transactions;
  std::string crossing;
  std::string positions;
  std::string offsets;
  for (const Sent& sent : episode.payments) {
    const std::string_view comma = transactions.empty() ? "" : ",";
    transactions += fmt::format(R"({}"{}")", comma, sent.id);
    positions += fmt::format("{}{}", comma, sent.position);
    offsets += fmt::format("{}{}", comma, sent.offset);
    if (sent.crossing) crossing += fmt::format(R"({}"{}")", crossing.empty() ? "" : ",", sent.id);
  }
  return file_->Append(
      fmt::format(R"({{"kind":"{}","episode":{},"account":"{}","complete":{},"transactions":[{}],)"
                  R"("crossing":[{}],"positions":[{}],"partition":{},"offsets":[{}],)"
                  R"("first_time":"{}","last_time":"{}"}})"
                  "\n",
                  EpisodeKindName(episode.kind), number, episode.account,
                  episode.payments.size() == episode.size, transactions, crossing, positions,
                  episode.partition, offsets, FormatTime(episode.payments.front().event_time_us),
                  FormatTime(episode.payments.back().event_time_us)));
}

absl::Status LabelWriter::WriteMalformed(const GeneratedRecord& record) {
  ++malformed_;
  return file_->Append(fmt::format(
      R"({{"kind":"malformed","malformed":"{}","reason":"{}","account":"{}",)"
      R"("transactions":["{}"],"positions":[{}],"partition":{},"offsets":[{}]}})"
      "\n",
      MalformedKindName(record.malformed), RejectReasonName(ExpectedRejectReason(record.malformed)),
      record.row->account, record.row->id, record.position, record.partition, record.offset));
}

absl::Status WritePlaces(const MerchantDirectory& merchants, const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file, OutputFile::Open(path));
  RETURN_IF_ERROR(file->Append("merchant,latitude,longitude,country\n"));
  for (uint32_t merchant = 1; merchant <= merchants.size(); ++merchant) {
    const agents::Location& at = merchants.location(merchant);
    RETURN_IF_ERROR(file->Append(
        fmt::format("{},{},{},{}\n", merchant, FormatMicroDegrees(at.latitude_udeg),
                    FormatMicroDegrees(at.longitude_udeg), merchants.country(merchant))));
  }
  return file->Close();
}

}  // namespace caracal::pipeline
