"""What training loops share: an epoch's steps, and a softmax over a sample of the items."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from grouprec.models.fitting import Epoch, softmax_sample


class Halving(Epoch):
    """Moves one weight half the way to 0 with every step; the second step counts three times."""

    def __init__(self) -> None:
        self.module = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.module.weight, 8.0)
        super().__init__(self.module, torch.optim.SGD(self.module.parameters(), lr=0.5), np.random.default_rng(0))

    def losses(self) -> Iterator[tuple[Tensor, int]]:
        for weight in (1, 3):
            yield (self.module.weight**2).sum() / 2, weight


def test_an_epoch_takes_a_step_after_every_loss_and_returns_their_weighted_mean() -> None:
    epoch = Halving()
    assert epoch() == {"loss": pytest.approx((8**2 / 2 + 3 * 4**2 / 2) / 4)}
    assert epoch.module.weight.item() == pytest.approx(2)


class Nothing(Halving):
    def losses(self) -> Iterator[tuple[Tensor, int]]:
        return iter(())


def test_an_epoch_without_a_mini_batch_has_no_loss() -> None:
    assert Nothing()() == {"loss": 0}


def test_the_probability_of_a_sampled_item_is_how_often_it_is_drawn() -> None:
    rng = np.random.default_rng(1)
    popularity = np.arange(1, 41) / 820
    drawn, expected = np.zeros(40), np.zeros(40)
    for _ in range(600):
        targets = rng.choice(40, 10, p=popularity)
        candidates, log_q = softmax_sample(targets, popularity, 6, rng)
        assert np.isin(targets, candidates).all() and (np.diff(candidates) > 0).all()
        drawn[candidates] += 1
        expected[candidates] = np.exp(log_q)
    assert np.abs(drawn / 600 - expected).max() < 0.1


def test_a_sample_of_all_items_needs_no_correction() -> None:
    candidates, log_q = softmax_sample(np.array([3]), np.full(5, 0.2), 5, np.random.default_rng(0))
    assert candidates.tolist() == list(range(5)) and (log_q == 0).all()
