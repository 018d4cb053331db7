package detect

import "strings"

// concept is what a field is called after, whatever the language.
type concept uint8

const (
	ofPerson    concept = iota // what somebody is called
	ofPhone                    // a telephone number
	ofMail                     // an address of a mailbox
	ofText                     // a text
	ofTitle                    // a title
	ofSubject                  // what a letter is about
	ofSender                   // whom it is from
	ofReceiver                 // whom it is to
	ofDate                     // when
	ofCreated                  // when it was made
	ofModified                 // when it was changed
	ofDuration                 // how long
	ofWay                      // which way, of what kind
	ofStart                    // when it begins
	ofEnd                      // when it ends
	ofDue                      // until when, and whether it is done
	ofAddress                  // an address on the web, or of something
	ofVisit                    // when a page was opened
	ofSearch                   // words searched for
	ofApp                      // what an app is called
	ofPackage                  // the package of an app
	ofVersion                  // which version
	ofCategory                 // what it is filed under
	ofNumber                   // which number it has
	ofRead                     // whether it was read
	ofFavourite                // whether it was marked
	ofBirthday
)

// spoken are the names that fields have in the languages of the world, each
// written as a speaker would and in the Latin letters that programmers write
// instead. A word stands under every concept that it is used for. Names in
// English, and those that only one kind of program uses, are in the lists of the
// detectors.
//
// In order: French, German, Spanish, Portuguese, Italian, Dutch, Polish, Russian,
// Ukrainian, Czech, Romanian, Hungarian, Swedish, Greek, Turkish, Arabic, Persian,
// Hebrew, Hindi, Indonesian and Malay, Vietnamese, Thai, Japanese, Korean, Chinese.
var spoken = map[concept]string{
	ofPerson: `nom prénom noms nomcomplet nomdefamille nomprénom prénomnom surnom nomaffiché nomcontact nomducontact
		vorname nachname vollername vollständigername vollstaendigername familienname anzeigename spitzname kontaktname rufname
		nombre nombres apellido apellidos nombrecompleto primerapellido nombrecontacto apodo
		nome nomes sobrenome nomecompleto apelido primeironome últimonome nomedocontato nomecontato
		cognome nomeecognome soprannome nominativo nomecontatto naam voornaam achternaam volledigenaam weergavenaam bijnaam contactnaam
		imię nazwisko imięinazwisko pełnanazwa nazwakontaktu pseudonim имя фамилия отчество фио полноеимя имяконтакта imya familiya fio polnoeimya
		імя прізвище повнеімя jméno příjmení celéjméno nume prenume numecomplet név teljesnév vezetéknév keresztnév namn förnamn efternamn visningsnamn fornavn efternavn navn etternavn όνομα επώνυμο ονοματεπώνυμο
		ad adı adi isim soyad soyadı adsoyad adıvesoyadı tamad kişiadı اسم الاسم الاسمالأول الاسمالأخير الاسمالكامل اسمالعائلة اسمجهةالاتصال اللقب نام نامخانوادگی ناممخاطب שם שםמלא שםפרטי שםמשפחה
		नाम पूरानाम उपनाम पहलानाम अंतिमनाम naam poornaam nama namadepan namabelakang namalengkap namakontak panggilan namapenuh
		tên họ họtên họvàtên tênđầyđủ tênliênhệ hovaten ชื่อ นามสกุล ชื่อเต็ม ชื่อสกุล ชื่อนามสกุล ชื่อเล่น ชื่อผู้ติดต่อ
		名前 氏名 姓 名 苗字 表示名 お名前 なまえ 相手 相手名 フリガナ ふりがな namae shimei myoji 이름 성명 성 표시이름 연락처이름 ireum seongmyeong
		姓名 名字 名称 昵称 联系人姓名 联系人名称 真实姓名 全名 備註名 姓氏 名稱 暱稱 聯絡人姓名 xingming xm mingzi mingcheng nicheng lianxirenxingming`,
	ofPhone: `téléphone téléphones tél numéro numéros numérodetéléphone numérotéléphone numérotel portable portables téléphoneportable numéroportable
		telefon telefone telefonnummer telefonnummern rufnummer rufnummern handy handynummer mobilnummer mobiltelefon festnetz nummer nummern
		teléfono teléfonos telefono telefonos número números numero móvil móviles celular celulares numerodeteléfono numerotelefono telmovil
		telefones telemóvel telemovel numerodetelefone númerodotelefone fone fones whatsapp cellulare cellulari telefoni numeroditelefono numerotelefonico
		telefoon telefoons telefoonnummer telefoonnummers nummer mobiel mobielnummer gsm telefony numertelefonu numerytelefonów nrtelefonu nrtel komórka numer numery
		телефон телефоны номер номера номертелефона номертел мобильный мобильныйтелефон сотовый тел telefonnomer nomer nomera nomertelefona mobilnyi
		номертелефону мобільний telefonníčíslo číslo mobil cislo telefonnicislo număr numărdetelefon numar telefonszám szám telefonszam telefonnr mobilnr τηλέφωνο κινητό αριθμός αριθμόςτηλεφώνου
		telefonu telefonnumarası telefonno numara numaralar cep ceptelefonu ceptel telno gsmno الهاتف هاتف رقم رقمالهاتف أرقام رقمالجوال الجوال جوال موبايل رقمالموبايل تلفون رقمالتليفون المحمول تلفن شماره شمارهتلفن شمارهموبایل טלפון מספר מספרטלפון נייד
		फोन फ़ोन नंबर फोननंबर मोबाइल मोबाइलनंबर दूरभाष संपर्कनंबर phonenambar telepon nomor nomortelepon nohp nomorhp hp ponsel notelp notelepon telp nomortelp nomerhp notel telefonbimbit
		sốđiệnthoại sđt sdt điệnthoại số sốmáy sốdiđộng sodt dtdd เบอร์ เบอร์โทร เบอร์โทรศัพท์ โทรศัพท์ หมายเลข หมายเลขโทรศัพท์ มือถือ เบอร์มือถือ
		電話 電話番号 携帯 携帯電話 携帯番号 番号 電話番號 でんわ denwa denwabango denwabangou bango 전화번호 전화 휴대폰 휴대폰번호 휴대전화 핸드폰 번호 연락처번호 jeonhwa jeonhwabeonho
		电话 手机 手机号 手机号码 号码 电话号码 联系电话 联系方式 移动电话 電話號碼 手機 手機號碼 號碼 聯絡電話 行動電話 dianhua shouji shoujihao shoujihaoma sj sjh haoma dianhuahaoma lianxidianhua lxdh`,
	ofMail: `courriel courriels adressemail adresseemail adressecourriel adresseélectronique mél emailadresse mailadresse correo correos correoelectrónico direccióndecorreo eposta epostaadresi epostadresse epost
		endereçodeemail correioeletrônico correioeletrónico indirizzoemail postaelettronica indirizzodiposta adresemail adresmailowy почта элпочта электроннаяпочта емейл имейл мейл pochta пошта emailová poșta
		βλ إيميل ايميل البريد البريدالإلكتروني بريد عنوانالبريد ایمیل דואל אימייל ईमेल ईमेलपता surel alamatemail emel thưđiệntử địachỉemail อีเมล อีเมล์ メール メールアドレス メアド 電子メール meado 이메일 메일 메일주소 전자우편
		邮箱 邮件地址 电子邮件 电子邮箱 邮箱地址 電子郵件 郵箱 信箱 電郵 youxiang dianziyouxiang`,
	ofText: `texte contenu corps message libellé inhalt nachricht nachrichtentext textinhalt wortlaut texto contenido mensaje cuerpo cuerpodelmensaje conteúdo mensagem corpo corpodamensagem testo contenuto messaggio tekst inhoud bericht berichttekst
		treść wiadomość zawartość текст сообщение содержание содержимое тело текстсообщения tekstsoobshcheniya soobshchenie soobshenie soderzhanie soderzhimoe повідомлення вміст zpráva obsah mesaj conținut üzenet szöveg tartalom meddelande innehåll indhold innhold melding besked κείμενο μήνυμα περιεχόμενο
		metin içerik mesaj mesajmetni ileti النص نص نصالرسالة الرسالة رسالة المحتوى محتوى متن پیام محتوا הודעה תוכן טקסט संदेश सन्देश पाठ सामग्री टेक्स्ट मैसेज sandesh teks isi isipesan pesan konten kandungan mesej
		nộidung tinnhắn vănbản noidungtinnhan ข้อความ เนื้อหา รายละเอียด 本文 内容 メッセージ テキスト 文章 文面 honbun naiyo naiyou 내용 본문 메시지 메세지 문자 문자내용 텍스트 naeyong
		正文 文本 消息 信息 短信内容 邮件内容 消息内容 文字 內容 訊息 簡訊內容 内文 內文 neirong zhengwen xiaoxi wenben duanxinneirong`,
	ofTitle: `titre intitulé titel überschrift ueberschrift bezeichnung título titulo titolo onderwerp tytuł nazwa заголовок название наименование тема zagolovok nazvanie назва název nadpis titlu cím rubrik tittel τίτλος
		başlık baslik العنوان عنوان اسمالصفحة כותרת शीर्षक sheershak judul tajuk tiêuđề ชื่อเรื่อง หัวข้อ หัวเรื่อง ชื่อ タイトル 題名 件名 表題 見出し ページ名 daimei 제목 타이틀 페이지제목 jemok
		标题 题目 主题 名称 标题名 網頁標題 標題 題目 名稱 biaoti timu`,
	ofSubject: `objet sujet betreff asunto assunto oggetto onderwerp temat тема temapisma předmět subiect tárgy ämne emne θέμα konu الموضوع موضوع נושא विषय vishay subjek perihal chủđề เรื่อง หัวเรื่อง หัวข้อ 件名 題名 kenmei 제목 主题 主旨 主題 标题 標題 邮件主题 zhuti`,
	ofSender: `de expéditeur envoyeur auteur émetteur von absender sender remitente remetente emisor mittente da van afzender od nadawca от откого отправитель otpravitel відправник odesílatel expeditor feladó avsändare från avsender fra αποστολέας από
		gönderen kimden من المرسل مرسل الراسل فرستنده שולח מאת प्रेषक भेजनेवाला pengirim dari daripada ngườigửi từ ผู้ส่ง จาก 差出人 送信者 送信元 発信者 差出 sashidashinin soushinsha 보낸사람 보낸이 발신자 발신인 발신번호 bonaensaram
		发件人 发送者 发送人 寄件人 发送方 寄件者 發件人 發送者 來自 fajianren fasongzhe fasongren`,
	ofReceiver: `à destinataire destinataires destinatario destinatarios para a an empfänger empfaenger destinatário destinatários destinatari aan naar ontvanger geadresseerde do odbiorca adresat кому получатель адресат poluchatel komu отримувач příjemce destinatar címzett mottagare till mottaker modtager til παραλήπτης προς
		alıcı kime إلى المستلم المستقبل مستلم گیرنده נמען אל प्राप्तकर्ता penerima kepada untuk ngườinhận đến ผู้รับ ถึง 宛先 受信者 宛名 送信先 atesaki 받는사람 받는이 수신자 수신인 수신번호 수신 badneunsaram
		收件人 接收者 接收人 收信人 收件者 接收方 收件方 shoujianren jieshouren jieshouzhe 抄送 密送 副本`,
	ofDate: `date heure horodatage dateheure dateetheure jour datum zeit uhrzeit zeitpunkt zeitstempel datumuhrzeit fecha hora fechahora fechayhora data datahora dataehora dataora ora giorno tijd tijdstip datumtijd tijdstempel czas dataiczas godzina дата время датавремя датаивремя времясообщения vremya datavremya час čas datumačas dată oră dátum idő tid tidpunkt dato tidspunkt ημερομηνία ώρα
		tarih saat zaman tarihsaat zamandamgası التاريخ تاريخ الوقت وقت التوقيت الطابعالزمني تاریخ زمان ساعت תאריך שעה זמן तारीख दिनांक समय दिनांकसमय tareekh samay tanggal waktu jam tgl tarikh masa
		ngày giờ thờigian ngàygiờ ngàytháng วันที่ เวลา วันเวลา 日時 日付 時刻 時間 年月日 日 タイムスタンプ nichiji hizuke jikoku 날짜 시간 일시 일자 시각 타임스탬프 수신시각 수신시간 수신일시 수신일 발신시각 발신시간 발신일시 받은시간 보낸시간 受信日時 受信時刻 送信日時 送信時刻 收到时间 收信时间 发信时间 接收日期 发送日期 接收時間 發送時間 وقتالاستلام وقتالإرسال تاريخالاستلام تاريخالإرسال प्राप्तिसमय प्राप्तितिथि เวลารับ เวลาที่รับ วันที่รับ เวลาส่ง времяполучения времяотправки датаполучения датаотправки alınmazamanı alınmatarihi gönderimtarihi gönderimzamanı waktuditerima thờigiannhận ngàynhận thờigiangửi ngàygửi empfangszeit sendezeit gesendet empfangen recibido enviado recebidoem enviadoem reçule envoyéle ricevutoil inviatoil ontvangenop verzondenop odebrano wysłano nalja sigan
		时间 日期 时间戳 日期时间 時間 日期時間 時間戳 shijian riqi`,
	ofCreated: `créé créée crééle datecréation datedecréation datecreation erstellt erstelltam angelegt angelegtam erstellungsdatum creado creada creadoel fechacreación fechadecreación criado criada criadoem datacriação datadecriação creato creata datacreazione datadicreazione aangemaakt aangemaaktop gemaakt gemaaktop utworzono utworzony datautworzenia создано создан создана датасоздания sozdano datasozdaniya створено vytvořeno creat létrehozva skapad opprettet oprettet δημιουργήθηκε
		oluşturulma oluşturuldu oluşturmatarihi oluşturulmatarihi تاريخالإنشاء أنشئ أنشئفي تاریخایجاد נוצר बनायागया निर्मित निर्माणतिथि dibuat dibuatpada tanggaldibuat tanggalbuat dicipta ngàytạo tạolúc đượctạo สร้างเมื่อ วันที่สร้าง 作成日 作成日時 作成時間 登録日時 sakuseibi 작성일 작성일시 생성일 생성일시 작성시간 등록일 创建时间 创建日期 新建时间 建立時間 建立日期 創建時間 chuangjianshijian chuangjianriqi`,
	ofModified: `modifié modifiée modifiéle modifie datemodification datedemodification dernièremodification misàjour geändert geaendert geändertam bearbeitet bearbeitetam aktualisiert änderungsdatum modificado modificada fechamodificación fechademodificación actualizado editado atualizado atualizada atualizadoem modificato modificata datamodifica aggiornato gewijzigd gewijzigdop bijgewerkt zmodyfikowano datamodyfikacji zmieniono изменено изменен изменена датаизменения обновлено обновлен izmeneno izmenen obnovleno змінено změněno upraveno modificat módosítva ändrad uppdaterad endret ændret τροποποιήθηκε
		değiştirilme değiştirildi güncellenme güncellendi düzenlendi تاريخالتعديل عدل عدلفي آخرتعديل ویرایش שונה עודכן संशोधित अद्यतन बदलागया diubah diubahpada diperbarui tanggaldiubah dikemaskini sửađổi ngàysửa cậpnhật ngàycậpnhật แก้ไขเมื่อ วันที่แก้ไข อัปเดต 更新日 更新日時 変更日時 修正日時 koshinbi 수정일 수정일시 수정시간 갱신일 修改时间 修改日期 更新时间 最后修改 修改時間 更新時間 xiugaishijian gengxinshijian`,
	ofDuration: `durée duréeappel durées dauer gesprächsdauer anrufdauer dauerinsekunden duración duracion segundos duração duracao duraçãosegundos durata durataChiamata duur gespreksduur czastrwania długość długośćrozmowy длительность продолжительность длительностьзвонка секунд dlitelnost prodolzhitelnost тривалість délka durată időtartam varaktighet varighed varighet διάρκεια
		süre süresi sure konuşmasüresi görüşmesüresi المدة مدة مدةالمكالمة مدت מֶשֶׁךְ משך अवधि समयावधि avadhi durasi lama lamanya tempoh thờilượng thờilượnggọi ระยะเวลา ความยาว 通話時間 通話秒数 長さ 秒数 所要時間 期間 tsuwajikan 통화시간 길이 지속시간 통화길이 초 tonghwasigan
		时长 通话时长 持续时间 时长秒 時長 通話時長 通話秒數 shichang tonghuashichang chixushijian`,
	ofWay: `sens type typed directionappel art richtung typ anrufart anruftyp tipo dirección direccionllamada sentido tipodellamada tipollamada direção direcao tipochamada tipochiamata direzione soort richting typeoproep rodzaj kierunek rodzajpołączenia тип вид направление типзвонка tip tipzvonka napravlenie напрямок druh směr směrhovoru direcție irány típus riktning retning κατεύθυνση τύπος είδος
		tür türü yön yönü aramatürü النوع نوع نوعالمكالمة الاتجاه اتجاه جهت סוג כיוון प्रकार दिशा prakaar tipe jenis arah jenispanggilan loại hướng loạicuộcgọi ประเภท ชนิด ทิศทาง 種別 種類 方向 タイプ 区分 発着 着発信 shubetsu shurui 유형 종류 구분 방향 타입 통화유형 수발신 yuhyeong
		类型 方向 通话类型 呼叫类型 状态 類型 通話類型 leixing fangxiang zhonglei hujiaoleixing`,
	ofStart: `début datedébut heuredébut commence beginn anfang startdatum startzeit inicio fechainicio fechadeinicio horainicio início datainício datadeinício inizio datainizio orainizio begin begintijd startdatum aanvang początek rozpoczęcie datarozpoczęcia начало датаначала времяначала nachalo початок začátek început kezdet börjar έναρξη
		başlangıç başlangıçtarihi البداية بداية تاريخالبداية وقتالبدء شروع התחלה शुरू आरंभ प्रारंभ mulai tanggalmulai waktumulai mula bắtđầu ngàybắtđầu เริ่ม เริ่มต้น วันที่เริ่ม 開始 開始日 開始日時 開始時刻 開始時間 kaishi 시작 시작일 시작시간 시작일시 sijak
		开始 开始时间 开始日期 起始时间 kaishishijian`,
	ofEnd: `fin datefin heurefin ende enddatum endzeit fechafin fechadefin horafin fim término datafim datatermino fine datafine orafine einde einddatum eindtijd koniec zakończenie datazakończenia конец окончание датаокончания времяокончания konets okonchanie кінець konec sfârșit vége slut slutar λήξη bitiş bitiştarihi النهاية نهاية تاريخالنهاية وقتالانتهاء پایان סיום समाप्त समाप्ति tanggalselesai waktuselesai berakhir tamat kếtthúc ngàykếtthúc สิ้นสุด วันที่สิ้นสุด
		終了 終了日 終了日時 終了時刻 終了時間 shuryo 종료 종료일 종료시간 끝 jongnyo 结束 结束时间 结束日期 結束 結束時間 jieshu jieshushijian`,
	ofDue: `échéance dateéchéance terminé terminée fait faite fällig fälligam faelligam fälligkeit erledigt abgeschlossen frist vencimiento fechalímite completado completada hecho hecha terminada vencimento prazo concluído concluída feito feita scadenza completato completata fatto fatta svolto vervaldatum voltooid afgerond gedaan zrobione wykonane ukończone terminrealizacji срок выполнено выполнена сделано готово дедлайн srok vypolneno sdelano термін виконано hotovo splněno scadent határidő kész förfallodatum klar κατάσταση
		tamamlandı yapıldı bitti sontarih sontarihi الاستحقاق تاريخالاستحقاق مكتمل مكتملة تم منجز סופי बकाया पूर्ण पूरा नियततिथि selesai tenggat bataswaktu jatuhtempo hạnchót hoànthành đãxong đếnhạn เสร็จ เสร็จแล้ว เสร็จสิ้น กำหนดส่ง ครบกำหนด 期限 期日 締切 完了 完了日 済 kigen kanryo 완료 마감 마감일 기한 완료여부 wallyo magam
		完成 已完成 截止 截止日期 截止时间 到期 到期日 是否完成 wancheng jiezhi jiezhiriqi`,
	ofAddress: `adresse lien adresseweb liens adressesite adressepage site link webadresse internetadresse seitenadresse dirección direccion enlace sitio sitioweb páginaweb página pagina url endereço endereco site sítio página indirizzo collegamento sito sitoweb paginaweb adres koppeling webadres webpagina strona stronainternetowa odnośnik adresstrony адрес ссылка сайт страница адресстраницы adressayta ssylka stranica stranitsa адреса посилання odkaz stránka adresă cím hivatkozás länk adress webbadress lenke διεύθυνση σύνδεσμος
		bağlantı adresi webadresi sayfa site الرابط رابط العنوان عنوان الموقع صفحة نشانی پیوند آدرس כתובת קישור पता लिंक यूआरएल वेबपता alamat tautan situs halaman laman pautan địachỉ liênkết trangweb đườngdẫn ที่อยู่ ลิงก์ ลิงค์ เว็บไซต์ หน้าเว็บ アドレス リンク サイト ページ ユーアールエル 주소 링크 사이트 웹주소 페이지 juso
		网址 链接 地址 页面 网页地址 链接地址 網址 連結 鏈接 頁面 wangzhi lianjie dizhi`,
	ofVisit: `visite visité visitée visitéle dernièrevisite datevisite consulté consultéle besucht besuchtam aufgerufen aufgerufenam besuchszeit letzterbesuch visitado visitada últimavisita fechavisita visitadoel visitadoem últimoacesso acessado visitato visitata ultimavisita datavisita bezocht bezochtop laatstbezocht odwiedzono ostatniawizyta odwiedzona посещено посещен посещена посещение датапосещения времяпосещения poseshcheno відвідано navštíveno vizitat meglátogatva besökt besøgt επίσκεψη
		ziyaret ziyarettarihi ziyaretedildi sonziyaret الزيارة زيارة تاريخالزيارة وقتالزيارة بازدید ביקור देखागया भेंट दौरा dikunjungi kunjungan terakhirdikunjungi waktukunjungan dilawati truycập lầntruycập đãxem เยี่ยมชม เข้าชม เวลาเข้าชม 訪問 訪問日 訪問日時 閲覧日時 閲覧時刻 アクセス日時 homonbi 방문 방문일 방문일시 방문시간 접속시간 bangmun
		访问时间 浏览时间 访问日期 最后访问 访问次数 浏览次数 造訪時間 瀏覽時間 fangwenshijian liulanshijian`,
	ofSearch: `recherche recherché motclé motsclés termerecherché termerecherche requête suchbegriff suchwort suchwörter suchanfrage suchtext gesucht búsqueda busqueda términobúsqueda palabraclave palabrasclave consulta buscado pesquisa busca termodebusca termo palavrachave pesquisado ricerca ricercato parolachiave termineRicerca zoekterm zoekopdracht zoekwoord gezocht wyszukiwanie zapytanie fraza szukanafraza hasło поиск запрос поисковыйзапрос ключевоеслово текстзапроса poisk zapros poiskovyizapros пошук запит hledání dotaz căutare keresés sökning sökord søgning søk αναζήτηση
		arama aramakelimesi aramaterimi aramasorgusu sorgu aranankelime بحث البحث كلمةالبحث استعلام عبارةالبحث جستجو חיפוש खोज खोजशब्द khoj pencarian katakunci kueri carian tìmkiếm từkhóa từkhoá timkiem tukhoa ค้นหา คำค้น คำค้นหา 検索 検索語 検索語句 検索ワード 検索キーワード キーワード クエリ kensaku 검색 검색어 검색키워드 키워드 검색내용 geomsaegeo
		搜索词 搜索内容 关键词 关键字 查询词 搜索关键词 搜尋 搜尋字詞 關鍵字 關鍵詞 搜索 guanjianci sousuoci guanjianzi`,
	ofApp: `application nomapplication appli anwendung anwendungsname aplicación nombreaplicación aplicativo nomeaplicativo aplicação applicazione nomeapplicazione appnaam toepassing aplikacja nazwaaplikacji приложение названиеприложения имяприложения название prilozhenie nazvanie nazvanieprilozheniya додаток aplikace aplicație alkalmazás uygulama uygulamaadı التطبيق تطبيق اسمالتطبيق برنامه אפליקציה ऐप ऐपनाम ऐप्प aplikasi namaaplikasi ứngdụng tênứngdụng แอป ชื่อแอป แอปพลิเคชัน แอพ アプリ アプリ名 アプリケーション 앱 앱이름 앱명 어플 애플리케이션 应用 应用名 应用名称 软件 软件名 软件名称 應用程式 應用程式名稱 程式 yingyong yingyongming ruanjian ruanjianming
		nom nombre nome naam nazwa nama isim اسم नाम ชื่อ 名前 이름 名称 名稱 имя ad tên`,
	ofPackage:   `paquet nompaquet paket paketname paketName paquete nombrepaquete pacote nomedopacote pacchetto nomepacchetto pakket pakketnaam pakiet nazwapakietu пакет имяпакета названиепакета paket imyapaketa balíček pachet csomag paketnamn paketadı الحزمة حزمة اسمالحزمة بسته חבילה पैकेज पैकेजनाम namapaket pakej gói têngói แพ็กเกจ ชื่อแพ็กเกจ パッケージ パッケージ名 패키지 패키지명 패키지이름 包名 应用包名 程序包 套件名稱 套件 baoming identifiant kennung identificador`,
	ofVersion:   `version versión versão versione versie wersja версия versiya версія verze versiune verzió έκδοση sürüm الإصدار إصدار نسخه גרסה संस्करण versi phiênbản เวอร์ชัน バージョン 버전 版本 版本号 版本號 banben banbenhao`,
	ofCategory:  `catégorie catégories rubrique thème kategorie kategorien rubrik thema anlass categoría categoria categorías tema ocasión ocasião occasione categorie kategoria kategorie okazja категория раздел тема повод kategoriya razdel категорія kategorie categorie kategória kategori κατηγορία kategori konu الفئة فئة التصنيف تصنيف القسم المناسبة دسته קטגוריה श्रेणी वर्ग kategori jenis danhmục thểloại chủđề loại หมวด หมวดหมู่ ประเภท カテゴリ カテゴリー 分類 種類 ジャンル テーマ bunrui 카테고리 분류 주제 종류 bunryu 分类 类别 类型 分類 類別 類型 主题 節日 节日 fenlei leibie`,
	ofNumber:    `numéro identifiant nummer kennung número identificador numero identificativo volgnummer numer identyfikator номер идентификатор nomer ідентифікатор číslo număr azonosító αριθμός numara sıra kimlik رقم معرف الرقم شناسه מזהה क्रमांक आईडी nomor urutan số mã ลำดับ หมายเลข รหัส 番号 連番 識別子 번호 순번 아이디 编号 序号 编码 編號 序號 bianhao xuhao`,
	ofRead:      `lu lue gelesen leído leida leido lido lida letto letta gelezen przeczytane przeczytana прочитано прочитан прочитана prochitano přečteno olvasott läst lest læst okundu مقروء مقروءة مقروءه خوانده पढ़ा dibaca đãđọc อ่านแล้ว อ่าน 既読 읽음 已读 已讀 yidu`,
	ofFavourite: `favori favoris épinglé épinglée épingle favorit angeheftet favorito fijado favorita fixado preferito preferiti fissato favoriet vastgezet ulubione przypięte избранное избранный закреплено закреплена izbrannoe oblíbené kedvenc favorit fäst sabitlendi favori المفضلة مفضل مثبت पसंदीदा favorit disematkan yêuthích ghim ปักหมุด รายการโปรด お気に入り 固定 ピン留め 즐겨찾기 고정 收藏 置顶 置頂 最愛 shoucang zhiding`,
	ofBirthday:  `anniversaire datedenaissance naissance geburtstag geburtsdatum cumpleaños fechadenacimiento aniversário nascimento datadenascimento compleanno datadinascita verjaardag geboortedatum urodziny dataurodzenia деньрождения датарождения denrozhdeniya narozeniny születésnap födelsedag fødselsdag γενέθλια doğumtarihi doğumgünü تاريخالميلاد عيدالميلاد تولد יוםהולדת जन्मदिन जन्मतिथि ulangtahun tanggallahir ngàysinh sinhnhật วันเกิด 誕生日 生年月日 tanjobi 생일 생년월일 生日 出生日期 shengri`,
}

