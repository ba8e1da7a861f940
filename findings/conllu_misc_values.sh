#!/usr/bin/env bash
# conllu 6.0.0: of a value in the MISC column of CoNLL-U that has a "=" in it, what follows that is gone, without
# a word: Gloss=dog=1SG (where "=" binds a clitic in interlinear glosses) is {"Gloss": "dog"}, and serialize()
# writes Gloss=dog. A key given twice keeps its second value alone, and an empty value (Translit=) comes back
# as Translit=_. CoNLL-U has MISC free but for "|" and white space, so that a treebank read and
# written again is another; a file without such values comes back byte for byte.
# https://universaldependencies.org/format.html#miscellaneous
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q conllu==6.0.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import conllu


def word(misc):
    return "\t".join(["1", "maliki-rna", "maliki", "NOUN", "_", "Case=Abs", "0", "root", "_", misc]) + "\n\n"


found = {}
for misc in ("Gloss=dog=1SG", "Gloss=dog=1SG=EMPH|Free", "Alt=a|Alt=b", "Translit=|SpaceAfter=No", "SpaceAfter=No|Free"):
    (sentence,) = conllu.parse(word(misc))
    back = sentence.serialize().split("\t")[9].strip()
    found[misc] = dict(sentence[0]["misc"]), back
    assert (sentence.serialize() == word(misc)) == (back == misc)
    print(f"{misc}: {sentence[0]['misc']}, written {back}")
assert found == {
    "Gloss=dog=1SG": ({"Gloss": "dog"}, "Gloss=dog"),
    "Gloss=dog=1SG=EMPH|Free": ({"Gloss": "dog", "Free": ""}, "Gloss=dog|Free"),
    "Alt=a|Alt=b": ({"Alt": "b"}, "Alt=b"),
    "Translit=|SpaceAfter=No": ({"Translit": None, "SpaceAfter": "No"}, "Translit=_|SpaceAfter=No"),
    "SpaceAfter=No|Free": ({"SpaceAfter": "No", "Free": ""}, "SpaceAfter=No|Free"),
}, found
PYTHON
