package main

// tongue is what people of one language write and are called. All of it is
// invented: names by combination, numbers from ranges that are set aside for
// fiction or are not given out.
type tongue struct {
	code          string
	familyFirst   bool
	given, family []string
	numbers       []string // x is a digit
	notes         []string
	subjects      []string
	mails         []string
	todos         []string
	searches      []string
	streets       []string
	pages         []string // titles
}

var tongues = []tongue{
	{
		code:    "en",
		given:   []string{"Amelia", "Rupert", "Priscilla", "Declan", "Imogen", "Tobias", "Nora", "Fergus", "Winifred", "Jasper", "Beatrix", "Caleb"},
		family:  []string{"Hartwell", "O'Dowd", "Penhallow", "Quigley", "Ashdown", "Thistlewood", "Marlowe", "Fairbrother", "Kettering", "Dunmore"},
		numbers: []string{"+447700900xxx", "+12025550xxx", "+1 (415) 555-01xx", "07700 900xxx", "+61491570xxx", "202-555-01xx"},
		notes: []string{
			"Ask the landlord about the boiler before the frost comes. He said Tuesday, but he always says Tuesday.",
			"Idea for the novel: the lighthouse keeper never existed, the letters were written by his sister.",
			"Blood pressure this morning 142 over 91, evening 135 over 88. Tell Dr Penhallow on Friday.",
			"Locker at the pool is 212. Spare key under the third flowerpot.",
			"Things I want to say to Dad: I am not angry any more. I should have called.",
			"Shopping: oat milk, two lemons, baking powder, candles, cat litter, something nice for Nora.",
			"Meeting with the union rep. Do not mention the warehouse. Bring the payslips from March.",
			"Paint for the hallway: Pale Oat, two coats, 5 litres should do it.",
		},
		subjects: []string{"Your results are ready", "Re: the allotment", "Fwd: minutes of Thursday's meeting", "Resignation", "Dinner on the 14th?", "Invoice 20417 overdue", "Custody hearing moved", "Keys"},
		mails: []string{
			"Hi both,\n\nthe surveyor cannot come before the 20th. Shall we push the signing back a week?\n\nBest,\nImogen",
			"Dear Mr Quigley,\n\nplease find attached the report we talked about. I would rather you did not forward it.\n\nKind regards",
			"Mum, the train gets in at ten past six. Can you feed the cat until then? Love you.",
			"Thank you for your application. We were impressed, but have decided to go with somebody else.",
			"Following up on my last mail: the tenants upstairs have complained again about the drums.",
			"I have thought about it and I am going to say yes. Do not tell the others before Monday.",
		},
		todos:    []string{"Renew passport", "Call the vet", "Pay council tax", "Book MOT", "Return library books", "Cancel gym", "Water Nora's plants", "Order prescription"},
		searches: []string{"divorce lawyer near me", "how long does shingles last", "cheap flights lisbon october", "is it normal to dream of teeth", "second hand cello", "symptoms of burnout", "how to delete a bank account", "pub quiz answers 1997"},
		streets:  []string{"14 Gannet Row, Whitby", "3 Orchard Close, Leominster", "88 Canal Street, Leeds"},
		pages:    []string{"Treatment options for shingles", "Overnight trains of Europe", "Cello rental, how it works", "Forum: living with debt"},
	},
	{
		code:    "fr",
		given:   []string{"Odile", "Bastien", "Maëlle", "Théodore", "Clémence", "Gaspard", "Solène", "Fabrice", "Yvonne", "Aurélien"},
		family:  []string{"Vantournier", "Le Goff", "Desrosiers", "Pelletier-Marchand", "Courbet", "Lagarrigue", "Thévenot", "Beaulieu"},
		numbers: []string{"+336399801xx", "06 39 98 12 xx", "+33 1 99 00 4x xx", "01.99.00.17.xx", "00336399857xx"},
		notes: []string{
			"Rappeler le notaire avant vendredi, il manque la signature de Bastien sur l'acte.",
			"Recette de mamie : 200 g de farine, trois œufs, un zeste de citron, cuire 25 minutes à 180.",
			"Rêve de cette nuit : la maison de Quimper sous la neige et personne pour ouvrir.",
			"Code de la porte du garage changé, c'est l'année de naissance de Solène à l'envers.",
			"Questions pour la psy : pourquoi je n'arrive pas à dire non à mon frère ?",
			"Prévoir le cadeau de départ d'Yvonne, budget 15 euros par personne.",
		},
		subjects: []string{"Résultats de vos analyses", "Re : le préau de l'école", "Convocation", "Préavis de départ", "Anniversaire de Gaspard", "Relance facture 8812"},
		mails: []string{
			"Bonjour,\n\nje vous confirme notre rendez-vous de jeudi à 14 h 30. Pensez à apporter votre carte vitale.\n\nBien à vous",
			"Chère Clémence,\n\nmerci pour ton mot. Les enfants vont mieux, la fièvre est tombée hier soir. On t'embrasse.",
			"Monsieur, suite à notre entretien, je vous informe de ma décision de quitter l'entreprise au 31 mars.",
			"Tu peux me virer les 240 euros avant la fin du mois ? Le propriétaire commence à s'impatienter.",
		},
		todos:    []string{"Prendre rendez-vous chez le dentiste", "Payer la cantine", "Déclarer le dégât des eaux", "Acheter du terreau", "Réserver le gîte"},
		searches: []string{"symptômes grossesse semaine 5", "avocat prud'hommes lyon", "location vélo île de ré", "comment vendre une voiture sans contrôle technique", "douleur bras gauche que faire"},
		streets:  []string{"7 rue des Tanneurs, Quimper", "22 bis avenue Jean-Macé, Lyon"},
		pages:    []string{"Grossesse : le calendrier semaine par semaine", "Vos droits aux prud'hommes", "Horaires des marées"},
	},
	{
		code:    "de",
		given:   []string{"Annegret", "Lennart", "Friederike", "Jörg", "Swantje", "Matthias", "Ottilie", "Benedikt"},
		family:  []string{"Kühlewein", "von Ahlefeld", "Großmann", "Petersen", "Sonnleitner", "Vögele", "Brandstätter"},
		numbers: []string{"+4930231251xx", "030 23125 0xx", "+49 171 39200xx", "0049 40 66969 0xx", "0171/39200xx"},
		notes: []string{
			"Heizung entlüften, vorher Hausmeister fragen, ob der Druck reicht.",
			"Für die Rede: nicht von Onkel Jörg anfangen, Dank an die Nachbarn, höchstens fünf Minuten.",
			"Tabletten morgens nüchtern, abends nach dem Essen. Nächste Kontrolle am 12.",
			"WLAN bei Ottilie heißt Gartenzaun, Kennwort hängt am Kühlschrank.",
			"Wenn ich die Stelle bekomme, ziehe ich um. Noch niemandem sagen.",
		},
		subjects: []string{"Ihre Laborwerte", "AW: Schlüsselübergabe", "Kündigung", "Elternabend verschoben", "Mahnung zur Rechnung 5520"},
		mails: []string{
			"Liebe Swantje,\n\ndie Unterlagen sind angekommen. Ich melde mich, sobald das Gericht antwortet.\n\nHerzlich, Matthias",
			"Sehr geehrter Herr Vögele,\n\nhiermit kündige ich den Mietvertrag fristgerecht zum 30. Juni.",
			"Kannst du am Samstag die Kinder nehmen? Ich habe den Termin in der Klinik.",
			"anbei das Protokoll. Bitte bis Mittwoch Änderungen schicken, danach geht es an den Vorstand.",
		},
		todos:    []string{"Steuererklärung abgeben", "Blumen für Annegret", "Rad zur Werkstatt", "Impfung auffrischen"},
		searches: []string{"schwindel beim aufstehen ursache", "mietminderung schimmel wie viel", "nachtzug wien rom", "anwalt für erbrecht kiel"},
		streets:  []string{"Am Deich 9, Husum", "Lindenstraße 41, Jena"},
		pages:    []string{"Schimmel in der Wohnung: Rechte der Mieter", "Schwindel: häufige Ursachen"},
	},
	{
		code:    "es",
		given:   []string{"Inmaculada", "Joaquín", "Rocío", "Ezequiel", "Maite", "Lisandro", "Begoña", "Ulises"},
		family:  []string{"Arizmendi Soto", "Peñalver", "Quintanilla", "Etxeberria", "Luján Castro", "Montoya"},
		numbers: []string{"+34600000xxx", "600 000 xxx", "+52 55 5000 0xxx", "0034600000xxx"},
		notes: []string{
			"Llamar a la gestoría por lo del piso de la abuela, falta el certificado.",
			"Ideas para la boda: mesa larga, nada de discursos, que cante Maite.",
			"El médico dice que nada de sal. Apuntar la tensión cada mañana.",
			"Le debo 60 euros a Joaquín de la cena del viernes.",
		},
		subjects: []string{"Su cita del martes", "Re: llaves del local", "Presupuesto de la reforma", "Aviso de impago"},
		mails: []string{
			"Hola Rocío,\n\nte mando las fotos del piso. El dueño baja a 640 si firmamos este mes.\n\nUn beso",
			"Estimado señor Peñalver: le comunicamos que la vista se ha aplazado al 9 de mayo.",
			"¿Puedes recoger a los niños hoy? Me han cambiado el turno otra vez.",
		},
		todos:    []string{"Pedir cita en el ambulatorio", "Comprar pilas", "Renovar el carné", "Regar las plantas"},
		searches: []string{"dolor de muelas remedio", "cómo pedir el paro", "billetes baratos a oaxaca", "abogado laboralista bilbao"},
		streets:  []string{"Calle de la Noria 12, Soria"},
		pages:    []string{"Cómo solicitar la prestación por desempleo", "Remedios para el dolor de muelas"},
	},
	{
		code: "zh", familyFirst: true,
		given:   []string{"雨桐", "建国", "思源", "晓燕", "志强", "梦洁", "浩然", "丽华"},
		family:  []string{"欧阳", "林", "赵", "司徒", "钱", "许", "邓", "蒋"},
		numbers: []string{"+861390000xxxx", "1390000xxxx", "+86 139 0000 xxxx", "139-0000-xxxx"},
		notes: []string{
			"明天上午十点去银行，记得带身份证和房产证复印件。",
			"妈妈的药：早晚各一片，饭后吃，月底复查血糖。",
			"想好了，年底就辞职，先不要告诉同事。",
			"买菜：豆腐、小白菜、半斤排骨、生姜、一瓶老抽。",
			"保险柜密码换成了奶奶的生日倒过来。",
		},
		subjects: []string{"体检报告已出", "回复：合同修改意见", "辞职信", "周六聚餐"},
		mails: []string{
			"王经理您好：附件是修改后的合同，请您过目，有问题随时联系我。",
			"爸，这个月的房租我已经转了，您别担心，照顾好身体。",
			"各位同事：周五下午的会议改到三点，请提前准备材料。",
		},
		todos:    []string{"交电费", "给孩子报名", "预约牙医", "取快递"},
		searches: []string{"失眠怎么办", "离婚财产怎么分", "去云南坐火车多久", "二手钢琴多少钱"},
		streets:  []string{"成都市青羊区小南街18号"},
		pages:    []string{"失眠的常见原因和调理方法", "离婚财产分割指南"},
	},
	{
		code: "ja", familyFirst: true,
		given:   []string{"さくら", "健太郎", "美咲", "拓海", "陽子", "大輔"},
		family:  []string{"西園寺", "小鳥遊", "藤原", "長谷川", "東海林", "鈴木"},
		numbers: []string{"+819000001xxx", "090-0000-1xxx", "+81 90 0000 1xxx"},
		notes: []string{
			"来週の火曜日、歯医者の予約を忘れないこと。保険証も持っていく。",
			"母の誕生日プレゼント候補：膝掛け、和菓子、温泉の券。",
			"転職のことはまだ誰にも言わない。三月まで様子を見る。",
		},
		subjects: []string{"検査結果のご連絡", "Re: 引っ越しの件", "退職願"},
		mails: []string{
			"長谷川様、お世話になっております。先日の見積書をお送りいたします。ご確認ください。",
			"お母さん、日曜日は夕方に着きます。駅まで迎えに来てくれると嬉しいです。",
		},
		todos:    []string{"クリーニングを取りに行く", "家賃を払う", "本を返す"},
		searches: []string{"腰痛 原因 左側", "退職 伝え方", "夜行バス 京都 安い"},
		streets:  []string{"京都市左京区下鴨東町3-2"},
		pages:    []string{"腰痛の原因と対処法", "円満に退職を伝えるには"},
	},
	{
		code:    "ru",
		given:   []string{"Аглая", "Всеволод", "Ульяна", "Прохор", "Зинаида", "Лев"},
		family:  []string{"Белозёрская", "Тихомиров", "Оболенская", "Крутиков", "Журавлёва", "Щукин"},
		numbers: []string{"+7900000xxxx", "8 (900) 000-xx-xx", "+7 900 000-xx-xx"},
		notes: []string{
			"Позвонить в поликлинику, узнать про результаты мамы, спросить про вторую группу.",
			"Рецепт пирога: стакан муки, два яйца, яблоки кислые, сорок минут.",
			"Никому не говорить про переезд, пока не подпишут договор.",
		},
		subjects: []string{"Результаты анализов", "Re: ключи от дачи", "Заявление об увольнении"},
		mails: []string{
			"Здравствуйте, Прохор! Отправляю вам договор, посмотрите, пожалуйста, до пятницы.",
			"Мама, мы приедем в субботу вечером, встречать не нужно, возьмём такси.",
		},
		todos:    []string{"Оплатить квартиру", "Записаться к врачу", "Купить корм коту"},
		searches: []string{"болит колено что делать", "как оформить развод", "билеты на поезд в казань"},
		streets:  []string{"ул. Садовая, 18, Кострома"},
		pages:    []string{"Почему болит колено", "Оформление развода: порядок"},
	},
	{
		code:    "ar",
		given:   []string{"ياسمين", "طارق", "نورة", "إدريس", "هالة", "مروان"},
		family:  []string{"العطار", "بن سعيد", "الحداد", "المنصوري", "قاسم"},
		numbers: []string{"+966500000xxx", "050 000 0xxx", "+212 600 000 xxx"},
		notes: []string{
			"موعد الطبيب يوم الأربعاء الساعة الرابعة، لا أنسى نتائج التحليل.",
			"مشتريات البيت: خبز، زيت، تمر، شاي، وحليب للأطفال.",
			"قررت أن أترك العمل في نهاية السنة، لن أخبر أحدا الآن.",
		},
		subjects: []string{"نتائج الفحص", "رد: مفاتيح الشقة", "طلب إجازة"},
		mails: []string{
			"السلام عليكم، أرسل لكم العقد بعد التعديل، أرجو الاطلاع عليه قبل يوم الخميس.",
			"أمي العزيزة، سنصل مساء السبت إن شاء الله، لا تتعبي نفسك بالطبخ.",
		},
		todos:    []string{"دفع الإيجار", "حجز موعد الأسنان", "شراء هدية"},
		searches: []string{"علاج ألم الظهر", "محامي طلاق", "رحلات رخيصة الى اسطنبول"},
		streets:  []string{"شارع الزيتون 14، فاس"},
		pages:    []string{"أسباب ألم الظهر وعلاجه", "حقوق المستأجر"},
	},
	{
		code:    "hi",
		given:   []string{"अनन्या", "विवेक", "सुनीता", "रोहन", "कमला", "ईशान"},
		family:  []string{"भारद्वाज", "चतुर्वेदी", "मेनन", "राठौड़", "जोशी"},
		numbers: []string{"+919999900xxx", "099999 00xxx", "+91 99999 00xxx"},
		notes: []string{
			"कल सुबह बैंक जाना है, आधार कार्ड और पासबुक साथ ले जाना।",
			"दादी की दवा: सुबह शाम एक गोली, खाने के बाद।",
			"नौकरी बदलने की बात अभी किसी को नहीं बतानी।",
		},
		subjects: []string{"आपकी जाँच रिपोर्ट", "Re: मकान की चाबी", "त्यागपत्र"},
		mails: []string{
			"प्रिय विवेक, अनुबंध भेज रहा हूँ, शुक्रवार तक देख लेना।",
			"माँ, हम शनिवार शाम तक पहुँच जाएँगे, खाने की चिंता मत करना।",
		},
		todos:    []string{"बिजली का बिल भरना", "डॉक्टर से समय लेना", "किताबें लौटाना"},
		searches: []string{"पीठ दर्द का इलाज", "तलाक के लिए वकील", "मुंबई से गोवा ट्रेन"},
		streets:  []string{"12 गाँधी मार्ग, इन्दौर"},
		pages:    []string{"पीठ दर्द के कारण और उपाय", "किरायेदार के अधिकार"},
	},
	{
		code:    "th",
		given:   []string{"สมหญิง", "ธนกร", "พิมพ์ชนก", "ณัฐพล", "มาลี", "วีระ"},
		family:  []string{"จันทร์เพ็ญ", "ศรีสุวรรณ", "แก้วมณี", "รุ่งเรือง", "บุญมา"},
		numbers: []string{"+6680000xxxx", "080-000-xxxx", "+66 80 000 xxxx"},
		notes: []string{
			"พรุ่งนี้ไปธนาคารตอนเช้า อย่าลืมบัตรประชาชนกับสมุดบัญชี",
			"ซื้อของ: ไข่ นม ข้าวสาร น้ำปลา และยาแก้ไอให้แม่",
			"ตัดสินใจแล้วว่าจะลาออกสิ้นปี ยังไม่บอกใคร",
		},
		subjects: []string{"ผลตรวจสุขภาพ", "Re: กุญแจห้อง", "ขอลาออก"},
		mails: []string{
			"เรียน คุณณัฐพล ส่งสัญญาที่แก้ไขแล้วมาให้ กรุณาตรวจสอบก่อนวันศุกร์",
			"แม่คะ วันเสาร์เราจะถึงตอนเย็น ไม่ต้องทำกับข้าวนะ",
		},
		todos:    []string{"จ่ายค่าไฟ", "นัดหมอฟัน", "รับผ้าที่ร้านซัก"},
		searches: []string{"ปวดหลังทำยังไง", "ทนายหย่า", "รถไฟไปเชียงใหม่"},
		streets:  []string{"9 ถนนราชดำเนิน เชียงใหม่"},
		pages:    []string{"ปวดหลังเกิดจากอะไร", "สิทธิของผู้เช่า"},
	},
}

