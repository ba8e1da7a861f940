#!/usr/bin/env bash
# flair 0.15.1: SequenceTagger(dropout=0.0, word_dropout=0.0, locked_dropout=0.0, rnn_layers=2) drops half of what its
# first recurrent layer gives the second in training: two forward passes over one sentence have different losses, and
# model.rnn.dropout is 0.5. No argument changes it. With rnn_layers=1 it is 0, and the losses are equal.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q flair==0.15.1 torch==2.13.0
FLAIR_CACHE_ROOT=$folder "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import logging

import flair
import torch
from flair.data import Dictionary, Sentence
from flair.embeddings import OneHotEmbeddings
from flair.models import SequenceTagger

logging.disable(logging.WARNING)
flair.device = torch.device("cpu")


def look(rnn_layers):
    flair.set_seed(1)
    words, tags = Dictionary(), Dictionary(add_unk=False)
    for word in ("one", "two"):
        words.add_item(word)
    for tag in ("A", "B"):
        tags.add_item(tag)
    tagger = SequenceTagger(
        OneHotEmbeddings(words), tags, "kind", hidden_size=16, rnn_layers=rnn_layers,
        dropout=0.0, word_dropout=0.0, locked_dropout=0.0,
    ).train()
    sentence = Sentence("one two one")
    for token, tag in zip(sentence, "ABA"):
        token.add_label("kind", tag)
    losses = []
    for _ in range(2):
        sentence.clear_embeddings()
        losses.append(tagger.forward_loss([sentence])[0].item())
    return tagger.rnn.dropout, losses[0] == losses[1]


found = look(1), look(2)
print(found)
assert found == ((0.0, True), (0.5, False))
PYTHON
