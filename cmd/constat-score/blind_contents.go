package main

// talk is what people of one language write, in the blind samples only: none of
// it is in the tongues of the other splits. All of it is invented.
type talk struct {
	code          string
	given, family []string
	numbers       []string // x is a digit; the first one is international
	sms           []string
	notes         []string
	subjects      []string
	letters       []string
	todos         []string
	searches      []string
	titles        []string // of web pages
	wishes        []string
}

var talks = []talk{
	{
		code: "en", given: []string{"Marcus", "Leila", "Gwen", "Tyrell", "Siobhan"}, family: []string{"Abernathy", "Castellan", "Okafor", "Whitlock"},
		numbers: []string{"+12125550xxx", "(312) 555-01xx", "+44 7700 900 xxx"},
		sms: []string{
			"running 10 late, grab us a table near the window?", "Your appointment with Dr. Okafor is confirmed for 03/14 at 9:40 AM. Reply C to cancel.",
			"did u tell her about the biopsy yet", "Landlord came by again. I said we'd have it Friday.", "lol no way!! call me when ur out of class",
			"Parcel 7731 could not be delivered today. Next attempt tomorrow 8-12.",
		},
		notes: []string{
			"gym: squat 5x5 @ 85kg, left knee still clicking, book physio", "gate code for the cabin: two longs, then the year Grandpa was born",
			"Questions for lawyer - custody over summer? who keeps the dog? do the texts count?", "pasta dough: 400g 00 flour, 4 eggs, rest 30 min under a bowl",
		},
		subjects: []string{"Re: custody schedule for July", "Your lab results are available", "Quick favour before Monday"},
		letters: []string{
			"Hi Gwen,\n\nI looked at the numbers again and we can't keep both stores open past June. Please keep this between us for now.\n\nM.",
			"Dear Mr. Castellan, thank you for coming in on Tuesday. The panel was unanimous and we would like to offer you the position.",
		},
		todos: []string{"call insurance re: water damage", "pick up Leila 16:30", "cancel trial subscription"}, searches: []string{"how to tell boss i'm pregnant", "std clinic open sunday", "small claims court limit"},
		titles: []string{"Coping with a layoff: ten things to do first", "r/legaladvice - landlord keeps deposit"},
		wishes: []string{
			"May your birthday be filled with sunshine, smiles, laughter, love and cheer.", "Warmest wishes for a joyful holiday season and a peaceful new year!",
			"Friends are the family we choose. Happy Friendship Day!",
		},
	},
	{
		code: "es", given: []string{"Ximena", "Joaquín", "Rocío", "Álvaro", "Candela"}, family: []string{"Villalobos", "Echeverría", "Quintana", "Ibáñez"},
		numbers: []string{"+346005550xx", "600 55 50 xx", "+52 55 5550 01xx"},
		sms: []string{
			"mamá ya llegué, el vuelo salió tarde pero todo bien", "Cita confirmada: Dra. Ibáñez, jueves 11:15, traiga la analítica.", "no le digas nada a Rocío que es sorpresa jaja",
			"Te debo 35 pavos, te hago bizum mañana", "el del taller dice que son 420 con la correa, qué hago?",
		},
		notes:    []string{"Contraseña del wifi del pueblo: está en la nevera, debajo del imán", "Hablar con Álvaro de la hipoteca antes de que vuelva su madre", "lista boda: 84 confirmados, faltan los de Burgos y la tía Carmen"},
		subjects: []string{"Re: presupuesto de la cocina", "Resultado de la biopsia", "Baja voluntaria"},
		letters:  []string{"Hola Joaquín:\n\nte mando el borrador del acuerdo. Léelo con calma y dime si cambiamos la cláusula del piso.\n\nUn abrazo", "Estimada señora Quintana, lamentamos informarle de que su solicitud de préstamo ha sido denegada."},
		todos:    []string{"llamar al fontanero", "sacar entradas del concierto", "renovar el DNI de Candela"}, searches: []string{"síntomas de ansiedad en el trabajo", "abogado despido improcedente", "pisos alquiler lavapiés"},
		titles: []string{"Despido improcedente: cuánto me corresponde", "Foro: convivir con la ansiedad"},
		wishes: []string{"Que este nuevo año te traiga salud, amor y muchas alegrías. ¡Feliz Año!", "Feliz cumpleaños, que cumplas muchos más rodeado de los tuyos.", "La amistad duplica las alegrías y divide las penas."},
	},
	{
		code: "pt", given: []string{"Thiago", "Larissa", "Benedita", "Caio", "Inês"}, family: []string{"Albuquerque", "Sequeira", "Vasconcelos", "Pinheiro"},
		numbers: []string{"+5511955550xxx", "(21) 95555-0xxx", "+351 910 000 xxx"},
		sms: []string{
			"oi amor, to no ônibus, chego umas 20h", "Seu exame já está disponível para retirada na recepção.", "me liga quando puder, é sobre o pai", "kkkk mentira!! ela disse isso mesmo?", "Pix de R$ 180 enviado, confere aí por favor",
		},
		notes:    []string{"Receita da vó: 3 ovos, 2 xícaras de fubá, coco ralado, forno médio 40 min", "Falar com a diretora sobre o Caio, ele não quer mais ir à escola", "ideias de nome: Aurora, Helena, Dante"},
		subjects: []string{"Re: reunião de condomínio", "Aviso de desligamento", "Fotos do batizado"},
		letters:  []string{"Oi Larissa, segue o contrato assinado. Só falta a via do fiador, ele prometeu mandar até quarta. Beijo", "Prezado senhor Pinheiro, o seu pedido de visto foi indeferido. Tem trinta dias para recorrer."},
		todos:    []string{"marcar dentista", "comprar ração", "pagar o IPVA"}, searches: []string{"como pedir demissão", "dor no peito o que pode ser", "advogado pensão alimentícia"},
		titles: []string{"Dor no peito: quando procurar o médico", "Como negociar dívidas do cartão"},
		wishes: []string{"Feliz Natal! Que a paz e o amor reinem no seu lar.", "Parabéns! Que todos os seus sonhos se realizem hoje e sempre.", "Bom dia! Que o seu dia seja leve e cheio de luz."},
	},
	{
		code: "it", given: []string{"Ludovica", "Ettore", "Ginevra", "Saverio", "Mirella"}, family: []string{"Bellandi", "Castagneto", "Iovine", "Pizzigalli"},
		numbers: []string{"+393200000xxx", "320 00 00 xxx", "06 5555 0xxx"},
		sms: []string{
			"ciao nonna, domenica veniamo a pranzo in quattro", "Il suo referto è pronto, può ritirarlo dalle 8 alle 12.", "ma hai visto chi c'era ieri sera?? ti chiamo dopo", "il treno è fermo a Bologna, 40 minuti di ritardo", "bonifico fatto, mandami la ricevuta",
		},
		notes:    []string{"chiavi di riserva dal tabaccaio, chiedere di Mirella", "dieta: niente latticini fino al controllo di marzo", "discorso per il matrimonio: cominciare dalla storia della barca"},
		subjects: []string{"Re: riunione genitori", "Disdetta contratto di affitto", "Cena di sabato"},
		letters:  []string{"Gentile dottor Iovine,\n\nle scrivo per disdire l'appuntamento di giovedì, mio figlio ha la febbre.\n\nCordiali saluti", "Caro Ettore, ho trovato le lettere di papà in soffitta. Vorrei che le leggessimo insieme."},
		todos:    []string{"pagare il bollo", "prenotare il traghetto", "comprare le lampadine"}, searches: []string{"mal di schiena cosa fare", "separazione consensuale costi", "case in affitto navigli"},
		titles: []string{"Separazione consensuale, i costi", "Mal di schiena: gli esercizi utili"},
		wishes: []string{"Tanti auguri di buon compleanno e cento di questi giorni!", "Buona Pasqua a te e a tutta la tua famiglia.", "Che il nuovo anno ti porti tanta serenità."},
	},
	{
		code: "de", given: []string{"Wiebke", "Konstantin", "Mechthild", "Jannis", "Ayşe"}, family: []string{"Obermaier", "Thomsen", "Yıldız", "Krähwinkel"},
		numbers: []string{"+4915200000xxx", "0152 00000xxx", "030 23125 xxx"},
		sms: []string{
			"Bin um 7 da, soll ich noch Brot mitbringen?", "Ihr Rezept liegt zur Abholung bereit. Praxis Dr. Thomsen", "sag Mama bitte nix wegen der Prüfung", "Zug fällt aus, nehme den Bus. Fangt ruhig schon an", "hab dir 60 überwiesen für die Karten",
		},
		notes:    []string{"Passwort vom alten Rechner steht hinten im Kochbuch", "Therapie: drei Dinge aufschreiben, die diese Woche gut waren", "Umzug: Halteverbot beantragen, Kartons bei Jannis abholen"},
		subjects: []string{"Re: Betriebsratswahl", "Ihr Befund", "Kaution Wohnung 3. OG"},
		letters:  []string{"Hallo Wiebke,\n\nanbei das Protokoll vom Dienstag. Den Punkt mit der Abmahnung habe ich herausgelassen.\n\nGruß, K.", "Sehr geehrte Frau Yıldız, leider müssen wir Ihnen mitteilen, dass Ihr Antrag abgelehnt wurde."},
		todos:    []string{"Reifen wechseln", "Elterngeld beantragen", "Pfand wegbringen"}, searches: []string{"kündigung in der probezeit", "schwindel beim aufstehen", "scheidung was kostet das"},
		titles: []string{"Schwindel beim Aufstehen: Ursachen", "Kündigungsfristen im Überblick"},
		wishes: []string{"Alles Gute zum Geburtstag, Gesundheit und viel Glück im neuen Lebensjahr!", "Frohe Ostern und erholsame Feiertage wünschen wir dir.", "Guten Rutsch und ein gesundes neues Jahr!"},
	},
	{
		code: "fr", given: []string{"Capucine", "Ismaël", "Josiane", "Loïc", "Fatoumata"}, family: []string{"Kerbrat", "Delacourt", "Traoré", "Sabatier"},
		numbers: []string{"+33639980xxx", "06 39 98 0x xx", "+32 470 00 0x xx"},
		sms: []string{
			"je suis devant, tu descends ?", "Votre RDV avec le Dr Sabatier est confirmé mardi 16h20.", "mdr elle a vraiment dit ça devant tout le monde", "J'ai laissé les clés chez la gardienne, bisous", "virement fait, dis-moi quand tu l'as",
		},
		notes:    []string{"mot de passe de la box sous le téléphone du salon", "Penser à rappeler l'avocate pour la garde de Loïc", "liste rentrée : cahiers 96 pages, compas, blouse"},
		subjects: []string{"Re: votre dossier de prêt", "Convocation entretien préalable", "Week-end à Étretat"},
		letters:  []string{"Chère Josiane,\n\nle compromis est signé, on a les clés en septembre. N'en parle pas encore à maman.\n\nCapucine", "Madame, Monsieur, nous vous informons que votre candidature n'a pas été retenue."},
		todos:    []string{"racheter des filtres", "résilier la salle", "rendre les livres"}, searches: []string{"rupture conventionnelle indemnité", "test grossesse fiable quand", "huissier que faire"},
		titles: []string{"Rupture conventionnelle : combien toucher ?", "Forum : vivre avec une endométriose"},
		wishes: []string{"Joyeux anniversaire ! Que cette journée te comble de bonheur.", "Meilleurs vœux de santé et de réussite pour la nouvelle année.", "Bonne fête des mères à la plus douce des mamans !"},
	},
	{
		code: "pl", given: []string{"Zofia", "Bartosz", "Grażyna", "Mikołaj"}, family: []string{"Wiśniewska", "Brzozowski", "Żurek"},
		numbers: []string{"+48500000xxx", "500 000 xxx", "22 555 0x xx"},
		sms: []string{
			"jestem już w domu, kup mleko i chleb", "Wizyta u dr Żurek potwierdzona na 12.03 godz. 8:30", "nie mów nic Bartkowi, wszystko mu powiem sama", "przelew poszedł, daj znać jak dojdzie", "pociąg ma 50 minut opóźnienia, masakra",
		},
		notes:    []string{"Kod do bramy zmieniony, pytać sąsiadkę spod ósemki", "tabletki: rano pół, wieczorem cała, nie łączyć z grejpfrutem", "pomysły na prezent dla taty: wędka, termos, książka o górach"},
		subjects: []string{"Re: faktura za remont", "Wyniki badań", "Wypowiedzenie umowy"},
		letters:  []string{"Dzień dobry, przesyłam podpisaną umowę. Proszę o potwierdzenie odbioru do piątku. Pozdrawiam, Zofia", "Mikołaj, w niedzielę musimy porozmawiać o babci. Sama już sobie nie radzi."},
		todos:    []string{"oddać buty do szewca", "zapłacić za przedszkole", "umówić przegląd auta"}, searches: []string{"ból głowy przyczyny", "rozwód ile kosztuje", "praca magazyn wrocław"},
		titles: []string{"Rozwód bez orzekania o winie", "Ból głowy: kiedy do lekarza"},
		wishes: []string{"Wszystkiego najlepszego z okazji urodzin, zdrowia i spełnienia marzeń!", "Wesołych Świąt i szczęśliwego Nowego Roku!", "Sto lat, sto lat, niech żyje nam!"},
	},
	{
		code: "tr", given: []string{"Elif", "Kerem", "Nurhan", "Barış"}, family: []string{"Karadağ", "Öztürkmen", "Şimşek"},
		numbers: []string{"+905550000xxx", "0555 000 0x xx", "0212 555 0x xx"},
		sms: []string{
			"anne geldim, merak etme", "Randevunuz 15 Mart 10:20'de onaylanmıştır. Dr. Şimşek", "sakın Kerem'e söyleme sürpriz olacak", "kirayı yatırdım abi, dekontu attım", "toplantı uzadı siz yemeğe başlayın",
		},
		notes:    []string{"evin yedek anahtarı alt komşuda", "sınav konuları: türev, integral, olasılık, cuma tekrar", "doktora sor: ilaç aç karnına mı alınacak"},
		subjects: []string{"Re: kira sözleşmesi", "Tahlil sonuçlarınız", "İstifa dilekçesi"},
		letters:  []string{"Merhaba Elif Hanım, dosyayı inceledim, imzalamadan önce bir kez daha konuşalım. Saygılar", "Sevgili Barış, düğün için gün aldık, ilk sana yazıyorum, kimseye söyleme."},
		todos:    []string{"faturaları öde", "arabayı muayeneye götür", "hediye al"}, searches: []string{"boşanma davası ne kadar sürer", "mide ağrısı neden olur", "kiralık daire kadıköy"},
		titles: []string{"Mide ağrısı neden olur?", "Kira artışında sınır"},
		wishes: []string{"Ramazan Bayramınız mübarek olsun, sevdiklerinizle nice bayramlara.", "Doğum günün kutlu olsun, mutlu yıllar!", "Yeni yılın sağlık ve huzur getirmesini dilerim."},
	},
	{
		code: "id", given: []string{"Dewi", "Bagus", "Siti", "Rangga"}, family: []string{"Prasetyo", "Wulandari", "Siregar"},
		numbers: []string{"+6281200000xxx", "0812-0000-0xxx", "021 5550 0xxx"},
		sms: []string{
			"bu aku sudah sampai kos, besok pulang", "Jadwal kontrol Anda dengan dr. Siregar Senin 09.00 WIB", "jangan bilang siapa2 dulu ya soal ini", "uangnya sudah aku transfer, cek ya mas", "macet parah, telat setengah jam",
		},
		notes:    []string{"utang ke Bagus 350 ribu, bayar tanggal 25", "resep rendang ibu: daging 1 kg, santan, serai, masak 4 jam", "target tahun ini: nabung, berhenti merokok, wisuda"},
		subjects: []string{"Re: cicilan motor", "Hasil laboratorium", "Surat pengunduran diri"},
		letters:  []string{"Yth. Ibu Wulandari, bersama ini saya kirimkan berkas lamaran. Mohon kabarnya minggu depan. Terima kasih", "Rangga, bapak masuk rumah sakit lagi semalam. Pulanglah kalau bisa."},
		todos:    []string{"bayar listrik", "servis motor", "beli susu adik"}, searches: []string{"obat sakit gigi", "cara cerai di pengadilan agama", "pinjaman online cepat"},
		titles: []string{"Cara mengatasi sakit gigi", "Bahaya pinjaman online ilegal"},
		wishes: []string{"Selamat Hari Raya Idul Fitri, mohon maaf lahir dan batin.", "Selamat ulang tahun, semoga panjang umur dan sehat selalu.", "Selamat tahun baru, semoga rezekinya lancar."},
	},
	{
		code: "vi", given: []string{"Thảo", "Quang", "Hương", "Tuấn"}, family: []string{"Nguyễn", "Đặng", "Huỳnh"},
		numbers: []string{"+84900000xxx", "0900 000 xxx", "028 5555 0xxx"},
		sms: []string{
			"con về tới nhà rồi mẹ ơi", "Lịch khám của bạn: 8h30 thứ Năm, phòng 204.", "đừng nói với anh Quang nhé, để em tự nói", "em chuyển khoản rồi, anh kiểm tra giúp", "kẹt xe quá, chắc trễ 20 phút",
		},
		notes:    []string{"mật khẩu két sắt: ngày cưới của ba mẹ", "thuốc của bà: sáng một viên, tối hai viên sau ăn", "dự định: học lái xe, đổi việc, đi Đà Lạt với Hương"},
		subjects: []string{"Re: hợp đồng thuê nhà", "Kết quả xét nghiệm", "Đơn xin nghỉ việc"},
		letters:  []string{"Chào chị Thảo, em gửi chị bản hợp đồng đã sửa, chị xem giúp em điều 5 nhé. Cảm ơn chị.", "Tuấn à, tháng sau cả nhà dọn vào Nam, con thu xếp về sớm."},
		todos:    []string{"đóng tiền điện", "mua sữa cho bé", "gọi thợ sửa máy giặt"}, searches: []string{"đau dạ dày nên ăn gì", "thủ tục ly hôn", "phòng trọ quận 7"},
		titles: []string{"Đau dạ dày nên ăn gì", "Thủ tục ly hôn thuận tình"},
		wishes: []string{"Chúc mừng năm mới, an khang thịnh vượng!", "Chúc bạn sinh nhật vui vẻ và luôn hạnh phúc.", "Chúc mẹ ngày 8/3 thật nhiều niềm vui."},
	},
	{
		code: "ko", given: []string{"서연", "도윤", "지우", "현숙"}, family: []string{"남궁", "배", "황보"},
		numbers: []string{"+821000000xxx", "010-0000-0xxx", "02-555-0xxx"},
		sms: []string{
			"엄마 나 도착했어 걱정마", "3월 14일 오전 9시 40분 진료 예약이 확정되었습니다.", "오빠한테는 아직 말하지 마", "월세 보냈으니까 확인해줘", "지하철 멈춰서 좀 늦을 것 같아 먼저 먹어",
		},
		notes:    []string{"현관 비밀번호 바꿈, 결혼기념일 거꾸로", "병원에서 물어볼 것: 수술 날짜, 입원 기간, 보험", "장보기: 두부, 콩나물, 계란, 고양이 모래"},
		subjects: []string{"Re: 전세 계약 건", "건강검진 결과 안내", "사직서 제출합니다"},
		letters:  []string{"안녕하세요, 말씀하신 계약서를 첨부합니다. 금요일까지 검토 부탁드립니다.", "도윤아, 할머니가 많이 편찮으셔. 주말에 꼭 내려와라."},
		todos:    []string{"관리비 내기", "치과 예약", "책 반납"}, searches: []string{"퇴사 통보 기간", "이혼 절차", "두통 원인"},
		titles: []string{"두통의 원인과 대처법", "전세 사기 예방 방법"},
		wishes: []string{"새해 복 많이 받으세요, 늘 건강하시길 바랍니다.", "생일 축하해! 행복한 하루 보내길 바라.", "즐거운 한가위 보내세요."},
	},
	{
		code: "zh", given: []string{"梓萱", "浩然", "国强", "美玲"}, family: []string{"欧阳", "诸葛", "尉迟"},
		numbers: []string{"+8613800000xxx", "138 0000 0xxx", "010-5555-0xxx"},
		sms: []string{
			"妈我到宿舍了，别担心", "您预约的周三上午九点专家门诊已确认，请带好医保卡。", "这事先别告诉他，我自己说", "房租转过去了，你查一下", "堵车，晚半小时，你们先吃",
		},
		notes:    []string{"保险柜密码改成外婆生日了", "问医生：手术要不要住院，能不能报销", "周末采购：大米、酱油、猫粮、小宝的尿布"},
		subjects: []string{"回复：装修报价", "体检报告已出", "辞职申请"},
		letters:  []string{"美玲你好，合同改好了，第五条你再看一下，周五之前给我答复。", "浩然：你爸又住院了，有空就回来一趟，别跟奶奶说。"},
		todos:    []string{"交水电费", "接孩子", "退快递"}, searches: []string{"离婚协议书怎么写", "胃疼吃什么药", "网贷逾期怎么办"},
		titles: []string{"胃疼的常见原因", "网贷逾期会坐牢吗"},
		wishes: []string{"祝你生日快乐，万事如意，笑口常开！", "新春佳节到，祝您阖家幸福，财源广进。", "中秋月圆，愿你人月两团圆。"},
	},
	{
		code: "ar", given: []string{"ياسمين", "خالد", "رنا", "سامر"}, family: []string{"الخطيب", "بن يوسف", "الحداد"},
		numbers: []string{"+966500000xxx", "0500 000 xxx", "+20 100 000 0xxx"},
		sms: []string{
			"وصلت البيت يا أمي لا تقلقي", "تم تأكيد موعدك مع د. الحداد يوم الأحد الساعة 10:30", "لا تخبر خالد بشيء حتى أتكلم معه", "حولت لك المبلغ تأكد من الحساب", "الطريق مزدحم سأتأخر نصف ساعة",
		},
		notes:    []string{"مفتاح الشقة عند الجارة في الدور الثالث", "أسئلة للطبيب: هل أوقف الدواء قبل رمضان؟", "مصاريف الشهر: إيجار، مدرسة، قسط السيارة"},
		subjects: []string{"رد: عقد الإيجار", "نتائج التحاليل", "طلب استقالة"},
		letters:  []string{"السلام عليكم، أرسل إليكم العقد بعد التعديل، أرجو مراجعته قبل يوم الخميس. مع التحية", "عزيزتي رنا، قررنا السفر في الصيف ولم نخبر أحدا بعد."},
		todos:    []string{"دفع فاتورة الكهرباء", "تجديد الإقامة", "شراء حليب"}, searches: []string{"علاج الصداع في المنزل", "إجراءات الطلاق", "شقق للإيجار في جدة"},
		titles: []string{"أسباب الصداع المستمر", "حقوق المستأجر"},
		wishes: []string{"كل عام وأنتم بخير وعيدكم مبارك.", "عيد ميلاد سعيد وعمر مديد بإذن الله.", "جمعة مباركة تقبل الله طاعتكم."},
	},
	{
		code: "uk", given: []string{"Соломія", "Остап", "Ганна", "Тарас"}, family: []string{"Коваленко", "Шевчук", "Гнатюк"},
		numbers: []string{"+380500000xxx", "050 000 0x xx", "044 555 0x xx"},
		sms: []string{
			"мамо, я вдома, все добре", "Ваш запис до лікаря підтверджено: вівторок, 9:20, каб. 12", "не кажи Остапу, я сама йому розповім", "гроші скинула на картку, перевір", "потяг запізнюється на годину, не чекайте",
		},
		notes:    []string{"ключ від дачі у сусідки навпроти", "спитати лікаря: чи можна поєднувати з вітамінами", "купити: гречка, сир, батарейки, корм коту"},
		subjects: []string{"Re: договір оренди", "Результати аналізів", "Заява на звільнення"},
		letters:  []string{"Добрий день, надсилаю виправлений договір, перегляньте, будь ласка, до п'ятниці.", "Тарасе, бабуся знову в лікарні, приїдь на вихідних."},
		todos:    []string{"заплатити за інтернет", "забрати посилку", "записатися до стоматолога"}, searches: []string{"болить спина що робити", "розлучення через суд", "робота львів"},
		titles: []string{"Чому болить спина", "Права орендаря"},
		wishes: []string{"З днем народження! Здоров'я, щастя та довгих років життя.", "Христос воскрес! Світлого Великодня вам і вашій родині.", "З Новим роком! Нехай здійсняться всі мрії."},
	},
}

