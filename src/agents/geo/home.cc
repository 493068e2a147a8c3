#include "agents/geo/home.h"

#include "agents/geo/sphere.h"

namespace caracal::agents {

Location Home::Mean() const {
  const int64_t n = count;
  return {static_cast<int32_t>(latitude_sum / n),
          static_cast<int32_t>(WrapLongitude(first_longitude_udeg + longitude_offset_sum / n))};
}

void Home::Add(const Location& location) {
  if (count == 0) first_longitude_udeg = location.longitude_udeg;
  latitude_sum += location.latitude_udeg;
  longitude_offset_sum +=
      WrapLongitude(int64_t{location.longitude_udeg} - int64_t{first_longitude_udeg});
  if (++count == kMaxCount) {
    count /= 2;
    latitude_sum /= 2;
    longitude_offset_sum /= 2;
  }
}

}  // namespace caracal::agents
