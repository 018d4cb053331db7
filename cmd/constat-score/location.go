package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"constat/inspect"
)

// track is where somebody went, a few steps at a time.
func track(g *gen, f func(i int, lat, lon float64) m) []m {
	lat, lon := g.point(5)
	return times(g, 2, 8, func(i int) m {
		lat, lon = g.near(lat, lon)
		return f(i, lat, lon)
	})
}

func wifiScan(g *gen, f func(bssid, ssid string, level int) m) []m {
	return times(g, 2, 8, func(int) m { return f(g.mac(":"), pick(g, ssids), -30-g.IntN(60)) })
}

var locationFamily = family{
	class: inspect.Location, rounds: 12,
	dialects: []dialect{
		{name: "lat and lon", path: "/v1/position", value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"lat": lat, "lon": lon, "accuracy": 5 + g.IntN(60), "ts": g.when()}
		}},
		{name: "latitude and longitude", path: "/loc", value: func(g *gen) any {
			lat, lon := g.point(6)
			return m{"location": m{"latitude": lat, "longitude": lon, "altitude": 35.5, "speed": 1.25, "bearing": 270, "provider": "fused"}}
		}},
		{name: "lat and lng as strings", path: "/report", value: func(g *gen) any {
			lat, lon := g.point(4)
			return m{"lat": scalar(lat), "lng": scalar(lon), "city": ""}
		}},
		{name: "two decimals in an ad request", path: "/openrtb2/auction", value: func(g *gen) any {
			lat, lon := g.point(2)
			return m{"id": g.hex(8), "device": m{"geo": m{"lat": lat, "lon": lon, "type": 1, "country": "FRA"}, "language": "fr"}, "imp": []m{{"id": "1", "banner": m{"w": 320, "h": 50}}}}
		}},
		{name: "joined by a comma", path: "/checkin", value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"ll": scalar(lat) + "," + scalar(lon), "llAcc": 20}
		}},
		{name: "GeoJSON point", path: "/geo/ingest", value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"type": "Feature", "geometry": m{"type": "Point", "coordinates": []float64{lon, lat}}, "properties": m{"timestamp": g.iso(), "motion": []string{"walking"}}}
		}},
		{name: "track of points", path: "/tracks", value: func(g *gen) any {
			return m{"points": track(g, func(i int, lat, lon float64) m { return m{"lat": lat, "lng": lon, "t": 1600000000 + i*15} })}
		}},
		{name: "E7 integers", path: "/timeline", value: func(g *gen) any {
			return m{"locations": track(g, func(i int, lat, lon float64) m {
				return m{"latitudeE7": int64(math.Round(lat * 1e7)), "longitudeE7": int64(math.Round(lon * 1e7)), "accuracy": 20, "timestampMs": fmt.Sprint(1600000000000 + i*15000)}
			})}
		}},
		{name: "event of a tracker", path: "/batch", value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"batch": []m{{"event": "screen_view", "properties": m{"$latitude": lat, "$longitude": lon, "screen": "home"}}}}
		}},
		{name: "short keys", path: "/p", value: func(g *gen) any {
			lat, lon := g.point(6)
			return m{"g": m{"la": lat, "lo": lon, "ac": 12.0}}
		}},
		{name: "Wi-Fi surroundings", path: "/v1/geolocate?key=test", value: func(g *gen) any {
			return m{"considerIp": false, "wifiAccessPoints": wifiScan(g, func(bssid, _ string, level int) m {
				return m{"macAddress": bssid, "signalStrength": level, "channel": 1 + g.IntN(11)}
			})}
		}},
		{name: "Wi-Fi scan with names", path: "/scan", value: func(g *gen) any {
			return m{"wifi_scan": wifiScan(g, func(bssid, ssid string, level int) m {
				return m{"bssid": bssid, "ssid": ssid, "level": level, "frequency": 2412 + 5*g.IntN(11)}
			})}
		}},
		{name: "cell surroundings", path: "/v2/search", value: func(g *gen) any {
			return m{"cellTowers": times(g, 1, 4, func(int) m {
				return m{"radioType": "lte", "mobileCountryCode": 208, "mobileNetworkCode": 1, "locationAreaCode": 1000 + g.IntN(60000), "cellId": 100000 + g.IntN(9000000), "signalStrength": -60 - g.IntN(50)}
			})}
		}},
		{name: "serving cell in short keys", path: "/cell", value: func(g *gen) any {
			return m{"cell": m{"mcc": 262, "mnc": 1, "lac": 1000 + g.IntN(60000), "cid": 100000 + g.IntN(9000000), "rssi": -71}}
		}},
		{name: "connected access point", path: "/net", value: func(g *gen) any {
			return m{"wifi": m{"SSID": pick(g, ssids), "BSSID": g.mac(":"), "rssi": -48, "linkSpeed": 72}}
		}},
		{name: "Chinese keys", path: "/dingwei", value: func(g *gen) any {
			lat, lon := g.point(6)
			return m{"位置": m{"纬度": lat, "经度": lon, "精度": 25, "时间": g.date()}}
		}},
		{name: "French keys", path: "/position", value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"position": m{"latitude": lat, "longitude": lon, "precision": 12, "horodatage": g.date()}}
		}},
		{name: "German keys", path: "/standort", value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"standort": m{"breitengrad": lat, "laengengrad": lon, "genauigkeit": 8}}
		}},
		{name: "weather at the phone", path: "/weather/current", value: func(g *gen) any {
			lat, lon := g.point(4)
			return m{"location_latitude": lat, "location_longitude": lon, "units": "metric"}
		}},
		{name: "geofence crossed", path: "/geofence/transition", value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"transition": g.oneOf("enter", "exit"), "fence": "home", "triggeringLocation": m{"lat": lat, "lng": lon}}
		}},
		{name: "ride request", path: "/rides", value: func(g *gen) any {
			lat, lon := g.point(6)
			a, o := g.near(lat, lon)
			return m{"pickup": m{"lat": lat, "lng": lon}, "dropoff": m{"lat": a, "lng": o}, "seats": 1}
		}},

		{name: "Spanish keys", path: "/ubicacion", unseen: true, value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"ubicacion": m{"latitud": lat, "longitud": lon, "exactitud": 9}}
		}},
		{name: "Russian keys", path: "/mesto", unseen: true, value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"местоположение": m{"широта": lat, "долгота": lon}}
		}},
		{name: "array of two", path: "/hb", unseen: true, value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"latlng": []float64{lat, lon}, "bat": 77}
		}},
		{name: "degrees and minutes", path: "/fix", unseen: true, value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"gps_lat": dms(lat, "N", "S"), "gps_lon": dms(lon, "E", "W"), "satellites": 9}
		}},
		{name: "encoded polyline", path: "/activities", unseen: true, value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"activity": "run", "startLatLng": []float64{lat, lon}, "map": m{"summary_polyline": polyline(g, lat, lon)}}
		}},
		{name: "ISO 6709", path: "/media/meta", unseen: true, value: func(g *gen) any {
			lat, lon := g.point(4)
			return m{"com.apple.quicktime.location.ISO6709": fmt.Sprintf("%+08.4f%+09.4f+035.000/", lat, lon)}
		}},
		{name: "Bluetooth beacons and Wi-Fi", path: "/v2/geosubmit", unseen: true, value: func(g *gen) any {
			lat, lon := g.point(7)
			return m{"items": []m{{"timestamp": g.when(), "position": m{"latitude": lat, "longitude": lon, "accuracy": 10.5}, "wifiAccessPoints": wifiScan(g, func(bssid, _ string, level int) m { return m{"macAddress": bssid, "signalStrength": level} })}}}
		}},
	},
	wholes: []whole{
		{name: "query", make: func(g *gen) *inspect.Subject {
			lat, lon := g.point(4)
			return query(g.oneOf("/forecast", "/nearby", "/stores"), "lat", scalar(lat), g.oneOf("lon", "lng"), scalar(lon), "lang", g.code)
		}},
		{name: "query, joined", make: func(g *gen) *inspect.Subject {
			lat, lon := g.point(5)
			return query("/maps/api/geocode/json", "latlng", scalar(lat)+","+scalar(lon), "key", "test")
		}},
		{name: "form", make: func(g *gen) *inspect.Subject {
			lat, lon := g.point(6)
			return form("/sos", "latitude", scalar(lat), "longitude", scalar(lon), "acc", "12", "time", fmt.Sprint(g.sec()))
		}},
		{name: "header", make: func(g *gen) *inspect.Subject {
			lat, lon := g.point(4)
			s := subject("GET", "/feed")
			s.Request.Header.Set("X-Geo-Position", scalar(lat)+";"+scalar(lon))
			return s
		}},
		{name: "Geolocation header", make: func(g *gen) *inspect.Subject {
			lat, lon := g.point(5)
			s := subject("GET", "/offers")
			s.Request.Header.Set("Geolocation", fmt.Sprintf("geo:%s,%s;u=30", scalar(lat), scalar(lon)))
			return s
		}},
		{name: "cookie", make: func(g *gen) *inspect.Subject {
			lat, lon := g.point(4)
			s := subject("GET", "/")
			s.Request.Header.Set("Cookie", fmt.Sprintf("theme=dark; user_lat=%s; user_lng=%s", scalar(lat), scalar(lon)))
			return s
		}},
		{name: "GPX", make: func(g *gen) *inspect.Subject {
			var b bytes.Buffer
			b.WriteString(`<?xml version="1.0"?><gpx version="1.1" creator="example" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>`)
			for _, p := range track(g, func(_ int, lat, lon float64) m { return m{"a": lat, "o": lon} }) {
				fmt.Fprintf(&b, `<trkpt lat="%v" lon="%v"><ele>35</ele><time>%s</time></trkpt>`, p["a"], p["o"], g.iso())
			}
			b.WriteString("</trkseg></trk></gpx>")
			body, ct := upload("file", "run.gpx", "application/gpx+xml", b.Bytes(), nil)
			return up("POST", "/uploads", ct, body)
		}},
		{name: "KML", unseen: true, make: func(g *gen) *inspect.Subject {
			var b bytes.Buffer
			for _, p := range track(g, func(_ int, lat, lon float64) m { return m{"a": lat, "o": lon} }) {
				fmt.Fprintf(&b, "%v,%v,0 ", p["o"], p["a"])
			}
			return up("PUT", "/export/today.kml", "application/vnd.google-earth.kml+xml", []byte(`<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><LineString><coordinates>`+b.String()+`</coordinates></LineString></Placemark></kml>`))
		}},
		{name: "NMEA sentences", unseen: true, make: func(g *gen) *inspect.Subject {
			lat, lon := g.point(5)
			var lines []string
			for i := range 3 {
				lat, lon = g.near(lat, lon)
				lines = append(lines, nmea(fmt.Sprintf("GPRMC,1345%02d,A,%s,%s,1.2,270.0,310714,,", i, nmeaAngle(lat, 2, "N", "S"), nmeaAngle(lon, 3, "E", "W"))))
			}
			return up("POST", "/gps", "text/plain", []byte(strings.Join(lines, "\r\n")))
		}},
		{name: "protobuf with access points", unseen: true, make: func(g *gen) *inspect.Subject {
			var b []byte
			for range 4 + g.IntN(5) {
				var ap []byte
				ap = protowire.AppendString(protowire.AppendTag(ap, 1, protowire.BytesType), g.mac(":"))
				ap = protowire.AppendVarint(protowire.AppendTag(ap, 2, protowire.VarintType), protowire.EncodeZigZag(int64(-40-g.IntN(50))))
				b = protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), ap)
			}
			return up("POST", "/clls/wloc", "application/x-protobuf", b)
		}},
		{name: "EXIF alone", unseen: true, open: classes(inspect.Photo, inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
			lat, lon := g.point(5)
			return up("POST", "/exif", "application/octet-stream", exifGPS(lat, lon))
		}},
		{name: "OwnTracks-like MQTT over HTTP", unseen: true, make: func(g *gen) *inspect.Subject {
			lat, lon := g.point(6)
			return up("POST", "/pub", appJSON, js(m{"_type": "location", "acc": 12, "lat": lat, "lon": lon, "tst": g.sec(), "t": "u"}))
		}},
	},
}

