#include "engine/native/pooling.h"

#include <algorithm>
#include <cstddef>

namespace quadgate::native {
namespace {

/// Calls body(place) for each sequence of the member's share.
template <typename Body>
void for_each_place(const WorkRange& work, Body body) {
  const auto share = work.member.share(work.last - work.first);
  for (auto place = work.first + share.begin; place < work.first + share.end; ++place) body(place);
}

/// Calls body(t, packed row) for each step of a sequence.
template <typename Body>
void for_each_step(const PackedSteps& steps, std::int64_t place, Body body) {
  for (std::int64_t t = 0; t < steps.length(place); ++t) body(t, steps.row(place, t));
}

}  // namespace

SequencePooling::SequencePooling(const ModelConfig& model, std::int64_t batch_size)
    : pooling_(model.pooling),
      bidirectional_(model.rnn.bidirectional),
      h_size_(model.rnn.h_size()),
      features_(model.rnn.output_size()),
      pooled_(static_cast<std::size_t>(batch_size * features_)),
      d_pooled_(pooled_.size()) {
  if (pooling_ == Pooling::max) largest_at_.resize(pooled_.size());
}

template <typename Body>
void SequencePooling::for_each_final_state(const PackedSteps& steps, std::int64_t place,
                                           Body body) const {
  body(steps.row(place, steps.length(place) - 1), 0);
  if (bidirectional_) body(steps.row(place, 0), h_size_);  // ends at step 0
}

void SequencePooling::find_largest(const PackedSteps& steps, std::int64_t place, const RowView& y) {
  float* const largest = pooled().at(place);
  std::int32_t* const at = largest_at_.data() + place * features_;
  for_each_step(steps, place, [&](std::int64_t t, std::int64_t row) {
    const float* const values = y.at(row);
    for (std::int64_t i = 0; i < features_; ++i) {
      // As torch.max: the first of equal values, and NaN if there is any.
      const bool larger = t == 0 || values[i] > largest[i] || values[i] != values[i];
      largest[i] = larger ? values[i] : largest[i];
      at[i] = larger ? static_cast<std::int32_t>(t) : at[i];
    }
  });
}

void SequencePooling::forward(const WorkRange& work, const RowView& y) {
  for_each_place(work, [&](std::int64_t place) {
    float* const to = pooled().at(place);
    switch (pooling_) {
      case Pooling::last:
        return for_each_final_state(work.pass.steps, place,
                                    [&](std::int64_t row, std::int64_t first) {
                                      std::copy_n(y.at(row) + first, h_size_, to + first);
                                    });
      case Pooling::mean: {
        std::fill_n(to, features_, 0.0F);
        for_each_step(work.pass.steps, place, [&](std::int64_t, std::int64_t row) {
          for (std::int64_t i = 0; i < features_; ++i) to[i] += y.at(row)[i];
        });
        const auto length = static_cast<float>(work.pass.steps.length(place));
        for (std::int64_t i = 0; i < features_; ++i) to[i] /= length;
        return;
      }
      case Pooling::max:
        return find_largest(work.pass.steps, place, y);
    }
  });
}

void SequencePooling::backward(const Done<Head, Step::loss>& losses, const RowView& dy) {
  const WorkRange& work = losses.work();
  for_each_place(work, [&](std::int64_t place) {
    const float* const from = d_pooled().at(place);
    const auto length = static_cast<float>(work.pass.steps.length(place));
    for_each_step(work.pass.steps, place, [&](std::int64_t t, std::int64_t row) {
      float* const to = dy.at(row);
      for (std::int64_t i = 0; i < features_; ++i) {
        switch (pooling_) {
          case Pooling::last:
            to[i] = 0;
            break;
          case Pooling::mean:
            to[i] = from[i] / length;
            break;
          case Pooling::max:
            to[i] = largest_at_[static_cast<std::size_t>(place * features_ + i)] == t ? from[i] : 0;
            break;
        }
      }
    });
    if (pooling_ == Pooling::last) {
      for_each_final_state(work.pass.steps, place, [&](std::int64_t row, std::int64_t first) {
        std::copy_n(from + first, h_size_, dy.at(row) + first);
      });
    }
  });
}

}  // namespace quadgate::native
