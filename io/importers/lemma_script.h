#pragma once

#include <string>
#include <string_view>

namespace quadgate {

/// How a form becomes its lemma: "-3+y" takes 3 characters off the end and puts "y" there
/// (studies -> study), "lower-0+" makes letters small first (The -> the), "lower-3+" does both
/// (Running -> run is "lower-4+"). It begins with "lower" only where that leaves more of the form.
/// apply_lemma_script(lemma_script(form, lemma), form) is the lemma, whatever the two are. Letters
/// are those of Latin, Greek, Cyrillic and Armenian scripts. Texts are UTF-8.
std::string lemma_script(std::string_view form, std::string_view lemma);

/// The lemma that a script makes of a form: the form itself, where the script is none or takes more
/// off than there is.
std::string apply_lemma_script(std::string_view script, std::string_view form);

}  // namespace quadgate
