"""Texts of many scripts and kinds for measuring tokens, all of them written or drawn here.

`draw_text` puts sentences of a language, or drawn lines of code and data, together to a text of a
wanted length. Each kind has two halves of sentences or seeds: one to fit figures on, the other to
measure them.
"""

import base64
import json
import random
import uuid
from collections.abc import Callable

# Language -> its sentences, {n} a number; even ones are of one half, odd ones of the other.
SENTENCES = {
    "English": (
        "Where is the parcel that I ordered on Monday? The page says order {n} was delivered.",
        "Please send me a new password, because the old one does not work any more.",
        "I was charged twice for invoice {n}, and nobody has answered my letters yet.",
        "The customer would like to know whether the warranty covers a broken screen.",
        "We are sorry for the delay and will refund the full amount within {n} days.",
        "Thank you for your patience; your account has been moved to the other plan.",
        "Could you tell me how to change the address before the lorry leaves the depot?",
        "After the update the printer stops in the middle of page {n} and shows a red light.",
    ),
    "English, formal": (
        "The tenant shall notify the landlord in writing at least {n} days before termination.",
        "Photosynthesis converts light energy into chemical energy stored in carbohydrates.",
        "Nothing in this agreement limits liability for damage caused by gross negligence.",
        "Monetary policy influences inflation through interest rates and expectations.",
        "The committee adopted the resolution by {n} votes with two abstentions.",
        "Patients with a history of hypertension were excluded from the second study.",
        "Each supplier must provide documentary evidence of compliance upon request.",
        "The bridge was completed in 19{n} and widened after the great flood.",
    ),
    "English, chat": (
        "hey sry for the late reply, was stuck in traffic lol",
        "omg did u see the match last nite?? they won {n}-1",
        "can't make it tmrw, maybe next wk? lmk what works 4 u",
        "ok cool, i'll bring the snacks n drinks, c u at {n}",
        "nah it's fine, don't worry abt it, happens all the time",
        "wait what, that's so weird... did they even call u back?",
        "gonna grab some food brb, text me when ur there",
        "haha yeah totally, we should def do that again sometime",
    ),
    "German": (
        "Wo bleibt das Paket, das ich am Montag bestellt habe? Die Bestellnummer ist {n}.",
        "Bitte schicken Sie mir ein neues Kennwort, das alte funktioniert nicht mehr.",
        "Die Rechnung {n} wurde doppelt abgebucht, und niemand beantwortet meine Schreiben.",
        "Der Kunde möchte wissen, ob die Gewährleistung auch für zerbrochene Bildschirme gilt.",
        "Wir entschuldigen uns für die Verzögerung und erstatten den Betrag in {n} Tagen.",
        "Die Geschäftsführung hat beschlossen, die Öffnungszeiten im Sommer zu verlängern.",
        "Können Sie die Lieferanschrift ändern, bevor der Lastwagen das Lager verlässt?",
        "Nach der Aktualisierung bleibt der Drucker mitten auf Seite {n} stehen.",
    ),
    "French": (
        "Où est le colis que j'ai commandé lundi ? Le numéro de commande est {n}.",
        "Veuillez m'envoyer un nouveau mot de passe, l'ancien ne fonctionne plus.",
        "La facture {n} a été débitée deux fois et personne n'a répondu à mes courriers.",
        "Le client voudrait savoir si la garantie couvre un écran cassé pendant le transport.",
        "Nous sommes désolés du retard et rembourserons la somme sous {n} jours.",
        "Votre compte est désormais rattaché à la formule supérieure, merci de votre patience.",
        "Comment modifier l'adresse de livraison avant que le camion quitte l'entrepôt ?",
        "Depuis la mise à jour, l'imprimante s'arrête au milieu de la page {n}.",
    ),
    "Spanish": (
        "¿Dónde está el paquete que pedí el lunes? El número del pedido es {n}.",
        "Envíeme por favor una contraseña nueva, la anterior ya no funciona.",
        "Me cobraron dos veces la factura {n} y nadie ha contestado mis mensajes.",
        "El cliente desea saber si la garantía cubre una pantalla rota durante el envío.",
        "Lamentamos el retraso y devolveremos el importe completo en {n} días.",
        "Su cuenta pasó al otro plan; gracias por la paciencia que nos ha tenido.",
        "¿Cómo puedo cambiar la dirección antes de que salga el camión del almacén?",
        "Después de la actualización la impresora se detiene en la página {n}.",
    ),
    "Italian": (
        "Dov'è il pacco che ho ordinato lunedì? Il numero dell'ordine è {n}.",
        "Mandatemi per favore una nuova password, quella vecchia non funziona più.",
        "La fattura {n} è stata addebitata due volte e nessuno risponde alle mie lettere.",
        "Il cliente vorrebbe sapere se la garanzia copre uno schermo rotto.",
        "Ci scusiamo per il ritardo e rimborseremo tutto entro {n} giorni.",
        "Il suo profilo è stato spostato sull'altro abbonamento, grazie della pazienza.",
        "Come posso cambiare l'indirizzo prima che il camion lasci il magazzino?",
        "Dopo l'aggiornamento la stampante si ferma a metà della pagina {n}.",
    ),
    "Portuguese": (
        "Onde está a encomenda que pedi na segunda-feira? O número do pedido é {n}.",
        "Por favor enviem uma nova senha, porque a antiga deixou de funcionar.",
        "A fatura {n} foi cobrada duas vezes e ninguém respondeu às minhas cartas.",
        "O cliente gostaria de saber se a garantia cobre um ecrã partido.",
        "Lamentamos o atraso e devolveremos o valor total em {n} dias.",
        "A sua conta passou para o outro plano; obrigado pela paciência.",
        "Como posso mudar o endereço antes de o camião sair do armazém?",
        "Depois da atualização a impressora para no meio da página {n}.",
    ),
    "Dutch": (
        "Waar blijft het pakket dat ik maandag besteld heb? Het bestelnummer is {n}.",
        "Stuur mij alstublieft een nieuw wachtwoord, het oude werkt niet meer.",
        "Factuur {n} is twee keer afgeschreven en niemand beantwoordt mijn brieven.",
        "De klant wil graag weten of de garantie ook geldt voor een gebroken scherm.",
        "Het spijt ons van de vertraging; u krijgt het bedrag binnen {n} dagen terug.",
        "Uw rekening is overgezet naar het andere abonnement, bedankt voor uw geduld.",
        "Hoe kan ik het adres wijzigen voordat de vrachtwagen het magazijn verlaat?",
        "Na de bijwerking stopt de printer halverwege bladzijde {n}.",
    ),
    "Swedish": (
        "Var är paketet som jag beställde i måndags? Ordernumret är {n}.",
        "Skicka mig ett nytt lösenord, det gamla fungerar inte längre.",
        "Faktura {n} har dragits två gånger och ingen svarar på mina brev.",
        "Kunden undrar om garantin gäller även för en trasig skärm.",
        "Vi beklagar förseningen och betalar tillbaka beloppet inom {n} dagar.",
        "Ditt konto har flyttats till det andra abonnemanget, tack för tålamodet.",
        "Hur ändrar jag adressen innan lastbilen lämnar lagret?",
        "Efter uppdateringen stannar skrivaren mitt på sidan {n}.",
    ),
    "Finnish": (
        "Missä on paketti, jonka tilasin maanantaina? Tilausnumero on {n}.",
        "Lähettäkää minulle uusi salasana, sillä vanha ei enää toimi.",
        "Lasku {n} veloitettiin kahdesti eikä kukaan ole vastannut kirjeisiini.",
        "Asiakas haluaisi tietää, kattaako takuu myös rikkoutuneen näytön.",
        "Pahoittelemme viivästystä ja palautamme koko summan {n} päivän kuluessa.",
        "Tilinne on siirretty toiseen sopimukseen, kiitos kärsivällisyydestänne.",
        "Miten voin muuttaa osoitteen ennen kuin kuorma-auto lähtee varastolta?",
        "Päivityksen jälkeen tulostin pysähtyy keskelle sivua {n}.",
    ),
    "Polish": (
        "Gdzie jest paczka, którą zamówiłem w poniedziałek? Numer zamówienia to {n}.",
        "Proszę o nowe hasło, ponieważ stare już nie działa.",
        "Faktura {n} została pobrana dwukrotnie i nikt nie odpowiada na moje listy.",
        "Klient chciałby wiedzieć, czy gwarancja obejmuje pęknięty ekran.",
        "Przepraszamy za opóźnienie i zwrócimy całą kwotę w ciągu {n} dni.",
        "Twoje konto przeniesiono do innego abonamentu, dziękujemy za cierpliwość.",
        "Jak mogę zmienić adres, zanim ciężarówka wyjedzie z magazynu?",
        "Po aktualizacji drukarka zatrzymuje się w połowie strony {n}.",
    ),
    "Czech": (
        "Kde je balík, který jsem si v pondělí objednal? Číslo objednávky je {n}.",
        "Pošlete mi prosím nové heslo, to staré už nefunguje.",
        "Faktura {n} byla stržena dvakrát a nikdo neodpovídá na mé dopisy.",
        "Zákazník by rád věděl, zda záruka platí i na rozbitou obrazovku.",
        "Omlouváme se za zpoždění a celou částku vrátíme do {n} dnů.",
        "Váš účet byl převeden na jiný tarif, děkujeme za trpělivost.",
        "Jak mohu změnit adresu dříve, než nákladní auto opustí sklad?",
        "Po aktualizaci se tiskárna zastaví uprostřed stránky {n}.",
    ),
    "Hungarian": (
        "Hol van a csomag, amelyet hétfőn rendeltem? A rendelés száma {n}.",
        "Kérem, küldjenek új jelszót, mert a régi már nem működik.",
        "A {n}. számlát kétszer vonták le, és senki sem válaszol a leveleimre.",
        "Az ügyfél tudni szeretné, hogy a jótállás kiterjed-e a törött képernyőre.",
        "Elnézést kérünk a késésért, és {n} napon belül visszatérítjük az összeget.",
        "Fiókját áthelyeztük a másik csomagba, köszönjük a türelmét.",
        "Hogyan módosíthatom a címet, mielőtt a teherautó elhagyja a raktárat?",
        "A frissítés után a nyomtató megáll a {n}. oldal közepén.",
    ),
    "Romanian": (
        "Unde este coletul pe care l-am comandat luni? Numărul comenzii este {n}.",
        "Vă rog să-mi trimiteți o parolă nouă, cea veche nu mai funcționează.",
        "Factura {n} a fost încasată de două ori și nimeni nu răspunde la scrisori.",
        "Clientul ar dori să știe dacă garanția acoperă un ecran spart.",
        "Ne cerem scuze pentru întârziere și restituim suma în {n} zile.",
        "Contul dumneavoastră a fost mutat la celălalt abonament, vă mulțumim.",
        "Cum pot schimba adresa înainte ca mașina să plece din depozit?",
        "După actualizare imprimanta se oprește la mijlocul paginii {n}.",
    ),
    "Turkish": (
        "Pazartesi günü sipariş ettiğim paket nerede? Sipariş numarası {n}.",
        "Lütfen bana yeni bir şifre gönderin, eskisi artık çalışmıyor.",
        "{n} numaralı fatura iki kez tahsil edildi ve kimse yanıt vermiyor.",
        "Müşteri, garantinin kırık ekranı kapsayıp kapsamadığını öğrenmek istiyor.",
        "Gecikme için özür dileriz, tutarın tamamını {n} gün içinde iade edeceğiz.",
        "Hesabınız diğer tarifeye aktarıldı, sabrınız için teşekkür ederiz.",
        "Kamyon depodan çıkmadan önce adresi nasıl değiştirebilirim?",
        "Güncellemeden sonra yazıcı {n}. sayfanın ortasında duruyor.",
    ),
    "Indonesian": (
        "Di mana paket yang saya pesan hari Senin? Nomor pesanannya {n}.",
        "Tolong kirimkan kata sandi baru karena yang lama tidak berfungsi lagi.",
        "Tagihan {n} ditarik dua kali dan belum ada yang membalas surat saya.",
        "Pelanggan ingin mengetahui apakah garansi mencakup layar yang pecah.",
        "Kami mohon maaf atas keterlambatan dan akan mengembalikan uang dalam {n} hari.",
        "Akun Anda sudah dipindahkan ke paket lain, terima kasih atas kesabarannya.",
        "Bagaimana cara mengubah alamat sebelum truk meninggalkan gudang?",
        "Setelah pembaruan, mesin cetak berhenti di tengah halaman {n}.",
    ),
    "Swahili": (
        "Kifurushi nilichoagiza Jumatatu kiko wapi? Nambari ya oda ni {n}.",
        "Tafadhali nitumie nenosiri jipya kwa sababu la zamani halifanyi kazi tena.",
        "Ankara {n} imelipwa mara mbili na hakuna aliyejibu barua zangu.",
        "Mteja angependa kujua kama dhamana inahusu skrini iliyovunjika.",
        "Tunaomba radhi kwa kuchelewa na tutarudisha pesa zote ndani ya siku {n}.",
        "Akaunti yako imehamishiwa kwenye mpango mwingine, asante kwa uvumilivu.",
        "Ninawezaje kubadilisha anwani kabla lori halijaondoka ghalani?",
        "Baada ya sasisho, printa inasimama katikati ya ukurasa wa {n}.",
    ),
    "Vietnamese": (
        "Gói hàng tôi đặt hôm thứ hai đang ở đâu? Mã đơn hàng là {n}.",
        "Xin hãy gửi cho tôi mật khẩu mới vì mật khẩu cũ không dùng được nữa.",
        "Hóa đơn {n} đã bị trừ tiền hai lần và chưa ai trả lời thư của tôi.",
        "Khách hàng muốn biết bảo hành có áp dụng cho màn hình bị vỡ hay không.",
        "Chúng tôi xin lỗi vì sự chậm trễ và sẽ hoàn tiền trong {n} ngày.",
        "Tài khoản của bạn đã được chuyển sang gói khác, cảm ơn bạn đã kiên nhẫn.",
        "Làm sao để đổi địa chỉ trước khi xe tải rời khỏi kho?",
        "Sau khi cập nhật, máy in dừng lại ở giữa trang {n}.",
    ),
    "Russian": (
        "Где посылка, которую я заказал в понедельник? Номер заказа {n}.",
        "Пришлите, пожалуйста, новый пароль, старый больше не работает.",
        "Счёт {n} списали дважды, и никто не отвечает на мои письма.",
        "Покупатель хочет узнать, распространяется ли гарантия на разбитый экран.",
        "Просим прощения за задержку и вернём всю сумму в течение {n} дней.",
        "Ваша учётная запись переведена на другой тариф, спасибо за терпение.",
        "Как изменить адрес доставки до того, как грузовик покинет склад?",
        "После обновления принтер останавливается на середине страницы {n}.",
    ),
    "Ukrainian": (
        "Де посилка, яку я замовив у понеділок? Номер замовлення {n}.",
        "Надішліть, будь ласка, новий пароль, бо старий більше не працює.",
        "Рахунок {n} списали двічі, і ніхто не відповідає на мої листи.",
        "Покупець хоче дізнатися, чи поширюється гарантія на розбитий екран.",
        "Перепрошуємо за затримку й повернемо всю суму протягом {n} днів.",
        "Ваш обліковий запис переведено на інший тариф, дякуємо за терпіння.",
        "Як змінити адресу доставки, перш ніж вантажівка залишить склад?",
        "Після оновлення принтер зупиняється на середині сторінки {n}.",
    ),
    "Greek": (
        "Πού είναι το δέμα που παρήγγειλα τη Δευτέρα; Ο αριθμός παραγγελίας είναι {n}.",
        "Στείλτε μου παρακαλώ νέο κωδικό, γιατί ο παλιός δεν λειτουργεί πια.",
        "Το τιμολόγιο {n} χρεώθηκε δύο φορές και κανείς δεν απαντά στα γράμματά μου.",
        "Ο πελάτης θέλει να μάθει αν η εγγύηση καλύπτει τη σπασμένη οθόνη.",
        "Ζητούμε συγγνώμη για την καθυστέρηση και επιστρέφουμε το ποσό σε {n} ημέρες.",
        "Ο λογαριασμός σας μεταφέρθηκε στο άλλο πρόγραμμα, ευχαριστούμε.",
        "Πώς αλλάζω τη διεύθυνση πριν φύγει το φορτηγό από την αποθήκη;",
        "Μετά την ενημέρωση ο εκτυπωτής σταματά στη μέση της σελίδας {n}.",
    ),
    "Armenian": (
        "Որտե՞ղ է երկուշաբթի պատվիրված ծանրոցը։ Պատվերի համարն է {n}։",
        "Խնդրում եմ ուղարկել նոր գաղտնաբառ, հինն այլևս չի աշխատում։",
        "{n} հաշիվը գանձվել է երկու անգամ, և ոչ ոք չի պատասխանում իմ նամակներին։",
        "Հաճախորդը ցանկանում է իմանալ՝ երաշխիքը ներառո՞ւմ է կոտրված էկրանը։",
        "Ներողություն ենք խնդրում ուշացման համար և գումարը կվերադարձնենք {n} օրում։",
        "Ձեր հաշիվը տեղափոխվել է այլ փաթեթ, շնորհակալություն համբերության համար։",
        "Ինչպե՞ս փոխել հասցեն, քանի դեռ բեռնատարը չի լքել պահեստը։",
        "Թարմացումից հետո տպիչը կանգ է առնում {n} էջի կեսին։",
    ),
    "Georgian": (
        "სად არის ამანათი, რომელიც ორშაბათს შევუკვეთე? შეკვეთის ნომერია {n}.",
        "გთხოვთ გამომიგზავნოთ ახალი პაროლი, ძველი აღარ მუშაობს.",
        "ანგარიში {n} ორჯერ ჩამოიჭრა და წერილებზე არავინ მპასუხობს.",
        "მომხმარებელს სურს იცოდეს, ფარავს თუ არა გარანტია გატეხილ ეკრანს.",
        "ბოდიშს გიხდით დაგვიანებისთვის და თანხას {n} დღეში დაგიბრუნებთ.",
        "თქვენი ანგარიში სხვა პაკეტზე გადავიდა, გმადლობთ მოთმინებისთვის.",
        "როგორ შევცვალო მისამართი, სანამ მანქანა საწყობს დატოვებს?",
        "განახლების შემდეგ პრინტერი {n} გვერდის შუაში ჩერდება.",
    ),
    "Hebrew": (
        "איפה החבילה שהזמנתי ביום שני? מספר ההזמנה הוא {n}.",
        "אנא שלחו לי סיסמה חדשה, הישנה כבר לא עובדת.",
        "חשבונית {n} חויבה פעמיים ואיש אינו עונה על מכתביי.",
        "הלקוח מבקש לדעת אם האחריות מכסה מסך שבור.",
        "אנו מתנצלים על העיכוב ונחזיר את מלוא הסכום בתוך {n} ימים.",
        "החשבון שלך הועבר לתוכנית האחרת, תודה על הסבלנות.",
        "איך משנים את הכתובת לפני שהמשאית יוצאת מן המחסן?",
        "אחרי העדכון המדפסת נעצרת באמצע עמוד {n}.",
    ),
    "Arabic": (
        "أين الطرد الذي طلبته يوم الاثنين؟ رقم الطلب هو {n}.",
        "أرجو إرسال كلمة مرور جديدة لأن القديمة لم تعد تعمل.",
        "خُصم مبلغ الفاتورة {n} مرتين ولم يرد أحد على رسائلي.",
        "يريد الزبون أن يعرف هل يشمل الضمان الشاشة المكسورة.",
        "نعتذر عن التأخير وسنعيد المبلغ كاملا خلال {n} أيام.",
        "نُقل حسابك إلى الباقة الأخرى، شكرا على صبرك.",
        "كيف يمكنني تغيير العنوان قبل أن تغادر الشاحنة المستودع؟",
        "بعد التحديث تتوقف الطابعة في منتصف الصفحة {n}.",
    ),
    "Persian": (
        "بسته‌ای که دوشنبه سفارش دادم کجاست؟ شمارهٔ سفارش {n} است.",
        "لطفاً گذرواژهٔ تازه‌ای بفرستید، چون قبلی دیگر کار نمی‌کند.",
        "صورت‌حساب {n} دو بار برداشت شده و کسی به نامه‌هایم پاسخ نمی‌دهد.",
        "مشتری می‌خواهد بداند آیا ضمانت شامل صفحهٔ شکسته هم می‌شود.",
        "از تأخیر پوزش می‌خواهیم و همهٔ مبلغ را تا {n} روز برمی‌گردانیم.",
        "حساب شما به طرح دیگری منتقل شد، از شکیبایی شما سپاسگزاریم.",
        "چگونه نشانی را پیش از حرکت کامیون از انبار تغییر دهم؟",
        "پس از به‌روزرسانی، چاپگر در میانهٔ برگ {n} می‌ایستد.",
    ),
    "Urdu": (
        "پیر کو جو پارسل منگوایا تھا وہ کہاں ہے؟ آرڈر نمبر {n} ہے۔",
        "براہ کرم نیا پاس ورڈ بھیجیں کیونکہ پرانا اب کام نہیں کرتا۔",
        "بل {n} کی رقم دو بار کٹ گئی اور کسی نے میرے خط کا جواب نہیں دیا۔",
        "گاہک جاننا چاہتا ہے کہ کیا ضمانت میں ٹوٹی ہوئی اسکرین شامل ہے۔",
        "تاخیر پر معذرت، پوری رقم {n} دن میں واپس کر دی جائے گی۔",
        "آپ کا کھاتہ دوسرے منصوبے پر منتقل ہو گیا ہے، صبر کا شکریہ۔",
        "ٹرک کے گودام سے نکلنے سے پہلے پتہ کیسے بدلا جائے؟",
        "تازہ کاری کے بعد پرنٹر صفحہ {n} کے بیچ میں رک جاتا ہے۔",
    ),
    "Hindi": (
        "सोमवार को मँगाया हुआ पार्सल कहाँ है? ऑर्डर संख्या {n} है।",
        "कृपया नया पासवर्ड भेजें, पुराना अब काम नहीं करता।",
        "बिल {n} का पैसा दो बार कट गया और किसी ने मेरे पत्रों का उत्तर नहीं दिया।",
        "ग्राहक जानना चाहता है कि क्या वारंटी में टूटी हुई स्क्रीन शामिल है।",
        "देरी के लिए खेद है, पूरी राशि {n} दिनों में लौटा दी जाएगी।",
        "आपका खाता दूसरी योजना में डाल दिया गया है, धैर्य के लिए धन्यवाद।",
        "ट्रक के गोदाम से निकलने से पहले पता कैसे बदला जाए?",
        "अद्यतन के बाद प्रिंटर पृष्ठ {n} के बीच में रुक जाता है।",
    ),
    "Bengali": (
        "সোমবার যে পার্সেল অর্ডার করেছি সেটা কোথায়? অর্ডার নম্বর {n}।",
        "অনুগ্রহ করে নতুন পাসওয়ার্ড পাঠান, পুরোনোটা আর কাজ করছে না।",
        "বিল {n} দুইবার কাটা হয়েছে আর কেউ আমার চিঠির উত্তর দেয়নি।",
        "গ্রাহক জানতে চান ওয়ারেন্টি ভাঙা পর্দার জন্য প্রযোজ্য কি না।",
        "বিলম্বের জন্য দুঃখিত, {n} দিনের মধ্যে পুরো টাকা ফেরত দেওয়া হবে।",
        "আপনার হিসাব অন্য পরিকল্পনায় সরানো হয়েছে, ধৈর্যের জন্য ধন্যবাদ।",
        "ট্রাক গুদাম ছাড়ার আগে ঠিকানা কীভাবে বদলাব?",
        "হালনাগাদের পরে প্রিন্টার {n} পাতার মাঝখানে থেমে যায়।",
    ),
    "Tamil": (
        "திங்கட்கிழமை நான் கேட்ட பொதி எங்கே? ஆணை எண் {n}.",
        "புதிய கடவுச்சொல்லை அனுப்புங்கள், பழையது இனி வேலை செய்யவில்லை.",
        "விலைப்பட்டியல் {n} இருமுறை வசூலிக்கப்பட்டது, யாரும் பதில் தரவில்லை.",
        "உடைந்த திரைக்கு உத்தரவாதம் உண்டா என்று வாடிக்கையாளர் கேட்கிறார்.",
        "தாமதத்திற்கு வருந்துகிறோம், {n} நாட்களில் பணம் திருப்பித் தரப்படும்.",
        "உங்கள் கணக்கு வேறு திட்டத்துக்கு மாற்றப்பட்டது, பொறுமைக்கு நன்றி.",
        "வண்டி கிடங்கை விட்டுப் புறப்படும் முன் முகவரியை எப்படி மாற்றுவது?",
        "புதுப்பித்த பிறகு அச்சுப்பொறி பக்கம் {n} நடுவில் நிற்கிறது.",
    ),
    "Telugu": (
        "సోమవారం నేను అడిగిన పార్సెల్ ఎక్కడ ఉంది? ఆర్డర్ సంఖ్య {n}.",
        "దయచేసి కొత్త పాస్‌వర్డ్ పంపండి, పాతది ఇక పనిచేయడం లేదు.",
        "బిల్లు {n} రెండుసార్లు వసూలు చేశారు, ఎవరూ జవాబు ఇవ్వలేదు.",
        "పగిలిన తెరకు హామీ వర్తిస్తుందా అని వినియోగదారు అడుగుతున్నారు.",
        "ఆలస్యానికి క్షమించండి, {n} రోజుల్లో మొత్తం తిరిగి ఇస్తాము.",
        "మీ ఖాతాను వేరే పథకానికి మార్చాము, మీ ఓపికకు ధన్యవాదాలు.",
        "బండి గిడ్డంగి నుండి బయలుదేరే ముందు చిరునామా ఎలా మార్చాలి?",
        "నవీకరణ తర్వాత ముద్రణ యంత్రం పేజీ {n} మధ్యలో ఆగిపోతుంది.",
    ),
    "Thai": (
        "พัสดุที่สั่งเมื่อวันจันทร์อยู่ที่ไหน หมายเลขคำสั่งซื้อคือ {n}",
        "กรุณาส่งรหัสผ่านใหม่ให้ด้วย รหัสเก่าใช้ไม่ได้แล้ว",
        "ใบแจ้งหนี้ {n} ถูกหักเงินสองครั้งและยังไม่มีใครตอบจดหมาย",
        "ลูกค้าอยากทราบว่าการรับประกันครอบคลุมหน้าจอแตกหรือไม่",
        "ขออภัยในความล่าช้า เราจะคืนเงินทั้งหมดภายใน {n} วัน",
        "บัญชีของคุณถูกย้ายไปแพ็กเกจอื่นแล้ว ขอบคุณที่อดทนรอ",
        "จะเปลี่ยนที่อยู่ก่อนรถบรรทุกออกจากคลังสินค้าได้อย่างไร",
        "หลังจากอัปเดต เครื่องพิมพ์หยุดกลางหน้า {n}",
    ),
    "Khmer": (
        "តើកញ្ចប់ដែលខ្ញុំបានកម្មង់ថ្ងៃចន្ទនៅឯណា? លេខកម្មង់គឺ {n}។",
        "សូមផ្ញើពាក្យសម្ងាត់ថ្មី ព្រោះពាក្យចាស់មិនដំណើរការទៀតទេ។",
        "វិក្កយបត្រ {n} ត្រូវបានកាត់លុយពីរដង ហើយគ្មាននរណាឆ្លើយសំបុត្រខ្ញុំទេ។",
        "អតិថិជនចង់ដឹងថាការធានាគ្របដណ្តប់អេក្រង់បែកឬអត់។",
        "យើងសុំទោសចំពោះការយឺតយ៉ាវ ហើយនឹងសងប្រាក់វិញក្នុង {n} ថ្ងៃ។",
        "គណនីរបស់អ្នកត្រូវបានប្តូរទៅគម្រោងផ្សេង សូមអរគុណ។",
        "តើខ្ញុំអាចប្តូរអាសយដ្ឋានមុនពេលឡានចេញពីឃ្លាំងដោយរបៀបណា?",
        "ក្រោយពីធ្វើបច្ចុប្បន្នភាព ម៉ាស៊ីនបោះពុម្ពឈប់នៅពាក់កណ្តាលទំព័រ {n}។",
    ),
    "Burmese": (
        "တနင်္လာနေ့က မှာထားတဲ့ ပါဆယ် ဘယ်မှာလဲ။ အော်ဒါနံပါတ် {n} ပါ။",
        "စကားဝှက်အသစ် ပို့ပေးပါ၊ အဟောင်းက အလုပ်မလုပ်တော့ပါ။",
        "ငွေတောင်းခံလွှာ {n} ကို နှစ်ကြိမ် ဖြတ်တောက်ထားပြီး ဘယ်သူမှ စာမပြန်ပါ။",
        "ကွဲသွားတဲ့ ဖန်သားပြင်ကို အာမခံ ပါသလား သိချင်ပါတယ်။",
        "နောက်ကျမှုအတွက် တောင်းပန်ပါတယ်၊ {n} ရက်အတွင်း ငွေပြန်အမ်းပါမယ်။",
        "သင့်အကောင့်ကို အခြားအစီအစဉ်သို့ ပြောင်းပြီးပါပြီ၊ ကျေးဇူးတင်ပါတယ်။",
        "ကား ဂိုဒေါင်က မထွက်ခင် လိပ်စာ ဘယ်လို ပြောင်းရမလဲ။",
        "အဆင့်မြှင့်ပြီးနောက် ပုံနှိပ်စက်က စာမျက်နှာ {n} အလယ်မှာ ရပ်သွားတယ်။",
    ),
    "Amharic": (
        "ሰኞ ያዘዝኩት ጥቅል የት አለ? የትዕዛዙ ቁጥር {n} ነው።",
        "እባክዎ አዲስ የይለፍ ቃል ይላኩልኝ፣ አሮጌው ከእንግዲህ አይሠራም።",
        "ደረሰኝ {n} ሁለት ጊዜ ተከፍሏል፣ ለደብዳቤዎቼም ማንም አልመለሰም።",
        "ደንበኛው ዋስትናው የተሰበረውን ስክሪን ይሸፍን እንደሆነ ማወቅ ይፈልጋል።",
        "ስለ መዘግየቱ ይቅርታ እንጠይቃለን፣ ገንዘቡን በ{n} ቀናት ውስጥ እንመልሳለን።",
        "መለያዎ ወደ ሌላ ዕቅድ ተዛውሯል፣ ስለ ትዕግስትዎ እናመሰግናለን።",
        "መኪናው ከመጋዘኑ ከመውጣቱ በፊት አድራሻውን እንዴት መቀየር እችላለሁ?",
        "ከዝማኔው በኋላ ማተሚያው በገጽ {n} መሃል ላይ ይቆማል።",
    ),
    "Chinese": (
        "我星期一订的包裹在哪里?订单号是{n}。",
        "请给我发一个新密码,旧的已经不能用了。",
        "发票{n}被扣了两次款,还没有人回复我的来信。",
        "顾客想知道保修是否包括破碎的屏幕。",
        "很抱歉耽误了您的时间,全部款项将在{n}天内退还。",
        "您的账户已经转到另一个套餐,感谢您的耐心等待。",
        "在卡车离开仓库之前,我怎样修改收货地址?",
        "更新之后,打印机总是停在第{n}页的中间。",
    ),
    "Chinese, traditional": (
        "我星期一訂的包裹在哪裡?訂單編號是{n}。",
        "請寄給我新的密碼,舊的已經不能使用了。",
        "發票{n}被扣款兩次,還沒有人回覆我的信件。",
        "顧客想知道保固是否包含破裂的螢幕。",
        "很抱歉造成延誤,全部款項將於{n}天內退還。",
        "您的帳戶已轉到另一個方案,感謝您的耐心等候。",
        "在貨車離開倉庫之前,我該怎麼更改地址?",
        "更新之後,印表機總是停在第{n}頁的中間。",
    ),
    "Japanese": (
        "月曜日に注文した荷物はどこにありますか。注文番号は{n}です。",
        "新しいパスワードを送ってください。古いものはもう使えません。",
        "請求書{n}が二重に引き落とされ、手紙にも返事がありません。",
        "お客様は、割れた画面も保証の対象になるか知りたいそうです。",
        "遅れて申し訳ございません。全額を{n}日以内にお返しします。",
        "お客様の契約は別のプランに移りました。お待ちいただきありがとうございます。",
        "トラックが倉庫を出る前に、住所を変えるにはどうすればよいですか。",
        "更新したあと、プリンターが{n}ページの途中で止まります。",
    ),
    "Korean": (
        "월요일에 주문한 소포는 어디에 있나요? 주문 번호는 {n}입니다.",
        "새 비밀번호를 보내 주세요. 예전 것은 더 이상 쓸 수 없습니다.",
        "청구서 {n}번이 두 번 결제되었는데 아무도 답장을 하지 않습니다.",
        "고객은 깨진 화면도 보증이 되는지 알고 싶어 합니다.",
        "늦어서 죄송합니다. 전체 금액을 {n}일 안에 돌려 드리겠습니다.",
        "계정이 다른 요금제로 옮겨졌습니다. 기다려 주셔서 감사합니다.",
        "트럭이 창고를 떠나기 전에 주소를 어떻게 바꾸나요?",
        "업데이트한 뒤에 프린터가 {n}쪽 중간에서 멈춥니다.",
    ),
    "Gujarati": (
        "સોમવારે મંગાવેલું પાર્સલ ક્યાં છે? ઓર્ડર નંબર {n} છે.",
        "કૃપા કરીને નવો પાસવર્ડ મોકલો, જૂનો હવે ચાલતો નથી.",
        "બિલ {n} બે વાર કપાયું અને કોઈએ મારા પત્રોનો જવાબ આપ્યો નથી.",
        "મોડું થવા બદલ માફ કરશો, પૂરી રકમ {n} દિવસમાં પાછી મળશે.",
    ),
    "Punjabi": (
        "ਸੋਮਵਾਰ ਨੂੰ ਮੰਗਵਾਇਆ ਪਾਰਸਲ ਕਿੱਥੇ ਹੈ? ਆਰਡਰ ਨੰਬਰ {n} ਹੈ।",
        "ਕਿਰਪਾ ਕਰਕੇ ਨਵਾਂ ਪਾਸਵਰਡ ਭੇਜੋ, ਪੁਰਾਣਾ ਹੁਣ ਕੰਮ ਨਹੀਂ ਕਰਦਾ।",
        "ਬਿੱਲ {n} ਦੋ ਵਾਰ ਕੱਟਿਆ ਗਿਆ ਅਤੇ ਕਿਸੇ ਨੇ ਜਵਾਬ ਨਹੀਂ ਦਿੱਤਾ।",
        "ਦੇਰੀ ਲਈ ਮਾਫ਼ ਕਰਨਾ, ਪੂਰੀ ਰਕਮ {n} ਦਿਨਾਂ ਵਿੱਚ ਵਾਪਸ ਮਿਲੇਗੀ।",
    ),
    "Kannada": (
        "ಸೋಮವಾರ ತರಿಸಿದ ಪಾರ್ಸೆಲ್ ಎಲ್ಲಿದೆ? ಆರ್ಡರ್ ಸಂಖ್ಯೆ {n}.",
        "ದಯವಿಟ್ಟು ಹೊಸ ಗುಪ್ತಪದ ಕಳುಹಿಸಿ, ಹಳೆಯದು ಈಗ ಕೆಲಸ ಮಾಡುತ್ತಿಲ್ಲ.",
        "ಬಿಲ್ {n} ಎರಡು ಬಾರಿ ಕಡಿತವಾಗಿದೆ, ಯಾರೂ ಉತ್ತರಿಸಿಲ್ಲ.",
        "ತಡವಾದುದಕ್ಕೆ ಕ್ಷಮಿಸಿ, {n} ದಿನಗಳಲ್ಲಿ ಪೂರ್ಣ ಹಣ ಮರಳಿಸುತ್ತೇವೆ.",
    ),
    "Malayalam": (
        "തിങ്കളാഴ്ച ഓർഡർ ചെയ്ത പാർസൽ എവിടെയാണ്? ഓർഡർ നമ്പർ {n}.",
        "ദയവായി പുതിയ പാസ്‌വേഡ് അയയ്ക്കുക, പഴയത് ഇനി പ്രവർത്തിക്കുന്നില്ല.",
        "ബിൽ {n} രണ്ടുതവണ ഈടാക്കി, ആരും മറുപടി തന്നില്ല.",
        "വൈകിയതിൽ ഖേദിക്കുന്നു, {n} ദിവസത്തിനകം മുഴുവൻ തുകയും തിരികെ നൽകും.",
    ),
    "Sinhala": (
        "සඳුදා ඇණවුම් කළ පාර්සලය කොහෙද? ඇණවුම් අංකය {n}.",
        "කරුණාකර නව මුරපදයක් එවන්න, පරණ එක දැන් ක්‍රියා නොකරයි.",
        "බිල {n} දෙවරක් අය කර ඇත, කිසිවෙකු පිළිතුරු දුන්නේ නැත.",
        "ප්‍රමාදයට සමාවන්න, දින {n}ක් තුළ මුළු මුදල ආපසු ලැබේ.",
    ),
    "Lao": (
        "ພັດສະດຸທີ່ສັ່ງວັນຈັນຢູ່ໃສ? ເລກສັ່ງຊື້ແມ່ນ {n}.",
        "ກະລຸນາສົ່ງລະຫັດຜ່ານໃໝ່ ລະຫັດເກົ່າໃຊ້ບໍ່ໄດ້ແລ້ວ.",
        "ໃບບິນ {n} ຖືກຫັກເງິນສອງຄັ້ງ ແລະ ບໍ່ມີໃຜຕອບຈົດໝາຍ.",
        "ຂໍອະໄພທີ່ຊ້າ ພວກເຮົາຈະຄືນເງິນພາຍໃນ {n} ມື້.",
    ),
    "Hindi in Latin letters": (
        "Mera parcel kahan hai jo maine somvar ko mangwaya tha? Order number {n} hai.",
        "Kripya naya password bhejiye, purana ab kaam nahin karta.",
        "Bill {n} ka paisa do baar kat gaya aur kisi ne jawab nahin diya.",
        "Grahak jaanna chahta hai ki kya warranty mein tooti hui screen shamil hai.",
        "Deri ke liye maafi, poori rashi {n} din mein lauta di jayegi.",
        "Aapka khata doosri yojana mein daal diya gaya hai, dhanyavaad.",
        "Truck ke godaam se nikalne se pehle pata kaise badla jaye?",
        "Update ke baad printer page {n} ke beech mein ruk jata hai.",
    ),
    "Emoji": (
        "😀🎉 so happy today 🥳🥳 see you at {n} 🕗",
        "🚚📦 on its way ✅ thanks a lot 🙏🏽❤️",
        "😡😡 still broken 🔧💥 please help 🆘 {n}",
        "🌞🏖️ holiday mode 🍹🌴 back on Monday 👋",
        "👍👍🏻👍🏿 perfect 💯 order {n} 🛒",
        "🐶🐱🐭 which one do you like best? 🤔",
        "⚽🏀🎾 score {n} : 2 🏆🥇 what a game 🔥🔥",
        "🍕🍔🍟 dinner? 🍽️ I am so hungry 😋😋",
    ),
}  # fmt: skip

