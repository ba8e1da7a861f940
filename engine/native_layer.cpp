#include "engine/native_layer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

#include "engine/gradient_tile.h"
#include "engine/stopwatch.h"
#include "kernels/bf16/bf16.h"
#include "kernels/isa.h"

namespace quadgate {
namespace {

using kernels::ProductTarget;
std::size_t floats(std::int64_t a, std::int64_t b) { return static_cast<std::size_t>(a * b); }

std::int64_t parts(std::int64_t whole, std::int64_t part) { return (whole + part - 1) / part; }

/// Rows between the panels of a gate array: more than its own, so that the panels of a row do not
/// all compete for the same lines of a cache.
std::int64_t spread(std::int64_t rows) { return (rows + 15) / 16 * 16 + 7; }

}  // namespace

NativeLayer::NativeLayer(const NativeCell& cell, const LstmConfig& config,
                         const NativeLayerPlan& plan, Parameters& parameters)
    : cell_(cell),
      reverse_(plan.reverse),
      bf16_(plan.precision == Precision::bf16),
      hidden_size_(config.hidden_size),
      h_size_(config.h_size()),
      panels_(parts(config.hidden_size, cell.units)),
      product_(bf16_ ? kernels::bf16_product_kernel(kernels::active_isa()) : cell.product),
      bias_(floats(panels_, cell.width())),
      panel_stride_(spread(plan.capacity) * cell.width()),
      gates_(floats(panels_, panel_stride_)),
      d_words_(bf16_ ? floats(panels_, panel_stride_ / 2) : 0),
      c_(floats(plan.capacity, config.hidden_size)),
      dh_(floats(plan.batch_size, config.h_size())),
      dc_(floats(plan.batch_size, config.hidden_size)) {
  ih_ = this->plan(cell.ih, "ih", plan, parameters);
  hh_ = this->plan(cell.hh, "hh", plan, parameters);
  if (config.proj_size > 0) {
    projection_.emplace(cell.width(), config, plan.suffix, parameters, plan.capacity,
                        plan.batch_size);
  }
  squares_.resize(static_cast<std::size_t>(panels_ * (1 + tile_columns(ih_) + tile_columns(hh_))));
}

NativeLayer::Product NativeLayer::plan(const NativeCell::Slots& slots, const std::string& kind,
                                       const NativeLayerPlan& plan, Parameters& parameters) const {
  const auto& weight = parameters.slice("rnn.weight_" + kind + plan.suffix);
  const auto& bias = parameters.slice("rnn.bias_" + kind + plan.suffix);
  const float* values = parameters.value(weight).data();
  const std::int64_t inputs = weight.shape[1];
  PackedMatrix::Shape shape{.use = PackedMatrix::Use::forward,
                            .columns = inputs,
                            .parts = kind == "ih" ? plan.input_parts : 1,
                            .rows = rows_of(slots),
                            .width = slots.count() * cell_.units,
                            .lanes = cell_.lanes,
                            .precision = plan.precision};
  Product product{.forward = {values, shape},
                  .backward = {},
                  .inputs = inputs,
                  .gradient = parameters.gradients().data() + weight.offset,
                  .bias = parameters.value(bias).data(),
                  .bias_gradient = parameters.gradients().data() + bias.offset};
  shape.use = PackedMatrix::Use::backward;
  shape.width = cell_.width();
  product.backward = {values, std::move(shape)};
  return product;
}

/// PyTorch's row of each unit of each slot of each panel.
std::vector<std::int64_t> NativeLayer::rows_of(const NativeCell::Slots& slots) const {
  std::vector<std::int64_t> rows;
  for (std::int64_t panel = 0; panel < panels_; ++panel) {
    for (const std::int64_t gate : slots.gates) {
      for (std::int64_t i = 0; i < cell_.units; ++i) {
        const std::int64_t unit = panel * cell_.units + i;
        rows.push_back(unit < hidden_size_ ? gate * hidden_size_ + unit : -1);
      }
    }
  }
  return rows;
}

std::int64_t NativeLayer::pack_tasks() const noexcept {
  return ih_.forward.panels() + ih_.backward.panels() + hh_.forward.panels() +
         hh_.backward.panels() + 1 + (projection_ ? projection_->pack_tasks() : 0);
}

void NativeLayer::pack(std::int64_t task) {
  for (auto* matrix : {&ih_.forward, &ih_.backward, &hh_.forward, &hh_.backward}) {
    if (task < matrix->panels()) return matrix->pack(task);
    task -= matrix->panels();
  }
  if (task > 0) return projection_->pack(task - 1);
  pack_bias();
}

void NativeLayer::pack_bias() {
  std::ranges::fill(bias_.span(), 0.0F);
  const auto add = [this](const NativeCell::Slots& slots, const float* bias) {
    for (std::int64_t unit = 0; unit < hidden_size_; ++unit) {
      float* to = bias_.data() + unit / cell_.units * cell_.width() + unit % cell_.units +
                  slots.first * cell_.units;
      for (const std::int64_t gate : slots.gates) {
        *to += bias[gate * hidden_size_ + unit];
        to += cell_.units;
      }
    }
  };
  add(cell_.ih, ih_.bias);
  add(cell_.hh, hh_.bias);
}

float* NativeLayer::gates(std::int64_t panel, std::int64_t row) const noexcept {
  return gates_.data() + panel * panel_stride_ + row * cell_.width();
}

std::int64_t NativeLayer::units_of(std::int64_t panel) const noexcept {
  return std::min(cell_.units, hidden_size_ - panel * cell_.units);
}

/// A member's gate panels. They hold the units of whole panels of d(h), or of d(m) where h is
/// projected, so that in the backward pass no one else's is needed.
NativeLayer::Share NativeLayer::panels_of(const NativeWork& work) const noexcept {
  const std::int64_t together = cell_.width() / cell_.units;
  const Share share = work.member.share(parts(hidden_size_, cell_.width()));
  return {share.begin * together, std::min(share.end * together, panels_)};
}

/// Steps whose gates together stay in the second-level cache between the two products.
std::int64_t NativeLayer::steps_at_once(const NativeWork& work) const noexcept {
  constexpr std::int64_t kFloats = 64 * 1024;
  const std::int64_t floats_a_step = (work.last - work.first) * panels_ * cell_.width();
  return std::max<std::int64_t>(1, kFloats / floats_a_step);
}

void NativeLayer::forward(const NativeWork& work, const LayerRows& x, const LayerRows& y) {
  const std::int64_t seq_len = work.steps.seq_len();
  const std::int64_t at_once = steps_at_once(work);
  for (std::int64_t done = 0; done < seq_len; done += at_once) {
    const std::int64_t count = std::min(at_once, seq_len - done);
    const std::int64_t first = reverse_ ? seq_len - done - count : done;
    project(work, {first, first + count}, x);
    const Stopwatch stopwatch(work.times, Phase::recurrence_forward);
    for (std::int64_t i = 0; i < count; ++i) {
      step_forward(work, reverse_ ? first + count - 1 - i : first + i, y);
      work.member.wait();
    }
  }
}

void NativeLayer::project(const NativeWork& work, Share steps, const LayerRows& x) {
  const Stopwatch stopwatch(work.times, Phase::input_product);
  const auto panels = panels_of(work);
  const std::int64_t width = cell_.width();
  const std::int64_t first_slot = cell_.ih.first * cell_.units;
  const std::int64_t columns = cell_.ih.count() * cell_.units;
  const PackedRows& rows = bf16_ ? x.words : x.rows;
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const float* bias = bias_.data() + panel * width;
    for (std::int64_t t = steps.begin; t < steps.end; ++t) {
      float* to = gates(panel, work.row(t));
      product_(work.rows(t), ih_.forward.depth(),
               {.data = rows.at(work.row(t)),
                .row_stride = rows.stride,
                .step = 1,
                .run = bf16_ ? rows.stride : ih_.inputs,
                .run_stride = x.word_parts_stride},
               ih_.forward.panel(panel),
               {.data = to + first_slot,
                .stride = width,
                .columns = columns,
                .start = ProductTarget::Start::bias,
                .bias = bias + first_slot});
      for (std::int64_t slot = first_slot + columns; slot < width && columns < width; ++slot) {
        for (std::int64_t row = 0; row < work.rows(t); ++row) to[row * width + slot] = bias[slot];
      }
    }
  }
}

