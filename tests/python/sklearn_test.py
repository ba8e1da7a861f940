# Sweeps: the estimators of quadgate.sklearn in what scikit-learn does with estimators: clone, Pipeline,
# GridSearchCV, pickle; data of each kind. Tolerance: 1e-6 on probabilities beside the torch module.

import pickle

import numpy
import pytest
import torch
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from quadgate.sklearn import SequenceClassifier, SequenceRegressor

RNG = numpy.random.default_rng(2)
X = RNG.normal(size=(60, 5, 3)).astype(numpy.float32)
SUMS = X.sum((1, 2)) / 4
Y = numpy.where(SUMS > 0, "up", "down")
QUICK = {"hidden_size": 8, "epochs": 15, "lr": 0.02, "batch_size": 16}


def test_a_classifier_learns_and_tells_probabilities():
    classifier = SequenceClassifier(**QUICK).fit(X, Y)
    assert classifier.score(X, Y) > 0.9 and is_classifier(classifier)
    assert classifier.classes_.tolist() == ["down", "up"]
    shares = classifier.predict_proba(X)
    assert (classifier.classes_[shares.argmax(1)] == classifier.predict(X)).all()
    assert numpy.abs(classifier.predict_log_proba(X) - numpy.log(shares)).max() < 1e-12
    assert numpy.abs(shares.sum(1) - 1).max() < 1e-12
    model = classifier.model()
    with torch.no_grad():
        logits = model(model.standardize(torch.from_numpy(X)))
    assert numpy.abs(shares - logits.softmax(1).numpy()).max() < 1e-6
    assert [told["epoch"] for told in classifier.history_] == list(range(1, 16))


@pytest.mark.parametrize("columns", [False, True])
def test_a_regressor_has_the_shape_of_its_targets(columns):
    y = numpy.stack([SUMS, -SUMS], 1) if columns else SUMS
    regressor = SequenceRegressor(**QUICK).fit(X, y)
    assert is_regressor(regressor) and regressor.predict(X).shape == y.shape
    assert regressor.score(X, y) > 0.5


def test_clones_and_pickles():
    classifier = SequenceClassifier(**QUICK, run_file={"model.cell": "gru"}).fit(X, Y)
    assert (pickle.loads(pickle.dumps(classifier)).predict_proba(X) == classifier.predict_proba(X)).all()
    other = clone(classifier)
    assert other.get_params() == classifier.get_params()
    with pytest.raises(NotFittedError):
        other.predict(X)
    assert (other.fit(X, Y).predict_proba(X) == classifier.predict_proba(X)).all()


def test_random_states_are_those_of_scikit_learn():
    def shares(random_state):
        return SequenceClassifier(**QUICK, random_state=random_state, validation_fraction=0.25).fit(X, Y).predict_proba(X)

    state = numpy.random.RandomState(7)
    first, second = shares(state), shares(state)
    seeds = numpy.random.RandomState(7).randint(2**31 - 1, size=2)
    assert (first == shares(int(seeds[0]))).all() and (second == shares(seeds[1])).all()
    assert (first != second).any()
    for state in (None, numpy.random):
        numpy.random.seed(7)
        assert (shares(state) == first).all()
    assert shares(2**40).shape == (60, 2)
    with pytest.raises(ValueError, match="^random_state: expected an integer, at least 0, found 'x'"):
        shares("x")


def test_a_search_over_a_pipeline():
    pipeline = make_pipeline(FunctionTransformer(lambda x: 2 * x), SequenceClassifier(**QUICK))
    search = GridSearchCV(pipeline, {"sequenceclassifier__hidden_size": [4, 8]}, cv=2, n_jobs=None)
    search.fit(X, Y)
    assert search.best_score_ > 0.6 and len(search.cv_results_["mean_test_score"]) == 2
    assert search.predict(X).shape == (60,)


def test_other_kinds_of_sequences():
    expected = SequenceClassifier(**QUICK).fit(X, Y).predict_proba(X)
    channels = SequenceClassifier(**QUICK, channels_first=True).fit(X.transpose(0, 2, 1), Y)
    assert (channels.predict_proba(X.transpose(0, 2, 1)) == expected).all()
    tensors = SequenceClassifier(**QUICK).fit(list(torch.from_numpy(X)), torch.tensor(SUMS > 0))
    assert (tensors.predict_proba(list(X)) == expected).all()
    lengths = [row[: 2 + i % 4] for i, row in enumerate(X)]
    scores = cross_val_score(SequenceClassifier(**QUICK), lengths, Y, cv=3)
    assert scores.shape == (3,) and not numpy.isnan(scores).any()


def test_a_part_of_the_sequences_chooses_the_epoch():
    classifier = SequenceClassifier(**QUICK, validation_fraction=0.25, patience=2).fit(X, Y)
    assert "valid_loss" in classifier.history_[0]
    assert classifier.predict(X).shape == (60,)
    count, narrow, none = (
        SequenceClassifier(**QUICK, validation_fraction=value).fit(X, Y).history_
        for value in (15, numpy.float32(0.25), None)
    )
    losses = [[told["valid_loss"] for told in history[:2]] for history in (classifier.history_, count, narrow)]
    assert losses[0] == losses[1] == losses[2] and "valid_loss" not in none[0]


def test_sequences_may_be_tuples_of_steps():
    steps = [tuple(row[:2]) for row in X]
    arrays = SequenceClassifier(**QUICK).fit(X[:, :2], Y)
    assert (SequenceClassifier(**QUICK).fit(steps, Y).predict_proba(steps) == arrays.predict_proba(X[:, :2])).all()


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="y: expected 60 targets, one a sequence, found 5"):
        SequenceClassifier().fit(X, Y[:5])
    with pytest.raises(ValueError, match=r"X: expected sequences of shape \[T, I\], found \(5,\)"):
        SequenceClassifier().fit(X[:, :, 0], Y)
    with pytest.raises(ValueError, match="X: expected finite numbers, found others in number 0"):
        SequenceClassifier().fit(X * float("nan"), Y)
    with pytest.raises(ValueError, match="^train: expected real numbers, found <U32"):
        SequenceClassifier().fit(X.astype(float).astype(str), Y)
    with pytest.raises(ValueError, match="^y: expected real numbers, found <U"):
        SequenceRegressor().fit(X, [str(y) for y in Y])
    with pytest.raises(ValueError, match="model.hidden_size: expected"):
        SequenceClassifier(hidden_size=0).fit(X, Y)
    with pytest.raises(ValueError, match="validation_fraction: expected a number from 0 to 1, found 2.0"):
        SequenceClassifier(validation_fraction=2.0).fit(X, Y)
    with pytest.raises(ValueError, match="features: the model expects 3, found 2"):
        SequenceClassifier(**QUICK).fit(X, Y).predict(X[:, :, :2])
