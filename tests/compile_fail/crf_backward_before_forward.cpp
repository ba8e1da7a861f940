#include "engine/model/crf.h"

void f(const quadgate::Crf& crf, const quadgate::Crf::Sequence& sequence) {
  crf.backward(sequence, 1);
}
