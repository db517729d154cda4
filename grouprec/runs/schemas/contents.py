"""The tables of what a run is about: its data, its groups and their lists."""

from __future__ import annotations

from grouprec.runs.schemas.columns import GROUP, ITEM, LABEL, METHOD, N_GROUPS, RANK, REGIME, SCORE, SIZE, USER
from grouprec.runs.schemas.table import Column, Table

# -- what a run is about

ABOUT = (
    Table(
        "users",
        "A user, also those that the preparation left out of training.",
        (
            USER,
            Column("group", "int32", "the user's group, from 1"),
            Column("x", "float32", "place on the map of users; NaN where the user took no part in training"),
            Column("y", "float32", "place on the map of users; NaN where the user took no part in training"),
            Column("interactions", "int32", "different items that the user has"),
            Column("in_training", "bool", "whether the user took part in training"),
        ),
        more=Column("attribute", "", "attributes of the users' file, and recency_days, frequency and spend"),
        later=False,
    ),
    Table(
        "items",
        "An item.",
        (ITEM, LABEL, Column("users", "int64", "users who have it")),
        more=Column("attribute", "", "attributes of the items' file, and price"),
        later=False,
    ),
    Table(
        "held_out",
        "An interaction of the test part, oldest first, at most 100,000.",
        (USER, ITEM, LABEL, Column("time", "float64", "seconds since 1970, NaN without times")),
    ),
    Table(
        "live_moment",
        "An item of the list that moved first while the test part was replayed; no rows where none did.",
        (
            Column("events", "int64", "events until then"),
            Column("group", "int64", "whose list it is, from 1, of the groups that were judged"),
            Column("size", "int64", "its members then"),
            ITEM,
            LABEL,
            Column("before", "int64", "place before the first event, from 1; 0 where it was not among the first ten"),
            Column("now", "int64", "place after them; 0 where it is not"),
        ),
    ),
    Table(
        "preparation",
        "A step of the preparation, in order.",
        (
            Column("step", "str", "its name"),
            Column("rows_before", "int64", "rows that it got"),
            Column("rows_after", "int64", "rows that it left"),
            Column("dropped", "int64", "the difference"),
            Column("note", "str", "what it found, in words"),
        ),
        later=False,
    ),
)

# -- groups

