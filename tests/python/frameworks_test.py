"""Models of pytorch-forecasting, darts and flair train to the same losses with quadgate.accelerate.

So does a LightningModule. Slow: `scripts/test --all` runs it in build/frameworks, where `scripts/setup
--frameworks` installs these packages. Tolerance: 1e-4 of losses around 1.
"""

import random

import numpy
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import quadgate

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
torch.set_num_threads(1)


def assert_same(losses_of):
    """`losses_of(accelerate)` trains, with what it calls on the model before."""
    swapped = []

    def accelerate(model):
        swapped.extend(quadgate.accelerate(model).swapped)

    expected, found = losses_of(lambda model: None), losses_of(accelerate)
    assert swapped and len(found) >= 6
    assert found == pytest.approx(expected, abs=1e-4)


def trainer_options(lightning, losses):
    class Listener(lightning.Callback):
        def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
            losses.append(outputs["loss"].item())

    quiet = ("logger", "enable_progress_bar", "enable_model_summary")
    return dict.fromkeys(quiet, False) | {"accelerator": "cpu", "callbacks": [Listener()]}


def test_a_lightning_module():
    import lightning.pytorch as lightning

    class Regressor(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(3, 16, num_layers=2, batch_first=True)
            self.head = torch.nn.Linear(16, 1)

        def training_step(self, batch):
            x, y = batch
            return torch.nn.functional.mse_loss(self.head(self.lstm(x)[0][:, -1])[:, 0], y)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 0.01)

    def losses_of(prepare):
        losses = []
        lightning.seed_everything(1, verbose=False)
        x = torch.randn(64, 10, 3)
        model = Regressor()
        prepare(model)
        trainer = lightning.Trainer(
            max_epochs=3, enable_checkpointing=False, **trainer_options(lightning, losses)
        )
        trainer.fit(model, DataLoader(TensorDataset(x, x.sum((1, 2)) / 5), batch_size=16, shuffle=True))
        return losses

    assert_same(losses_of)


@pytest.mark.parametrize("name", ["DeepAR", "RecurrentNetwork", "TemporalFusionTransformer"])
def test_pytorch_forecasting(name):
    import lightning.pytorch as lightning
    import pandas
    import pytorch_forecasting as forecasting

    rng = numpy.random.default_rng(0)
    t = numpy.arange(80)
    table = pandas.concat(
        [
            pandas.DataFrame({"t": t, "g": str(g), "y": numpy.sin(t / 5 + g) + rng.normal(0, 0.1, 80)})
            for g in range(4)
        ],
        ignore_index=True,
    )
    data = forecasting.TimeSeriesDataSet(
        table,
        time_idx="t",
        target="y",
        group_ids=["g"],
        max_encoder_length=24,
        max_prediction_length=6,
        time_varying_unknown_reals=["y"],
    )
    options = {"TemporalFusionTransformer": {"lstm_layers": 2}, "DeepAR": {"rnn_layers": 2}}.get(name, {})

    def losses_of(prepare):
        losses = []
        lightning.seed_everything(1, verbose=False)
        model = getattr(forecasting, name).from_dataset(data, hidden_size=16, dropout=0.0, **options)
        prepare(model)
        trainer = lightning.Trainer(
            max_epochs=2,
            gradient_clip_val=0.1,
            enable_checkpointing=False,
            **trainer_options(lightning, losses),
        )
        trainer.fit(model, data.to_dataloader(train=True, batch_size=32, num_workers=0))
        return losses

    assert_same(losses_of)


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("name", ["RNNModel", "BlockRNNModel"])
def test_darts(name, cell):
    import darts
    import darts.models
    import pytorch_lightning as lightning

    series = darts.TimeSeries.from_values(numpy.sin(numpy.arange(120) / 5).astype("f4"))
    length = {"training_length": 30} if name == "RNNModel" else {"output_chunk_length": 5}

    def losses_of(prepare):
        losses = []
        options = trainer_options(lightning, losses)

        class Preparer(lightning.Callback):
            def on_fit_start(self, trainer, module):
                prepare(module)

        options["callbacks"].append(Preparer())
        model = getattr(darts.models, name)(
            model=cell, input_chunk_length=20, n_epochs=2, random_state=1, pl_trainer_kwargs=options, **length
        )
        model.fit(series)
        return losses

    assert_same(losses_of)


def test_flair(tmp_path):
    """One layer, since flair puts dropout between several."""
    import flair
    from flair.datasets import ColumnCorpus
    from flair.embeddings import OneHotEmbeddings
    from flair.models import SequenceTagger

    flair.device = torch.device("cpu")
    rng = random.Random(1)
    words = [[rng.randrange(20) for _ in range(rng.randint(2, 9))] for _ in range(60)]
    text = "\n\n".join("\n".join(f"w{k} {'AB'[k % 2]}" for k in sentence) for sentence in words)
    files = {f"{part}_file": f"{part}.txt" for part in ("train", "dev", "test")}
    for name in files.values():
        (tmp_path / name).write_text(text)

    def losses_of(prepare):
        flair.set_seed(1)
        corpus = ColumnCorpus(tmp_path, {0: "text", 1: "pos"}, **files)
        tagger = SequenceTagger(
            OneHotEmbeddings.from_corpus(corpus, min_freq=1),
            corpus.make_label_dictionary("pos"),
            "pos",
            hidden_size=16,
            dropout=0.0,
            word_dropout=0.0,
            locked_dropout=0.0,
        )
        prepare(tagger)
        optimizer, losses = torch.optim.SGD(tagger.parameters(), 0.1), []
        sentences = list(corpus.train)
        for first in range(0, 60, 10):
            optimizer.zero_grad()
            loss, count = tagger.forward_loss(sentences[first : first + 10])
            (loss / count).backward()
            optimizer.step()
            losses.append((loss / count).item())
        return losses

    assert_same(losses_of)
