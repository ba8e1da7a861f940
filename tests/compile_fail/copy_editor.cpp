// The end of one editor is one change.
#include "engine/model/parameters.h"

quadgate::ParameterEditor copy(const quadgate::ParameterEditor& editor) { return editor; }