/// In bf16 the product with W_hh comes first, into the gates; the step kernel finds nothing to add.
void NativeLayer::multiply_hidden(std::int64_t panel, std::int64_t row, std::int64_t rows,
                                  const float* h_words, std::int64_t stride) noexcept {
  product_(rows, hh_.forward.depth(),
           {.data = h_words, .row_stride = stride, .step = 1, .run = stride, .run_stride = 0},
           hh_.forward.panel(panel),
           {.data = gates(panel, row) + cell_.hh.first * cell_.units,
            .stride = cell_.width(),
            .columns = cell_.hh.count() * cell_.units,
            .start = ProductTarget::Start::add,
            .bias = nullptr});
}

void NativeLayer::step_forward(const NativeWork& work, std::int64_t t, const LayerRows& y) {
  const std::int64_t rows = work.rows(t);
  const std::int64_t old_rows = std::min(rows, work.rows(before(t)));
  const std::int64_t row = work.row(t);
  const auto panels = panels_of(work);
  const PackedRows h = projection_ ? projection_->m() : y.rows;
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const std::int64_t unit = panel * cell_.units;
    kernels::CellForward step{.rows = old_rows,
                              .units = units_of(panel),
                              .first_unit = unit,
                              .depth = bf16_ ? 0 : hh_.inputs,
                              .h_prev = nullptr,
                              .h_prev_stride = y.rows.stride,
                              .weight_hh = hh_.forward.panel(panel),
                              .gates = gates(panel, row),
                              .c_prev = nullptr,
                              .c = c_.data() + row * hidden_size_ + unit,
                              .c_stride = hidden_size_,
                              .h = h.at(row) + unit,
                              .h_stride = h.stride};
    if (old_rows > 0) {
      const std::int64_t old_row = work.row(before(t));
      step.h_prev = y.rows.at(old_row);
      step.c_prev = c_.data() + old_row * hidden_size_ + unit;
      if (bf16_) multiply_hidden(panel, row, old_rows, y.words.at(old_row), y.words.stride);
      cell_.forward(step);
    }
    if (rows > old_rows) {  // sequences that begin at this step
      step.rows = rows - old_rows;
      step.h_prev = step.c_prev = nullptr;
      step.gates = gates(panel, row + old_rows);
      step.c += old_rows * hidden_size_;
      step.h += old_rows * h.stride;
      cell_.forward(step);
    }
  }
  if (projection_) projection_->forward(work, t, y.rows);
  const Share features = share_of(work, h_size_);
  if (bf16_ && features.begin < features.end) {
    kernels::bf16_rows_kernel(kernels::active_isa())({.rows = rows,
                                                      .columns = features.end - features.begin,
                                                      .from = y.rows.at(row) + features.begin,
                                                      .from_stride = y.rows.stride,
                                                      .to = y.words.at(row) + features.begin / 2,
                                                      .to_stride = y.words.stride});
  }
}

