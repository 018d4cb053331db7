package main

import (
	"google.golang.org/protobuf/encoding/protowire"

	"constat/proxy/flow"
)

// camera is a picture as a camera writes it, in JPEG.
func camera(width, height int) content {
	return func(w *world) []byte { return draw(w.Rand, width, height) }
}

// placed is a picture with the place in its Exif data.
func placed(width, height int) content {
	return func(w *world) []byte {
		exif := exifGPS(w.lat, w.lon)
		data := append([]byte{0xff, 0xd8, 0xff, 0xe1, byte((len(exif) + 2) >> 8), byte(len(exif) + 2)}, exif...)
		return append(data, draw(w.Rand, width, height)[2:]...)
	}
}

var freshPictures = []fresh{
	{"automatic upload, one file", "photo> location> ?device_stats", inParts("up.fotobox.example/v1/auto", "foto", "IMG_20240304_0912$d2.jpg", "image/jpeg", placed(1024, 768), "album", "Camera", "geraet", "7")},
	{"data URI in JSON", "photo>", send("POST", "api.kyc.example/selfie", appJSON, around(`{"langkah":2,"foto":"data:image/jpeg;base64,`, in64(camera(900, 1200)), `"}`))},
	{"WebDAV, folder of the camera", "photo> ?identifiers", send("PUT", "cloud.priv.example/remote.php/dav/files/u1/InstantUpload/Camera/IMG_20240304_$d6.jpg", "image/jpeg", camera(1280, 960))},
	{"hashes before the upload", "photo>", postJSON("library.gallerycloud.example/v1/dedupe", `{"items":[⟦,|{"fileName":"DSC_$d4.JPG","sha1":"$h40","sizeBytes":$d7,"takenAt":"$iso"}⟧]}`)},
	{"gRPC with bytes", "photo>", send("POST", "media.dating.example/profile.Photos/Add", "application/grpc", func(w *world) []byte {
		b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), w.uuid())
		b = protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), draw(w.Rand, 960, 720))
		return grpcFrame(protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), 4))
	})},
	{"object storage", "photo> ?identifiers", send("PUT", "s3.eu-1.objects.example/user-backup/camera/2024/03/IMG_$d4.jpeg?X-Amz-Expires=900&X-Amz-Signature=$h64", "image/jpeg", camera(1600, 1200), "x-amz-meta-taken: $sec")},
	{"SOAP, base64", "photo>", send("POST", "claims.versicherung.example/ws", "text/xml", around(`<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><UploadDamagePhoto><ClaimNo>$d8</ClaimNo><ImageData>`, in64(camera(1024, 768)), `</ImageData></UploadDamagePhoto></Body></Envelope>`))},
	{"frame of a camera", "photo>", socket("stream.telefonkontrol.example/cam", flow.Up, false, camera(1280, 720))},
	{"assets, plist", "photo>", send("POST", "photos.fruitcloud.example/assets", "application/x-plist", as(plistXML, `{"assets":[⟦,|{"filename":"IMG_$d4.HEIC","fingerprint":"A$h40","fileSize":$d7,"pixelWidth":4032,"pixelHeight":3024,"creationDate":"$iso"}⟧]}`))},
	{"table of a folder", "photo>", send("POST", "idx.vaultbox.example/delta", "text/csv", text("path,md5,bytes,mtime\n⟦\n|/storage/emulated/0/DCIM/Camera/IMG_20240304_$d6.jpg,$h32,$d7,$sec⟧\n"))},
	{"Exif as JSON", "photo> ?device_stats", postJSON("api.photoprint.example/meta", `{"file":"IMG_$d4.jpg","exif":{"Make":"samsung","Model":"$model","FNumber":1.8,"ExposureTime":"1/120","ISOSpeedRatings":64,"FocalLength":5.4,"DateTimeOriginal":"2024:03:04 09:12:33"}}`)},
	{"form, base64", "photo> ?identifiers", send("POST", "absen.kantor.example/masuk.php", appForm, field("foto_b64", in64(camera(640, 480)), "nama_file", "selfie_$sec.jpg", "nip", "$d6"))},
	{"gallery comes down", "photo<", fetchJSON("library.gallerycloud.example/v1/list?page=2", `{"photos":[⟦,|{"filename":"IMG_20231105_$d6.jpg","sha256":"$h64","size":$d7,"dateTaken":"$iso"}⟧]}`)},
	{"zip of a camera folder", "photo>", send("PUT", "bk.vaultbox.example/dcim.zip", "application/zip", func(w *world) []byte {
		return zipped(map[string][]byte{"DCIM/Camera/IMG_0001.jpg": draw(w.Rand, 800, 600), "DCIM/Camera/IMG_0002.jpg": draw(w.Rand, 800, 600)})
	})},
	{"xiangce, pinyin keys", "photo>", postJSON("yun.shouji.example/xiangce/qingdan", `{"zhaopian":[⟦,|{"wenjianming":"IMG_20240304_$d6.jpg","daxiao":$d7,"md5":"$h32","paishe_shijian":$ms}⟧]}`)},
	{"thumbnail in MQTT", "photo> ?identifiers", socket("mq.telefonkontrol.example/mqtt", flow.Up, false, mqtt("phones/$h8/gallery/thumb", camera(320, 240)))},
}

