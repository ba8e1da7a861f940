#include "engine/native/head_weights.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "engine/base/ceil_div.h"

namespace quadgate::native {
namespace {

std::vector<std::int64_t> all_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace

HeadWeights::HeadWeights(const NetworkPlan& plan, const CellKernels& cell,
                         const Parameters& parameters, GradientBuffer& gradient)
    : outputs_(plan.model.output_size),
      features_(plan.model.rnn.output_size()),
      kernels_(cell.matrix),
      width_(cell.width()),
      packed_(parameters, parameters.head_weight(),
              {.rows = all_rows(outputs_),
               .forward_width = width_,
               .backward_width = plan.options.forward_only ? 0 : width_,
               .kernels = kernels_}),
      bias_(static_cast<std::size_t>(ceil_div(outputs_, kernels_.lanes) * kernels_.lanes)),
      bias_values_(parameters.value(parameters.head_bias())),
      weight_range_(parameters.head_weight().range()),
      bias_range_(parameters.head_bias().range()),
      weight_gradient_(gradient.of(parameters.head_weight())),
      bias_gradient_(gradient.of(parameters.head_bias())),
      tied_(parameters.tied()) {}

void HeadWeights::add_pack_tasks(std::vector<PackTask>& tasks) {
  packed_.add_pack_tasks(tasks);
  tasks.push_back({{bias_range_}, [this] { std::ranges::copy(bias_values_, bias_.data()); }});
}

void HeadWeights::multiply(std::int64_t panel, std::int64_t rows, const RowView& from,
                           const RowView& to) const noexcept {
  const std::int64_t depth = forward().depth();
  kernels_.product(
      rows, depth,
      {.data = from.data, .row_stride = from.stride, .step = 1, .run = depth, .run_stride = 0},
      forward().panel(panel),
      {.data = to.data,
       .stride = to.stride,
       .columns = forward().columns_of(panel),
       .start = kernels::Output::Start::bias,
       .bias = bias_.data() + forward().first_column(panel)});
}

void HeadWeights::multiply_back(std::int64_t panel, std::int64_t first, std::int64_t last,
                                std::int64_t rows, const kernels::Lhs& d_outputs,
                                const RowView& to) const noexcept {
  using Start = kernels::Output::Start;
  kernels_.product(rows, terms(last - first), d_outputs, backward().panel(panel, terms(first)),
                   {.data = to.data + backward().first_column(panel),
                    .stride = to.stride,
                    .columns = backward().columns_of(panel),
                    .start = first == 0 ? Start::zero : Start::add,
                    .bias = nullptr});
}

std::vector<FlatRange> HeadWeights::ranges(const Part& part) const {
  std::vector<FlatRange> ranges{
      {weight_range_.begin + static_cast<std::size_t>(part.output * features_),
       static_cast<std::size_t>(part.outputs * features_)}};
  if (part.has_bias()) {
    ranges.push_back({bias_range_.begin + static_cast<std::size_t>(part.output),
                      static_cast<std::size_t>(part.outputs)});
  }
  return ranges;
}

}  // namespace quadgate::native
