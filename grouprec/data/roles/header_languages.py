"""Words of headers in further languages: Turkish, Swedish, Norwegian, Danish, Finnish, Czech, Slovak, Hungarian,
Romanian, Greek, Ukrainian, Bulgarian, Croatian, Korean, Arabic, Hebrew, Persian, Hindi, Thai, Vietnamese, Indonesian;
and the commonest words of Catalan, Galician, Basque, Irish, Welsh, Icelandic, Afrikaans, Luxembourgish, Albanian,
the Baltic, further Slavic and Turkic languages, Georgian, Armenian, Mongolian, Swahili, Amharic, Malay, Filipino,
Khmer, Burmese, Urdu, Bengali, Marathi, Gujarati, Tamil, Telugu and Sinhala.

Compared as :mod:`grouprec.data.roles.header_words` does: without case, accents and spaces, so that a name of two words
stands here as one.
"""

from __future__ import annotations

WORDS: dict[str, tuple[str, ...]] = {
    "id": (
        "numarası nro tunnus kód kódja azonosító azonosítója száma szám číslo kodu cod număr κωδικός αριθμός "
        "šifra broj ідентифікатор 번호 아이디 코드 رقم رمز معرف كود מספר קוד מזהה شناسه کد شماره आईडी कोड क्रमांक รหัส "
        "เลขที่ mã mãsố kode nomor",
        "kood kods kodas kodi koda kodea numeris numurs шифра კოდი კოდის айди аиди коды код կոդ կոդի համար "
        "raqami raqam আইডি কোড এন எண் குறியீடு ఐడి కోడ్ نمبر کوڈ nambari kodigo cód uimhir rhif zenbakia លេខ "
        "លេខកូដ កូដ နံပါတ် ကုဒ် ቁጥር ኮድ નંબર કોડ અંક අංකය කේතය कोड",
    ),
    "user": (
        "müşteri kullanıcı üye alıcı abone ziyaretçi cari kund kunden användare medlem köpare besökare bruker bruger "
        "kjøper køber gjest gæst asiakas asiakkaan käyttäjä jäsen ostaja zákazník zákazníka odběratel odběratele "
        "uživatel uživatele používateľ odberateľ vevő vásárló ügyfél felhasználó clientului cumpărător utilizator",
        "πελάτης πελάτη χρήστης χρήστη μέλος αγοραστής клієнт клієнта покупець покупця користувач користувача замовник "
        "клиентски потребител купувач kupac kupca korisnik korisnika 고객 회원 사용자 구매자 유저 العميل عميل المستخدم "
        "مستخدم الزبون زبون المشتري לקוח הלקוח משתמש המשתמש קונה مشتری کاربر خریدار ग्राहक उपयोगकर्ता ลูกค้า สมาชิก "
        "ผู้ใช้ ผู้ซื้อ kháchhàng ngườidùng ngườimua thànhviên pelanggan pembeli pengguna anggota",
        "kliendi klient klientas kliento klienta klients pircējs pirkėjas stranka stranke kupec купца купац "
        "корисник купувач корисникот მომხმარებლის მომხმარებელი კლიენტის კლიენტი მყიდველი հաճախորդ հաճախորդի "
        "գնորդ клиенттің сатыпалушы müştəri müştərinin mijoz xaridor গ্রাহক ক্রেতা ব্যবহারকারী வாடிக்கையாளர் "
        "பயனர் கస్టమర్ కస్టమర్ వినియోగదారు گاہک صارف خریدار ग्राहक mteja mtumiaji kliënt viðskiptavinar "
        "viðskiptavina viðskiptavinur klientit klienti blerësi харилцагч харилцагчийн хэрэглэгч អតិថិជន "
        "ဖောက်သည် ဝယ်သူ የደንበኛ ደንበኛ bezero erosle ગ્રાહક පාරිභෝගික кліента кліент пакупнік custaiméara cwsmer "
        "clients 买家会员 гость гостя картагостя клієнтка",
    ),
    "item": (
        "ürün ürünün malzeme kitap stokkodu stokadı vara varan vare varen tuote tuotteen nimike kirja elokuva zboží "
        "výrobek tovar tovaru kniha artikl artikla termék cikk áru könyv produs produsului articol articolului",
        "προϊόν προϊόντος είδος είδους βιβλίο товару виріб книга стока продукта proizvod proizvoda 상품 제품 품목 도서 "
        "영화 المنتج منتج الصنف صنف السلعة מוצר המוצר פריט הפריט کالا محصول उत्पाद สินค้า ผลิตภัณฑ์ sảnphẩm hànghóa "
        "mặthàng barang produk",
        "toote toode kauba preces prece produkts prekė prekės gaminys izdelek izdelka artikla artikel артикла "
        "артикал производ производот პროდუქტის პროდუქტი საქონელი ապրանք ապրանքի тауар тауардың məhsul "
        "məhsulun mahsulot tovar পণ্য পণ্যের பொருள் பொருளின் தயாரிப்பு ఉత్పత్తి వస్తువు پروڈکٹ مصنوعات "
        "उत्पादन उत्पादनाचे bidhaa produk vara vörunúmer vöru produktit produkti бараа барааны бүтээгдэхүүн "
        "ផលិតផល ទំនិញ ကုန်ပစ္စည်း የምርት ምርት produktu produktua produktuaren ઉત્પાદન නිෂ්පාදන නිෂ්පාදනයේ тавар "
        "тавару táirge cynnyrch producto producte article",
    ),
    "name": (
        "adı ismi açıklaması benämning namn beskrivning navn beskrivelse betegnelse tekst nimi kuvaus název názov "
        "popis név neve megnevezés megnevezése leírás denumire denumirea nume όνομα περιγραφή ονομασία τίτλος "
        "назва опис име naziv 명 이름 제목 اسم الاسم الوصف שם תיאור نام नाम ชื่อ tên nama deskripsi",
        "nimetus nimi nosaukums pavadinimas naziv ime назив име დასახელება სახელი անվանում անուն атауы adı "
        "nomi নাম பெயர் పేరు نام नाव jina naam heiti emri emër нэр ឈ្មោះ အမည် ስም izena nom નામ නම назва ainm "
        "enw pangalan nome",
    ),
    "rating": (
        "puan puanı yıldız değerlendirme betyg vurdering bedømmelse arvosana arvostelu hodnocení hodnotenie értékelés "
        "evaluare βαθμολογία оцінка 평점 별점 التقييم تقييم דירוג امتیاز คะแนน đánhgiá penilaian",
    ),
    "weight": (
        "adet miktar antal kvantitet antall mængde stykker määrä kpl lukumäärä množství množstvo počet početks "
        "početkusů mennyiség darab darabszám cantitate cantitatea ποσότητα τεμάχια кількість ксть брой količina 수량 "
        "갯수 개수 الكمية كمية כמות تعداد مقدار मात्रा จำนวน sốlượng jumlah kuantitas",
        "kogus daudzums skaits kiekis količina количина რაოდენობა քանակ քանակը саны miqdar say miqdori soni "
        "পরিমাণ சংখ্যা அளவு எண்ணிக்கை పరిమాణం సంఖ్య مقدار تعداد प्रमाण संख्या idadi hoeveelheid magn fjöldi "
        "sasia тоохэмжээ тоо បរិមាណ ចំនួន အရေအတွက် ብዛት kopurua જથ્થો ප්‍රමාණය колькасць cainníocht nifer "
        "kuantiti dami quantitat quantitéit",
    ),
    "price": (
        "fiyat fiyatı birimfiyat birimfiyatı pris apris styckpris stykpris stykkpris enhetspris enhedspris hinta "
        "yksikköhinta jednotkovácena cenazaks cenazakus egységár ár preț prețunitar τιμή τιμήμονάδας ціна cijena 가격 "
        "단가 السعر سعر מחיר قیمت मूल्य कीमत ราคา đơngiá giábán giá harga hargasatuan",
        "hind cena kaina цена ფასი գին бағасы qiymət narxi মূল্য দাম விலை ధర قیمت किंमत bei prys verð çmimi "
        "үнэ តម្លៃ ဈေးနှုန်း ዋጋ prezioa ભાવ කිංමිය praghas pris preu",
    ),
    "when": (
        "tarih tarihi zamanı dato tid tidspunkt päivä päivämäärä pvm aika dátum dátuma időpont időpontja ημερομηνία "
        "час 일시 일자 날짜 시간 تاريخ التاريخ وقت תאריך تاریخ زمان दिनांक तारीख วันที่ ngày thờigian tanggal tgl waktu",
        "kuupäev datums data datum датум თარიღი ամսաթիվ күні tarix sana তারিখ தேதி తేదీ تاریخ दिनांक tarehe "
        "dagsetning огноо កាលបរិច្ឆេទ ရက်စွဲ ቀን તારીખ දිනය дата dáta dyddiad petsa tarikh",
    ),
    "what": (
        "sipariş siparişin satış işlem fatura köp inköp beställning ordre kjøp kjøps salg salgs køb købs tilaus "
        "tilauksen osto oston myynti objednávky objednávka nákupu prodeje rendelés rendelési vásárlás vásárlási eladás "
        "számla comandă comenzii achiziție vânzare vânzării παραγγελίας αγοράς πώλησης замовлення покупки продажу "
        "поръчка поръчката narudžbe kupnje 주문 구매 결제 거래 الطلب طلب الشراء شراء הזמנה רכישה קנייה سفارش خرید "
        "สั่งซื้อ ซื้อ đặthàng muahàng mua giaodịch transaksi pesanan pembelian",
        "tellimuse pasūtījuma užsakymo naročila нарачка наруџбе შეკვეთის պատվերի тапсырыс sifariş buyurtma "
        "অর্ডার ஆர்டர் آرڈر oda bestel pöntun porosisë захиалгын comanda pedido заказу",
    ),
    "order": (
        "sipariş fatura fiş ordre tilaus objednávka objednávky účtenka účtenky rendelés számla comandă comenzii "
        "παραγγελία παραγγελίας замовлення поръчка narudžba narudžbe račun 주문 영수증 الطلب طلب الفاتورة הזמנה הזמנות "
        "חשבונית سفارش فاکتور คำสั่งซื้อ ใบเสร็จ đơnhàng hóađơn pesanan faktur",
    ),
    # Moments that are not those of the event.
    "not when": (
        "doğum kayıt födelse födelsedatum fødsels syntymä syntymäaika narození narodenia registrace születés születési "
        "nașterii înregistrării γέννησης εγγραφής народження реєстрації рождение 생년월일 생일 가입 الميلاد التسجيل "
        "לידה הרשמה تولد เกิด ngàysinh lahir kelahiran pendaftaran",
    ),
    # What the name of a column of statuses says, and the beginnings of values at which an order came to nothing.
    "status": ("durum durumu tila stav állapot stare κατάσταση 상태 الحالة סטטוס وضعیت สถานะ trạngthái",),
    "nothing": (
        "iptal iade makuler annuller avbrut avbrutt återbetal kansell refunder returner perut palautet hyvitet zrušen "
        "stornov vrácen vráten töröl visszavon visszatér anulat returnat rambursat ακυρ επιστρ скасов поверн "
        "анулир върнат otkazan vraćen 취소 환불 반품 ملغ مرتجع مسترد בוטל הוחזר זוכה لغو مرجوع ยกเลิก คืนเงิน đã "
        "hủy hoàn batal dibatalkan dikembalikan",
    ),
}
