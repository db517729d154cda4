"""How often the encoding of an export is found: ``python -m benchmarks.encodings``.

Labels that the detection was not made with, in 22 encodings, by how many different labels a file has. Beside ours
stands charset-normalizer where it is installed. A text counts as found if it decodes to what was written, by whatever
name.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator

from grouprec.data.reading.encodings import legacy_encoding

WESTERN = [
    "Stühle|Bücher|Öl|Gemüse|Hähnchen|Wäschekorb|Türschloss|Äpfel",
    "Pâte à modeler|Épée|Clé|Télécommande|Bâton|Gâteau|Évier|Réveil",
    "Pañuelo|Azúcar|Champú|Tacón|Camión|Muñeca|Teléfono",
    "Chapéu|Cartão|Relógio|Maçã|Sabão|Calça",
    "Byxor blå|Kök|Färg röd|Lök|Äpple|Fågel",
]
POLISH = "Spódnica|Krzesło|Mąka|Żarówka|Zeszyt w linię|Młotek|Sól|Kołdra"
CZECH = "Košile|Sukně|Žárovka|Děti|Růžová|Tužka|Květináč|Houska pšeničná"
HUNGARIAN = "Szék|Cipő|Villáskulcs|Könnyű kabát|Zöld tea|Függöny"
RUSSIAN = "Рубашка|Молоток|Лампа|Зелёный чай|Шапка|Ботинки|Одеяло|Зонт"
GREEK = "Πουκάμισο|Σφυρί|Λάμπα|Πράσινο τσάι|Καπέλο|Παπούτσια"
TURKISH = "Gömlek|Çekiç|Yeşil çay|Şapka|Ayakkabı|Yağmurluk|Çanta"
JAPANESE = "シャツ|金槌|電気スタンド|緑茶|帽子|靴下|傘"
TEXTS = {
    **dict.fromkeys(("cp1252", "cp850", "mac-roman"), WESTERN),
    "cp1250": [POLISH, CZECH, HUNGARIAN, "Cămaşă|Mănuşi|Fustă|Pâine|Şosete|Ţigaie"],
    **{codec: [POLISH, CZECH, HUNGARIAN] for codec in ("cp852", "iso8859-2")},
    "cp1251": [RUSSIAN, "Сорочка|Зелений чай|Шапка|Ковдра|Парасоля|Їжа"],
    **{codec: [RUSSIAN] for codec in ("koi8-r", "cp866", "mac-cyrillic", "iso8859-5")},
    **{codec: [GREEK] for codec in ("cp1253", "iso8859-7")},
    **{codec: [TURKISH] for codec in ("cp1254", "iso8859-9")},
    "cp1255": ["חולצה|פטיש|מנורה|תה ירוק|כובע|נעליים"],
    "cp1256": ["قميص|مطرقة|مصباح|شاي أخضر|قبعة|حذاء"],
    "cp1257": ["Marškiniai|Žalioji arbata|Kepurė|Batai žieminiai|Skėtis", "Krēsls|Āmurs|Zaļā tēja|Cepure pelēka|Sega"],
    "cp874": ["เสื้อ|ค้อน|โคมไฟ|ชาเขียว|หมวก|รองเท้า"],
    **{codec: [JAPANESE] for codec in ("cp932", "euc_jp")},
    "cp949": ["셔츠|망치|전등|녹차|모자|신발"],
    "gb18030": ["衬衫|锤子|台灯|绿茶|帽子|鞋子|雨伞"],
    "big5": ["襯衫|錘子|檯燈|綠茶|帽子|鞋子|雨傘"],
}


def exports(n: int, each: int = 6) -> Iterator[tuple[str, str]]:
    """Yield codec and text of small exports with at most ``n`` different labels."""
    rng = random.Random(n)
    for codec, languages in TEXTS.items():
        for labels in languages:
            words = labels.split("|")
            for _ in range(each):
                chosen = rng.sample(words, min(n, len(words)))
                rows = [f"K{rng.randint(1, 999)},{word} {rng.randint(1, 30)},2024-01-01" for word in chosen]
                text = "user,item,date\n" + "\n".join(rows) + "\n"
                if not text.isascii():
                    yield codec, text


def share(detect: Callable[[bytes], str], n: int) -> tuple[int, int]:
    """Return how many exports decode to what was written, and how many there are."""
    right = total = 0
    for codec, text in exports(n):
        content = text.encode(codec)
        total += 1
        with contextlib.suppress(UnicodeDecodeError, LookupError):
            right += content.decode(detect(content)) == text
    return right, total


def main() -> None:
    """Print the table."""
    ways: dict[str, Callable[[bytes], str]] = {"by letters of languages": legacy_encoding}
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        pass
    else:

        def other(content: bytes) -> str:
            best = from_bytes(b"\n".join(line for line in content.splitlines() if not line.isascii())).best()
            return best.encoding if best is not None else "latin-1"

        ways["charset-normalizer"] = other
    print("| different labels | " + " | ".join(ways) + " |\n|---:|" + "---:|" * len(ways))
    for n in (1, 2, 5, 10):
        found = [share(detect, n) for detect in ways.values()]
        print(f"| {n} | " + " | ".join(f"{right / total:.1%} of {total}" for right, total in found) + " |")


if __name__ == "__main__":
    main()
