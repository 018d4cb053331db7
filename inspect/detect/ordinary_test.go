package detect

import (
	"net/http"
	"strings"
	"testing"

	"constat/inspect"
)

// ordinary is everyday traffic of apps: none of it is personal in the sense of
// the classes below, and none of it is a list of presets. All contents are
// invented. A line is the method, the target, "<" for an answer or ">" for a
// body, and the content.
var ordinary = []string{
	// Shops and food.
	`GET /v2/products?page=2 < {"products":[{"id":17,"name":"Café moulu","price":4.9,"ean":"4006381333931","stock":12},{"id":18,"name":"Thé vert","price":3.2,"ean":"4006381333948","stock":0}]}`,
	`POST /cart > {"items":[{"sku":"A-17","qty":2,"note":"cut in slices please"}],"coupon":"SUMMER","deliveryDate":"2024-05-01"}`,
	`POST /checkout > {"customer":{"name":"Odile Vantournier","phone":"+33639981122","email":"odile@example.org"},"delivery":{"street":"3 rue du Port","city":"Nantes","zip":"44000"},"payment":"card"}`,
	`GET /stores?near=Nantes < {"stores":[{"name":"Centre","phone":"+33 1 99 00 12 34","openingHours":"9-19"},{"name":"Gare","phone":"+33 1 99 00 12 35","openingHours":"9-20"},{"name":"Port","phone":"+33 1 99 00 12 36","openingHours":"9-18"}]}`,
	`GET /restaurants < {"restaurantes":[{"nombre":"La Tía","telefono":"+34600000101","valoracion":4.5,"precio":"€€"},{"nombre":"El Faro","telefono":"+34600000102","valoracion":4.1,"precio":"€"},{"nombre":"Mar","telefono":"+34600000103","valoracion":3.9,"precio":"€€"}]}`,
	`POST /orders/9/rate > {"driver_rating":5,"food_rating":4,"comment":"Arrived warm and quickly, thank you","order_id":9}`,
	`POST /order/note > {"order_id":"X-9","note":"Ring twice, third floor","drop_off":"door"}`,
	`GET /menu < {"categories":[{"name":"Pizza","items":[{"title":"Margherita","description":"Tomato, mozzarella and basil from the garden","price":8},{"title":"Diavola","description":"Spicy salami with tomato and olives","price":10}]}]}`,
	`POST /track/order > {"courier":{"name":"Paul","phone":"+33639987756"},"eta":"2024-05-01T12:40:00Z","status":"on_the_way"}`,
	"POST /import > sku|ean|name\nA-1|4006381333931|Milk\nA-2|4006381333948|Bread\nA-3|4006381333955|Butter\n",
	// Social feeds, forums, dating.
	`GET /feed < {"posts":[{"id":"1","author":{"username":"zoe","avatar":"https://cdn.example.net/a.png"},"text":"Happy birthday to my best friend, what a day!","likes":12,"comments":3,"createdAt":"2024-05-01T12:00:00Z"},{"id":"2","author":{"username":"max"},"text":"Merry Christmas to all of you out there","likes":90,"comments":11,"createdAt":"2024-05-01T12:10:00Z"}]}`,
	`POST /posts > {"text":"Sunset over the harbour tonight","visibility":"friends","tags":["sunset"],"media":["m_19"]}`,
	`POST /comments > {"postId":77,"text":"I fully agree with what was said above","parentId":null}`,
	`GET /forum/threads/5 < {"title":"Which bike for the city?","posts":[{"user":"a1","body":"I would take one with a belt drive.","date":"2024-05-01"},{"user":"b2","body":"A used one is good enough for most.","date":"2024-05-02"}]}`,
	`GET /matches < {"matches":[{"id":"u1","name":"Zoe","age":31,"bio":"Climbing, cats and strong coffee","distance":4},{"id":"u2","name":"Lea","age":29,"bio":"I read on trains and write on planes","distance":12}]}`,
	`POST /chats/4/messages > {"chatId":4,"senderId":"u77","text":"Shall we meet at eight?","clientMsgId":"k1","sentAt":1714564800000}`,
	`GET /chats/4/messages < {"messages":[{"id":"1","from":{"id":"u1","nick":"zoe"},"text":"Happy new year to you and yours!","ts":1714564800000},{"id":"2","from":{"id":"u2","nick":"max"},"text":"Happy new year, see you soon!","ts":1714564801000}]}`,
	`POST /v1/room/join > {"room":"r1","sdp":"v=0","callee":"u77","caller":"u12","type":"video"}`,
	`GET /team < {"staff":[{"name":"Anna Berg","email":"anna@example.com","role":"CEO"},{"name":"Ben Holz","email":"ben@example.com","role":"CTO"},{"name":"Cleo Wirth","email":"cleo@example.com","role":"CFO"}]}`,
	`GET /jobs < {"offers":[{"title":"Nurse","city":"Kiel","contact":{"name":"Anna Berg","phone":"+49 30 23125 101"}},{"title":"Cook","city":"Jena","contact":{"name":"Ben Holz","phone":"+49 30 23125 102"}}]}`,
	`GET /angebote < {"anzeigen":[{"titel":"Fahrrad","preis":120,"kontakt":{"name":"Ben Holz","telefon":"+49 30 23125 102"}},{"titel":"Tisch","preis":30,"kontakt":{"name":"Anna Berg","telefon":"+49 30 23125 103"}}]}`,
	// News, sports, weather, television.
	`GET /news < {"articles":[{"title":"Storm reaches the coast","summary":"Ferries stay in the harbour until tomorrow.","url":"https://news.example.com/a/1","publishedAt":"2024-05-01"},{"title":"New bridge opened","summary":"After three years the bridge is open.","url":"https://news.example.com/a/2","publishedAt":"2024-05-01"}]}`,
	`GET /zh/news < {"data":[{"标题":"新桥通车","内容":"三年之后，大桥今天正式通车，市民可以步行过江。","作者":"本报记者","时间":"2024-05-01 12:00:00"},{"标题":"台风将至","内容":"渡轮停航至明天，请市民注意安全并减少外出。","作者":"本报记者","时间":"2024-05-01 13:00:00"}]}`,
	`GET /noticias < {"noticias":[{"titulo":"Abre el puente","texto":"Después de tres años se abre el puente al público.","fecha":"2024-05-01","autor":"Redacción"}]}`,
	`GET /scores < {"matches":[{"home":"Kiel","away":"Jena","score":"2:1","start":"2024-05-01T18:00:00Z","end":"2024-05-01T20:00:00Z"}]}`,
	`GET /forecast < {"days":[{"date":"2024-05-01","text":"Light rain in the morning, sunny later","max":17},{"date":"2024-05-02","text":"Dry and windy with some clouds","max":15}]}`,
	`GET /epg < {"programme":[{"channel":"One","title":"The long river","start":"2024-05-01T20:15:00Z","end":"2024-05-01T21:45:00Z","description":"A film about a ferry."}]}`,
	`GET /horoscope < {"signs":[{"sign":"leo","text":"A letter brings you good news this week."},{"sign":"aries","text":"Take your time before you decide."}]}`,
	`GET /tips < {"tips":[{"id":1,"text":"Swipe left to delete an entry"},{"id":2,"text":"Hold the button to see more"},{"id":3,"text":"Pull down to refresh the list"}]}`,
	// Games.
	`POST /match/result > {"match":"m1","players":[{"name":"zoe","score":120},{"name":"max","score":90}],"duration":312,"type":"ranked"}`,
	`POST /events > {"event":"level_complete","level":7,"time":35,"deaths":2,"source":"map"}`,
	`GET /quests < {"quests":[{"id":1,"title":"Find the lamp","description":"Somebody lost a lamp in the old mine.","done":false},{"id":2,"title":"Feed the cat","description":"The cat on the roof is hungry again.","done":true}]}`,
	`GET /leaderboard < {"rows":[["zoe",120,1],["max",90,2],["lea",88,3]]}`,
	// Maps, travel, ticketing.
	`GET /route?from=48.1,11.5&to=48.2,11.6 < {"steps":[{"instruction":"Turn left onto the main road","distance":120},{"instruction":"Take the second exit","distance":900}]}`,
	`POST /rides > {"pickup":{"lat":48.1234,"lng":11.5678},"dropoff":{"lat":48.2,"lng":11.6},"passenger":"Odile","phone":"+33639981122"}`,
	`POST /booking > {"passengers":[{"firstName":"Odile","lastName":"Vantournier","phone":"+33639981122","passport":"X1"},{"firstName":"Paul","lastName":"Vantournier","phone":"+33639981123","passport":"X2"}],"flight":"XY12"}`,
	`GET /departures < {"abfahrten":[{"linie":"U2","richtung":"Bahnhof","zeit":"12:40","dauer":12},{"linie":"U3","richtung":"Messe","zeit":"12:42","dauer":15}]}`,
	`GET /concerts < {"events":[{"title":"Quartet","start":"2024-05-01T20:00:00Z","end":"2024-05-01T22:00:00Z","venue":"Hall","price":29}]}`,
	`POST /tickets > {"event":"e7","seat":"B12","holder":{"name":"Odile Vantournier","email":"odile@example.org"}}`,
	`GET /hotels < {"hotels":[{"name":"Am Hafen","phone":"+49 30 23125 110","stars":3,"website":"https://hotel.example.com"},{"name":"Zur Post","phone":"+49 30 23125 111","stars":4,"website":"https://post.example.com"}]}`,
	// Banking.
	`GET /transactions < {"transactions":[{"date":"2024-05-01","amount":-12.4,"currency":"EUR","recipient":"Bäckerei Holz","subject":"Brot und Kuchen"},{"date":"2024-05-02","amount":-50,"currency":"EUR","recipient":"Stadtwerke","subject":"Abschlag Mai"}]}`,
	`POST /transfer > {"to":"DE89370400440532013000","name":"Anna Berg","amount":20,"currency":"EUR","reference":"Lunch on Friday"}`,
	`GET /fx < {"rates":{"EURUSD":1.0812,"EURCHF":0.9731},"quotes":[{"symbol":"EURUSD","text":"1.0812 up 0.2 percent today"}]}`,
	`GET /quotes?symbols=ABC,DEF < {"quotes":[{"symbol":"ABC","price":12.5,"change":0.2},{"symbol":"DEF","price":99.1,"change":-1.4}]}`,
	// Streaming, reading, learning.
	`POST /scrobbles > {"plays":[{"track":"Night train","artist":"Band","duration":214,"date":1714564800},{"track":"Harbour","artist":"Band","duration":180,"date":1714565014}]}`,
	`POST /video/progress > {"videoId":"v1","position":312,"duration":5400,"title":"The long river","userHash":"5e884898da28047151d0e56f8dc6292773603d0d"}`,
	`GET /subtitles < {"captions":[{"start":0.5,"end":2.1,"text":"Where did you put the lamp?"},{"start":2.4,"end":4.0,"text":"I never had it, ask your brother."}]}`,
	`GET /lesson/3 < {"words":[{"front":"lighthouse","back":"phare"},{"front":"ferry","back":"bac"}],"text":"Read the story and answer."}`,
	`POST /quiz/answers > {"quiz":4,"answers":[{"question":1,"answer":"The lighthouse keeper"},{"question":2,"answer":"In the old mine"}],"duration":95}`,
	`GET /course < {"lessons":[{"title":"Greetings","content":"Learn how to greet people in the morning.","order":1},{"title":"Numbers","content":"Count from one to twenty and back.","order":2}]}`,
	`GET /books < {"books":[{"title":"The poem of the river","author":"A. Berg","isbn":"9783161484100"},{"title":"Jokes of the sea","author":"B. Holz","isbn":"9783161484117"}]}`,
	`GET /lyrics < {"song":"Night train","artist":"Band","lines":["All aboard the night train","Rolling down the valley","Nobody is waiting at the station"]}`,
	// Advertising, analytics, configuration, push.
	`POST /bid > {"id":"b1","imp":[{"id":"1","banner":{"w":320,"h":50}}],"app":{"bundle":"com.example.news","name":"News","storeurl":"https://apps.example.com/news"},"device":{"ua":"Dalvik/2.1.0"}}`,
	`GET /ads < {"ads":[{"title":"Buy a bicycle","body":"The best bicycles of the town, only this week","click":"https://shop.example.com/b","image":"https://cdn.example.com/b.jpg"}]}`,
	`POST /collect > {"event":"page_view","page":"https://api.example.com/home","title":"Home","ts":1714564800000}`,
	`POST /log > {"level":"warn","message":"slow answer","method":"GET","url":"https://cdn.example.net/app.js","status":200,"duration":812}`,
	"POST /logs > 2024-05-01 12:00:01 INFO sync started user=77 items=12\n2024-05-01 12:00:02 WARN retry count=2 url=https://cdn.example.net/app.js\n2024-05-01 12:00:04 INFO sync done items=12 duration=3\n",
	`POST /crash > {"exception":"NullPointerException","stack":["com.example.app.Main.onCreate","com.example.app.ui.List.bind","org.example.net.Client.call"],"threads":["main","com.example.worker","org.example.pool"]}`,
	`GET /config < {"features":{"com.example.search.v2":true,"com.example.player.hdr":false,"org.example.cards":true},"minVersion":"3.1"}`,
	`GET /i18n/de < {"de":{"greeting":"Guten Morgen","title":"Aufgaben","note":"Notiz","send":"Nachricht senden"},"fr":{"greeting":"Bonjour","title":"Tâches","note":"Note","send":"Envoyer le message"}}`,
	"GET /strings.properties < title=Aufgaben und Notizen\nnote.new=Neue Notiz anlegen\nnote.delete=Notiz wirklich löschen?\ncontact.add=Kontakt hinzufügen\ncall.missed=Verpasster Anruf von %s\n",
	"GET /robots.txt < User-agent: *\nDisallow: /private\nAllow: /\nSitemap: https://www.example.com/sitemap.xml\nContact: https://www.example.com/contact\n",
	"PUT /config/app.yaml > server:\n  name: edge-1\n  phone_home: true\n  contact: ops\nlimits:\n  name: small\n  number: 12\n",
	`POST /push/register > {"token":"Zk81kd02mQ8fZx81kd02mQ8f","platform":"android","topics":["news","weather.alerts","offers.weekly"]}`,
	`POST /push/send > {"to":"Zk81kd02mQ8fZx81","notification":{"title":"Your order is on its way","body":"It will arrive in ten minutes"},"data":{"order":"9"}}`,
	`POST /support/ticket > {"subject":"The app closes","message":"It closes when I open the map.","email":"odile@example.org","appVersion":"3.1"}`,
	`POST /newsletter > {"email":"odile@example.org","name":"Odile","consent":true,"lists":["weekly"]}`,
	`GET /privacy < {"title":"Privacy","text":"We use your data to run the service. Contact us by mail at any time.","updated":"2024-05-01"}`,
	`POST /permissions > {"granted":["android.permission.READ_CONTACTS","android.permission.READ_CALL_LOG","android.permission.READ_SMS"],"denied":["android.permission.CAMERA"]}`,
	`GET /libs < {"dependencies":["org.slf4j.api","com.squareup.okhttp3","io.reactivex.rxjava"],"licenses":["MIT","Apache-2.0"]}`,
	`GET /release < {"version":"3.2","notes":["Fixed a crash in the note editor","Contacts load faster","New: reminders for tasks"],"date":"2024-05-01"}`,
	// Things at home, health, files.
	`POST /telemetry > {"device":"lamp-1","state":"on","since":1714564800,"power":7.2,"name":"Kitchen lamp"}`,
	`POST /scenes > {"name":"Evening","start":"20:00","end":"23:00","actions":[{"device":"lamp-1","do":"dim"},{"device":"blind-2","do":"close"}]}`,
	`POST /alarms > {"alarms":[{"id":1,"time":"07:00","label":"","enabled":true,"days":[1,2,3]}]}`,
	`POST /workouts > {"type":"run","start":"2024-05-01T07:00:00Z","end":"2024-05-01T07:40:00Z","duration":2400,"distance":7.1,"calories":480}`,
	`GET /doctors < {"doctors":[{"name":"Dr. Anna Berg","phone":"+49 30 23125 120","speciality":"dentist"},{"name":"Dr. Ben Holz","phone":"+49 30 23125 121","speciality":"surgery"}]}`,
	`POST /prescriptions > {"patient":"p1","items":[{"name":"Ibuprofen","dose":"400 mg","note":"after meals"}]}`,
	`POST /files > {"files":[{"path":"docs/report.pdf","size":12000,"modified":"2024-05-01"},{"path":"img/plan.png","size":9000,"modified":"2024-05-01"}]}`,
	`POST /vector/search > {"vector":[0.12,-0.5,0.33,0.9],"topK":5,"filter":{"lang":"en"}}`,
	`POST /graphql > {"operationName":"Products","query":"query Products($q: String!) { products(query: $q) { id name } }","variables":{"q":"coffee","first":20}}`,
	`GET /search?q=coffee&page=2 < {"results":[{"title":"Coffee","url":"https://shop.example.com/coffee","snippet":"The best coffee of the town."}]}`,
	`POST /translate > {"source":"de","target":"en","text":"Guten Morgen, wie geht es Ihnen?","from":"de","to":"en"}`,
	`POST /speech > {"audio":"m1","language":"en","transcript":"turn on the kitchen lamp","confidence":0.93}`,
	// Rows, tables and logs without names.
	`POST /dump > {"rows":[["Milk","012345678905",3],["Bread","012345678912",1],["Butter","012345678929",2]]}`,
	`POST /dump > {"rows":[["Zoe","12-04-1990"],["Max","31-07-1988"],["Lea","01-11-1992"]]}`,
	`POST /dump > {"books":[{"name":"The river","isbn":"978-3-16-148410-0"},{"name":"The sea","isbn":"978-3-16-148411-7"},{"name":"The lamp","isbn":"978-3-16-148412-4"}]}`,
	`POST /dump > {"rows":[["Revenue","1 234 567"],["Cost","2 345 678"],["Profit","3 456 789"]]}`,
	`POST /dump > {"rows":[["1234567",1,1406800000123,35],["1234568",2,1406800001123,36]]}`,
	"POST /logs > 2024-05-01 12:00:01,10023457,User logged in to the app\n2024-05-01 12:00:02,10023458,User opened the settings page\n",
	"POST /logs > edge-1|192.0.2.1|up\nedge-2|192.0.2.2|down\nedge-3|192.0.2.3|up\n",
	"POST /import > Anna;1A;3.5\nBen;2B;2.0\nCleo;1A;1.5\n",
	`POST /u > {"table":{"names":["Runner","Walker"],"prices":[90,80],"numbers":[41,42]}}`,
	`POST /u > {"pairs":["width=640","height=480","quality=80"],"list":["a:1","b:2","c:3"]}`,
	`POST /u > {"c":[["M",0,0],["L",120,44],["L",300.5,12]],"stroke":"red"}`,
	`POST /u > {"ops":[{"insert":"func main() {\n"},{"retain":12},{"delete":3}],"file":"main.go"}`,
	`POST /u > {"params":{"list":[{"a":"Start","b":"0800-0900"},{"a":"Lunch","b":"1200-1300"},{"a":"End","b":"1700-1800"}]}}`,
	`POST /u > {"t":"click","x":120,"y":44,"s":"Buy now","u":"/cart"}`,
	`POST /rpc > {"jsonrpc":"2.0","method":"eth_call","params":[{"from":"0x52908400098527886E0F7030069857D2E4169EE7","to":"0xde709f2102306220921060314715629080e2fb77","data":"0x70a08231"},"latest"]}`,
	`POST /rpc > {"jsonrpc":"2.0","method":"callHistoryApi.setPage","params":[{"page":2,"size":20}]}`,
	`POST /v1/recall > {"products":[{"name":"Kettle","lot":"0012345678","date":"2024-05-01"}]}`,
	`POST /timers > {"timers":[{"name":"Eggs","duration":300,"started_at":1714564800,"type":"countdown"}]}`,
	`POST /sip/register > {"uri":"sip:1001@pbx.example.net","expires":3600,"contact":"sip:1001@192.0.2.1"}`,
	`POST /u > {"type":"note_on","channel":1,"note":60,"velocity":100,"time":1714564800123}`,
	`POST /game/sync > {"events":[{"title":"Siege","start":1714564800,"end":1714568400,"attendees":12,"guild":"Owls"}]}`,
	`POST /u > {"task":"resize","title":"Resize all of the pictures now","status":"done","due":0,"worker":"w1","queue":"images"}`,
	`GET /quotes.csv < symbol,text,price\nABC,Shares rose in early trade,12.5\nDEF,Shares fell in early trade,99.1`,
	`GET /cards < {"cards":[{"id":1,"text":"Two of hearts and a joker","power":3},{"id":2,"text":"Queen of spades at night","power":9}]}`,
	`GET /faq < {"items":[{"q":"How do I reset my password?","a":"Open the settings and choose reset."},{"q":"How do I close my account?","a":"Write to us and we will close it."}]}`,
	`POST /rss > {"feeds":["https://news.example.org/feed.xml","https://blog.example.edu/rss.xml","https://www.example.net/atom.xml"]}`,
	`POST /crawl > {"seeds":["https://cdn.example.org/a.js","https://img.example.edu/b.png","https://static.example.net/c.css"]}`,
	`POST /oauth > {"redirect_uri":"https://app.example.org/cb","client_uri":"https://www.example.edu/","scope":"openid"}`,
	`POST /cors > {"allowed_origins":["https://www.example.org","https://app.example.edu","https://admin.example.net"]}`,
	`POST /hosts > {"hosts":[{"host":"edge1.example.org","port":443},{"host":"edge2.example.edu","port":443},{"host":"edge3.example.net","port":443}]}`,
	`POST /modules > {"modules":["com.example.core","com.example.ui","com.example.net"],"main":"com.example.core.Main"}`,
	`POST /deps > {"components":[{"group":"org.slf4j","name":"slf4j-api"},{"group":"com.google.guava","name":"guava"},{"group":"io.netty","name":"netty-all"}]}`,
	// In other languages.
	`POST /zakaz > {"заказ":{"номер":"1207","товары":[{"название":"Хлеб","цена":45},{"название":"Молоко","цена":80}],"телефон":"+79000007093","адрес":"ул. Лесная, 3"}}`,
	`GET /otzyvy < {"отзывы":[{"автор":"Мария","текст":"Очень вкусный кофе и приятные люди","оценка":5,"дата":"2024-05-01"},{"автор":"Пётр","текст":"Долго ждали заказ, но всё было горячим","оценка":3,"дата":"2024-05-02"}]}`,
	`GET /ofertas < {"ofertas":[{"título":"Bicicleta usada","descrição":"Boa bicicleta para a cidade, pouco uso","preço":300,"telefone":"+351 910 000 111"},{"título":"Mesa","descrição":"Mesa de madeira com quatro cadeiras","preço":80,"telefone":"+351 910 000 112"}]}`,
	`GET /urunler < {"ürünler":[{"ad":"Kahve","fiyat":90,"stok":12},{"ad":"Çay","fiyat":45,"stok":30}]}`,
	`GET /sanpham < {"sảnphẩm":[{"tên":"Cà phê","giá":45000,"số":12},{"tên":"Trà","giá":30000,"số":7}]}`,
	`GET /toko < {"produk":[{"nama":"Kopi","harga":12000,"nomor":"4006381333931"},{"nama":"Teh","harga":9000,"nomor":"4006381333948"}]}`,
	`GET /tenpo < {"店舗":[{"名前":"港店","電話番号":"03-5550-0101","営業時間":"9-19","住所":"港区1-2"},{"名前":"駅前店","電話番号":"03-5550-0102","営業時間":"9-20","住所":"中央区3-4"}]}`,
	`GET /sanghoe < {"상품":[{"이름":"커피","가격":4500,"번호":"17"},{"이름":"차","가격":3000,"번호":"18"}]}`,
	`GET /mahsulat < {"المنتجات":[{"الاسم":"قهوة","السعر":12,"الرقم":"17"},{"الاسم":"شاي","السعر":8,"الرقم":"18"}]}`,
	`GET /khabar < {"समाचार":[{"शीर्षक":"नया पुल खुला","पाठ":"तीन साल बाद पुल आम लोगों के लिए खोला गया।","दिनांक":"2024-05-01","लेखक":"संवाददाता"}]}`,
	`GET /khao < {"ข่าว":[{"หัวข้อ":"สะพานใหม่เปิดแล้ว","เนื้อหา":"หลังจากสามปีสะพานเปิดให้ประชาชนใช้แล้ว","วันที่":"2024-05-01"}]}`,
	`POST /zamowienie > {"zamówienie":{"numer":"1207","pozycje":[{"nazwa":"Chleb","cena":5}],"klient":{"imię":"Anna","telefon":"+48 600 000 101","email":"anna@example.org"}}}`,
	`POST /bestelling > {"bestelling":{"nummer":"1207","naam":"Anna Berg","telefoon":"+31 6 0000 0101","straat":"Kade 3","plaats":"Delft"},"opmerking":"Graag twee keer bellen"}`,
}

