#include "io/prepare/added_columns.h"

#include <algorithm>
#include <array>

#include "io/data/calendar.h"

namespace quadgate {

std::vector<std::string> AddedColumns::names() const { return calendar_names(data_.calendar); }

void AddedColumns::next(std::span<const double> x, std::vector<double>& out) {
  const auto read = static_cast<std::size_t>(data_.columns());
  const std::size_t width = read + names().size();
  out.resize(x.size() / read * width);
  std::array<double, 1> time{};
  for (std::span<double> rest(out); !rest.empty();
       rest = rest.subspan(width), x = x.subspan(read)) {
    std::ranges::copy(x.first(read), rest.begin());
    if (data_.calendar.empty()) continue;
    times_.read(time);
    calendar_values(data_.calendar, time[0], rest.first(width).subspan(read));
  }
}

}  // namespace quadgate
