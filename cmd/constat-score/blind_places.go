package main

import (
	"fmt"
	"math"
	"strings"

	"constat/inspect"
)

// blindPath is a way of some points, a few steps each.
func blindPath[T any](g *blindGen, least, most int, f func(i int, lat, lon float64) T) []T {
	lat, lon := g.at()
	return several(g, least, most, func(i int) T {
		lat, lon = g.step(lat, 0.003), g.step(lon, 0.003)
		return f(i, lat, lon)
	})
}

// blindPlaces are where the phone is or was.
var blindPlaces = []blindKind{
	{name: "fleet tracker's query", up: "location identifiers", open: "device_stats", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return query("/", "id", g.imei(), "timestamp", fmt.Sprint(g.sec()), "lat", scalar(lat), "lon", scalar(lon), "speed", "12.4", "bearing", "181", "altitude", "88", "batt", g.digits(2))
	}},
	{name: "tracker over MQTT", up: "location", open: "identifiers device_stats", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return mqttPublish("owntracks/"+strings.ToLower(g.hex(4))+"/phone", js(m{"_type": "location", "BSSID": g.bssid(), "SSID": one(g, accessPoints), "acc": 14, "alt": 61, "batt": g.IntN(100), "lat": lat, "lon": lon, "tid": "p1", "tst": g.sec(), "conn": "w"}))
	}},
	{name: "food delivery, address on a map", up: "location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return post("/api/v4/serviceability", g.release(m{"address": m{"lat": lat, "lng": lon, "source": "gps", "accuracy_m": 11}, "cart_id": g.uuid()}))
	}},
	{name: "taxi's heartbeat in protobuf over gRPC", up: "location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return grpcCall("/rider.v1.Presence/Heartbeat", pb(g.uuid(), pb(lat, lon, float32(12.5)), g.ms()))
	}},
	{name: "weather widget's path", up: "location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return get(fmt.Sprintf("/v3/forecast/%.4f,%.4f?units=m&lang=%s", lat, lon, g.t.code))
	}},
	{name: "search of a maps app", up: "location", open: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return query("/autosuggest", "text", g.oneOf("pharmacy", "eczane", "apteka", "cajero"), "ull", scalar(lon)+","+scalar(lat), "sessionid", g.uuid())
	}},
	{name: "run that was recorded (FIT-like JSON)", up: "location", open: "device_stats", make: func(g *blindGen) *inspect.Subject {
		return post("/activities", m{"sport": "running", "startTime": g.iso(), "records": blindPath(g, 5, 20, func(i int, lat, lon float64) m {
			return m{"position_lat": lat, "position_long": lon, "heart_rate": 120 + g.IntN(50), "distance": i * 12, "elapsed": i * 5}
		})})
	}},
	{name: "semicircles of a watch", up: "location", make: func(g *blindGen) *inspect.Subject {
		return post("/watch/trackpoints", m{"points": blindPath(g, 4, 12, func(i int, lat, lon float64) m {
			return m{"latSemicircles": int64(math.Round(lat * (1 << 31) / 180)), "lonSemicircles": int64(math.Round(lon * (1 << 31) / 180)), "t": i * 5}
		})})
	}},
	{name: "TCX file", up: "location", make: func(g *blindGen) *inspect.Subject {
		pts := strings.Join(blindPath(g, 4, 12, func(_ int, lat, lon float64) string {
			return fmt.Sprintf("<Trackpoint><Time>%s</Time><Position><LatitudeDegrees>%v</LatitudeDegrees><LongitudeDegrees>%v</LongitudeDegrees></Position></Trackpoint>", g.iso(), lat, lon)
		}), "")
		return file("/upload-service/upload", "file", "activity.tcx", "application/vnd.garmin.tcx+xml", []byte(`<?xml version="1.0"?><TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities><Activity Sport="Running"><Lap><Track>`+pts+`</Track></Lap></Activity></Activities></TrainingCenterDatabase>`), "type", "tcx")
	}},
	{name: "bid request with a precise place", up: "location identifiers device_stats", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		p := one(g, phoneModels)
		return post("/openrtb2.6/bid", m{"id": g.uuid(), "imp": []m{{"id": "1", "video": m{"w": 1080, "h": 1920, "mimes": []string{"video/mp4"}}}}, "app": m{"bundle": one(g, phoneApps).pkg, "ver": g.version()}, "device": m{"ua": "Mozilla/5.0", "geo": m{"lat": lat, "lon": lon, "type": 1, "accuracy": 30}, "ifa": g.uuid(), "make": p.brand, "model": p.model, "osv": "13", "w": 1080, "h": 2400, "carrier": one(g, operators), "connectiontype": 2}, "regs": m{"ext": m{"gdpr": 1}}})
	}},
	{name: "location broker's SDK", up: "location identifiers", open: "device_stats", make: func(g *blindGen) *inspect.Subject {
		id := g.uuid()
		return coded("/ingest/pings", "gzip", gz(g.lines(3, 9, "\n", func(int) string {
			lat, lon := g.at()
			return string(js(m{"ad_id": id, "id_type": "aaid", "latitude": lat, "longitude": lon, "horizontal_accuracy": 9.3, "ts": g.sec(), "fg": false, "ip": "198.51.100.7"}))
		})))
	}},
	{name: "geofences and dwell of a marketing SDK", up: "location identifiers", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return post("/v1/geo/report", m{"device_id": g.uuid(), "events": []m{{"name": "ab_geofence", "data": m{"geo_id": g.hex(8), "event_type": "enter"}, "time": g.sec()}}, "last_location": m{"latitude": lat, "longitude": lon, "ll_accuracy": 20.1}})
	}},
	{name: "Wi-Fi positioning in CBOR", up: "location", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/v2/locate", "application/cbor", cbor(m{"aps": several(g, 3, 10, func(int) m { return m{"bssid": g.bssid(), "rssi": -40 - g.IntN(50), "ch": 1 + g.IntN(13)} }), "ver": 2}))
	}},
	{name: "Wi-Fi of a TV box", up: "location identifiers device_stats", make: func(g *blindGen) *inspect.Subject {
		return post("/tv/boot", m{"deviceModel": "X96Max", "firmware": g.version(), "serialNumber": g.serial(), "ethMac": g.mac(":"), "screenResolution": "3840x2160", "nearbyWifi": several(g, 2, 7, func(int) m { return m{"ssid": one(g, accessPoints), "mac": g.bssid(), "level": -30 - g.IntN(60)} })})
	}},
	{name: "cells of a modem", up: "location", make: func(g *blindGen) *inspect.Subject {
		return post("/netmon/cells", m{"neighbors": several(g, 2, 6, func(int) m {
			return m{"mcc": 260, "mnc": 2, "tac": 10000 + g.IntN(50000), "ci": 20000000 + g.IntN(200000000), "pci": g.IntN(504), "earfcn": 1300, "rsrp": -80 - g.IntN(40)}
		}), "ts": g.ms()})
	}},
	{name: "Polish keys", up: "location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return post("/polozenie", m{"polozenie": m{"szerokosc_geograficzna": lat, "dlugosc_geograficzna": lon, "dokladnosc": 12}, "czas": g.local()})
	}},
	{name: "Turkish form", up: "location identifiers", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return form("/konum.asp", "cihazNo", g.imei(), "enlem", scalar(lat), "boylam", scalar(lon), "hiz", "0")
	}},
	{name: "Korean keys", up: "location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return post("/location", m{"현재위치": m{"위도": lat, "경도": lon, "정확도": 20}, "시간": g.ms()})
	}},
	{name: "Portuguese keys", up: "location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return post("/entregador/posicao", m{"posicao": m{"latitude": lat, "longitude": lon, "precisao": 7, "velocidade": 3.2}, "pedido": g.digits(8)})
	}},
	{name: "car's telematics", up: "location identifiers device_stats", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return post("/vehicle/state", m{"vin": "WVWZZZ" + strings.ToUpper(g.hex(4)) + "P" + g.digits(6), "phone": m{"deviceId": g.uuid(), "model": one(g, iPhones).machine, "batteryLevel": 0.64}, "parkingPosition": m{"latitude": lat, "longitude": lon, "heading": 270}, "odometer": g.IntN(200000)})
	}},
	{name: "dating app's profile update", up: "location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return post("/v2/meta", m{"lat": scalar(lat), "lon": scalar(lon), "force_fetch_resources": true})
	}},
	{name: "find-my beacon seen by another", up: "location", open: "identifiers opaque", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return post("/tags/sightings", m{"sightings": several(g, 1, 4, func(int) m {
			return m{"tagId": g.hex(40), "rssi": -60 - g.IntN(30), "coords": []float64{lon, lat}, "seenAt": g.iso()}
		})})
	}},
	{name: "well-known text of a point", up: "location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return put("/me/checkin", m{"checkin": m{"point": fmt.Sprintf("POINT(%v %v)", lon, lat), "label": "here"}})
	}},
	{name: "GPX that comes down from one's own cloud", make: func(g *blindGen) *inspect.Subject {
		pts := strings.Join(blindPath(g, 4, 12, func(_ int, lat, lon float64) string { return fmt.Sprintf(`<trkpt lat="%v" lon="%v"/>`, lat, lon) }), "")
		return down("/export/"+g.digits(9)+"/gpx", "application/gpx+xml", []byte(`<?xml version="1.0"?><gpx version="1.1"><trk><trkseg>`+pts+`</trkseg></trk></gpx>`))
	}},
}
