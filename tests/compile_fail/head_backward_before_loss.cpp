#include "engine/native/head.h"

void f(quadgate::native::Head& head, const quadgate::native::Head::Forward& forward,
       const quadgate::native::RowView& dy) {
  head.backward(forward, dy);
}
