"""Trains the demo's model with PyTorch, for comparison: the same network, optimizer, batch size and
epochs, the data already in tensors. Prints seconds and test accuracy by epoch.

    build/peers/bin/python bench/fashion_mnist_torch.py [--threads K] [--epochs E] [--json]
"""

import argparse
import gzip
import json
import pathlib
import time

import numpy
import torch

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")  # Debian's dataset-fashion-mnist


def read_idx(name: str) -> numpy.ndarray:
    raw = gzip.decompress((DATA / name).read_bytes())
    rank = raw[3]
    shape = numpy.frombuffer(raw, ">u4", rank, 4)
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * rank).reshape(shape)


def load(part: str) -> tuple[torch.Tensor, torch.Tensor]:
    images = read_idx(f"{part}-images-idx3-ubyte.gz").astype(numpy.float32) / 255
    labels = read_idx(f"{part}-labels-idx1-ubyte.gz").astype(numpy.int64)
    return torch.from_numpy(images), torch.from_numpy(labels)


class Classifier(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = torch.nn.LSTM(28, 128, batch_first=True)
        self.head = torch.nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, (h_n, _) = self.rnn(x)
        return self.head(h_n[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--json", action="store_true", help="an object a line, an epoch each")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    x, y = load("train")
    x, y = x[:57000], y[:57000]  # as many as the demo leaves for training
    x_test, y_test = load("t10k")
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3, fused=True)
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        for rows in torch.randperm(len(x)).split(128):
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        seconds = time.perf_counter() - start
        with torch.no_grad():
            accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()
        if options.json:
            print(json.dumps({"epoch": epoch, "seconds": seconds, "test_accuracy": accuracy}))
            continue
        print(f"epoch {epoch}  {seconds:.2f} s  {len(x) / seconds:.0f} sequences/s  "
              f"test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
