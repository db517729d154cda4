"""How a delimited text is laid out, whatever stands around the table."""

import pytest

from grouprec.core.types import DataError
from grouprec.data.reading.find_layout import find_layout
from grouprec.data.reading.read import read

ROWS = [
    (f"K{100 + n % 7}", f"A{n % 5}", "Blue, big Mug" if n % 3 else 'Mug "new"', f"2024-01-{1 + n % 28:02d}")
    for n in range(40)
]


def body(delimiter=",", quote='"', escape='"'):
    def field(value):
        if delimiter in value or quote in value:
            return quote + value.replace(quote, escape + quote) + quote
        return value

    return [delimiter.join(map(field, row)) for row in ROWS]


HEADER = "user,item,title,date"
FILMS = ("Drama", "Drama|War", "War")
PEOPLE = ("user_id", "gender", "age", "occupation", "zip code")
RENAMED = [("user", "item", "title", "date")]
EXPORTS = {
    "plain": [HEADER, *body()],
    "semicolons": [HEADER.replace(",", ";"), *body(";")],
    "two colons": [HEADER.replace(",", "::"), *body("::")],
    "single quotes": [
        HEADER,
        *[line.replace('"', "\x00").replace("\x00\x00", '"').replace("\x00", "'") for line in body()],
    ],
    "escaped marks": [HEADER, *body(escape="\\")],
    "whole rows quoted": ['"' + line.replace('"', '""') + '"' for line in [HEADER, *body()]],
    "spaces after commas": [
        HEADER.replace(",", ", "),
        *[line.replace(",K", ", K").replace(',"', ', "').replace(",A", ", A").replace(",2", ", 2") for line in body()],
    ],
    "title above": ["Sales report", "Generated 2024-02-05 by Shop,,,", "", HEADER, *body()],
    "comments above": ["# made by a shop, on 2024-02-05, version 2, all", "# all of it", HEADER, *body()],
    "facts above": ["From,2024-01-01,To,2024-02-01", "", HEADER, *body()],
    "a mark before the header": ["#" + HEADER, *body()],
    "units below the header": [HEADER, "text,text,text,day", *body()],
    "groups above the header": ["who,what,,when", HEADER, *body()],
    "delimiters at the end": [line + "," for line in [HEADER, *body()]],
    "said for Excel": ["sep=,", HEADER, *body()],
    "blank lines": [one for line in [HEADER, *body()] for one in (line, "")],
    "blanks and a mark of Excel": ["\ufeff" + HEADER, *body()],
}


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_the_same_rows_are_read_from_every_layout(tmp_path, name, end):
    path = tmp_path / "a.csv"
    path.write_bytes(end.join(EXPORTS[name]).encode() + end.encode())
    found = read(path)
    assert tuple(found.frame.columns) in RENAMED
    assert [tuple(row) for row in found.frame.to_numpy()] == ROWS
    assert not len(found.rejects)


def test_lines_around_the_table_are_told(tmp_path):
    assert find_layout("a", "\n".join(EXPORTS["title above"])).notes == ("2 lines above the header were left out",)
    assert find_layout("a", "\n".join(EXPORTS["units below the header"])).notes == (
        "the second line of the header was left out",
    )
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *body(), "", '"Rows: 40"']))
    found = read(path)
    assert [(row.line, row.rule) for row in found.rejects.rows] == [(43, "1 value where the header has 4 columns")]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (
            ["196::242::3::881250949", "186::302::3::891717742", "22::377::1::878887116"],
            ("user_id", "item_id", "rating", "timestamp"),
        ),
        (["K196,A242,3", "K186,A302,3", "K22,A377,1"], ("column 1", "column 2", "column 3")),
        ([f"{n}::Film (19{n})::{FILMS[n % 3]}" for n in range(10, 30)], ("item_id", "title", "genres")),
        ([f"{n}::Film (19{n})::{n}0" for n in range(10, 30)], ("column 1", "column 2", "column 3")),
        (["1::F::25::writer::55117", "2::M::56::artist::V3N4P", "3::M::1::none::0"], PEOPLE),
        (["1|25|F|writer|55117", "2|56|M|artist|V3N4P", "3|1|M|none|0"], tuple(PEOPLE[at] for at in (0, 2, 1, 3, 4))),
        (["1|250|F|writer|5", "2|560|M|artist|V3", "3|100|M|none|0"], tuple(f"column {n}" for n in range(1, 6))),
        (["a,b,a", "1,2,3", "4,5,6"], ("a", "b", "a (2)")),
        (["user,,item", "1,2,3", "4,5,6"], ("user", "", "item")),
        (["who,,what", "id,country,id", "K1,DE,A1", "K2,FR,A2"], ("who id", "who country", "what id")),
        (["user,item", "anna,milk", "bert,tea"], ("user", "item")),
        (["2021,2022", "3,4", "5,6"], ("column 1", "column 2")),
        (['"id" "item"', '"1" 7 "a"', '"2" 8 "b"'], ("", "id", "item")),
    ],
)
def test_columns_are_named(lines, names):
    found = find_layout("a.csv", "\n".join(lines))
    assert found.names == names
    assert found.named == (not names[0].startswith(("column", "user_id", "item_id")))
    assert found.named or "there is no header line" in found.notes[0]


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["user_id,item_id,tags;more;x;y", *[f"{40000 + n},{700 + n},a;b;c;d" for n in range(30)]], ","),
        (["a;b;c", *[f"K{n};1,5;2,{n}" for n in range(30)]], ";"),
        (["a\tb\tc", *[f"K{n}\tOne, two\t2024-01-01 10:0{n % 10}" for n in range(30)]], "\t"),
        (["a|b", *[f"K{n}|x y z" for n in range(30)]], "|"),
        (["user item when", *[f"K{n} A{n % 4} 2024-01-0{1 + n % 9}" for n in range(30)]], " "),
        (["time,user", *[f"2024-01-01 10:0{n % 10}:00,K{n}" for n in range(30)]], ","),
    ],
)
def test_the_delimiter_makes_columns_of_one_kind(lines, delimiter):
    assert find_layout("a.csv", "\n".join(lines)).delimiter == delimiter


def test_films_with_a_flag_for_every_genre_get_their_names():
    films = [f"{n}|Film {n} (199{n})|01-Jan-199{n}||http://x/{n}" for n in range(5)]
    lines = [f"{film}|{'|'.join('01'[at == 5 + n] for at in range(19))}" for n, film in enumerate(films)]
    names = find_layout("u.item", "\n".join(lines)).names
    assert names[:2] == ("item_id", "title") and names[10:12] == ("Comedy", "Crime") and len(names) == 24


def test_a_single_column_is_refused():
    with pytest.raises(DataError, match=r"single column, 'useritem'.*wrong delimiter"):
        find_layout("a.csv", "useritem\nab\n")