GROUPS = (
    Table(
        "groups",
        "A group.",
        (
            GROUP,
            Column("name", "str", "after the items that tell it from the others"),
            SIZE,
            Column("share", "float64", "share of all users in training, 0 to 1"),
            Column("separation", "float64", "mean silhouette of its members, -1 to 1; NaN outside the sample"),
            Column("words", "str", "words of its items' labels that tell it from the others, by comma"),
        ),
        later=False,
    ),
    Table(
        "group_items",
        "An item that tells a group from the others, at most ten of each.",
        (
            GROUP,
            RANK,
            ITEM,
            LABEL,
            Column("share_in_group", "float64", "share of members who have it, 0 to 1"),
            Column("share_overall", "float64", "share of all users who have it, 0 to 1"),
            Column("lift", "float64", "the first share over the second, above 1"),
            Column("lift_low", "float64", "lower end of its interval", later=True),
            Column("lift_high", "float64", "upper end of its interval", later=True),
        ),
        later=False,
    ),
    Table(
        "group_attributes",
        "An attribute in which a group differs from all users, at most five of each.",
        (
            GROUP,
            RANK,
            Column("attribute", "str", "its name in the file"),
            Column("kind", "str", "`share` of members with the value, or `median` of a number"),
            Column("value", "str", "the value, empty for medians"),
            Column("in_group", "float64", "share or median of the members"),
            Column("overall", "float64", "the same of all users"),
            Column("lift", "float64", "in_group / overall, NaN where overall is 0"),
            Column("z", "float64", "the difference in standard errors, at least 2 or at most -2"),
            Column("p", "float64", "probability by chance, not corrected", later=True),
            Column("tests", "int64", "such tests in all, the same in every row", later=True),
            Column("p_adjusted", "float64", "p by Holm over all tests", later=True),
            Column("significant", "bool", "whether p_adjusted is below .05", later=True),
        ),
        later=False,
    ),
    Table(
        "group_rules",
        "A group, by what all of its members have in common; whoever meets the conditions belongs to it.",
        (
            GROUP,
            Column("sentence", "str", "the conditions in words"),
            Column(
                "sql",
                "str",
                "a query over `users` (user_id and attributes), `items` (item_id, item_label and attributes) and "
                "`interactions` (user_id, item_id), as the run read them",
            ),
            Column("json", "str", "the conditions as a list; all of them hold, and what is not known is below a bound"),
        ),
        when="groups are formed by rules",
    ),
    Table(
        "group_profiles",
        "A group, by how wide and uniform it is.",
        (
            GROUP,
            Column(
                "spread", "float64", "mean distance of members to the group's latent mean; 1 as all users to theirs"
            ),
            Column("diversity", "float64", "1 - mean cosine of two members' tastes; NaN for fewer than two"),
            Column("diversity_overall", "float64", "the same of any two users"),
            Column("borderline", "float64", "share of members on the border to another group, 0 to 1"),
            Column("nearest", "Int64", "the nearest group in latent space, missing where there is no other"),
            Column("distance", "float64", "how far that is, in standard deviations within a group; NaN likewise"),
        ),
    ),
    Table(
        "group_members",
        "A typical or a borderline member, at most ten of each in a group.",
        (
            Column("group", "int32", "the group's number, from 1"),
            Column("kind", "str", "`typical` or `borderline`"),
            RANK,
            USER,
            Column("distance", "float64", "to the group's latent mean; 1 as all users to theirs on average"),
            Column("other", "Int64", "the nearest other group, missing where there is none"),
            Column(
                "margin", "float64", "how much farther that is: 0 on the border, 1 as other groups on average, or NaN"
            ),
        ),
    ),
    Table(
        "group_neighbours",
        "A pair of groups, in this order; nearest first.",
        (
            GROUP,
            Column("other", "int64", "the other group"),
            Column("distance", "float64", "of their latent means, in standard deviations within a group"),
            Column("borderline", "float64", "share of the group's members on the border to the other, 0 to 1"),
            Column("overlap", "float64", "Jaccard index of the first ten items of their lists, 0 to 1"),
        ),
    ),
    Table(
        "group_activity",
        "A group in a calendar period; at most 26 periods.",
        (
            GROUP,
            Column("period", "datetime64[us]", "its first moment"),
            Column("events", "int64", "interactions of members in it"),
            Column("users", "int64", "members with one"),
            Column("share", "float64", "share of all users' interactions in it, 0 to 1; NaN where there are none"),
        ),
        when="the data have times",
    ),
)

# -- lists

LISTS = (
    Table(
        "group_lists",
        "An item on a group's list.",
        (
            GROUP,
            METHOD,
            REGIME,
            RANK,
            ITEM,
            LABEL,
            SCORE,
            Column("reach", "float32", "share of members among whose personal candidates it is, 0 to 1"),
            Column("owned", "float32", "share of members who have it, 0 to 1"),
        ),
        later=False,
    ),
    Table(
        "new_items",
        "An item that nobody has on a group's list, with one of the items that it is like, at most five of each.",
        (
            GROUP,
            Column("rank", "int64", "among the new items of the group, from 1, the most wanted first"),
            ITEM,
            LABEL,
            Column("score", "float32", "the members' mean chance of taking the items that it is like, 0 to 1"),
            Column("like", "str", "id of an item that it is like by what is known of them, the strongest first"),
            Column("like_label", "str", "what that is called"),
            Column("share", "float64", "part of the score that comes from it, 0 to 1; others have the rest"),
        ),
        when="lists have places for new items (`rules.new_items`)",
    ),
    Table(
        "user_lists",
        "An item on a user's personal list, at most 50 of each.",
        (USER, RANK, ITEM, LABEL, SCORE),
        later=False,
    ),
    Table(
        "what_if_labels",
        "A user in training, in the order of `users`.",
        (),
        more=Column(
            "number", "int16", "the user's group, from 1, with that number of groups, which is the column's name"
        ),
    ),
    Table(
        "what_if_groups",
        "A group, with every number of groups.",
        (GROUP, Column("name", "str", "after its items"), SIZE, N_GROUPS),
    ),
    Table(
        "what_if_lists",
        "An item among the first ten of a group's exported lists, with every number of groups.",
        (GROUP, REGIME, RANK, ITEM, LABEL, N_GROUPS),
    ),
)
