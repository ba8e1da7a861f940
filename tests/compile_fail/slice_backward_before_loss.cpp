#include "engine/onednn/batch_slice.h"

using quadgate::onednn::BatchSlice;

void f(BatchSlice& slice, const BatchSlice::Forward& forward,
       const quadgate::onednn::GradientSum& sum, float* gradients) {
  slice.backward(forward, sum, gradients);
}
