#!/usr/bin/env bash
# torch-rechub 0.9.0, torch 2.13.0: histories of users, for recurrent recommenders. generate_seq_feature(max_len=) cuts
# those of more events than max_len at the wrong end: their first max_len are used. As the last event is what a user is
# tested on and the one before for validation, these users are not tested, and of two events more not validated: the
# most active ones, and what they did last is nowhere. Histories are padded behind there, and before in gen_model_input
# and pad_sequences. DIEN reads them as if all were padded behind: of one padded before, zeros and the oldest events.
# GRU4Rec reads padding as events: one history is another user when padded to another length, but for padding before and
# padding_idx=0, which is not its default. Nothing is said.
# https://github.com/datawhalechina/torch-rechub
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch-rechub==0.9.0 torch==2.13.0 numpy==2.4.6 pandas==2.3.3 scikit-learn==1.9.1
cd "$folder"
venv/bin/python -W ignore - 2>log <<'PYTHON' || { tail -5 log; exit 1; }
import pandas
import torch
from torch_rechub.basic.features import SequenceFeature, SparseFeature
from torch_rechub.models.matching import GRU4Rec
from torch_rechub.models.ranking import DIEN
from torch_rechub.utils.data import generate_seq_feature, pad_sequences

torch.manual_seed(0)
torch.set_num_threads(1)
EVENTS, LONGEST = {1: 4, 2: 6, 3: 8, 4: 20}, 6
frame = pandas.DataFrame(
    [(user, 100 * user + k, k) for user, count in EVENTS.items() for k in range(count)],
    columns=["user_id", "item_id", "time"],
)
parts = generate_seq_feature(frame.copy(), "user_id", "item_id", "time", max_len=LONGEST, shuffle=False)
for user, count in EVENTS.items():
    first = sum(EVENTS[other] for other in range(1, user))  # The items are numbered from 1 by then.
    found = [sorted(part[(part.user_id == user) & (part.label == 1)].target_item_id - first) for part in parts]
    print(f"user of {count} events: trained on {found[0]}, validated on {found[1]}, tested on {found[2]}")
    if count <= LONGEST:
        assert found == [list(range(2, count - 1)), [count - 1], [count]]
    else:
        assert found == [list(range(2, LONGEST + 1)), [], []]


def history(events, length, padding):
    return torch.tensor(pad_sequences([events], maxlen=length, padding=padding)).long()


assert history([7, 8], 3, "pre").equal(torch.tensor(pad_sequences([[7, 8]], maxlen=3)))


def filled(model):
    """The model with embeddings as large as trained ones may be, in place of 1e-4, and that of a padding_idx zero."""
    for embedding in model.embedding.embed_dict.values():
        torch.nn.init.normal_(embedding.weight)
        if embedding.padding_idx is not None:
            embedding.weight.data[embedding.padding_idx] = 0
    return model.eval()


def spread(outputs):
    return max((one - outputs[0]).abs().max().item() for one in outputs)


# The same history, in arrays of 3, 5 and 10 events.
for padding_idx in (None, 0):
    item = SparseFeature("item", 30, embed_dim=8, padding_idx=padding_idx)
    past, negative = (SequenceFeature(name, 30, embed_dim=8, pooling="concat", shared_with="item",
                                      padding_idx=padding_idx) for name in ("past", "negative"))  # fmt: skip
    user = SparseFeature("user", 5, embed_dim=8)
    model = filled(GRU4Rec([user], [past], [item], [negative], {"dims": [8]}))
    model.mode = "user"
    for padding in ("pre", "post"):
        with torch.no_grad():
            off = spread([model({"user": torch.tensor([1]), "past": history([7, 8, 9], length, padding)})
                          for length in (3, 5, 10)])  # fmt: skip
        print(f"GRU4Rec, padding_idx={padding_idx}, padding {padding}: differ by {off:.2g}")
        assert off < 1e-6 if (padding_idx, padding) == (0, "pre") else off > 0.01

past, negative = (SequenceFeature(name, 30, embed_dim=8, pooling="concat", shared_with="item", padding_idx=0)
                  for name in ("past", "negative"))  # fmt: skip
model = filled(DIEN([SparseFeature("user", 5, embed_dim=8)], [past], [negative],
                    [SparseFeature("item", 30, embed_dim=8, padding_idx=0)], {"dims": [8]}))  # fmt: skip


def score(events, length, padding):
    with torch.no_grad():
        return model({"user": torch.tensor([1]), "item": torch.tensor([5]), "past": history(events, length, padding),
                      "negative": history([3] * len(events), length, padding)})[0]  # fmt: skip


behind = spread([score([7, 8, 9], length, "post") for length in (3, 5, 10)])
before = spread([score([7, 8, 9], length, "pre") for length in (3, 5, 10)])
print(f"DIEN, padding behind: differ by {behind:.2g}, before: {before:.2g}")
assert behind < 1e-6 and before > 1e-4
PYTHON