// spokenWords are the words of spoken, as squeeze writes them.
var spokenWords = func() map[concept][]string {
	all := make(map[concept][]string)
	for c, words := range spoken {
		for w := range strings.FieldsSeq(words) {
			if f := folded(w); f != "" {
				all[c] = append(all[c], f)
			}
		}
	}
	return all
}()

// meaning says which family of a detector's fields a concept is.
type meaning[T comparable] struct {
	concept concept
	of      T
}

// speaking adds the words of the concepts to l, but for those that l knows. Of
// two concepts with one word, the first wins.
//
// It is no method: what methods of generic types refer to is not seen when
// variables of the package are put in order.
func speaking[T comparable](l *lexicon[T], list ...meaning[T]) *lexicon[T] {
	for _, m := range list {
		for _, w := range spokenWords[m.concept] {
			if _, known := l.words[w]; !known {
				l.words[w] = m.of
				l.may[w[0]] |= 1 << len(w)
			}
		}
	}
	return l
}

// fillers are words in names that say nothing of their own.
var fillers = newLexicon(map[bool]string{true: `the of my a an in on at is de du des d la le les l da do das dos di del della dello el los las lo der die vom von am um im het van een z w na o и в на с от об`})

// typeMarks are what names of variables begin with where a capital follows and
// the mark tells the type (Hungarian notation): strBody, lDate, nType.
var typeMarks = newLexicon(map[bool]string{true: `s n i l b d f u c sz psz lpsz str arr lst vec ui ul dw lng int bln dbl`})

