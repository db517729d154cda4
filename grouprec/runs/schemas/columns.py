"""Columns that several tables have."""

from __future__ import annotations

from grouprec.runs.schemas.table import Column

USER = Column("user", "str", "the user's id")
ITEM = Column("item", "str", "the item's id")
LABEL = Column("label", "str", "the item's label, its id where there is none")
GROUP = Column("group", "int64", "the group's number, from 1")
RANK = Column("rank", "int64", "place, from 1")
SCORE = Column("score", "float32", "what the list is ordered by, the larger the better; no unit")
METHOD = Column("method", "str", "how the lists were made")
REGIME = Column("regime", "str", "`strict` (new to every member) or `dedup` (new to the reader)")
ANY_REGIME = Column("regime", "str", "`individual` (personal lists), `strict` or `dedup`")
METRIC = Column("metric", "str", "the measure, as `ndcg@10`")
VALUE = Column("value", "float64", "mean of the metric over users, 0 to 1")
LOW = Column("low", "float64", "lower end of its interval")
HIGH = Column("high", "float64", "upper end of its interval")
CHANGE_LOW = Column("low", "float64", "lower end of its interval, NaN for fewer than 30 users")
CHANGE_HIGH = Column("high", "float64", "upper end of its interval, NaN for fewer than 30 users")
MEASURED = (VALUE, LOW, HIGH)
N_USERS = Column("n_users", "int64", "users judged")
P = Column("p", "float64", "probability by chance, two-sided, not corrected; NaN for fewer than 30 users")
SIZE = Column("size", "int64", "users in the group")
N_GROUPS = Column("n_groups", "int64", "number of groups, as asked for")
SCALE = (
    Column("floor", "float64", "the metric of the best single list for everybody"),
    Column("floor_method", "str", "which list that is; runs older than the column took `popularity`", later=True),
    Column("individual", "float64", "the metric of personal lists"),
    Column("oracle", "float64", "the metric of the best list possible for the same groups; strict only, else NaN"),
    Column("share_of_gain", "float64", "(value - floor) / (individual - floor)"),
)
SERVED = (
    GROUP,
    SIZE,
    Column("n_test_users", "int64", "members judged"),
    Column("ndcg@10", "float64", "mean nDCG@10 of the judged members, NaN without any"),
    Column("hit_rate@10", "float64", "share of them with a hit in the first ten"),
    Column("zero_hit_share", "float64", "share of them without one"),
)
