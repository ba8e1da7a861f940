#include "engine/native/conv.h"

void f(quadgate::native::Conv& conv, const quadgate::native::WorkRange& work,
       const quadgate::native::RowView& dy) {
  conv.backward(work, dy);
}