// corners are points that people are at.
var corners = [][2]float64{
	{41.90278, 12.49637},
	{-34.60372, -58.38159},
	{37.56654, 126.97797},
	{50.45013, 30.52341},
	{52.22968, 21.01223},
	{-6.20876, 106.84560},
	{10.82310, 106.62966},
	{41.00824, 28.97836},
	{38.72225, -9.13934},
	{-23.55052, -46.63331},
	{30.04442, 31.23571},
	{39.90419, 116.40739},
	{47.37689, 8.54169},
	{53.55108, 9.99368},
	{34.05223, -118.24368},
	{-37.81363, 144.96306},
	{6.52438, 3.37921},
	{-12.04637, -77.04279},
	{60.16986, 24.93838},
	{49.28273, -123.12074},
}

var phoneApps = []app{
	{"com.facebook.orca", "Messenger", "com.facebook.Messenger"},
	{"com.snapchat.android", "Snapchat", "com.toyopagroup.picaboo"},
	{"com.discord", "Discord", "com.hammerandchisel.discord"},
	{"com.tinder", "Tinder", "com.cardify.tinder"},
	{"com.reddit.frontpage", "Reddit", "com.reddit.Reddit"},
	{"com.pinterest", "Pinterest", "pinterest"},
	{"com.shazam.android", "Shazam", "com.shazam.Shazam"},
	{"com.booking", "Booking.com", "com.booking.BookingApp"},
	{"com.airbnb.android", "Airbnb", "com.airbnb.app"},
	{"com.paypal.android.p2pmobile", "PayPal", "com.yourcompany.PPClient"},
	{"com.revolut.revolut", "Revolut", "com.revolut.revolut"},
	{"de.number26.android", "N26", "de.n26.prod"},
	{"com.viber.voip", "Viber", "com.viber"},
	{"com.kakao.talk", "카카오톡", "com.iwilab.KakaoTalk"},
	{"com.zing.zalo", "Zalo", "vn.com.vng.zingalo"},
	{"com.gojek.app", "Gojek", "com.go-jek.ios"},
	{"com.shopee.id", "Shopee", "com.beeasy.shopee"},
	{"com.vkontakte.android", "VK", "com.vk.vkclient"},
	{"com.sahibinden", "sahibinden.com", "com.sahibinden"},
	{"pl.allegro", "Allegro", "pl.allegro"},
	{"br.com.nubank.app.example", "Nu", "br.com.nu.example"},
	{"com.nu.production", "Nubank", "com.nubank.nubank"},
	{"com.strava", "Strava", "com.strava.stravaride"},
	{"com.myfitnesspal.android", "MyFitnessPal", "com.myfitnesspal.mfp"},
	{"com.supercell.clashofclans", "Clash of Clans", "com.supercell.magic"},
	{"com.king.candycrushsaga", "Candy Crush Saga", "com.midasplayer.apps.candycrushsaga"},
	{"com.roblox.client", "Roblox", "com.roblox.robloxmobile"},
	{"org.videolan.vlc", "VLC", "org.videolan.vlc-ios"},
	{"com.brave.browser", "Brave", "com.brave.ios.browser"},
	{"com.x8bit.bitwarden", "Bitwarden", "com.8bit.bitwarden"},
	{"com.quran.labs.androidquran", "Quran", "com.quran.QuranIOS"},
	{"com.clue.android", "Clue", "com.helloclue.client"},
	{"com.waze", "Waze", "com.waze.iphone"},
	{"com.microsoft.teams", "Teams", "com.microsoft.skype.teams"},
}

