#include "engine/native/stack.h"

quadgate::native::Stack::Forward f(const quadgate::native::WorkRange& work) {
  return quadgate::native::Stack::Forward(work);
}