WORDS = (
    *("order", "parcel", "invoice", "refund", "account", "price", "customer", "address", "total"),
    *("status", "delivery", "payment", "result", "value", "index", "message", "user", "config"),
    *("request", "response", "item", "query", "stock", "window", "ticket", "label", "record"),
)  # fmt: skip
NAMES = ("Baker", "Okafor", "Lindqvist", "Tanaka", "Moreau", "Haddad", "Novak", "Silva", "Weber")


def _snake(draw: random.Random) -> str:
    return "_".join(draw.sample(WORDS, draw.randint(1, 3)))


def _camel(draw: random.Random) -> str:
    first, *rest = draw.sample(WORDS, draw.randint(2, 3))
    return first + "".join(map(str.title, rest))


def _date(draw: random.Random) -> str:
    day, month, year = draw.randint(1, 28), draw.randint(1, 12), draw.randint(1990, 2029)
    return f"{year}-{month:02}-{day:02}"


def _item(draw: random.Random) -> dict[str, object]:
    return {
        "id": draw.randint(1, 99_999),
        "name": draw.choice(NAMES),
        draw.choice(WORDS): draw.choice(WORDS),
        "price": round(draw.random() * 200, 2),
        "tags": draw.sample(WORDS, 2),
        "paid": draw.random() < 0.5,
    }