kernels::LeftSide NativeLayer::d_gates(const NativeCell::Slots& slots,
                                       std::int64_t row) const noexcept {
  const std::int64_t a_word = bf16_ ? 2 : 1;
  const float* const data = bf16_ ? d_words_.data() : gates_.data();
  return {.data = data + (row * cell_.width() + slots.first * cell_.units) / a_word,
          .row_stride = cell_.width() / a_word,
          .step = 1,
          .run = slots.count() * cell_.units / a_word,
          .run_stride = panel_stride_ / a_word};
}

void NativeLayer::round_d_gates(std::int64_t panel, std::int64_t row, std::int64_t rows) noexcept {
  kernels::bf16_rows_kernel(kernels::active_isa())(
      {.rows = rows,
       .columns = cell_.width(),
       .from = gates(panel, row),
       .from_stride = cell_.width(),
       .to = d_words_.data() + (panel * panel_stride_ + row * cell_.width()) / 2,
       .to_stride = cell_.width() / 2});
}

/// A member's share, in whole panels, of `size` features.
NativeLayer::Share NativeLayer::share_of(const NativeWork& work, std::int64_t size) const noexcept {
  const Share panels = work.member.share(parts(size, cell_.width()));
  return {panels.begin * cell_.width(), std::min(panels.end * cell_.width(), size)};
}

/// A member's share of the rows of `d` [batch_size, size].
void NativeLayer::clear(const NativeWork& work, Buffer& d, std::int64_t size) const noexcept {
  const Share share = share_of(work, size);
  for (std::int64_t row = work.first; row < work.last; ++row) {
    std::fill(d.data() + row * size + share.begin, d.data() + row * size + share.end, 0.0F);
  }
}

void NativeLayer::backward(const NativeWork& work, const PackedRows& y, const PackedRows& dy,
                           const PackedRows& dx, bool add) {
  clear(work, dh_, h_size_);
  clear(work, dc_, hidden_size_);
  const std::int64_t seq_len = work.steps.seq_len();
  const std::int64_t at_once = steps_at_once(work);
  for (std::int64_t done = 0; done < seq_len; done += at_once) {
    const std::int64_t count = std::min(at_once, seq_len - done);
    const std::int64_t first = reverse_ ? done : seq_len - done - count;
    {
      const Stopwatch stopwatch(work.times, Phase::recurrence_backward);
      for (std::int64_t i = 0; i < count; ++i) {
        step_backward(work, reverse_ ? first + i : first + count - 1 - i, y, dy);
      }
    }
    if (dx.data != nullptr) project_back(work, {first, first + count}, dx, add);
  }
  work.member.wait();
}

