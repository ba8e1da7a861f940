"""The same in PyTorch: how far gradients reach back at initialization, and one training.

    torch_long_memory.py gradient                    norms at some k, 5 seeds of 64 sequences
    torch_long_memory.py train PROBLEM CELL LAG [FORGET_BIAS]
"""

import sys

import torch

HIDDEN, BATCH, UPDATES, LR, TOLERANCE = 64, 32, 3000, 3e-3, 0.04
SYMBOLS, RECALLED, IGNORED = 8, 5, -100
CELLS = {"rnn_tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


def adding(rows, lag):
    """x [N, T, 2] and the sums of the two marked numbers [N, 1]."""
    x = torch.zeros(rows, lag, 2)
    x[:, :, 0] = torch.rand(rows, lag)
    marks = torch.stack(
        [torch.randint(lag // 2, (rows,)), torch.randint(lag // 2, lag, (rows,))], dim=1
    )
    x[torch.arange(rows)[:, None], marks, 1] = 1
    return x, x[:, :, 0].gather(1, marks).sum(1, keepdim=True)


def copy(rows, lag):
    """x [N, T, 10], one feature a symbol, and labels [N, T]."""
    symbols = torch.full((rows, lag + 2 * RECALLED), SYMBOLS)
    labels = torch.full_like(symbols, IGNORED)
    symbols[:, :RECALLED] = labels[:, -RECALLED:] = torch.randint(SYMBOLS, (rows, RECALLED))
    symbols[:, RECALLED + lag - 1] = SYMBOLS + 1
    return torch.nn.functional.one_hot(symbols, SYMBOLS + 2).float(), labels


class Model(torch.nn.Module):
    def __init__(self, cell, features, outputs, hidden=HIDDEN, forget_bias=None):
        super().__init__()
        self.rnn = CELLS[cell](features, hidden, batch_first=True)
        self.head = torch.nn.Linear(hidden, outputs)
        if forget_bias is not None:
            with torch.no_grad():
                self.rnn.bias_ih_l0[hidden : 2 * hidden] = forget_bias  # i f g o
                self.rnn.bias_hh_l0[hidden : 2 * hidden] = 0

    def forward(self, x):
        return self.head(self.rnn(x)[0])


def gradient_reach(model, x):
    """log10 |dy/d(state k steps before)| / |dy/dh| at the last step, k = 1 .. T, mean over rows:
    of h and c together, of h, and of c. In double precision, since it does not scale as it goes."""
    model, x = model.double(), x.double()
    parts = 2 if isinstance(model.rnn, torch.nn.LSTM) else 1
    state = [torch.zeros(1, len(x), model.rnn.hidden_size).double() for _ in range(parts)]
    states = []
    for t in range(x.shape[1]):
        state = [part.clone().requires_grad_() if t == 0 else part for part in state]
        states.append(state)
        new = model.rnn(x[:, t : t + 1], tuple(state) if parts == 2 else state[0])[1]
        state = list(new) if parts == 2 else [new]
    answer = model.head(state[0]).sum()  # a row's answer depends on that row alone
    flat = torch.autograd.grad(answer, [part for state in states for part in state])
    gradients = torch.stack(flat).view(len(states), parts, len(x), -1).flip(0)  # [k, h c, N, H]
    start = model.head.weight.norm()

    def norms(parts):
        return (gradients[:, parts].square().sum((1, 3)).sqrt() / start).log10().mean(1).tolist()

    return {"state": norms([0, 1][:parts]), "h": norms([0]), "c": norms([1]) if parts == 2 else []}


def gradient():
    for cell, bias in [("rnn_tanh", None), ("gru", None), *(("lstm", b) for b in (None, 1, 4))]:
        reaches = []
        for seed in range(1, 6):
            torch.manual_seed(seed)
            model = Model(cell, 2, 1, forget_bias=bias)
            reaches.append(torch.tensor(gradient_reach(model, adding(64, 300)[0])["state"]))
        mean = torch.stack(reaches).mean(0)
        said = ", ".join(f"k = {k}: 10^{mean[k - 1]:.2f}" for k in (1, 10, 30, 100, 300))
        print(f"{cell} {'' if bias is None else f'forget bias {bias} '}{said}", flush=True)


def score(model, problem, lag, rows):
    with torch.no_grad():
        if problem == "adding":
            x, targets = adding(rows, lag)
            errors = model(x)[:, -1] - targets
            return errors.square().mean().item(), (errors.abs() < TOLERANCE).double().mean().item()
        x, labels = copy(rows, lag)
        recalled = model(x)[:, -RECALLED:].flatten(0, 1)
        expected = labels[:, -RECALLED:].flatten()
        loss = torch.nn.functional.cross_entropy(recalled, expected).item()
        return loss, (recalled.argmax(1) == expected).double().mean().item()


def train(problem, cell, lag, forget_bias=None):
    torch.manual_seed(1)
    adds = problem == "adding"
    model = Model(cell, *((2, 1) if adds else (SYMBOLS + 2, SYMBOLS)), forget_bias=forget_bias)
    adam = torch.optim.Adam(model.parameters(), lr=LR)
    for update in range(1, UPDATES + 1):
        x, y = (adding if adds else copy)(BATCH, lag)
        if adds:
            loss = torch.nn.functional.mse_loss(model(x)[:, -1], y)
        else:
            loss = torch.nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        if update % 100 == 0 and score(model, problem, lag, 256)[1] >= 0.95:
            break
    loss, accuracy = score(model, problem, lag, 1024)
    print(f"{problem} lag {lag} {cell} forget bias {forget_bias}: loss {loss:.4f}, "
          f"accuracy {accuracy:.1%} after {update} updates", flush=True)  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:] == ["gradient"]:
        gradient()
    elif sys.argv[1:2] == ["train"] and len(sys.argv) in (5, 6):
        train(*sys.argv[2:4], int(sys.argv[4]), *map(float, sys.argv[5:]))
    else:
        sys.exit(__doc__)
