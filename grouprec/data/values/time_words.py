"""Words that stand in dates: months, halves of the day and time zones in many languages. Data, no code."""

from __future__ import annotations

from grouprec.data.values.common import folded

# Twelve months a line, written long, "|" between forms; every form counts from its third letter on, too, where no
# other month begins like that. Cases of Polish and Russian stand beside the name.
_MONTHS = (
    "january february march april may june july august september|sept october november december",
    "januar|jänner februar|feber märz|maerz|mrz april mai juni juli august september oktober november dezember",
    "enero febrero marzo abril mayo junio julio agosto septiembre|setiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari maart|mrt april mei juni juli augustus september oktober november december",
    "styczeń|stycznia luty|lutego marzec|marca kwiecień|kwietnia maj|maja czerwiec|czerwca lipiec|lipca "
    "sierpień|sierpnia wrzesień|września październik|października listopad|listopada grudzień|grudnia",
    "январь|января февраль|февраля март|марта апрель|апреля май|мая июнь|июня июль|июля август|августа "
    "сентябрь|сентября октябрь|октября ноябрь|ноября декабрь|декабря",
    "janvier février|fevr mars avril mai juin juillet août septembre octobre novembre décembre",
    "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "januar februar marts|mars april maj|mai juni juli august september oktober november desember",
    "tammikuu|tammikuuta helmikuu|helmikuuta maaliskuu|maaliskuuta huhtikuu|huhtikuuta toukokuu|toukokuuta "
    "kesäkuu|kesäkuuta heinäkuu|heinäkuuta elokuu|elokuuta syyskuu|syyskuuta lokakuu|lokakuuta marraskuu|marraskuuta "
    "joulukuu|joulukuuta",
    "leden|ledna únor|února březen|března duben|dubna květen|května červen|června červenec|července srpen|srpna "
    "září říjen|října listopad|listopadu prosinec|prosince",
    "január február marec|marca apríl|apríla máj|mája jún|júna júl|júla august|augusta september október november "
    "december",
    "január február|febr március|márc április máj|május június július augusztus szeptember|szept október november "
    "december",
    "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
    "ιανουάριος|ιανουαρίου φεβρουάριος|φεβρουαρίου μάρτιος|μαρτίου απρίλιος|απριλίου μάιος|μαΐου ιούνιος|ιουνίου "
    "ιούλιος|ιουλίου αύγουστος|αυγούστου σεπτέμβριος|σεπτεμβρίου οκτώβριος|οκτωβρίου νοέμβριος|νοεμβρίου "
    "δεκέμβριος|δεκεμβρίου",
    "січень|січня лютий|лютого березень|березня квітень|квітня травень|травня червень|червня липень|липня "
    "серпень|серпня вересень|вересня жовтень|жовтня листопад|листопада грудень|грудня",
    "януари февруари март април май юни юли август септември октомври ноември декември",
    "januari februari maret april mei juni juli agustus september oktober november desember",
    "มกราคม|ม.ค กุมภาพันธ์|ก.พ มีนาคม|มี.ค เมษายน|เม.ย พฤษภาคม|พ.ค มิถุนายน|มิ.ย กรกฎาคม|ก.ค สิงหาคม|ส.ค กันยายน|ก.ย "
    "ตุลาคม|ต.ค พฤศจิกายน|พ.ย ธันวาคม|ธ.ค",
    "يناير فبراير مارس أبريل|ابريل مايو يونيو يوليو أغسطس|اغسطس سبتمبر أكتوبر|اكتوبر نوفمبر ديسمبر",
    "ינואר|בינואר פברואר|בפברואר מרץ|במרץ אפריל|באפריל מאי|במאי יוני|ביוני יולי|ביולי אוגוסט|באוגוסט "
    "ספטמבר|בספטמבר אוקטובר|באוקטובר נובמבר|בנובמבר דצמבר|בדצמבר",
)
_SHORTEST = 3


