#include "io/importers/conllu.h"

#include <array>

#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  const InputFile file(input);
  for (const ConlluColumn column :
       {ConlluColumn::upos, ConlluColumn::xpos, ConlluColumn::lemma, ConlluColumn::ner}) {
    for (const TextLevel level : {TextLevel::words, TextLevel::characters}) {
      if (column == ConlluColumn::lemma && level == TextLevel::characters) continue;
      read_or_refuse([&] {
        WordList words;
        WordList classes;
        read_conllu(std::array{file.path()}, {column, level}, words, classes, import_options());
      });
    }
  }
}

}  // namespace quadgate::fuzz
