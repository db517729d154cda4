"""What letters beyond ASCII the languages of exports use, the frequent ones first: how an unnamed encoding is told."""

from __future__ import annotations

import functools
import math
import unicodedata

# A letter that is not here may still occur in that language (a foreign name): it is unlikely, not impossible.
LATIN = {
    "german": "äüöß",
    "french": "éèàêçôâûîùïëœÉæÿ",
    "spanish": "óáíéñúü¿¡ª",
    "portuguese": "ãçáéõíóêâôúàº",
    "italian": "àèòùìéª",
    "nordic": "åäøæöéüØÅ",
    "western": "éèàöäüßçáíóñúãõêôâîûïëòìùåæøœ",
    "icelandic": "áíðéóöæúþý",
    "polish": "ąęłóżśćźń",
    "czech": "áíéěřčýžšůúňťďó",
    "slovak": "áíéčýžšúľňťóôäďĺŕ",
    "hungarian": "éáóöőíüúű",
    "romanian": "ăâîșțşţ",
    "south slavic": "čšžćđ",
    "turkish": "ıişçğüöİâîû",
    "estonian": "õäöüšž",
    "latvian": "āēšīžčūķļņģ",
    "lithuanian": "ėšąųžęįčū",
    "vietnamese": "đăâơưôêáàạảãéèẻẽẹóòỏõọúùủũụíìỉĩịýỳ",
}
OTHER = {
    "russian": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "ukrainian": "оаинівретсклудмпзяьбгйчхжїцшюєфщґ",
    "bulgarian": "аоиентрсвлкдпмзбугячъщцхжшйюфь",
    "serbian": "аоиенрстујквмдплзгбшцчћжњљхђфџ",
    "greek": "αοιετνσηρπκμλςυάίόθωέδγφήχύξζβώψϊΐ",
    "hebrew": "יוהלאמרתבשנעםדפחקכגטזסןצךףץ",
    "arabic": "اليمنرتوبةعدسفهكقحجشأصطخضزذثغىءإآئؤظ،پچژگ",
    "thai": "านรอกเงมยลวดท่สต้ัีบปคิุ์หแจพขใชไำผะื็ูโฟภธถซศณญึฐๆษฉฮฯฎฆฏฒฤฌ",
}
# The syllables of most Korean text; bytes of Chinese taken for Korean give rare ones.
HANGUL = frozenset(
    "이다는에의가하을고지를로기한사은도어인자대리수나시아정스있서전주보해일그부제라원상들여장구과공만성조동소비안선오게면무방명경화세관모신마미"
    "용물우바크당생차회거발년연행유진요치학중남호영개출국등반실점양통체업법금저분입내산건강교트레파간초판집노위계운민론품카플터프드디송단달설피포"
    "속임재직추처식번름객매량문격코역적편와될되된때또더던데두러려료른르린림말맛머먹목못문및받밝복본불빵색석술스습싸씨알야약얼없었여예완왕외울월육으음"
)
_UNKNOWN = -9.5  # of a letter that the language does not use
_SIGNS = dict.fromkeys("’‘“”„–—…€£«»°®©™№¥×・ー「」【】、。（）！：／～　", -5.0)
_SIGNS["\xa0"] = -6.0
_OPENING = set("«„“‘€£№¥×(「【（")  # stand before a word; the others behind it
_IN_WORD = set("’-")
_VOWELS = set("аеиоуыэюяёіїєъйαεηιουωάέήίόύώϊϋΐ")
_LAST_ONLY = set("ςםןץףךةى")  # letters that end a word and stand nowhere else
_NEVER_LAST = set("σכמנצ")


@functools.cache
def letter_costs(language: str) -> dict[str, float]:
    """Return the log probability of every letter of a language, small and capital."""
    letters = (LATIN | OTHER)[language]
    # Frequencies of letters fall about geometrically with their rank; the frequent half takes most of the text.
    weights = [math.exp(-2.6 * rank / len(letters)) for rank in range(len(letters))]
    total = sum(weights)
    costs = {letter: math.log(weight / total) for letter, weight in zip(letters, weights, strict=True)}
    for letter in letters:
        capital = letter.upper()
        if len(capital) == 1:
            costs.setdefault(capital, costs[letter] - 1.5)
    return costs


def sign_cost(sign: str, before: str, after: str) -> float:
    """Return the log probability of a character that is no letter: typography is likely at the edge of a word only."""
    inside = before.isalpha() and after.isalpha()
    if sign in _SIGNS:
        misplaced = (inside and sign not in _IN_WORD) or (after.isalpha() and sign not in _OPENING | _IN_WORD)
        return _SIGNS[sign] - (6.0 if misplaced else 0.0)
    if unicodedata.category(sign) in ("Cc", "Co", "Cn"):
        return -16.0
    return -13.0 if inside else -10.0


def unknown_cost(letter: str) -> float:
    """Return the log probability of a letter that the language does not use."""
    return _UNKNOWN if letter.isalpha() else -11.0


def spelling_cost(text: str, language: str) -> float:
    """Return what the order of letters tells: runs without a vowel, and letters that end words or never do."""
    total = 0.0
    with_vowels = language in ("russian", "ukrainian", "bulgarian", "serbian", "greek")
    for word in text.lower().split():
        run, vowel = 0, False
        for at, letter in enumerate(word):
            last = at + 1 == len(word) or not word[at + 1].isalpha()
            total -= 6.0 * (letter in _LAST_ONLY and not last) + 5.0 * (letter in _NEVER_LAST and last and at > 0)
            same = (letter in _VOWELS) == vowel
            run, vowel = (run + 1 if same else 1), letter in _VOWELS
            if with_vowels and letter > "\x7f" and run > 3:
                total -= 3.0
    return total
