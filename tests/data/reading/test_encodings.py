"""Which encoding bytes have, for short and for longer texts of every language that exports come in."""

import random

import pytest

from grouprec.core.types import DataError, SettingError
from grouprec.data.reading import encodings
from grouprec.data.reading.encodings import check_name, is_mixed, legacy_encoding, unmarked_utf
from grouprec.data.reading.read import Reading, peek, read

RUSSIAN = "Свеча ароматная|Деревянная ложка|Синяя кружка|Кухонный стул|Книга рецептов|Настенные часы|Красная чашка"
GERMAN = "Größe L|Schüssel|Teelöffel|Wollmütze grün|Kühlschrank|Fußmatte|Löwe"
FRENCH = "Café crème|Théière bleue|Crêpe|Forêt|Boîte à thé|Château|Garçon"
POLISH = "Świeca zapachowa|Książka kucharska|Łyżka drewniana|Poduszka żółta|Kubek z łosiem|Ręcznik|Zegar ścienny"
CZECH = "Dřevěná lžíce|Svíčka vonná|Modrý hrnek|Židle kuchyňská|Přikrývka vlněná|Nástěnné hodiny|Čajová konvice"
GREEK = "Κόκκινη καρέκλα|Μπλε κούπα|Ξύλινο κουτάλι|Βιβλίο συνταγών|Μάλλινη κουβέρτα|Ρολόι τοίχου"
TURKISH = "Kırmızı sandalye|Mavi fincan|Tahta kaşık|Yemek kitabı|Yün battaniye|Gümüş çatal|Şişe"
JAPANESE = "赤い椅子|青いマグカップ|木のスプーン|料理の本|ウールの毛布|ヘブライ語|ソファ"
TEXTS = [
    *((codec, GERMAN) for codec in ("cp1252", "cp850", "mac-roman")),
    *((codec, FRENCH) for codec in ("cp1252", "cp850", "mac-roman")),
    ("cp1252", "Niño|Cuchara de baño|Jarrón|Piñata|Lámpara pequeña|Sillón"),
    ("cp1252", "Rød kop|Blå stol|Træske|Kødben|Smørekniv|Grøn hue"),
    ("cp1252", "Pão de açúcar|Colher de chá|Lâmpada|Balão|Coração"),
    *((codec, POLISH) for codec in ("cp1250", "iso8859-2", "cp852")),
    *((codec, CZECH) for codec in ("cp1250", "cp852")),
    ("cp1250", "Könyv|Gyertya illatos|Kék bögre|Fából készült kanál|Törölköző|Fűszertartó|Őszi levél"),
    *((codec, RUSSIAN) for codec in ("cp1251", "koi8-r", "cp866", "mac-cyrillic", "iso8859-5")),
    ("cp1251", "Свічка ароматна|Синя чашка|Кухонний стілець|Книга рецептів|Їжачок"),
    ("cp1253", GREEK),
    ("cp1254", TURKISH),
    ("cp1255", "כיסא אדום|ספל כחול|כף עץ|ספר מתכונים|שמיכת צמר|שעון קיר"),
    ("cp1256", "كرسي أحمر|كوب أزرق|ملعقة خشبية|كتاب وصفات|بطانية صوف|ساعة حائط"),
    ("cp1257", "Raudona kėdė|Mėlynas puodelis|Medinis šaukštas|Receptų knyga|Vilnonė antklodė"),
    ("cp1257", "Sarkans krēsls|Zila krūze|Koka karote|Recepšu grāmata|Sienas pulkstenis"),
    ("cp874", "เก้าอี้สีแดง|แก้วสีฟ้า|ช้อนไม้|หนังสือ|ผ้าห่ม|นาฬิกา"),
    *((codec, JAPANESE) for codec in ("cp932", "euc_jp")),
    ("cp949", "빨간 의자|파란 컵|나무 숟가락|요리책|양모 담요|벽시계"),
    ("gb18030", "红色椅子|蓝色杯子|木勺|菜谱|羊毛毯|挂钟|张三的苹果手机"),
    ("big5", "紅色椅子|藍色杯子|木勺|食譜|羊毛毯|掛鐘|茶壺"),
]