var phoneModels = []struct{ brand, model, device, build, soc string }{
	{"samsung", "SM-A536B", "a53x", "UP1A.231005.007.A536BXXU8DXC2", "s5e8825"},
	{"Xiaomi", "2201117TG", "spes", "SKQ1.211103.001", "bengal"},
	{"Google", "Pixel 8", "shiba", "AP1A.240405.002.A1", "zuma"},
	{"OPPO", "CPH2305", "OP516FL1", "RP1A.200720.011", "mt6853"},
	{"realme", "RMX3085", "RMX3085", "TP1A.220905.001", "mt6785"},
	{"vivo", "V2250", "V2250", "TP1A.220624.014", "mt6789"},
	{"HONOR", "ANY-LX1", "HNANY-Q1", "HONORANY-L31", "holi"},
	{"motorola", "moto g84 5G", "bangkk", "U1TCS34.22-53", "holi"},
	{"Nothing", "A063", "Spacewar", "TKQ1.220915.002", "lahaina"},
	{"INFINIX", "Infinix X6833B", "Infinix-X6833B", "TP1A.220624.014", "mt6789"},
}

var iPhones = []struct{ machine, name, system string }{
	{"iPhone15,2", "iPhone 14 Pro", "17.4.1"}, {"iPhone14,6", "iPhone SE", "16.7.2"}, {"iPhone12,8", "iPhone SE 2", "17.2"}, {"iPhone16,1", "iPhone 15 Pro", "18.0.1"}, {"iPhone13,1", "iPhone 12 mini", "15.8"},
}

