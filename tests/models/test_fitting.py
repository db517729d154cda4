"""What training loops share: an epoch's steps, and a softmax over a sample of the items."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from grouprec.models.fitting import (
    Epoch,
    RunOptions,
    batches,
    fit_epochs,
    load_module,
    module_arrays,
    softmax_sample,
    users_per_step,
)
from grouprec.models.threads import beside


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


def test_of_many_users_or_items_a_step_reads_more_users() -> None:
    assert users_per_step(128, 51_200) == users_per_step(128, 51_200, 5_120) == 128
    assert users_per_step(128, 100_000) == 250 and users_per_step(128, 2_000, 60_000) == 1500
    of_epoch = list(batches(np.random.default_rng(0), 1000, 30, most=100))
    assert len(np.unique(np.concatenate(of_epoch))) == 100 and len(of_epoch) == 4


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


class Full:
    """A GPU with room for ``room`` rows: an epoch over ten rows of a weight that each of them halves."""

    def __init__(self, room: int, error: RuntimeError) -> None:
        self.module = nn.Linear(1, 1, bias=False)
        self.room, self.error, self.sizes = room, error, list[int]()
        self.rng = np.random.default_rng(0)

    def __call__(self) -> dict[str, float]:
        for batch in batches(self.rng, 10, 8):
            self.sizes.append(len(batch))
            if len(batch) > self.room:
                raise self.error
        return {"loss": 1.0}


FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


@pytest.mark.parametrize("error", [FULL, RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)")])
def test_where_a_gpu_has_no_room_batches_are_halved_until_they_fit_and_that_is_said(error: RuntimeError) -> None:
    epoch, said = Full(2, error), list[str]()
    history = fit_epochs(epoch.module, epoch, epochs=2, run=RunOptions(on_note=said.append))
    assert epoch.sizes == [8, 4, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2] and len(history.epochs) == 2
    assert [sentence.rpartition("begins again with ")[2] for sentence in said] == [
        "2 times smaller ones.",
        "4 times smaller ones.",
    ]
    other = Full(8, error)
    fit_epochs(other.module, other, epochs=1, run=RunOptions())
    assert other.sizes == [8, 2], "the next fit begins with what its settings ask for"


def test_where_not_even_the_smallest_batch_fits_the_error_is_raised_and_any_other_error_at_once() -> None:
    epoch, said = Full(0, FULL), list[str]()
    with pytest.raises(torch.OutOfMemoryError):
        fit_epochs(epoch.module, epoch, epochs=1, run=RunOptions(on_note=said.append))
    assert len(said) == 6 and epoch.sizes[-1] == 1
    other = Full(0, RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError, match="shapes"):
        fit_epochs(other.module, other, epochs=1, run=RunOptions(on_note=said.append))
    assert len(said) == 6 and len(other.sizes) == 1


def test_draws_of_ones_own_go_on_where_those_of_torch_stand() -> None:
    run = RunOptions(seed=3)
    with run.torch_seed("a stage"):
        first = torch.rand(2)
        draws = run.own_draws()
        later = torch.randn(40)
    with run.torch_seed("a stage"):
        assert torch.rand(2).equal(first)
    assert torch.randn(40, generator=draws).equal(later)


@pytest.mark.parametrize("other", ["seeds", "loads"])
def test_who_has_seeded_torch_draws_alone(other: str) -> None:
    module = nn.Linear(5, 5)
    with RunOptions(seed=1).torch_seed("alone"):
        alone = torch.rand(6)

    def draw() -> Tensor:
        if other == "loads":
            return load_module(lambda: nn.Linear(5, 5), module_arrays(module)).weight
        with RunOptions(seed=2).torch_seed("other"):
            return torch.rand(5, 5)

    expected, begun = draw(), threading.Event()

    def begin() -> Tensor:
        begun.set()
        return draw()

    with RunOptions(seed=1).torch_seed("alone"):
        first = torch.rand(3)
        wait = beside(begin)
        assert begun.wait(60)
        rest = torch.rand(3)
    assert torch.cat([first, rest]).equal(alone)
    assert wait().equal(expected)
