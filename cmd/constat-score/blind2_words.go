package main

// The words of the second blind split. All are invented.
var (
	b2Given = []string{
		"Ximena", "Radoslav", "Putri", "Farhan", "Ingeborg", "Thiago", "Aoife", "Nomvula", "Giedrė", "Siddharth", "Mingzhu", "Yevgenia",
		"Baptiste", "Lourdes", "Kazuo", "Wanjiru", "Dimitra", "Oskar", "Zeynep", "Emeka",
	}
	b2Latin   = []string{"Ximena", "Radoslav", "Putri", "Farhan", "Ingeborg", "Thiago", "Aoife", "Nomvula", "Siddharth", "Baptiste"}
	b2Family  = []string{"Quiroga", "Stoyanov", "Wulandari", "Rahman", "Lindqvist", "Azevedo", "Gallagher", "Dlamini", "Chaudhary", "Zhao", "Orlova", "Lemoine", "Ndegwa", "Papadaki", "Yıldız", "Okafor"}
	b2Numbers = []string{
		"+5491155xxxxxx", "+359 88 xxx xxxx", "0812-xxxx-xxxx", "+62813xxxxxxxx", "+46 70 xxx xx xx", "(11) 9xxxx-xxxx", "+35387xxxxxxx", "082 xxx xxxx",
		"+91 98xxx xxxxx", "+86 138 xxxx xxxx", "+7 916 xxx-xx-xx", "06 12 xx xx xx", "+254722xxxxxx", "+30 697 xxx xxxx", "+90 532 xxx xx xx", "+2348031xxxxxx",
	}
	b2Mail     = []string{"correo.example", "pochta.example", "surel.example", "brev.example", "posta.example", "mailbox.example"}
	b2Messages = []string{
		"Can you fetch the kids at four, I am stuck at the dentist", "Ya llegué a casa, dejé las llaves debajo de la maceta", "Mãe, o exame deu tudo certo, te ligo mais tarde",
		"Bin in zehn Minuten am Bahnhof, nimm bitte den Schirm mit", "Bu, uang sekolah sudah saya transfer tadi pagi ya", "Main aaj der se aaunga, khana fridge mein rakh dena",
		"晚上七点老地方见，别忘了带身份证", "Я забыл дома кошелёк, можешь перевести на карту?", "Your parcel waits at locker 14 until Friday", "Sorry about yesterday. I should not have said it like that.",
		"Le plombier passe demain à 8h, laisse le portail ouvert", "Doctor says the results come Thursday, do not tell Dad yet", "Usted tiene una cita el 14/03 a las 9:30 en la clínica", "Dompet saya ketinggalan di kantor, tolong ambilkan",
	}
	b2Subjects = []string{
		"Offer letter and start date", "Re: presupuesto de la reforma", "Ihre Unterlagen zum Mietvertrag", "Jadwal rapat orang tua murid", "Fwd: boarding passes for Saturday", "Documentos pendentes do processo",
		"О переносе приёма у врача", "关于租房合同的补充条款", "Question about my payslip", "Re: who takes the dog in August",
	}
	b2Notes = []string{
		"Milk, oats, batteries for the scale, ask Ines about the ladder", "Hablar con el abogado sobre la custodia antes del lunes", "Ideen fürs Jubiläum: Fotowand, altes Klavier stimmen lassen",
		"Beli obat tekanan darah, kontrol lagi tanggal 12", "Ligar para o banco e cancelar o cartão antigo", "Записаться к ортодонту, взять снимки с собой", "周三之前交房租，顺便问暖气的事",
		"Wi-Fi at the cabin does not reach the loft; second router in the blue box", "Dream again about the flooded school. Slept four hours.", "Chapter two: she finds the ledger, but the last pages are gone",
	}
	b2Titles   = []string{"Shopping", "Pendientes", "Jubiläum", "Belanja", "Para sexta", "Врачи", "房租", "Cabin", "Night diary", "Novel"}
	b2Packages = []string{
		"com.whatsapp", "org.telegram.messenger", "com.spotify.music", "com.grindrapp.android", "com.mercadolibre", "com.gojek.app", "br.com.nubank", "in.org.npci.upiapp", "com.tencent.mm", "ru.sberbankmobile",
		"com.duolingo", "org.thoughtcrime.securesms", "com.ubercab", "de.hafas.android.db", "com.waze", "com.flo.android", "com.bumble.app", "org.mozilla.firefox", "com.netflix.mediaclient", "com.muslim.prayertimes",
	}
	b2Apps  = []string{"WhatsApp", "Telegram", "Spotify", "Mercado Libre", "Gojek", "Nubank", "WeChat", "Duolingo", "Signal", "Uber", "Waze", "Bumble", "Firefox", "Netflix", "TikTok", "Shazam"}
	b2Sites = []string{
		"foro.embarazo.example", "www.jobsuche.example", "hukumonline.example", "klinik-am-see.example", "noticias.diario.example", "quit-drinking.example", "wiki.astronomy.example", "loans.quickcash.example",
		"vopros.yurist.example", "blog.trailrunning.example", "recettes.mamie.example",
	}
	b2Paths = []string{
		"tema/8841-sintomas-semana-6", "angebote/pflegekraft-nachtdienst", "artikel/cerai-gugat-biaya", "2024/05/huelga-de-maestros", "how-i-told-my-family", "objects/m31?view=deep", "apply?amount=900", "threads/231877/page-4", "posts/ultra-in-the-rain.html", "tarte-aux-poireaux",
	}
	b2Models    = []string{"SM-A536B", "Pixel 7a", "Redmi Note 12", "CPH2451", "V2206", "moto g52", "iPhone14,5", "XQ-BT52", "M2102J20SG", "TECNO KI5k"}
	b2Passwords = []string{"Gira#ol", "marmota_", "Sommerwind!", "kucingku", "p3rsimmon", "zolotoy", "Chuva-de-"}
	b2Things    = []string{
		"walking boots", "olla a presión", "Fahrradlampe", "tas ransel", "tapete de yoga", "desk lamp", "bufanda", "Teekanne", "kabel data", "cafeteira", "чайник", "雨伞", "garden hose", "puzzle", "socks",
	}
	b2Wishes = []string{
		"May your new year be full of light, laughter and long walks!", "Feliz cumpleaños, que se cumplan todos tus sueños y nunca te falte un abrazo.", "Feliz Natal! Que a paz encontre a sua casa e fique por muito tempo.",
		"Alles Gute zum Geburtstag! Bleib so, wie du bist, nur mit mehr Kuchen.", "Selamat Hari Raya Idul Fitri, mohon maaf lahir dan batin untuk semua kesalahan.", "Diwali ki hardik shubhkamnayein, aapka jeevan roshni se bhar jaye.",
		"祝你新春快乐，身体健康，万事如意，阖家幸福！", "С днём рождения! Желаю счастья, здоровья и исполнения всех желаний.", "Why did the scarecrow win a prize? He was outstanding in his field.", "Un pez le dice a otro: ¿qué hace tu papá? Nada, nada.",
		"Joyeux anniversaire ! Que cette année t'apporte mille raisons de sourire.", "Roses are red, the sea is blue, no morning is good until I have seen you.", "Happy Mother's Day to the one who always knew where everything was.",
		"Eid Mubarak! May your home be filled with joy, peace and good food.", "Guten Rutsch ins neue Jahr, möge es dir Glück und Gesundheit bringen!", "Tu sonrisa es el mejor poema que leí en toda mi vida, buenos días mi amor.",
	}
	b2Towns = [][2]float64{
		{-34.60371, -58.38161}, {42.69771, 23.32191}, {-6.20881, 106.84561}, {59.32931, 18.06861}, {-23.55051, -46.63331}, {53.34981, -6.26031}, {-26.20411, 28.04731}, {28.61391, 77.20901}, {31.23041, 121.47371}, {55.75581, 37.61731}, {45.76401, 4.83571}, {37.98381, 23.72751},
	}
)