var operators = []string{"TIM", "Plus", "Turkcell", "Telkomsel", "Viettel", "SK Telecom", "中国联通", "Київстар", "Vivo", "Claro AR", "o2 - de", "Bouygues Telecom"}

var accessPoints = []string{"Vodafone-A4C1", "TIM-29384710", "MERCUSYS_7F3E", "Orange_Swiatlowod_55A0", "WIND3 HUB-1C", "KT_GiGA_5G_9AB2", "Superonline_WiFi_31", "ChinaNet-qT7z", "Casa Ibáñez", "NETGEAR42", "BBox-8C11", "Starbucks WiFi"}

// hosts are those of the pages that somebody reads.
var pageHosts = []string{
	"en.wikipedia.org/wiki/", "www.gesundheitsfrage.example/frage/", "forum.doctissimo.example/sante/", "www.reddit.com/r/legaladvice/comments/", "m.habr.example/ru/articles/",
	"www.gazeta-poranna.example/wiadomosci/", "news.detikini.example/berita/", "vnexpres.example/suc-khoe/", "m.blog.naverr.example/", "www.mundo-diario.example/salud/",
	"g1.noticias.example/economia/", "stackoverflow.com/questions/", "www.hurriyet-gun.example/gundem/", "zhuanlan.zhihuu.example/p/",
}

var slugs = []string{
	"bipolar-disorder", "schwanger-trotz-pille", "endometriose-temoignages", "landlord_entered_without_notice", "kredyt-we-frankach", "cara-mengatur-utang",
	"trieu-chung-tram-cam", "sintomas-menopausia", "como-sair-das-dividas", "git-rebase-undo", "nafaka-artisi", "burnout-syndrome", "dar-de-baja-autonomos",
}
