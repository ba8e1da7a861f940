#include "io/prepare/added_columns.h"

#include <algorithm>
#include <array>

#include "io/data/calendar.h"
#include "io/data/covariates.h"

namespace quadgate {

std::vector<std::string> AddedColumns::names() const {
  return added_names({.calendar = data_.calendar, .statics = data_.statics});
}

// The series of the next row.
const SeriesPart& AddedColumns::next_part() {
  for (++row_; row_ >= data_.parts[part_].size(); row_ = 0) ++part_;
  return data_.parts[part_];
}

void AddedColumns::next(std::span<const double> x, std::vector<double>& out) {
  const auto read = static_cast<std::size_t>(data_.columns());
  const std::size_t width = read + names().size();
  out.resize(x.size() / read * width);
  std::array<double, 1> time{};
  for (std::span<double> rest(out); !rest.empty();
       rest = rest.subspan(width), x = x.subspan(read)) {
    std::ranges::copy(x.first(read), rest.begin());
    std::size_t constants = 0;
    if (!data_.statics.empty()) {
      const SeriesPart& part = next_part();
      constants = part.constants.size();
      std::ranges::copy(part.constants, rest.subspan(read).begin());
    }
    if (data_.calendar.empty()) continue;
    times_.read(time);
    calendar_values(data_.calendar, time[0], rest.first(width).subspan(read + constants));
  }
}

}  // namespace quadgate
