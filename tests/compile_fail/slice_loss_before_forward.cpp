#include "engine/onednn/batch_slice.h"

quadgate::Metrics f(quadgate::onednn::BatchSlice& slice, const quadgate::Batch& batch) {
  return slice.loss(batch);
}