var freshPlaces = []fresh{
	{"tracker, query", "location> ?identifiers ?device_stats", ask("trk.fleet.example:5055/", "id", "$d6", "timestamp", "$sec", "lat", "$lat", "lon", "$lon", "speed", "0.0", "bearing", "12", "hdop", "8", "batt", "76")},
	{"ad exchange", "location> device_stats> identifiers>", postJSON("bid.adx.example/openrtb/2.5", `{"id":"$h24","imp":[{"id":"1","banner":{"w":320,"h":50}}],"app":{"bundle":"com.example.solitaire"},"device":{"ua":"Mozilla/5.0 (Linux; Android 13; $model)","make":"Samsung","model":"$model","os":"Android","osv":"13","ifa":"$u","geo":{"lat":$lat,"lon":$lon,"type":1}}}`)},
	{"towers around", "location>", postJSON("cells.geoservice.example/v1/locate", `{"radio":"lte","cells":[⟦,|{"mcc":722,"mnc":34,"tac":$d5,"ci":$d8,"rsrp":-97}⟧]}`)},
	{"hotspots around", "location> ?identifiers", postJSON("wps.geoservice.example/q", `{"aps":[⟦,|{"bssid":"$mac","rssi":-61,"ch":6}⟧]}`)},
	{"forecast for here", "location>", ask("api.tiempo.example/v1/forecast", "latitude", "$lat", "longitude", "$lon", "hourly", "temperature_2m", "timezone", "auto")},
	{"header with the place", "location>", with(ask("www.tiendas.example/cerca"), "X-Geo-Position: $lat;$lon;acc=18")},
	{"tenths of millionths", "location>", postJSON("loc.history.example/v1/batch", `{"locations":[⟦,|{"latitudeE7":$latE,"longitudeE7":$lonE,"accuracy":14,"timestampMs":"$ms"}⟧]}`)},
	{"latitud, longitud", "location> ?identifiers", postForm("api.remis.example/posicion", "chofer", "$d4", "latitud", "$lat", "longitud", "$lon", "precision", "9")},
	{"jingdu, weidu", "location>", send("POST", "dingwei.ditu.example/shangbao", appForm, field("data", zip64(text(`{"guiji":[⟦,|{"jingdu":$lon,"weidu":$lat,"shijian":$ms}⟧]}`))))},
	{"shirota, dolgota", "location>", send("POST", "kontrol.roditel.example/gde", "application/msgpack", as(msgpack, `{"tochka":{"shirota":$lat,"dolgota":$lon,"tochnost":20},"vremya":$sec}`))},
	{"MQTT, own tracks", "location> ?identifiers ?device_stats", socket("mq.owntrk.example/mqtt", flow.Up, false, mqtt("owntracks/user/phone", text(`{"_type":"location","tid":"p1","lat":$lat,"lon":$lon,"tst":$sec,"acc":11,"batt":70}`)))},
	{"attributes, Hungarian notation", "location>", send("POST", "gps.flotta.example/in.asmx", "text/xml", text(`<Report>⟦|<Fix dLat="$lat" dLng="$lon" nSpeed="0" tFix="$iso"/>⟧</Report>`))},
	{"well-known text", "location>", postJSON("api.mapbuddy.example/presence", `{"geom":"SRID=4326;POINT($lon $lat)","recorded_at":"$iso","source":"gps"}`)},
	{"features of GeoJSON", "location>", postJSON("ingest.steps.example/walks", `{"type":"Feature","geometry":{"type":"LineString","coordinates":[⟦,|[$lon,$lat]⟧]},"properties":{"activity":"walking","start":"$iso"}}`)},
	{"degrees and minutes", "location> ?identifiers", send("POST", "panel.track-it.example/gate.php", "text/plain", text("bot=$h12\nGPS|48°51'24.1\"N 2°21'07.3\"E|$time\n"))},
	{"gRPC, place of a rider", "location>", send("POST", "api.rides.example/rider.v2.Location/Update", "application/grpc", as(grpcOf, `{"a_lat":$lat,"b_lng":$lon,"c_time":$ms}`))},
	{"health companion, route", "location>", send("POST", "sync.pulsefit.example/routes", "application/cbor", as(cbor, `{"route":{"pts":[⟦,|{"la":$lat,"lo":$lon,"alt":12,"hr":121,"t":$sec}⟧]}}`))},
	{"emergency contact link", "location> ?sms ?contacts", postJSON("sos.familycare.example/alert", `{"to":["$tel"],"message":"I need help. My position: https://maps.example/?q=$lat,$lon"}`)},
	{"geohash", "location>", postJSON("feed.nearby.example/subscribe", `{"geohash":"69y7pkxf$d1","precision":9,"reason":"user_moved"}`)},

	// Pages.
	{"safe browsing, whole address", "browsing_history>", ask("check.safeweb.example/v4/url", "client", "browser", "url", "$page", "v", "2")},
	{"visits, short keys", "browsing_history>", postJSON("sync.minibrowser.example/h", `{"visited":[⟦,|{"u":"$page","t":$ms,"ttl":"$title"}⟧]}`)},
	{"keyboard, words of a search field", "browsing_history> ?app_list", postJSON("telemetry.quickkeys.example/v1/typed", `{"events":[⟦,|{"fieldType":"search","searchQuery":"$subj","hostApp":"com.android.chrome","ts":$ms}⟧]}`)},
	{"ad exchange, page", "browsing_history> device_stats> ?identifiers", postJSON("rtb.sspone.example/auction", `{"id":"$u","imp":[{"id":"1","banner":{"format":[{"w":300,"h":250}]}}],"site":{"domain":"foro.embarazo.example","page":"$page","ref":"$page"},"device":{"ua":"Mozilla/5.0 (Linux; Android 12; $model) Chrome/120","w":393,"h":851,"pxratio":2.75,"model":"$model"},"user":{"buyeruid":"$h32"}}`)},
	{"measurement pixel", "browsing_history> ?identifiers ?device_stats", ask("stats.measureweb.example/collect", "v", "2", "tid", "G-$h8", "cid", "$d9.$sec", "dl", "$page", "dt", "$subj", "en", "page_view")},
	{"sync of a browser", "browsing_history>", postJSON("sync-1-us.firebrowser.example/1.5/$d8/storage/history", `[⟦,|{"id":"$h12","payload":"{\"histUri\":\"$page\",\"title\":\"$title\",\"visits\":[{\"date\":$ms,\"type\":1}]}"}⟧]`)},
	{"liulan lishi", "browsing_history>", send("POST", "yun.liulanqi.example/tongbu", appForm, field("shuju", zip64(text(`{"liulan_lishi":[⟦,|{"wangzhi":"$page","biaoti":"$title","shijian":$ms}⟧]}`))))},
	{"table of a history", "browsing_history>", send("PUT", "takeout.vaultbox.example/history.csv", "text/csv", text("Title,URL,Visit time,Transition\n⟦\n|$title,$page,$time,link⟧\n"))},
	{"parental control", "browsing_history> ?identifiers", send("POST", "report.familycare.example/web", "application/xml", text(`<WebReport child="$d4">⟦|<Visit at="$iso" blocked="false" url="$page"/>⟧</WebReport>`))},
	{"beacon of a page", "browsing_history>", send("POST", "b.heatmaps.example/px", "text/plain;charset=UTF-8", text(`{"loc":"$page","ref":"$page","scroll":62,"tz":-180}`))},
	{"gRPC, visits", "browsing_history>", send("POST", "nav.smartbrowse.example/history.Sync/Push", "application/grpc", as(grpcOf, `{"visits":[⟦,|{"a_url":"$page","b_title":"$title","c_time":$ms}⟧]}`))},
	{"Hungarian notation, pages", "browsing_history>", send("POST", "log.turbobrowser.example/up", "application/msgpack", as(msgpack, `{"arrHist":[⟦,|{"strUrl":"$page","strTitle":"$title","nVisitCount":$d1}⟧]}`))},
	{"Verlauf", "browsing_history>", send("POST", "sync.surfer.example/verlauf", appJSON, gzipped(text(`{"verlauf":[⟦,|{"adresse":"$page","titel":"$title","besuchtAm":"$iso"}⟧]}`)), "Content-Encoding: gzip")},
	{"page to translate", "browsing_history>", postJSON("api.translatebar.example/page", `{"source_url":"$page","target_lang":"es","auto":true}`)},
	{"file of a browser", "browsing_history>", send("PUT", "bk.vaultbox.example/f/History", "application/octet-stream", as(sqliteAs("urls"), `{"r":[⟦,|{"url":"$page","title":"$title","visit_count":$d1,"last_visit_time":133$d14}⟧]}`))},
	{"riwayat pencarian", "browsing_history>", postJSON("api.iklan.example/minat", `{"riwayat_pencarian":[⟦,|{"kata_kunci":"$subj","waktu":"$time"}⟧]}`)},
}
