"""F1 of words, and of words with their tags, from what `quadgate predict` wrote of characters:
word_scores.py predictions.csv"""

import csv
import itertools
import sys


def words(classes):
    """(first character, character after the last, tag) of each word; a class but I-TAG begins one."""
    begins = [i for i, name in enumerate(classes) if i == 0 or not name.startswith("I-")]
    return {(i, j, classes[i][2:]) for i, j in zip(begins, [*begins[1:], len(classes)])}


def f1(predicted, true, hits):
    return 2 * hits / (predicted + true)


def main():
    predicted = true = cut_right = all_right = 0
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        for _, steps in itertools.groupby(csv.DictReader(file), lambda step: step["row"]):
            steps = list(steps)
            ours, theirs = (words([step[key] for step in steps]) for key in ("predicted", "label"))
            predicted, true = predicted + len(ours), true + len(theirs)
            cut_right += len({word[:2] for word in ours} & {word[:2] for word in theirs})
            all_right += len(ours & theirs)
    print(f"words               F1 {f1(predicted, true, cut_right):.4f}")
    print(f"words with tags     F1 {f1(predicted, true, all_right):.4f}")


main()
