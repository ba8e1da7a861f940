"""Cuts 199801.txt (word/tag pairs, a paragraph a line) into train.conllu, dev.conllu, test.conllu.

    pku_to_conllu.py 199801.txt FOLDER

A sentence ends with its 。, ！ or ？ and the quotes and brackets that close there. The last tenth of
the text is the test part, the tenth before it the dev part."""

import pathlib
import sys

# Peking University's tags as universal ones; of the tags that are not here, the first letter counts.
UPOS = {
    "Ag": "ADJ", "Bg": "ADJ", "Dg": "ADV", "Mg": "NUM", "Ng": "NOUN", "Rg": "PRON", "Tg": "NOUN",
    "Vg": "VERB", "Yg": "PART", "a": "ADJ", "ad": "ADV", "an": "NOUN", "b": "ADJ", "c": "CCONJ",
    "d": "ADV", "e": "INTJ", "f": "ADP", "h": "PART", "i": "X", "j": "NOUN", "k": "PART", "l": "X",
    "m": "NUM", "n": "NOUN", "nr": "PROPN", "ns": "PROPN", "nt": "PROPN", "nx": "X", "nz": "PROPN",
    "o": "INTJ", "p": "ADP", "q": "NOUN", "r": "PRON", "s": "NOUN", "t": "NOUN", "u": "PART",
    "v": "VERB", "vd": "ADV", "vn": "NOUN", "w": "PUNCT", "y": "PART", "z": "ADJ",
}  # fmt: skip


def sentences(path):
    """Lists of (word, tag)."""
    for line in path.read_text(encoding="utf-8").splitlines():
        sentence, ends = [], False
        for pair in line.split():
            word, _, tag = pair.rpartition("/")
            if ends and word not in "”’）》』」":
                yield sentence
                sentence, ends = [], False
            sentence.append((word, UPOS.get(tag) or UPOS[tag[0]]))
            ends = ends or word in "。！？"
        if sentence:
            yield sentence


def main():
    source, folder = map(pathlib.Path, sys.argv[1:])
    data = list(sentences(source))
    tenth = len(data) // 10
    parts = {"train": data[: -2 * tenth], "dev": data[-2 * tenth : -tenth], "test": data[-tenth:]}
    for name, part in parts.items():
        with open(folder / f"{name}.conllu", "w", encoding="utf-8") as file:
            for sentence in part:
                for i, (word, tag) in enumerate(sentence, 1):
                    print(i, word, "_", tag, *"______", sep="\t", file=file)
                print(file=file)
        print(f"{name}: {len(part)} sentences, {sum(map(len, part))} words")


main()
