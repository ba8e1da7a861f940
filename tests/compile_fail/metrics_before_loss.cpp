#include "engine/native/head.h"

using quadgate::native::Head;

quadgate::Metrics f(Head& head, const quadgate::native::Everywhere<Head::Forward>& forward) {
  return head.metrics(forward);
}