// places are points in cities, in the open country and on both sides of both
// zero lines.
var places = [][2]float64{
	{48.85837, 2.29448},
	{51.50072, -0.12462},
	{40.74844, -73.98566},
	{-33.85678, 151.21530},
	{-22.95191, -43.21049},
	{35.65858, 139.74543},
	{13.75005, 100.49133},
	{30.65984, 104.06336},
	{55.75393, 37.62079},
	{28.61393, 77.20902},
	{24.71355, 46.67530},
	{-1.29207, 36.82195},
	{64.14698, -21.94080},
	{52.51627, 13.37770},
	{40.41694, -3.70341},
	{-54.80191, -68.30295},
	{1.28433, 103.86073},
	{59.91387, 10.75225},
	{50.07553, 14.43780},
	{45.76404, 4.83566},
	{43.26271, -2.92528},
	{34.02088, -6.84165},
	{21.02776, 105.83416},
	{19.43260, -99.13321},
}

// app is one that is on a phone.
type app struct{ pkg, name, bundle string }

// apps are names as the stores have them: real ones, because lists on the wire
// hold real ones, and invented ones.
var apps = []app{
	{"com.whatsapp", "WhatsApp", "net.whatsapp.WhatsApp"},
	{"org.thoughtcrime.securesms", "Signal", "org.whispersystems.signal"},
	{"org.telegram.messenger", "Telegram", "ph.telegra.Telegraph"},
	{"com.instagram.android", "Instagram", "com.burbn.instagram"},
	{"com.spotify.music", "Spotify", "com.spotify.client"},
	{"com.zhiliaoapp.musically", "TikTok", "com.zhiliaoapp.musically"},
	{"com.grindrapp.android", "Grindr", "com.grindrguy.grindrx"},
	{"com.duolingo", "Duolingo", "com.duolingo.DuolingoMobile"},
	{"org.mozilla.firefox", "Firefox", "org.mozilla.ios.Firefox"},
	{"com.android.chrome", "Chrome", "com.google.chrome.ios"},
	{"com.tencent.mm", "微信", "com.tencent.xin"},
	{"com.eg.android.AlipayGphone", "支付宝", "com.alipay.iphoneclient"},
	{"com.netflix.mediaclient", "Netflix", "com.netflix.Netflix"},
	{"com.ubercab", "Uber", "com.ubercab.UberClient"},
	{"de.hafas.android.db", "DB Navigator", "de.bahn.DBNavigator"},
	{"fr.doctolib.www", "Doctolib", "fr.doctolib.patients"},
	{"com.muslimpro.app.example", "Prayer Times", "example.prayer.times"},
	{"com.period.tracker.example", "Period Diary", "example.period.diary"},
	{"org.fdroid.fdroid", "F-Droid", "org.example.catalog"},
	{"ru.yandex.taxi", "Яндекс Go", "ru.yandex.ytaxi"},
	{"jp.naver.line.android", "LINE", "jp.naver.line"},
	{"com.kms.free.example", "Guardian Antivirus", "example.guardian.av"},
	{"org.torproject.torbrowser", "Tor Browser", "com.miketigas.OnionBrowser"},
	{"com.bumble.app", "Bumble", "com.moxco.bumble"},
	{"in.amazon.mShop.android.shopping", "Amazon Shopping", "com.amazon.AmazonIN"},
	{"com.google.android.apps.maps", "Maps", "com.google.Maps"},
}

