#include "engine/native/stack.h"

using quadgate::native::Stack;

double f(quadgate::native::TaskList& tasks, quadgate::native::Workers& workers,
         const quadgate::native::Everywhere<Stack::Forward>& forward) {
  return tasks.run(workers, forward);
}
