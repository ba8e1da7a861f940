#!/usr/bin/env bash
# nervaluate 1.2.1: by its "ent_type" an entity is correct where a prediction of its type overlaps it. Where two
# predictions, which do not overlap each other, share one entity and the first is of another type, that is counted as
# incorrect, and takes the entity: the second, of the right type, is spurious. In the other order the same two are one
# correct and one spurious. So a text scores otherwise than its mirror image, here 0 for 0.67, and the table of all
# entities has no correct one where the table by types, made of the same sentence, has one. The same of both orders, and
# in both tables, are the scores by "strict", "exact" and "partial".
# https://github.com/MantisAI/nervaluate; of predictions that overlap, issue 84
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q nervaluate==1.2.1
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
from nervaluate import Evaluator

TYPES = ["PER", "LOC"]
COUNTS = ("correct", "incorrect", "missed", "spurious")


def tags(length, entities):
    """BIO tags of (type, first, last)."""
    out = ["O"] * length
    for kind, first, last in entities:
        out[first : last + 1] = [f"B-{kind}"] + [f"I-{kind}"] * (last - first)
    return out


def mirrored(length, entities):
    return [(kind, length - 1 - last, length - 1 - first) for kind, first, last in reversed(entities)]


def scores(length, gold, predicted):
    found = Evaluator([tags(length, gold)], [tags(length, predicted)], tags=TYPES, loader="list").evaluate()

    def counts(result):
        return {name: getattr(result, name) for name in COUNTS}

    overall = {name: counts(result) for name, result in found["overall"].items()}
    correct = {name: sum(of[name].correct for of in found["entities"].values()) for name in overall}
    return overall, correct, found["overall"]["ent_type"].f1


# one person of four tokens, of whom the tagger takes two for a place
gold = [("PER", 1, 4)]
predicted = [("LOC", 1, 2), ("PER", 3, 4)]
forward, by_type, f1 = scores(6, gold, predicted)
back, back_by_type, back_f1 = scores(6, mirrored(6, gold), mirrored(6, predicted))
for name, each in forward.items():
    print(f"{name}: {each}, mirrored {back[name]}, correct by types {by_type[name]}, mirrored {back_by_type[name]}")
    if name == "ent_type":
        assert each == {"correct": 0, "incorrect": 1, "missed": 0, "spurious": 1}
        assert back[name] == {"correct": 1, "incorrect": 0, "missed": 0, "spurious": 1}
        assert by_type[name] == back_by_type[name] == 1
    else:
        assert each == back[name] and each["correct"] == by_type[name] == back_by_type[name]
print(f"F1 by ent_type: {f1:.2f}, mirrored {back_f1:.2f}")
assert f1 == 0 and abs(back_f1 - 2 / 3) < 1e-9
PYTHON
