"""``python -m benchmarks.stages``: writes docs/stages.md from what the stages declare of themselves."""

from __future__ import annotations

import inspect
import re
from typing import Any

import grouprec.models.menu  # noqa: F401  # fills the registries
from grouprec.core.site import app_root
from grouprec.models import base as contracts
from grouprec.models.base import REGISTRIES, Stage, StageConfig
from grouprec.models.declared import words_of
from grouprec.ranking.strategies import STRATEGIES

TARGET = app_root() / "docs" / "stages.md"

HEAD = """# Stages

Written by `make docs` from the declarations in `grouprec/models/` and `grouprec/ranking/strategies.py`; a test
compares. Any setting below is changed by `--set name.setting=value` on the command line, or in the form on the Train
page. Defaults are those of preset `standard`; where another preset differs, it says so.
"""

PROTOCOL = """The *neighbourhood* of every encoder says how near it comes to figures of others. Unless it says
otherwise: nDCG@10 on MovieLens 100K, every rating counted as 1, each user's ratings split at random into 70 % training,
10 % validation and 20 % test, settings chosen on the validation part, then trained on the 80 %; full ranking of all
items new to the user; one seed. *By time* splits off every user's last 20 % instead. *Reference*: an independent
benchmark on the same protocol, which measured EASE .444, ALS (package implicit) .438 and RecBole's MultiVAE .425 at
random, EASE .204 and ALS .200 by time. *RecBole's table*: its published benchmark on MovieLens 1M (Zhao et al. 2021,
RecBole, CIKM; ratings of 3 and more, users and items with at least 10, random 8:1:1, full ranking): ItemKNN .239, BPR
.241, LightGCN .248, MultiVAE .252, EASE .287. Other data have another level, so only ratios to EASE are compared with
it. Published on MovieLens 100K itself, every rating counted as 1: CFGAN (Chae et al. 2018, CIKM) nDCG@5 .476, where a
plain EASE reached .466 on a random split of 80 to 20.
"""


def document() -> str:
    """Return the whole page as Markdown."""
    return "\n".join([HEAD, *(_kind(kind) for kind in REGISTRIES), _strategies()])


def _kind(kind: str) -> str:
    """Return the section of one kind of stage: what it promises, the menu, then stage by stage."""
    base = getattr(contracts, kind.capitalize())
    stages = dict(REGISTRIES[kind].items())
    menu = [(f"[`{name}`](#{name})", stage.title, stage.cite) for name, stage in sorted(stages.items())]
    parts = [f"## {kind.capitalize()}s", _first_paragraph(base), markdown_table(("name", "title", "source"), menu)]
    if kind == "encoder":
        parts.append(PROTOCOL.strip())
    return "\n\n".join([*parts, *(_stage(stage) for _, stage in sorted(stages.items()))]) + "\n"


def _stage(stage: type[Stage]) -> str:
    """Return what one stage is and its settings."""
    parts = [f"### {stage.name}", f"**{stage.title}.** {_first_paragraph(stage)}"]
    if stage.kind == "encoder":
        words = words_of(stage.kind, stage.name)
        parts.append(f"*Neighbourhood*: {(words and words.measured) or 'not measured on this protocol yet.'}")
    rows = [_setting(stage.Config, name) for name in stage.Config.model_fields]
    parts.append(markdown_table(("setting", "default", "bounds", "what it is"), rows) if rows else "No settings.")
    return "\n\n".join(parts)


def _setting(config: type[StageConfig], name: str) -> tuple[str, str, str, str]:
    """Return name, default by preset, bounds and description of one setting."""
    by_preset = {preset: getattr(config.for_preset(preset), name) for preset in contracts.PRESETS}
    usual = by_preset["standard"]
    others = [f"{preset} {_shown(value)}" for preset, value in by_preset.items() if value != usual]
    default = _shown(usual) + (f" ({', '.join(others)})" if others else "")
    schema = config.model_json_schema()["properties"][name]
    return f"`{name}`", default, _bounds(schema), schema["description"]


def _bounds(schema: dict[str, Any]) -> str:
    """Return which values a setting may take, from its JSON schema."""
    if "enum" in schema:
        return ", ".join(map(_shown, schema["enum"]))
    if schema.get("type") == "boolean":
        return "yes, no"
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    bounds = [(low, "from"), (above, "above"), (high, "to"), (below, "below")]
    return " ".join(f"{word} {_shown(value)}" for value, word in bounds if value is not None)


def _shown(value: Any) -> str:
    """Return a value as people write it; JSON Schema turns bounds of whole numbers into floats."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_shown, value)) or "none"
    return f"{value:,.10g}" if isinstance(value, (int, float)) else str(value) or "empty"


def _strategies() -> str:
    """Return the section of the aggregation strategies."""
    rows = [(f"`{one.name}`", one.title, one.cite, one.explanation) for one in STRATEGIES.values()]
    head = "How the members' predicted preferences become one list: `--set rules.strategy=name`."
    table = markdown_table(("name", "title", "source", "what it does"), rows)
    return "\n\n".join(["## Strategies", head, table]) + "\n"


def _first_paragraph(described: type) -> str:
    """Return the first paragraph of a docstring as Markdown."""
    text = " ".join((inspect.getdoc(described) or "").split("\n\n")[0].split())
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text)
    return text.replace("``", "`")


def markdown_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main() -> None:
    TARGET.write_text(document(), encoding="utf-8")
    print(f"Wrote {TARGET}.")


if __name__ == "__main__":
    main()
