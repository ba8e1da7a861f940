// Who may only read weights opens no editor.
#include "engine/model/parameters.h"

void edit(const quadgate::Parameters& parameters) { (void)parameters.edit(); }
