"""Windows, targets and loss of the encoders of sequences, on data small enough to say what must come out."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import sparse

from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.models.encoders.sequences import NextItemsEpoch, SequenceModule, latest_items
from grouprec.models.fitting import RunOptions

SETTINGS = {
    "max_length": 5,
    "targets_ahead": 3,
    "state_share": 1.0,
    "n_negatives": 1000,
    "batch_size": 4,
    "learning_rate": 0.01,
    "weight_decay": 0.0,
}


class Bag(SequenceModule):
    """The state is the sum of all inputs so far: the plainest network that looks back only."""

    def states(self, items):
        return self.inputs(items).cumsum(dim=1)


def epoch_of(events, n_items=12, **settings):
    """Return an epoch over (user, item) events, one second apart."""
    users, items = np.array(events, np.int32).T
    part = Interactions(users, items, np.ones(len(users), np.float32), np.arange(len(users), dtype=float))
    data = dataclasses.replace(planted(n_users=3, n_items=n_items, n_groups=2, events_per_user=4).data, train=part)
    with RunOptions().torch_seed("test"):
        module = Bag(n_items, 4)
    epoch = NextItemsEpoch(module, data, SimpleNamespace(**{**SETTINGS, **settings}), np.random.default_rng(0))
    epoch.cut_windows()
    return epoch


def test_windows_cover_every_event_once_and_never_mix_users():
    events = [(user, item) for user, n in ((0, 11), (1, 1), (2, 7)) for item in range(n)]
    epoch = epoch_of(events)
    lengths = epoch.stops - epoch.starts
    assert lengths.min() >= 1 and lengths.max() <= 5 and lengths.sum() == len(events)
    owners = np.array(events)[:, 0]
    assert (owners[epoch.starts] == owners[epoch.stops - 1]).all()
    assert sorted(np.concatenate(list(epoch.batches()))) == list(range(len(epoch.starts)))


def test_the_targets_of_a_state_are_the_next_items_also_beyond_the_window():
    epoch = epoch_of([(0, item) for item in range(11)])
    for window in range(len(epoch.starts)):
        items, targets = epoch.window(np.array([window]))
        first = epoch.starts[window]
        assert items[0].tolist() == list(range(first, epoch.stops[window]))
        for step in range(targets.shape[1]):
            expected = list(range(first + step, min(first + step + 3, 11)))
            assert targets[0, step].tolist() == expected + [-1] * (3 - len(expected))


def test_an_item_that_the_user_has_is_no_target():
    epoch = epoch_of([(0, 4), (0, 5), (0, 4), (0, 6)], max_length=50)
    targets = np.concatenate([epoch.window(np.array([w]))[1].reshape(-1, 3) for w in range(len(epoch.starts))])
    assert 4 in targets[0]
    assert all(4 not in row for row in targets[1:])


def test_the_loss_is_the_plain_softmax_over_the_items_not_read_so_far():
    epoch = epoch_of([(0, item) for item in (3, 7, 1, 8)], max_length=50)
    items = np.array([[3, 7, 1, 8]])
    targets = np.array([[[3, 7, 1], [7, 1, 8], [1, 8, -1], [8, -1, -1], [-1, -1, -1]]])
    loss = float(epoch.loss(items, targets, (targets != -1).any(axis=2)).detach())
    with torch.no_grad():
        states = epoch.module.states(torch.from_numpy(items))[0].numpy()
    vectors = epoch.module.item_vectors()
    values = []
    for step in range(4):
        logits = vectors[:, :-1] @ states[step] + vectors[:, -1]
        allowed = [item for item in range(12) if item not in items[0, :step]]
        total = np.log(np.exp(logits[allowed]).sum())
        values.append(np.mean([total - logits[item] for item in targets[0, step] if item >= 0]))
    assert loss == pytest.approx(np.mean(values), abs=1e-4)


def test_a_sampled_softmax_is_near_the_full_one():
    events = [(user, item) for user in range(3) for item in np.random.default_rng(user).permutation(400)[:30]]
    full, sampled = (epoch_of(events, n_items=400, n_negatives=n, max_length=30) for n in (400, 200))
    for epoch in (full, sampled):  # a state here is a sum of many items: keep the logits moderate
        torch.nn.init.constant_(epoch.module.embedding.weight, 0)
        epoch.module.bias.weight.data = torch.linspace(-1, 1, 400)[:, None]
    items, targets = full.window(np.arange(len(full.starts)))
    predicting = (targets != -1).any(axis=2)
    losses = [float(sampled.loss(items, targets, predicting).detach()) for _ in range(20)]
    assert np.mean(losses) == pytest.approx(float(full.loss(items, targets, predicting).detach()), rel=0.02)


def test_latest_items_stand_at_the_left_whatever_the_padding():
    empty = sparse.csr_array((3, 9), dtype=np.float32)
    recent = np.array([[-1, -1, 3, 4], [5, 6, 7, 8], [-1, -1, -1, -1]], np.int32)
    assert latest_items(empty, recent, 3).tolist() == [[3, 4, -1], [6, 7, 8], [-1, -1, -1]]
    wider = np.hstack([np.full((3, 5), -1, np.int32), recent])
    assert np.array_equal(latest_items(empty, wider, 3), latest_items(empty, recent, 3))


def test_histories_without_order_are_read_by_item_row():
    histories = sparse.csr_array(([1.0, 1.0, 1.0], ([0, 0, 2], [7, 2, 5])), shape=(3, 9), dtype=np.float32)
    assert latest_items(histories, None, 4).tolist() == [[2, 7, -1, -1], [-1] * 4, [5, -1, -1, -1]]