void NativeLayer::step_backward(const NativeWork& work, std::int64_t t, const PackedRows& y,
                                const PackedRows& dy) {
  const std::int64_t rows = work.rows(t);
  const std::int64_t old_rows = std::min(rows, work.rows(before(t)));
  const std::int64_t row = work.row(t);
  const auto panels = panels_of(work);
  const PackedRows dh{dh_.data(), h_size_};
  const PackedRows d_state = projection_ ? projection_->d_m() : dh;
  if (projection_) projection_->backward(work, t, dy, dh);
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const std::int64_t unit = panel * cell_.units;
    kernels::CellBackward step{.rows = old_rows,
                               .units = units_of(panel),
                               .gates = gates(panel, row),
                               .h_prev = nullptr,
                               .h_prev_stride = y.stride,
                               .c_prev = nullptr,
                               .c = c_.data() + row * hidden_size_ + unit,
                               .c_stride = hidden_size_,
                               .dh = d_state.at(work.first) + unit,
                               .dc = dc_.data() + work.first * hidden_size_ + unit,
                               .d_stride = hidden_size_,
                               .dy = projection_ ? nullptr : dy.at(row) + unit,
                               .dy_stride = dy.stride};
    if (old_rows > 0) {
      const std::int64_t old_row = work.row(before(t));
      step.h_prev = projection_ ? nullptr : y.at(old_row) + unit;  // of no use to an LSTM
      step.c_prev = c_.data() + old_row * hidden_size_ + unit;
      cell_.backward(step);
    }
    if (rows > old_rows) {
      step.rows = rows - old_rows;
      step.h_prev = step.c_prev = nullptr;
      step.gates = gates(panel, row + old_rows);
      step.c += old_rows * hidden_size_;
      step.dh += old_rows * hidden_size_;
      step.dc += old_rows * hidden_size_;
      if (step.dy != nullptr) step.dy += old_rows * dy.stride;
      cell_.backward(step);
    }
    if (bf16_) round_d_gates(panel, row, rows);
  }
  work.member.wait();
  const auto shares = work.member.share(hh_.backward.panels());
  for (std::int64_t panel = shares.begin; panel < shares.end; ++panel) {
    product_(old_rows, hh_.backward.depth(), d_gates(cell_.hh, row), hh_.backward.panel(panel),
             {.data = dh.at(work.first) + panel * cell_.width(),
              .stride = dh.stride,
              .columns = hh_.backward.columns_of(panel),
              .start = cell_.writes_dh ? ProductTarget::Start::add : ProductTarget::Start::zero,
              .bias = nullptr});
  }
}

void NativeLayer::project_back(const NativeWork& work, Share steps, const PackedRows& dx,
                               bool add) {
  const Stopwatch stopwatch(work.times, Phase::input_product);
  const auto share = work.member.share(ih_.backward.panels());
  for (std::int64_t panel = share.begin; panel < share.end; ++panel) {
    for (std::int64_t t = steps.begin; t < steps.end; ++t) {
      product_(work.rows(t), ih_.backward.depth(), d_gates(cell_.ih, work.row(t)),
               ih_.backward.panel(panel),
               {.data = dx.at(work.row(t)) + panel * cell_.width(),
                .stride = dx.stride,
                .columns = ih_.backward.columns_of(panel),
                .start = add ? ProductTarget::Start::add : ProductTarget::Start::zero,
                .bias = nullptr});
    }
  }
}

/// Panels whose weight gradients are computed together, so that the right side is brought together
/// once for all of them.
std::int64_t NativeLayer::tile_panels(int cores) const noexcept {
  constexpr auto kMost = static_cast<std::int64_t>(GradientTile::kMostPanels);
  constexpr std::int64_t kTilesACore = 8;
  const std::int64_t tiles = panels_ * (tile_columns(ih_) + tile_columns(hh_));
  return std::clamp<std::int64_t>(tiles / (kTilesACore * cores), 1, kMost);
}

/// Floats of a row of a tile's right side: in bf16 several panels, since there the left side, too,
/// is brought together.
constexpr std::int64_t tile_width(bool bf16, std::int64_t panel) {
  return bf16 ? 4 * panel : panel;
}

std::int64_t NativeLayer::tile_columns(const Product& product) const noexcept {
  return parts(product.inputs, tile_width(bf16_, cell_.width()));
}

std::int64_t NativeLayer::gradient_tasks(int cores) const noexcept {
  return parts(panels_, tile_panels(cores)) * (1 + tile_columns(ih_) + tile_columns(hh_)) +
         (projection_ ? projection_->gradient_tasks() : 0);
}

