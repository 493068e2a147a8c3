#include "agents/geo/country.h"

#include <algorithm>
#include <utility>

namespace caracal::agents {
namespace {

bool IsCodeCharacter(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

CountryCode ParseCountryCode(std::string_view text) {
  if (text.size() < 2 || text.size() > 3) return 0;
  CountryCode code = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c =
        text[i] >= 'a' && text[i] <= 'z' ? static_cast<char>(text[i] - 'a' + 'A') : text[i];
    if (!IsCodeCharacter(c)) return 0;
    code |= static_cast<CountryCode>(static_cast<unsigned char>(c)) << (8 * i);
  }
  return code;
}

std::string CountryText(CountryCode code) {
  std::string text;
  for (; code != 0; code >>= 8) text.push_back(static_cast<char>(code & 0xff));
  return text;
}

CountryList::CountryList(std::vector<CountryCode> codes) : sorted_(std::move(codes)) {
  std::sort(sorted_.begin(), sorted_.end());
  sorted_.erase(std::unique(sorted_.begin(), sorted_.end()), sorted_.end());
}

bool CountryList::Contains(CountryCode code) const {
  return std::binary_search(sorted_.begin(), sorted_.end(), code);
}

CountryChange CountryWindow::Add(Record& record, int64_t time_us, CountryCode country) const {
  if ((record.first & kSeen) == 0) {
    record.first |= kSeen;
    record.newest_us = time_us;
  }
  record.newest_us = std::max(record.newest_us, time_us);
  CountryChange change;
  if (!InWindow(record, time_us)) {
    change.late = true;
    return change;
  }
  if (country == 0) return change;
  const CountryCode first = record.first & ~kSeen;
  const bool first_is_other = first != country;
  const CountryCode other = first_is_other ? first : record.second;
  const int64_t other_time_us = first_is_other ? record.first_time_us : record.second_time_us;
  if (other != 0 && InWindow(record, other_time_us)) change.from = other;
  Remember(record, time_us, country);
  return change;
}

void CountryWindow::Remember(Record& record, int64_t time_us, CountryCode country) {
  const CountryCode first = record.first & ~kSeen;
  if (country == first) {
    record.first_time_us = std::max(record.first_time_us, time_us);
    return;
  }
  if (record.second != 0 && time_us < record.second_time_us) return;
  if (first != 0 && time_us < record.first_time_us) {
    record.second = country;
    record.second_time_us = time_us;
    return;
  }
  record.second = first;
  record.second_time_us = record.first_time_us;
  record.first = country | kSeen;
  record.first_time_us = time_us;
}

bool CountryWindow::InWindow(const Record& record, int64_t time_us) const {
  // Unsigned, as the difference of two int64 may exceed an int64; T is never older.
  return static_cast<uint64_t>(record.newest_us) - static_cast<uint64_t>(time_us) <= window_us_;
}

}  // namespace caracal::agents