def export(labels: str, n: int, seed: int) -> str:
    rng = random.Random(seed)
    words = labels.split("|")
    chosen = rng.sample(words, min(n, len(words)))
    lines = [f"K{rng.randint(1, 999)},{word} {rng.randint(1, 30)},2024-01-01" for word in chosen]
    return "user,item,date\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(("codec", "labels"), TEXTS, ids=[f"{codec}-{text[:8]}" for codec, text in TEXTS])
@pytest.mark.parametrize("n", [5, 50])
def test_the_encoding_is_the_one_in_which_the_letters_make_a_language(codec, labels, n):
    for seed in range(2):
        text = export(labels, n, seed)
        content = text.encode(codec)
        assert content.decode(legacy_encoding(content)) == text


def test_the_labels_of_a_file_are_read_and_shown(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(export(POLISH, 7, 0).encode("cp1250"))
    found = read(path)
    assert found.encoding == "cp1250" and found.frame["item"].str.contains("Książka").any()
    assert found.notes[0].startswith("the text is not UTF-8 and was read as cp1250, as in ")
    chosen = read(path, None, Reading(encoding="latin-1"))
    assert chosen.encoding == "iso8859-1" and chosen.frame["item"].str.contains("Ksi¹¿ka").any()
    assert peek(path, Reading(encoding="ISO-8859-2")).encoding == "iso8859-2"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("labels", [RUSSIAN, JAPANESE, GERMAN], ids=["russian", "japanese", "german"])
def test_unicode_is_read_with_and_without_a_mark(tmp_path, codec, labels):
    text = export(labels, 7, 0)
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(codec))
    table = read(path).frame
    assert [",".join(row) for row in table.to_numpy()] == text.splitlines()[1:]
    assert unmarked_utf(text.encode(codec)) in (codec, None) or "-" in codec


def test_a_file_that_mixes_encodings_is_refused_unless_few_lines_differ_or_somebody_says_so(tmp_path):
    path = tmp_path / "a.csv"
    new, old = "K1,Café Oak\n".encode() * 30, "K2,Café Tin\n".encode("cp1252") * 30
    path.write_bytes(b"user,item\n" + new + old)
    assert is_mixed(path.read_bytes()) == "cp1252"
    with pytest.raises(DataError, match="30 of 61 lines are not UTF-8 like the others, the first is line 32"):
        read(path)
    assert set(read(path, None, Reading(encoding="mixed")).frame["item"]) == {"Café Oak", "Café Tin"}
    path.write_bytes(b"user,item\n" + new * 9 + old[:14])
    found = read(path)
    assert found.frame["item"].iloc[-1] == "Café Tin" and "1 line that is not UTF-8" in found.notes[0]


def test_bytes_that_an_encoding_does_not_have_stay_distinct_and_are_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"user,item\na,x\x81\nb,x\x8d\n")
    found = read(path, None, Reading(encoding="cp1252"))
    assert found.frame["item"].nunique() == 2 and "2 bytes that cp1252 does not have" in found.notes[0]
    path.write_bytes(b"user,item\na,x\xe9\nb,y\n")
    assert "1 byte that utf-8" in read(path, None, Reading(encoding="utf-8")).notes[0]


@pytest.mark.parametrize("name", ["klingon", "rot13", "base64", "a\0b"])
def test_an_encoding_that_is_none_is_refused(name):
    with pytest.raises(SettingError, match="There is no encoding"):
        check_name(name)


@pytest.mark.parametrize(("name", "codec"), [("", ""), ("CP-1252 ", "cp1252"), ("ascii", "utf-8"), ("Mixed", "mixed")])
def test_encodings_have_many_names(name, codec):
    assert check_name(name) == codec


def test_one_word_without_an_end_is_looked_at_as_far_as_others(monkeypatch):
    seen = []
    monkeypatch.setattr(encodings, "_score", lambda words, codec: seen.append(sum(map(len, words))) or 0.0)
    legacy_encoding(b"user,item\n" + b"\xe9\xf1" * 100_000)
    assert max(seen) <= 2 * encodings._SAMPLE