func dms(x float64, plus, minus string) string {
	if x < 0 {
		x, plus = -x, minus
	}
	d, rest := math.Modf(x)
	min, sec := math.Modf(rest * 60)
	return fmt.Sprintf("%.0f°%.0f'%.1f\"%s", d, min, sec*60, plus)
}

// polyline is Google's encoding of a line of points.
func polyline(g *gen, lat, lon float64) string {
	var out []byte
	put := func(n int) {
		n <<= 1
		if n < 0 {
			n = ^n
		}
		for n >= 32 {
			out = append(out, byte(n&31|32)+63)
			n >>= 5
		}
		out = append(out, byte(n)+63)
	}
	a, o := 0, 0
	for range 20 {
		lat, lon = g.near(lat, lon)
		x, y := int(math.Round(lat*1e5)), int(math.Round(lon*1e5))
		put(x - a)
		put(y - o)
		a, o = x, y
	}
	return string(out)
}

func nmea(s string) string {
	var sum byte
	for i := range len(s) {
		sum ^= s[i]
	}
	return fmt.Sprintf("$%s*%02X", s, sum)
}

func nmeaAngle(x float64, width int, plus, minus string) string {
	if x < 0 {
		x, plus = -x, minus
	}
	d, rest := math.Modf(x)
	return fmt.Sprintf("%0*.0f%07.4f,%s", width, d, rest*60, plus)
}

