"""Where a user is named, and where a number is only a number."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from grouprec.core.mentions import mention_of, names_any, without_mentions


@pytest.mark.parametrize(
    ("user", "text", "left"),
    [
        ("anna@x.org", "Ask anna@x.org, not joanna@x.org.", "Ask [removed], not joanna@x.org."),
        ("12", "12 epochs at 12:12; only one user, '12'.", "12 epochs at 12:12; only one user, '[removed]'."),
        ("17850123", "line 3 has 17850123", "line 3 has [removed]"),
        ("a.c", "abc a.c", "abc [removed]"),
    ],
)
def test_a_mention_is_a_word_of_its_own(user: str, text: str, left: str) -> None:
    assert without_mentions(text, mention_of([user])) == left


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_file_names_somebody_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes("user,item\nhélène,3\n".encode(encoding))
    assert names_any(path, {"hélène"}) and not names_any(path, {"hélèn", "3"})
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert names_any(path, {"hélène"})