// untyped is name without the mark of its type, "" when it has none.
func untyped(name string) string {
	for i := 1; i < len(name) && i <= 4; i++ {
		if name[i]-'A' < 26 {
			if name[i-1]-'a' < 26 && typeMarks.of(name[:i]) {
				return name[i:]
			}
			break
		}
	}
	return ""
}

// maxCompound is of how many words a compound name may be.
const maxCompound = 6

// oneWord says that name is one word in small letters.
func oneWord(name string) bool {
	for i := range len(name) {
		if name[i]-'a' > 25 {
			return false
		}
	}
	return true
}

// compound looks up a name that has words of its surroundings in it besides the
// one that says what it is: call_date, fechaLlamada, nomDuContact, 联系人姓名.
// The words of around are what the surroundings are called.
func (l *lexicon[T]) compound(name string, around *lexicon[bool]) (none T) {
	if len(name) < 4 || len(name) > 2*maxName || oneWord(name) {
		return none
	}
	if n := len(name); name[n-1] == ']' {
		if i := strings.LastIndexByte(name, '['); i > 0 && i < n-2 {
			name = name[i+1 : n-1]
		}
	}
	var buf, joined [maxName]byte
	length, words := 0, 0
	found, all := none, true
	for start := 0; start < len(name); {
		end := wordEnd(name, start)
		w := squeeze(&buf, name[start:end])
		start = end
		if len(w) == 0 {
			continue
		}
		if words++; words > maxCompound {
			return none
		}
		if around.word(w) || fillers.word(w) || words == 1 && start < len(name) && name[start]-'A' < 26 && typeMarks.word(w) {
			continue
		}
		if w[0] >= 0x80 {
			w = trimAffixes(w, around)
		}
		if length+len(w) > maxName {
			return none
		}
		length += copy(joined[length:], w)
		switch f := l.word(w); {
		case f == none:
			all = false
		case found == none:
			found = f
		default:
			all = all && f == found
		}
	}
	if length == 0 {
		return none
	}
	if f := l.word(joined[:length]); f != none {
		return f
	}
	if all {
		return found
	}
	return none
}

// trimAffixes cuts words of the surroundings off both ends of a name without
// spaces.
func trimAffixes(w []byte, around *lexicon[bool]) []byte {
	for n := 3; n < len(w) && n <= 30; n++ {
		if w[n]&0xc0 != 0x80 && around.word(w[:n]) {
			w = w[n:]
			break
		}
	}
	for n := 3; n < len(w) && n <= 30; n++ {
		if w[len(w)-n]&0xc0 != 0x80 && around.word(w[len(w)-n:]) {
			return w[:len(w)-n]
		}
	}
	return w
}

// wordEnd is where the word that begins at i ends: before a separator behind it,
// a capital, or a letter of another script.
func wordEnd(name string, i int) int {
	for start := i; i < len(name); i++ {
		c := name[i]
		letter := c|0x20-'a' < 26 || c-'0' < 10 || c >= 0x80
		if !letter {
			if i > start {
				return i
			}
			start = i + 1
			continue
		}
		if i == start {
			continue
		}
		p := name[i-1]
		if c-'A' < 26 && (p-'a' < 26 || p-'0' < 10 || p-'A' < 26 && i+1 < len(name) && name[i+1]-'a' < 26) {
			return i
		}
	}
	return len(name)
}
