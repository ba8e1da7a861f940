"""The same model and training in PyTorch: torch_japanese_vowels.py TRAIN.ts TEST.ts"""

import sys

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

EPOCHS, BATCH, LR = 40, 30, 3e-3


def read_ts(path):
    """Sequences [T, 12] and their labels."""
    sequences, labels = [], []
    with open(path) as lines:
        for line in lines:
            if line[0] in "#@" or not line.strip():
                continue
            *dimensions, label = line.strip().split(":")
            values = [[float(v) for v in d.split(",")] for d in dimensions]
            sequences.append(torch.tensor(values).T)
            labels.append(int(label) - 1)
    return sequences, torch.tensor(labels)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.LSTM(12, 100, bidirectional=True, batch_first=True)
        self.head = torch.nn.Linear(200, 9)

    def forward(self, sequences):
        lengths = torch.tensor([len(s) for s in sequences])
        padded = pad_sequence(sequences, batch_first=True)
        packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
        output, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        return self.head(output.sum(1) / lengths[:, None])


def main():
    (train, labels), (test, test_labels) = map(read_ts, sys.argv[1:3])
    mean, std = torch.cat(train).mean(0), torch.cat(train).std(0, unbiased=False)
    train, test = ([(s - mean) / std for s in part] for part in (train, test))
    accuracies = []
    for seed in range(1, 6):
        torch.manual_seed(seed)
        model = Model()
        adam = torch.optim.Adam(model.parameters(), lr=LR)
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(train)).split(BATCH):
                loss = torch.nn.functional.cross_entropy(
                    model([train[i] for i in rows]), labels[rows]
                )
                adam.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                adam.step()
        with torch.no_grad():
            accuracies.append((model(test).argmax(1) == test_labels).double().mean().item())
        print(f"seed {seed}: {accuracies[-1]:.4f}")
    print(f"mean of 5 seeds: {sum(accuracies) / 5:.4f}")


main()
