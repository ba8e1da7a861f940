#include "engine/onednn/lstm_stack.h"

void f(quadgate::onednn::LstmStack& lstm, float* gradients) { lstm.backward({}, gradients); }