def _python(draw: random.Random) -> str:
    name, other = _snake(draw), _snake(draw)
    return draw.choice(
        (
            f"def {name}({other}: list[int]) -> int:\n    return sum({other}) // len({other})\n\n",
            f"    if not {name}:\n        raise ValueError(f'{other} is missing: {{{name}}}')\n",
            f"for {name} in {other}:\n    print({name}.{_snake(draw)}, end=', ')\n",
            f"{name} = [{other}[i] for i in range({draw.randint(2, 99)}) if {other}[i] > 0]\n",
        )
    )


def _javascript(draw: random.Random) -> str:
    name, other = _camel(draw), _camel(draw)
    return draw.choice(
        (
            f"const {name} = async ({other}) => {{\n"
            f"  return await fetch(`/api/${{{other}}}`);\n}};\n",
            f"if ({name} !== undefined && {other}.length > {draw.randint(0, 9)}) {{ {name}(); }}\n",
            f"export function {name}({other}) {{\n  console.log({other}?.id ?? null);\n}}\n",
        )
    )


def _hex(draw: random.Random, digits: int) -> str:
    return f"{draw.getrandbits(4 * digits):0{digits}x}"


# Kind -> draws one line or piece of such a text.
PIECES: dict[str, Callable[[random.Random], str]] = {
    "base64": lambda draw: base64.b64encode(draw.randbytes(57)).decode() + "\n",
    "hexadecimal": lambda draw: _hex(draw, 64) + "\n",
    "UUIDs": lambda draw: f"{uuid.UUID(int=draw.getrandbits(128))}\n",
    "numbers as CSV": lambda draw: (
        ",".join(
            f"{draw.random() * 10 ** draw.randint(0, 5):.{draw.randint(0, 4)}f}" for _ in range(8)
        )
        + "\n"
    ),
    "whole numbers": lambda draw: f"{draw.getrandbits(draw.randint(4, 40))} ",
    "dates and times": lambda draw: (
        f"{_date(draw)}T{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:"
        f"{draw.randint(0, 59):02}Z\n"
    ),
    "telephone numbers": lambda draw: (
        f"{draw.choice(NAMES)}: +{draw.randint(1, 99)} "
        f"{draw.randint(100, 999)} {draw.randint(1000, 9999)}-{draw.randint(100, 999)}\n"
    ),
    "price list": lambda draw: (
        f"{draw.choice(WORDS).title()}  US$ {draw.randint(1, 2000):,}."
        f"{draw.randint(0, 99):02}  {draw.randint(5, 25)} %\n"
    ),
    "minified JSON": lambda draw: json.dumps(_item(draw), separators=(",", ":")),
    "indented JSON": lambda draw: json.dumps(_item(draw), indent=2) + ",\n",
    "XML": lambda draw: (
        f'<{draw.choice(WORDS)} id="{draw.randint(1, 999)}"><name>'
        f"{draw.choice(NAMES)}</name><total>{draw.randint(1, 99)}.50</total></order>\n"
    ),
    "HTML": lambda draw: (
        f'<div class="{_snake(draw)}"><a href="/{draw.choice(WORDS)}/'
        f'{draw.randint(1, 99)}">See the {draw.choice(WORDS)}</a></div>\n'
    ),
    "YAML": lambda draw: (
        f"- {draw.choice(WORDS)}:\n    {_snake(draw)}: {draw.randint(1, 99)}\n"
        f"    {draw.choice(WORDS)}: {draw.choice(WORDS)}\n"
    ),
    "SQL": lambda draw: (
        f"SELECT {_snake(draw)}, COUNT(*) FROM {_snake(draw)} WHERE {_snake(draw)} "  # noqa: S608
        f"> {draw.randint(1, 99)} GROUP BY {draw.randint(1, 3)};\n"
    ),
    "Python": _python,
    "JavaScript": _javascript,
    "identifiers": lambda draw: f"{_camel(draw)} {_snake(draw).upper()} ",
    "log lines": lambda draw: (
        f"{_date(draw)} 12:{draw.randint(10, 59)}:07,{draw.randint(100, 999)} "
        f"{draw.choice(('INFO', 'WARN', 'ERROR'))} [{draw.choice(WORDS)}-{draw.randint(1, 9)}] "
        f"{draw.choice(WORDS)} took {draw.randint(1, 900)} ms\n"
    ),
    "URLs": lambda draw: (
        f"https://www.{draw.choice(WORDS)}.example/{draw.choice(WORDS)}/"
        f"{draw.choice(WORDS)}?id={_hex(draw, 8)}&page={draw.randint(1, 40)}\n"
    ),
    "Markdown table": lambda draw: (
        f"| {draw.choice(NAMES)} | {draw.choice(WORDS)} | "
        f"{draw.randint(1, 9999)} | {draw.random():.3f} |\n"
    ),
    "CSV with names": lambda draw: (
        f"{draw.choice(NAMES)},{draw.choice(NAMES).lower()}@mail.example,"
        f"{_date(draw)},{draw.choice(WORDS)}\n"
    ),
    "capital letters": lambda draw: f"{draw.choice(SENTENCES['English'])} ".upper(),
    "LaTeX": lambda draw: (
        rf"\frac{{{draw.choice('abxyz')}_{{{draw.randint(1, 9)}}}}}"
        rf"{{\sqrt{{{draw.randint(2, 99)}}}}} + \int_0^{{\infty}} "
        rf"e^{{-{draw.choice('xyz')}^2}} dx \\"
        "\n"
    ),
    "DNA": lambda draw: "".join(draw.choices("ACGT", k=60)) + "\n",
    "passwords": lambda draw: "".join(draw.choices("abcdefghijkmnopqrstuvwxyz", k=12)) + " ",
    "mathematical signs": lambda draw: (
        f"∀{draw.choice('xyz')} ∈ ℝ: {draw.choice('αβγδ')} ≤ "
        f"∑{draw.choice('ijk')} {draw.randint(1, 9)}·{draw.choice('xyz')}² "
        f"⇒ ∃{draw.choice('uvw')} ≠ ∅\n"
    ),
    "accounts": lambda draw: (
        f"{draw.choice(WORDS):<12}{draw.randint(1, 99999):>10,}{draw.randint(1, 99999):>12,}\n"
    ),
    "e-mail": lambda draw: (
        f"From: {draw.choice(NAMES)} <{draw.choice(NAMES).lower()}@mail.example>\n"
        f"Subject: {draw.choice(WORDS)} {draw.randint(1, 999)}\n\n"
        f"{draw.choice(SENTENCES['English'][:4]).format(n=draw.randint(1, 99))}\n\n"
    ),
}
KINDS = (*SENTENCES, *PIECES)


def draw_text(kind: str, half: int, seed: int, length: int = 2_000) -> str:
    """Draw a text of a kind.

    Args:
        kind: One of `KINDS`.
        half: 0 for the half to fit on, 1 for the half to measure.
        seed: Another seed gives another text.
        length: The fewest UTF-8 bytes that it has.
    """
    draw = random.Random(f"{kind}/{half}/{seed}")  # noqa: S311 - texts, no secrets
    parts: list[str] = []
    size = 0
    while size < length:
        if kind in SENTENCES:
            part = draw.choice(SENTENCES[kind][half::2]).format(n=draw.randint(2, 9999)) + " "
        else:
            part = PIECES[kind](draw)
        parts.append(part)
        size += len(part.encode("utf-8"))
    return "".join(parts).strip()
