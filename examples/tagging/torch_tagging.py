"""The same model and training in PyTorch:
torch_tagging.py [--characters] TRAIN.conllu DEV.conllu TEST.conllu [SEED]"""

import collections
import copy
import sys
import time

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

EPOCHS, PATIENCE, BATCH, LR, MIN_COUNT = 20, 2, 32, 2e-3, 2
IGNORED = -100


def read_conllu(path, characters):
    """Sentences: a list of (token, class) each."""
    sentences = [[]]
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if not line.strip():
                sentences.append([])
            elif line.split("\t")[0].isdigit():
                _, form, _, tag, *_ = line.split("\t")
                inside = [(c, ("I-" if i else "B-") + tag) for i, c in enumerate(form)]
                sentences[-1] += inside if characters else [(form, tag)]
    return [sentence for sentence in sentences if sentence]


class Model(torch.nn.Module):
    def __init__(self, vocabulary, classes):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, 100)
        self.rnn = torch.nn.LSTM(100, 128, 2, bidirectional=True, dropout=0.5, batch_first=True)
        self.head = torch.nn.Linear(256, classes)

    def forward(self, sentences):
        """Logits and labels of sentences [T, 2]."""
        lengths = torch.tensor([len(s) for s in sentences])
        padded = pad_sequence(sentences, batch_first=True, padding_value=0)
        mask = torch.arange(padded.shape[1]) < lengths[:, None]
        packed = pack_padded_sequence(
            self.embedding(padded[..., 0]), lengths, batch_first=True, enforce_sorted=False
        )
        output, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        return self.head(output[mask]), padded[..., 1][mask]


def measure(model, sentences):
    """Mean loss and accuracy over the tokens."""
    model.eval()
    loss = correct = count = 0
    with torch.no_grad():
        for first in range(0, len(sentences), 256):
            logits, labels = model(sentences[first : first + 256])
            loss += torch.nn.functional.cross_entropy(
                logits, labels, reduction="sum", ignore_index=IGNORED
            ).item()
            correct += (logits.argmax(1) == labels).sum().item()
            count += len(labels)
    return loss / count, correct / count


def main():
    characters = sys.argv[1] == "--characters"
    files, seed = sys.argv[1 + characters : 4 + characters], int((sys.argv[4 + characters :] or [1])[0])
    texts = [read_conllu(path, characters) for path in files]
    counts = collections.Counter(token for sentence in texts[0] for token, _ in sentence)
    tokens = {token: i + 1 for i, token in enumerate(t for t in counts if counts[t] >= MIN_COUNT)}
    classes = {name: i for i, name in enumerate(sorted({c for s in texts[0] for _, c in s}))}
    train, dev, test = (
        [torch.tensor([(tokens.get(t, 0), classes.get(c, IGNORED)) for t, c in s]) for s in text]
        for text in texts
    )
    torch.manual_seed(seed)
    model = Model(len(tokens) + 1, len(classes))
    adam = torch.optim.Adam(model.parameters(), lr=LR)
    best, best_state, bad_epochs = float("inf"), None, 0
    for epoch in range(EPOCHS):
        model.train()
        start = time.perf_counter()
        for rows in torch.randperm(len(train)).split(BATCH):
            loss = torch.nn.functional.cross_entropy(*model([train[i] for i in rows]))
            model.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
        seconds = time.perf_counter() - start
        loss, accuracy = measure(model, dev)
        print(f"epoch {epoch + 1}: valid loss {loss:.4f} accuracy {accuracy:.4f}, "
              f"{len(train) / seconds:.0f} seq/s", flush=True)  # fmt: skip
        bad_epochs = 0 if loss < best else bad_epochs + 1
        if loss < best:
            best, best_state = loss, copy.deepcopy(model.state_dict())
        if bad_epochs == PATIENCE:
            break
    model.load_state_dict(best_state)
    loss, accuracy = measure(model, test)
    print(f"seed {seed}: test loss {loss:.4f} accuracy {accuracy:.4f}")


main()