def _months() -> dict[str, int]:
    """Return folded name -> month, with every shorter form that only one month has."""
    long = {
        folded(form): month
        for line in _MONTHS
        for month, forms in enumerate(line.split(), 1)
        for form in forms.split("|")
    }
    shorter: dict[str, set[int]] = {}
    for name, month in long.items():
        for length in range(_SHORTEST, len(name)):
            shorter.setdefault(name[:length], set()).add(month)
    one = {form: months.pop() for form, months in shorter.items() if len(months) == 1}
    return one | long


MONTHS = _months()
# "mar" is March in eight languages; "jui" is no month by itself.
MONTHS |= {"mar": 3, "jun": 6, "jul": 7, "lip": 7, "lis": 11}

MORNING = {"am", "a.m", "vorm", "上午", "午前", "凌晨", "早上", "дп", "утра", "오전", "öö", "πμ", "π.μ", "ص"}
AFTERNOON = {
    "pm",
    "p.m",
    "nachm",
    "下午",
    "午後",
    "晚上",
    "中午",
    "пп",
    "дня",
    "вечера",
    "오후",
    "ös",
    "μμ",
    "μ.μ",
    "م",
}

# Words between the parts of a date that say nothing.
_WEEKDAYS = (
    "monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag "
    "sonnabend sonntag lunes martes miercoles jueves viernes sabado domingo lunedi martedi mercoledi giovedi venerdi "
    "domenica segunda terca quarta quinta sexta feira maandag dinsdag woensdag donderdag vrijdag zaterdag zondag "
    "poniedzialek wtorek sroda czwartek piatek sobota niedziela понедельник вторник среда четверг пятница суббота "
    "воскресенье lundi mardi mercredi jeudi vendredi samedi dimanche mon tue tues wed thu thur thurs fri sat sun mo di "
    "mi do fr sa so lun mie jue vie sab dom mer gio ven seg ter qua qui sex maa din woe don vri zat zon ma wo vr za zo "
    "pon wt sr czw pt sob nie ndz пн вт ср чт пт сб вс jeu dim pn"
)
_BETWEEN = (
    "de del of the at um uhr kl om à a as st nd rd th er г года в le den il i t ore alle o clock godz "
    "posted updated edited hs hrs ч น พ.ศ เวลา ที่"
)
FILLERS = {folded(word) for word in f"{_WEEKDAYS} {_BETWEEN}".split()}

BEFORE = {"thang": "month", "nam": "year", "ngay": "day"}  # words before the number that they name (Vietnamese)

_HOUR = 3600
ZONES = {
    **dict.fromkeys(("z", "utc", "gmt", "wet", "гмт"), 0),
    **dict.fromkeys(("bst", "cet", "mez", "west", "wat"), _HOUR),
    **dict.fromkeys(("cest", "mesz", "eet", "oez", "sast", "cat"), 2 * _HOUR),
    **dict.fromkeys(("eest", "oesz", "msk", "мск", "eat", "trt"), 3 * _HOUR),
    **{"gst": 4 * _HOUR, "pkt": 5 * _HOUR, "ist": 19_800, "ict": 7 * _HOUR, "wib": 7 * _HOUR},
    **dict.fromkeys(("sgt", "hkt", "awst", "myt"), 8 * _HOUR),
    **dict.fromkeys(("jst", "kst"), 9 * _HOUR),
    **{"acst": 34_200, "aest": 10 * _HOUR, "aedt": 11 * _HOUR, "nzst": 12 * _HOUR, "nzdt": 13 * _HOUR},
    **{"brt": -3 * _HOUR, "art": -3 * _HOUR, "clt": -4 * _HOUR, "ast": -4 * _HOUR, "adt": -3 * _HOUR},
    **{"est": -5 * _HOUR, "edt": -4 * _HOUR, "et": -5 * _HOUR, "cst": -6 * _HOUR, "cdt": -5 * _HOUR},
    **{"mst": -7 * _HOUR, "mdt": -6 * _HOUR, "pst": -8 * _HOUR, "pdt": -7 * _HOUR, "pt": -8 * _HOUR},
    **{"akst": -9 * _HOUR, "akdt": -8 * _HOUR, "hst": -10 * _HOUR},
}