// TestOrdinary looks for what is personal in what is not.
func TestOrdinary(t *testing.T) {
	if len(ordinary) < 120 {
		t.Fatalf("%d cases", len(ordinary))
	}
	none := map[inspect.Class]bool{
		inspect.SMS: true, inspect.Contacts: true, inspect.CallLog: true, inspect.Email: true, inspect.Notes: true,
		inspect.BrowsingHistory: true, inspect.AppList: true, inspect.GreetingContent: true,
	}
	for _, line := range ordinary {
		method, rest, _ := strings.Cut(line, " ")
		target, rest, _ := strings.Cut(rest, " ")
		way, body, ok := strings.Cut(rest, " ")
		if !ok || way != "<" && way != ">" {
			t.Fatalf("no case: %.40s", line)
		}
		kind := "text/plain; charset=utf-8"
		if body[0] == '{' {
			kind = "application/json"
		}
		s := &inspect.Subject{Method: method, Scheme: "https", Host: "api.example.com", Status: 200}
		s.Path, s.Query, _ = strings.Cut(target, "?")
		s.Request.Header, s.Response.Header = make(http.Header), make(http.Header)
		c := &s.Request
		if way == "<" {
			c = &s.Response
		}
		c.Header.Set("Content-Type", kind)
		c.Body = []byte(body)
		tr := tree(t, s)
		for _, d := range All {
			for _, f := range d.Detect(tr) {
				if class := f.Class; class == "" && none[d.Class] || none[class] {
					t.Errorf("%s %s %s\n%s: %s %s", method, target, way, d.Name, f.Path, f.Reason)
				}
			}
		}
	}
}