var (
	domains = []string{
		"example.org", "news.example.net", "forum.klinik-beispiel.example", "shop.example.co.uk", "m.wiki.example", "recettes.example.fr",
		"health.example.edu", "xn--fsqu00a.example", "blog.example.de", "video.example.tv", "bank.example", "jobs.example.in",
	}
	models = []struct{ make, model, code string }{
		{"Xiaomi", "Redmi Note 8", "ginkgo"},
		{"samsung", "SM-G991B", "o1s"},
		{"Google", "Pixel 7a", "lynx"},
		{"OnePlus", "KB2003", "kebab"},
		{"HUAWEI", "ELE-L29", "HWELE"},
		{"motorola", "moto g(60)", "hanoip"},
		{"Apple", "iPhone14,5", "D17AP"},
		{"OPPO", "CPH2219", "OP4F2F"},
		{"vivo", "V2130", "2130"},
		{"Sony", "XQ-AU52", "pdx201"},
		{"TECNO", "TECNO KG5", "TECNO-KG5"},
		{"Fairphone", "FP4", "FP4"},
	}
	carriersOfPhones = []string{"Orange F", "Telekom.de", "Airtel", "中国移动", "AIS", "Vodafone UK", "MTN NG", "Movistar", "STC", "МегаФон"}
	ssids            = []string{"FRITZ!Box 7590 XY", "Livebox-4F2A", "Gartenzaun", "CMCC-a8Fk", "Hotel_Rossija_Guest", "eduroam", "TP-Link_5G_77E0", "iPhone de Maëlle", "Café Noir"}
)