void NativeLayer::gradient(std::int64_t task, int cores, const PackedSteps& steps,
                           const PackedRows& x, const PackedRows& y) {
  if (projection_) {
    if (task < projection_->gradient_tasks()) return projection_->gradient(task, steps);
    task -= projection_->gradient_tasks();
  }
  const std::int64_t columns_ih = tile_columns(ih_);
  const std::int64_t tiles = 1 + columns_ih + tile_columns(hh_);
  const std::int64_t together = tile_panels(cores);
  const std::int64_t tile = task % tiles;
  const std::int64_t first = task / tiles * together;
  const Share panels{first, std::min(first + together, panels_)};
  double* const squares = squares_.data() + tile * panels_;
  if (tile == 0) {
    for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
      squares[panel] = bias_gradient(panel, steps);
    }
  } else if (tile <= columns_ih) {
    weight_gradient(ih_, cell_.ih, panels, tile - 1, steps, x, nullptr, squares);
  } else {
    const auto rows = reverse_ ? steps.after() : steps.before();
    weight_gradient(hh_, cell_.hh, panels, tile - 1 - columns_ih, steps, y, rows.data(), squares);
  }
}

double NativeLayer::gradient_square() const noexcept {
  return std::accumulate(squares_.begin(), squares_.end(),
                         projection_ ? projection_->gradient_square() : 0.0);
}

double NativeLayer::bias_gradient(std::int64_t panel, const PackedSteps& steps) {
  constexpr std::int64_t kWidest = 64;
  float sums[kWidest];
  const float one = 1;
  cell_.product(1, steps.size(),
                {.data = &one, .row_stride = 0, .step = 0, .run = steps.size(), .run_stride = 0},
                gates(panel, 0),
                {.data = sums,
                 .stride = 0,
                 .columns = cell_.width(),
                 .start = ProductTarget::Start::zero,
                 .bias = nullptr});
  double squares = 0;
  const auto scatter = [&](const NativeCell::Slots& slots, float* gradient) {
    for (std::int64_t slot = 0; slot < slots.count(); ++slot) {
      const float* from = sums + (slots.first + slot) * cell_.units;
      float* to = gradient + slots.gates[static_cast<std::size_t>(slot)] * hidden_size_ +
                  panel * cell_.units;
      for (std::int64_t unit = 0; unit < units_of(panel); ++unit) {
        to[unit] = from[unit];
        squares += static_cast<double>(from[unit]) * from[unit];
      }
    }
  };
  scatter(cell_.ih, ih_.bias_gradient);
  scatter(cell_.hh, hh_.bias_gradient);
  return squares;
}

void NativeLayer::weight_gradient(const Product& product, const NativeCell::Slots& slots,
                                  Share panels, std::int64_t column, const PackedSteps& steps,
                                  const PackedRows& right, const std::int64_t* right_rows,
                                  double* squares) {
  std::array<const float*, GradientTile::kMostPanels> left{};
  std::array<GradientTile::Block, GradientTile::kMostPanels * kernels::kPanelVectors> blocks;
  const std::int64_t width = tile_width(bf16_, cell_.width());
  const std::int64_t first_column = column * width;
  std::size_t count = 0;
  for (std::int64_t i = 0; i < panels.end - panels.begin; ++i) {
    const std::int64_t panel = panels.begin + i;
    left[static_cast<std::size_t>(i)] =
        bf16_ ? d_words_.data() + panel * panel_stride_ / 2 : gates(panel, 0);
    for (std::int64_t slot = 0; slot < slots.count(); ++slot) {
      const std::int64_t gate = slots.gates[static_cast<std::size_t>(slot)];
      const std::int64_t row = gate * hidden_size_ + panel * cell_.units;
      blocks[count++] = {.panel = i,
                         .first_row = (slots.first + slot) * cell_.units,
                         .rows = units_of(panel),
                         .target = product.gradient + row * product.inputs + first_column};
    }
  }
  const auto used = static_cast<std::size_t>(panels.end - panels.begin);
  compute({.depth = steps.size(),
           .left = std::span(left).first(used),
           .left_width = cell_.width(),
           .right = right,
           .right_rows = right_rows,
           .first_column = first_column,
           .columns = std::min(width, product.inputs - first_column),
           .target_stride = product.inputs,
           .lanes = cell_.lanes,
           .precision = bf16_ ? Precision::bf16 : Precision::f32},
          std::span(blocks).first(count));
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) squares[panel] = 0;
  for (const auto& block : std::span(blocks).first(count)) {
    squares[panels.begin + block.panel] += block.square;
  }
}

}  // namespace quadgate