// exifGPS is an EXIF block (TIFF, little-endian) with nothing but a GPS IFD.
func exifGPS(lat, lon float64) []byte {
	le := binary.LittleEndian
	entry := func(b []byte, tag, kind uint16, count, value uint32) []byte {
		return le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(b, tag), kind), count), value)
	}
	ref := func(x float64, plus, minus byte) uint32 {
		if x < 0 {
			return uint32(minus)
		}
		return uint32(plus)
	}
	rationals := func(b []byte, x float64) []byte {
		d, rest := math.Modf(math.Abs(x))
		min, sec := math.Modf(rest * 60)
		for _, v := range [][2]uint32{{uint32(d), 1}, {uint32(min), 1}, {uint32(sec * 60 * 1000), 1000}} {
			b = le.AppendUint32(le.AppendUint32(b, v[0]), v[1])
		}
		return b
	}
	b := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00")
	b = le.AppendUint16(b, 1)
	b = entry(b, 0x8825, 4, 1, 26)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint16(b, 4)
	b = entry(b, 1, 2, 2, ref(lat, 'N', 'S'))
	b = entry(b, 2, 5, 3, 80)
	b = entry(b, 3, 2, 2, ref(lon, 'E', 'W'))
	b = entry(b, 4, 5, 3, 104)
	b = le.AppendUint32(b, 0)
	return rationals(rationals(b, lat), lon)
}
