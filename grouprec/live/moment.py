"""A moment of the held-out part when a group's list has moved: what Updates opens at, and what a room is shown."""

from __future__ import annotations

import pandas as pd

from grouprec.live.replay import Replay

MOST_EVENTS = 400  # of the held-out part that are replayed: half a second
ENOUGH = 9  # places that the items of a list have moved: then there is something to see
FAR = 3  # places that one item counts for at most, as one does that is new


def moment(replay: Replay) -> pd.DataFrame:
    """Replay to the first event after which enough of its group's list has moved, else to the one that moved most.

    Returns:
        events (how many that took), group (from 1), size (its members then), item, label, before and now (places on
        the list before the first event and after the last one, from 1; 0 where it is not on it): a row an item, by
        where it is now; no rows where no list has moved.
    """
    best: tuple[int, int, int, list[int], list[int]] = (0, 0, 0, [], [])
    most = 0
    while replay.done < min(MOST_EVENTS, len(replay)) and most < ENOUGH:
        replay.step()
        group = -1 if replay.last is None else replay.last.group_after
        before, now = replay.lists(group)
        moved = sum(_way(before, item, place) for place, item in enumerate(now))
        if moved > most:
            most = moved
            best = replay.done, group + 1, int(replay.state.sizes[group]), [*before], [*now]
    events, number, size, before, now = best
    items = [*now, *(item for item in before if item not in now)]
    ids, labels = replay.state.item_ids, replay.state.item_labels
    places = {"before": before, "now": now}
    return pd.DataFrame(
        {
            "events": events,
            "group": number,
            "size": size,
            "item": pd.Series([ids[item] for item in items], dtype="str"),
            "label": pd.Series([labels[item] for item in items], dtype="str"),
            **{
                name: [listed.index(one) + 1 if one in listed else 0 for one in items]
                for name, listed in places.items()
            },
        }
    ).astype({"events": "int64", "group": "int64", "size": "int64", "before": "int64", "now": "int64"})


def _way(before: list[int], item: int, place: int) -> int:
    return min(abs(before.index(item) - place), FAR) if item in before else FAR
