"""A training script of PyTorch.

torch_script.py train TRAIN.ts TEST.ts MODEL.pt          trains, and saves what such scripts save
torch_script.py compare TRAIN.ts TEST.ts MODEL.pt P.csv  how often the model is right, and how far its
                                                         probabilities are from those of quadgate predict
"""

import csv
import sys

import torch
from torch.nn.utils.rnn import pack_sequence

EPOCHS, BATCH, LR = 2, 30, 3e-3


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


class Speaker(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.LSTM(12, 100, bidirectional=True, batch_first=True)
        self.classifier = torch.nn.Linear(200, 9)

    def forward(self, sequences):
        h_n = self.encoder(pack_sequence(sequences, enforce_sorted=False))[1][0]
        return self.classifier(torch.cat([h_n[0], h_n[1]], 1))


def train(model, sequences, labels):
    adam = torch.optim.Adam(model.parameters(), lr=LR)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(sequences)).split(BATCH):
            logits = model([sequences[i] for i in rows])
            loss = torch.nn.functional.cross_entropy(logits, labels[rows])
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
    return {"epoch": EPOCHS, "model": model.state_dict(), "optimizer": adam.state_dict()}


def main():
    what, train_file, test_file, model_file, *predictions = sys.argv[1:]
    (sequences, labels), (test, test_labels) = read_ts(train_file), read_ts(test_file)
    mean, std = torch.cat(sequences).mean(0), torch.cat(sequences).std(0, unbiased=False)
    sequences, test = ([(s - mean) / std for s in part] for part in (sequences, test))
    torch.manual_seed(1)
    model = Speaker()
    if what == "train":
        torch.save(train(model, sequences, labels), model_file)
    else:
        model.load_state_dict(torch.load(model_file))
    with torch.no_grad():
        probabilities = model(test).softmax(1)
    right = (probabilities.argmax(1) == test_labels).double().mean().item()
    print(f"PyTorch: {right:.4f} right")
    if predictions:
        with open(predictions[0]) as file:
            rows = [[float(row[f"p_{c}"]) for c in range(1, 10)] for row in csv.DictReader(file)]
        difference = (probabilities - torch.tensor(rows)).abs().max().item()
        print(f"probabilities differ by at most {difference:.0e}")


main()
