package detect

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// Location recognises where the phone is or was, in what goes up: coordinates
// of at least two decimals, the Wi-Fi networks around it, and the cell it is in.
//
// A latitude needs its longitude beside it. The edges of a map, places that
// somebody looks for or travels to, and time zones are none.
var Location = inspect.Detector{
	Name:   "location",
	Class:  inspect.Location,
	Doc:    "looks for coordinates of at least two decimals, Wi-Fi networks with their hardware addresses, and cells of a mobile network",
	Detect: detectLocation,
}

// geo is a family of field names.
type geo uint8

const (
	geoNone geo = iota
	geoLat
	geoLon
	geoBoth // both in one value
	geoSome // perhaps both in one value
	geoHash
	geoBSSID
	geoSSID
	geoSignal
	geoMCC
	geoMNC
	geoArea
	geoCell
	geoCells // a cell in one value
	geoMACs  // networks in one value
)

var geoWords = newPhrases(map[geo]string{
	geoLat:    `lat la weidu wd breite`,
	geoLon:    `lon lng long lo jingdu jd laenge`,
	geoBoth:   `ll latlng latlon lnglat lonlat sll cll uule gps gpsinfo`,
	geoSome:   `loc location coords coordinates coordinate coord point position pos geo geopoint origin near around where here lastlocation at geolocation place area`,
	geoHash:   `gh`,
	geoBSSID:  `apmac apbssid routermac`,
	geoSSID:   `wifi wifiname networkname`,
	geoSignal: `rssi signal level dbm ss strength signalstrength frequency freq channel`,
	geoArea:   `lac tac`,
	geoCell:   `cid ci cell eci nci cellid ecid`,
	geoMCC:    `mobilecountrycode homemobilecountrycode`,
	geoMNC:    `mobilenetworkcode homemobilenetworkcode networkid sid`,
	geoCells:  `gsmcell ltecell servingcell celldata cellkey currentcell bts cellinfo nearbts celltower celltowers towers`,
	geoMACs:   `macs mmac wifis wifilist aps`,
}, map[geo]string{
	geoLat:    `latitude latitud latitudine breitengrad lat широта 纬度 緯度 위도 अक्षांश ละติจูด latdeg latitudedegrees latitudee7 latitudee6 late7 late6 gpslat gpslatitude latdegrees`,
	geoLon:    `longitude longitud longitudine laengengrad längengrad lon lng долгота 经度 経度 경도 देशांतर ลองจิจูด londeg longitudedegrees longitudee7 longitudee6 lone7 lone6 lnge7 lnge6 gpslng gpslon gpslongitude longtitude londegrees long`,
	geoBoth:   `latlng latlon lnglat lonlat latlong longlat geolocation geoposition gpscoordinates gpslocation gpsposition gpscoords geopoint geocoordinates currentlocation userlocation devicelocation lastlocation lastknownlocation mylocation latitudelongitude gpsloc geoloc geocoords geouri`,
	geoSome:   `location coords coordinates position coordinate nmea track trajectory`,
	geoHash:   `geohash`,
	geoBSSID:  `bssid`,
	geoSSID:   `ssid`,
	geoSignal: `rssi signallevel signalstrength signaldbm`,
	geoMCC:    `mcc`,
	geoMNC:    `mnc`,
	geoArea:   `locationareacode trackingareacode lac tac areacode`,
	geoCell:   `cellid cellidentity gsmcellid cellidentifier cgi ecgi`,
})

// place is what was found.
type place struct {
	part       *inspect.Part
	confidence inspect.Confidence
	reason     string
}

type places struct {
	found []place
	// bssids are networks by hardware address, one for each record.
	bssids int
	bssid  *inspect.Part
	signal bool // one of them came with a strength or a name
	names  memo[phrase[geo]]
	// waiting is a latitude or longitude in an object of its own, and where that
	// stands.
	waiting   *inspect.Part
	waitingOf geo
}

// maxPlaces bounds the findings: a track is proved by its first points.
const maxPlaces = 8

func detectLocation(t *inspect.Tree) []inspect.Finding {
	var s places
	for r := range upRecords(t) {
		if len(s.found) >= maxPlaces && s.bssids > 8 {
			break
		}
		s.record(t, r)
	}
	for _, p := range t.Parts {
		if p.Direction == flow.Up && len(p.Data) >= 9 && p.Same == nil {
			s.text(p)
		}
	}
	s.wifi()
	var out []inspect.Finding
	for _, f := range s.found {
		out = append(out, inspect.Finding{Confidence: f.confidence, Direction: flow.Up, Path: f.part.Path, Reason: f.reason})
	}
	return out
}

func (s *places) note(p *inspect.Part, c inspect.Confidence, reason string) {
	if len(s.found) < maxPlaces {
		s.found = append(s.found, place{p, c, reason})
	}
}

// record looks for the parts of a place among the fields of one record.
func (s *places) record(t *inspect.Tree, r inspect.Record) {
	var lat, lon, bssid, ssid, signal, mcc, mnc, area, cell *inspect.Part
	var latWord, lonWord wordFlags
	array := false
	for _, p := range r.Fields {
		if p.Kind == inspect.Null || p.Kind == inspect.Bool || len(p.Data) == 0 || len(p.Data) > 4096 || p.Name == "" {
			continue
		}
		if p.Parent == nil && p.Decoder() != "request.header" && p.Decoder() != "request.cookie" {
			continue
		}
		ph := s.names.of(p.Name, lookGeo)
		if ph.of == geoNone && p.Group != "" && isBareValue(p.Name) {
			var buf [maxName]byte
			ph = s.names.of(string(container(&buf, p)), lookGeo)
			if ph.of == geoLat || ph.of == geoLon {
				s.half(r, p, ph.of)
			}
			continue
		}
		switch ph.of {
		case geoNone:
			continue
		case geoLat:
			if lat == nil || latWord&ofPlace != 0 {
				lat, latWord = p, ph.before
			}
			if p.Name == "la" {
				area = p
			}
		case geoLon:
			if lon == nil || lonWord&ofPlace != 0 {
				lon, lonWord = p, ph.before
			}
		case geoBoth, geoSome:
			if ph.before&(ofPlace|ofThing) != 0 {
				continue
			}
			if p.Kind == inspect.Number {
				array = true
				continue
			}
			s.pair(p, ph.of == geoBoth, contextOf(r))
		case geoHash:
			if isGeohash(p.Data) {
				c := inspect.Suspected
				if len(p.Data) >= 6 {
					c = inspect.Probable
				}
				s.note(p, c, "The field "+quoted(p.Name)+" holds a geohash, which is a latitude and a longitude written as one word.")
			}
		case geoBSSID:
			if isMAC(p.Data) {
				bssid = p
			}
		case geoSSID:
			ssid = p
		case geoSignal:
			signal = p
		case geoMCC:
			mcc = p
		case geoMNC:
			mnc = p
		case geoArea:
			area = p
		case geoCell:
			if allDigits(p.Data) && len(p.Data) <= 11 {
				cell = p
			} else if ph.before == 0 {
				s.cells(p)
			}
		case geoCells:
			s.cells(p)
		case geoMACs:
			s.macs(p)
		}
	}
	if lat != nil && lon != nil && (latWord|lonWord)&(ofPlace|ofThing) == 0 {
		s.coordinates(lat, lon, r, contextOf(r))
	}
	if array && isArray(r) {
		s.array(r)
	}
	if lat == nil && lon == nil {
		s.axes(r)
	}
	if lat == nil && lon == nil && len(r.Fields) >= 2 && r.Fields[0].Decoder() == "protobuf" {
		s.numbered(r)
	}
	if bssid == nil && (ssid != nil || signal != nil) {
		// A network by another name: {"macAddress": …, "signalStrength": -61}.
		for _, p := range r.Fields {
			if p.Kind == inspect.Text && isMAC(p.Data) && !containsFold(p.Name, "wifimac") {
				if w := squeezeString(p.Name); w == "mac" || w == "macaddress" || w == "address" || w == "id" || w == "addr" || w == "m" {
					bssid = p
				}
			}
		}
	}
	if bssid == nil {
		bssid, signal = network(r, signal)
	}
	if bssid != nil {
		s.bssids++
		if s.bssid == nil {
			s.bssid = bssid
		}
		s.signal = s.signal || ssid != nil || signal != nil
	}
	if mcc == nil && mnc == nil && (area == nil || cell == nil) {
		return
	}
	s.cell(r, mcc, mnc, area, cell)
}

// geoEnds are ends of names that are written without any mark between words. A
// latitude needs its longitude beside it, so a wrong one does no harm.
var geoEnds = newEndings(map[geo]string{
	geoLat: "latitude lat", geoLon: "longitude lng lon", geoBoth: "latlng latlon lnglat", geoBSSID: "bssid",
})

// lookGeo looks up a name.
func lookGeo(name string) phrase[geo] {
	ph := geoWords.of(name)
	if ph.of == geoNone && len(name) > 3 {
		var buf [maxName]byte
		if w := squeeze(&buf, name); len(w) > 0 {
			ph.of = geoEnds.of(w)
			if ph.of != geoNone {
				ph.before = idThing(name)
			}
		}
	}
	return ph
}

// half puts together {"latitude": {"value": …}, "longitude": {"value": …}}.
func (s *places) half(r inspect.Record, p *inspect.Part, of geo) {
	q := s.waiting
	if q == nil || s.waitingOf == of || q.Parent != p.Parent || outer(q.Group) != outer(p.Group) {
		s.waiting, s.waitingOf = p, of
		return
	}
	s.waiting = nil
	if of == geoLon {
		s.coordinates(q, p, r, 0)
	} else {
		s.coordinates(p, q, r, 0)
	}
}

// outer returns the place of the object around the one at group.
func outer(group string) string {
	return group[:max(strings.LastIndexAny(group, "./"), 0)]
}

// isBareValue says that a field's name says nothing beside that of the object
// around it: {"latitude": {"value": 48.8}}.
func isBareValue(name string) bool {
	switch name {
	case "value", "val", "v", "deg", "degrees", "$", "#text", "_", "Value", "doubleValue", "decimal":
		return true
	}
	return false
}

func squeezeString(name string) string {
	var buf [maxName]byte
	return string(squeeze(&buf, name))
}

// coordinates weighs a latitude and a longitude.
func (s *places) coordinates(lat, lon *inspect.Part, r inspect.Record, ctx ctxFlags) {
	a, ok := degrees(lat, 90)
	if !ok {
		return
	}
	b, ok := degrees(lon, 180)
	if !ok || a.zero && b.zero || max(a.decimals, b.decimals) < 2 || min(a.decimals, b.decimals) < 1 && max(a.decimals, b.decimals) < 3 {
		return
	}
	if ctx&ctxShop != 0 && ctx&(ctxDevice|ctxEvent|ctxUser) == 0 || ctx&ctxMap != 0 {
		return
	}
	var buf [maxName]byte
	switch w := string(container(&buf, lat)); w {
	case "northeast", "southwest", "northwest", "southeast", "ne", "sw", "nw", "se", "center", "centre", "bounds", "viewport", "destination", "dropoff", "min", "max", "camera", "bbox", "target", "mapcenter", "venue", "store", "hotel", "places":
		return
	}
	c := inspect.Probable
	if max(a.decimals, b.decimals) < 3 {
		c = inspect.Suspected
	}
	s.note(lat, c, fmt.Sprintf("The fields %s and %s hold a latitude and a longitude with up to %s, which is a place to within about %s.", quoted(lat.Name), quoted(lon.Name), decimals(max(a.decimals, b.decimals)), within(max(a.decimals, b.decimals))))
}

func decimals(n int) string { return strconv.Itoa(n) + " decimals" }

// within says how large one unit of the last decimal of a degree is: a degree
// of latitude is about 111 km.
func within(n int) string {
	switch n {
	case 0, 1, 2:
		return "a kilometre"
	case 3:
		return "a hundred metres"
	case 4:
		return "ten metres"
	}
	return "a few metres"
}

// angle is one coordinate.
type angle struct {
	decimals int
	zero     bool
}

// degrees reads a coordinate: degrees with decimals, or whole millionths or
// ten-millionths of a degree where the name says so.
func degrees(p *inspect.Part, most float64) (a angle, ok bool) {
	d := bytes.TrimSpace(p.Data)
	return degree(d, most, strings.HasSuffix(p.Name, "E7") || strings.HasSuffix(p.Name, "e7"), true)
}

func degree(d []byte, most float64, e7, whole bool) (a angle, ok bool) {
	if len(d) < 2 || len(d) > 24 {
		return angle{zero: len(d) == 1 && d[0] == '0'}, len(d) == 1 && d[0]-'0' < 10
	}
	if c := d[0]; c == 'N' || c == 'S' || c == 'E' || c == 'W' {
		d = bytes.TrimLeft(d[1:], " :")
		if len(d) == 0 {
			return a, false
		}
	}
	if n := len(d) - 1; d[n]|0x20 == 'n' || d[n]|0x20 == 's' || d[n]|0x20 == 'e' || d[n]|0x20 == 'w' || d[n]|0x20 == 'o' {
		d = bytes.TrimSpace(d[:n])
		d = bytes.TrimSuffix(d, []byte("°"))
	}
	dot := -1
	for i, c := range d {
		switch {
		case c-'0' < 10:
		case (c == '-' || c == '+') && i == 0:
		case (c == '.' || c == ',') && dot < 0:
			dot = i
		case c|0x20 == 'e' && dot > 0 && i > dot+1: // exponent
			n, err := strconv.ParseFloat(string(d), 64)
			return angle{decimals: i - dot - 1, zero: n == 0}, err == nil && n >= -most && n <= most
		default:
			return a, false
		}
	}
	if dot < 0 {
		n, err := strconv.ParseInt(string(bytes.TrimPrefix(d, []byte("+"))), 10, 64)
		if err != nil {
			return a, false
		}
		x := float64(n)
		if whole && (x > 1e5 || x < -1e5) {
			// Millionths, or ten-millionths.
			if !e7 && x <= most*1e6 && x >= -most*1e6 || x <= most*1e7 && x >= -most*1e7 {
				return angle{decimals: 6}, true
			}
			return a, false
		}
		return angle{zero: n == 0}, x >= -most && x <= most
	}
	text := string(d)
	if d[dot] == ',' {
		text = text[:dot] + "." + text[dot+1:]
	}
	n, err := strconv.ParseFloat(text, 64)
	return angle{decimals: len(d) - dot - 1, zero: n == 0}, err == nil && n >= -most && n <= most
}

// array looks at numbers in a row, as GeoJSON writes a position: longitude,
// latitude, perhaps a height (RFC 7946 section 3.1.1).
func (s *places) array(r inspect.Record) {
	if len(r.Fields) < 2 || len(r.Fields) > 4 {
		return
	}
	// The corner of an area is no place of anybody.
	if n := strings.Count(r.Group, "[["); n > 0 || strings.Count(r.Group[strings.LastIndexByte(r.Group, '.')+1:], "[") > 1 {
		return
	}
	a, ok1 := degree(r.Fields[0].Data, 180, false, false)
	b, ok2 := degree(r.Fields[1].Data, 180, false, false)
	if !ok1 || !ok2 || min(a.decimals, b.decimals) < 2 || max(a.decimals, b.decimals) < 3 || a.zero || b.zero || len(r.Fields) == 4 && geoWords.of(r.Fields[0].Name).of == geoSome {
		return
	}
	p := r.Fields[0]
	if strings.HasSuffix(r.Group, "]") && containsFold(p.Name, "point") {
		return // of a drawing
	}
	c := inspect.Suspected
	if max(a.decimals, b.decimals) >= 4 {
		c = inspect.Probable
	}
	if len(r.Fields) == 3 && r.Fields[2].Kind != inspect.Number {
		return
	}
	s.note(p, c, fmt.Sprintf("The field %s holds two numbers in the form of a longitude and a latitude with up to %s.", quoted(p.Name), decimals(max(a.decimals, b.decimals))))
}

// axes looks at x and y in an object that is named for a place.
func (s *places) axes(r inspect.Record) {
	if len(r.Fields) < 2 || len(r.Fields) > 6 || r.Fields[0].Group == "" {
		return
	}
	x, y := r.Field("x"), r.Field("y")
	if x == nil || y == nil {
		return
	}
	var buf [maxName]byte
	name := string(container(&buf, x))
	switch ph := geoWords.of(name); {
	case ph.of == geoBoth:
	case ph.of == geoSome && name != "position" && name != "pos" && name != "point" && name != "coord" && name != "coords" && name != "coordinates" && name != "at" && name != "origin" && name != "around":
	default:
		return
	}
	a, ok1 := degree(x.Data, 180, false, false)
	b, ok2 := degree(y.Data, 90, false, false)
	if ok1 && ok2 && a.decimals >= 3 && b.decimals >= 3 && !a.zero && !b.zero {
		s.note(x, inspect.Suspected, "The fields x and y, in an object that is named for a place, have the form of a longitude and a latitude.")
	}
}

// numbered looks at a message whose fields have numbers for names: two fields
// that follow each other and hold a latitude and a longitude with many decimals.
func (s *places) numbered(r inspect.Record) {
	for i := 0; i+1 < len(r.Fields) && i < 16; i++ {
		p, q := r.Fields[i], r.Fields[i+1]
		if p.Kind != inspect.Number || q.Kind != inspect.Number || p.Name == q.Name {
			continue
		}
		a, ok1 := degree(p.Data, 90, false, false)
		b, ok2 := degree(q.Data, 180, false, false)
		if ok1 && ok2 && a.decimals >= 4 && b.decimals >= 4 && len(p.Data) < 20 && len(q.Data) < 20 && !a.zero && !b.zero && p.Data[0] != '0' {
			s.note(p, inspect.Suspected, "Two numbers that follow each other have the form of a latitude and a longitude with "+decimals(max(a.decimals, b.decimals))+".")
			return
		}
	}
}

// pair looks at a value that holds both coordinates.
func (s *places) pair(p *inspect.Part, sure bool, ctx ctxFlags) {
	d := bytes.TrimSpace(p.Data)
	d = bytes.TrimPrefix(d, []byte("geo:"))
	d = bytes.Trim(d, "()[]{}\"'")
	if i := bytes.IndexAny(d, " \n\r\t|"); i > 8 && bytes.IndexByte(d[:i], ',') > 0 && d[i-1] != ',' {
		d = d[:i] // the first of a track
	}
	if len(d) > 96 || len(d) < 7 {
		return
	}
	if i := bytes.IndexAny(d, ";?"); i > 8 && bytes.IndexByte(d[:i], ',') > 0 {
		d = d[:i]
	}
	n, ok := twoAngles(d)
	if !ok || n < 2 || !sure && n < 3 || ctx&ctxMap != 0 {
		return
	}
	c := inspect.Probable
	if n < 3 || !sure && n < 4 {
		c = inspect.Suspected
	}
	s.note(p, c, fmt.Sprintf("The field %s holds a latitude and a longitude with up to %s, which is a place to within about %s.", quoted(p.Name), decimals(n), within(n)))
}

// twoAngles says that d is two coordinates with a comma, a semicolon, a bar or
// a space between them, and perhaps a height or a radius behind them.
func twoAngles(d []byte) (decimals int, ok bool) {
	first, rest, found := cutNumber(d)
	if !found {
		return 0, false
	}
	second, rest, _ := cutNumber(rest)
	if len(rest) > 0 {
		third, more, _ := cutNumber(rest)
		if _, ok := number(third); !ok || len(more) > 0 {
			return 0, false
		}
	}
	a, ok1 := degree(first, 180, false, false)
	b, ok2 := degree(second, 180, false, false)
	if !ok1 || !ok2 || bytes.IndexByte(first, '.') < 0 || bytes.IndexByte(second, '.') < 0 || a.zero && b.zero {
		return 0, false
	}
	x, _ := number(bytes.TrimLeft(first, "+NS "))
	y, _ := number(bytes.TrimLeft(second, "+EW "))
	if (x > 90 || x < -90) && (y > 90 || y < -90) || min(a.decimals, b.decimals) < 1 {
		return 0, false
	}
	return max(a.decimals, b.decimals), true
}

// cutNumber cuts d behind the first separator.
func cutNumber(d []byte) (n, rest []byte, found bool) {
	i := bytes.IndexAny(d, ",;| /")
	if i < 0 {
		return d, nil, false
	}
	return bytes.TrimSpace(d[:i]), bytes.TrimLeft(d[i:], ",;| /"), true
}

// text looks for what needs no name: NMEA sentences, geo URIs, well-known text,
// degrees with minutes, and pairs with many decimals.
func (s *places) text(p *inspect.Part) {
	d := p.Data
	if len(p.Children) == 0 && len(d) >= 20 && len(d) <= 8<<10 && p.Kind <= inspect.Text && bytes.IndexByte(d, ':') >= 2 {
		s.scanned(p)
	}
	switch c := d[0]; {
	case c == '$':
		if isNMEA(d) {
			s.note(p, inspect.Probable, "The value is a sentence of a satellite receiver (NMEA 0183) with a position in it.")
		}
	case c == 'g' && bytes.HasPrefix(d, []byte("geo:")) && len(d) < 128:
		if geoWords.of(p.Name).of == geoBoth || geoWords.of(p.Name).of == geoSome {
			return
		}
		at := d[4:]
		if i := bytes.IndexAny(at, ";?"); i > 0 {
			at = at[:i]
		}
		if n, ok := twoAngles(at); ok && n >= 2 {
			s.note(p, inspect.Probable, "The value is a geo: address (RFC 5870), which is a latitude and a longitude.")
		}
	case (c == 'P' || c == 'S') && (bytes.HasPrefix(d, []byte("POINT(")) || bytes.HasPrefix(d, []byte("POINT (")) || bytes.HasPrefix(d, []byte("SRID="))) && len(d) < 128:
		if i, j := bytes.IndexByte(d, '('), bytes.LastIndexByte(d, ')'); i > 0 && j > i {
			if n, ok := twoAngles(bytes.TrimSpace(d[i+1 : j])); ok && n >= 3 {
				s.note(p, inspect.Probable, "The value is a point in well-known text, which is a longitude and a latitude.")
			}
		}
	case isPlusCode(d):
		s.note(p, inspect.Probable, "The value is an Open Location Code, which is a latitude and a longitude written as one word.")
	case len(d) <= 64 && (c-'0' < 10 || c == '-' || c == '+' || c == 'N' || c == 'S'):
		if isDMS(d) {
			s.note(p, inspect.Probable, "The value is a latitude and a longitude in degrees, minutes and seconds.")
		} else if isISO6709(d) {
			s.note(p, inspect.Probable, "The value is a latitude and a longitude as ISO 6709 writes them.")
		} else if geoWords.of(p.Name).of == geoNone && bytes.IndexByte(d, ' ') < 0 && (p.Name == "" || idThing(p.Name)&ofPlace == 0) {
			// A pair without a name that says so.
			least := 4
			if p.Decoder() == "path" {
				least = 2
			}
			if n, ok := twoAngles(d); ok && n >= least && bytes.IndexByte(d, ',') > 2 && evenDecimals(d, least) {
				s.note(p, inspect.Suspected, "The value has the form of a latitude and a longitude with "+decimals(n)+", though its name does not say so.")
			}
		}
	case c == '\n' || c == '\r' || c == ' ':
		if len(d) < 1<<20 && isNMEA(bytes.TrimSpace(d)) {
			s.note(p, inspect.Probable, "The value is a sentence of a satellite receiver (NMEA 0183) with a position in it.")
		}
	}
}

// evenDecimals says that both numbers of a pair have so many decimals, and
// that neither is small, as what a sensor measures is.
func evenDecimals(d []byte, least int) bool {
	for part := range bytes.SplitSeq(d, []byte(",")) {
		dot := bytes.IndexByte(part, '.')
		if dot < 0 || len(part)-dot-1 < least || len(bytes.TrimLeft(part[:dot], "-+0")) == 0 {
			return false
		}
	}
	return bytes.Count(d, []byte(",")) == 1
}

// isPlusCode takes a full Open Location Code of ten digits or more
// (github.com/google/open-location-code, specification).
func isPlusCode(d []byte) bool {
	if len(d) < 11 || len(d) > 15 || d[8] != '+' {
		return false
	}
	for i, c := range d {
		if i != 8 && bytes.IndexByte([]byte("23456789CFGHJMPQRVWX"), c) < 0 {
			return false
		}
	}
	return hasDigit(d)
}

// isNMEA says that d begins with, or holds in its first lines, a sentence that
// tells a position.
func isNMEA(d []byte) bool {
	for range 12 {
		line, rest, _ := bytes.Cut(d, []byte("\n"))
		if len(line) > 6 && len(line) < 160 && line[0] == '$' {
			comma := 0
			switch string(line[3:6]) {
			case "GGA", "GNS":
				comma = 2
			case "RMC":
				comma = 3
			case "GLL":
				comma = 1
			}
			if comma > 0 {
				f := bytes.Split(line, []byte(","))
				if len(f) > comma+3 && len(f[comma]) >= 6 && len(f[comma+2]) >= 6 && len(f[comma+1]) == 1 && len(f[comma+3]) >= 1 &&
					f[comma][4] == '.' && (f[comma+1][0] == 'N' || f[comma+1][0] == 'S') {
					return true
				}
			}
		}
		if d = rest; len(d) == 0 {
			break
		}
	}
	return false
}

// isDMS takes 48°51'30.1"N 2°17'40.1"E.
func isDMS(d []byte) bool {
	degree, minute := bytes.Count(d, []byte("°")), bytes.Count(d, []byte("'"))+bytes.Count(d, []byte("′"))
	return degree == 2 && minute >= 2 && bytes.ContainsAny(d, "NS") && bytes.ContainsAny(d, "EWO")
}

// isISO6709 takes +48.8583+002.2945/ with at least two decimals.
func isISO6709(d []byte) bool {
	if d[0] != '+' && d[0] != '-' || d[len(d)-1] != '/' {
		return false
	}
	second := bytes.IndexAny(d[1:], "+-") + 1
	if second < 4 {
		return false
	}
	rest := d[second+1 : len(d)-1]
	if i := bytes.IndexAny(rest, "+-C"); i > 0 {
		rest = rest[:i]
	}
	a, ok1 := degree(d[:second], 90, false, false)
	b, ok2 := degree(rest, 180, false, false)
	return ok1 && ok2 && a.decimals >= 2 && b.decimals >= 2
}

// isGeohash says that d is base32 as geohashes use it, long enough for a
// quarter of a town.
func isGeohash(d []byte) bool {
	if len(d) < 5 || len(d) > 12 || !hasDigit(d) {
		return false
	}
	for _, c := range d {
		if c-'0' >= 10 && (c-'a' >= 26 || c == 'a' || c == 'i' || c == 'l' || c == 'o') {
			return false
		}
	}
	return true
}

func isMAC(d []byte) bool {
	return len(d) == 17 && macForm(d).kind == "mac" || len(d) == 12 && isHexDigits(d) && hasDigit(d) && !isEmptyMAC(d)
}

// macs counts the networks in one value: "aa:bb:…,-61,home|…".
func (s *places) macs(p *inspect.Part) {
	d := p.Data
	n := 0
	for i := 0; i+17 <= len(d) && n < 3; i++ {
		if (d[i+2] == ':' || d[i+2] == '-') && macForm(d[i:i+17]).kind == "mac" {
			n++
			i += 17
		}
	}
	if n >= 2 {
		s.note(p, inspect.Probable, "The field "+quoted(p.Name)+" holds the hardware addresses of several Wi-Fi networks; together they tell where the phone is.")
	}
}

// cells looks at a cell in one value: "208-01-1234-5678", "460,00,9763,25861".
func (s *places) cells(p *inspect.Part) {
	d := p.Data
	if len(d) > 512 || len(d) < 10 {
		return
	}
	numbers, digits := 0, 0
	first := 0
	for _, c := range d {
		switch {
		case c-'0' < 10:
			if digits == 0 {
				numbers++
			}
			if digits++; numbers == 1 {
				first = digits
			}
		case c == ',' || c == '-' || c == ':' || c == '|' || c == ';' || c == '_' || c == '/' || c == '.':
			digits = 0
		default:
			return
		}
	}
	if numbers >= 4 && first == 3 && d[0] >= '2' && d[0] <= '7' {
		s.note(p, inspect.Suspected, "The field "+quoted(p.Name)+" holds numbers in the form of a cell of a mobile network: country, network, area and cell.")
	}
}

// cell weighs the numbers of a cell.
func (s *places) cell(r inspect.Record, mcc, mnc, area, cell *inspect.Part) {
	number := func(p *inspect.Part, least, most int) bool {
		if p == nil || !allDigits(p.Data) || len(p.Data) > 12 {
			return false
		}
		n, err := strconv.Atoi(string(p.Data))
		return err == nil && n >= least && n <= most
	}
	country := number(mcc, 200, 799)
	network := number(mnc, 0, 999)
	hasArea := number(area, 1, 16777215)
	hasCell := number(cell, 1, 68719476735)
	switch {
	case country && hasArea && hasCell, network && hasArea && hasCell:
		s.note(cell, inspect.Probable, "The number of a cell of the mobile network stands with that of its area and its network: together they tell where the phone is.")
	case hasArea && hasCell && containsFold(area.Name, "ac") && (containsFold(cell.Name, "cell") || len(cell.Name) <= 3) && contextOf(r)&(ctxShop|ctxMessage) == 0,
		country && hasCell && containsFold(cell.Name, "cell"):
		s.note(cell, inspect.Suspected, "The number of a cell of the mobile network stands with that of its area or its country: together they tell where the phone is.")
	}
}

// network finds the hardware address in a record of a scan whatever its names: it
// stands with a strength, a small negative number of decibels.
func network(r inspect.Record, signal *inspect.Part) (mac, strength *inspect.Part) {
	if len(r.Fields) < 2 || len(r.Fields) > 24 || r.Parent == nil {
		return nil, signal
	}
	for _, p := range r.Fields {
		switch d := p.Data; {
		case len(d) == 17 && (d[2] == ':' || d[2] == '-') && macForm(d).kind == "mac":
			mac = p
		case isDecibels(d):
			strength = p
		}
	}
	if mac == nil || strength == nil {
		return nil, signal
	}
	return mac, strength
}

// isDecibels says that d is a strength of a signal as receivers tell it.
func isDecibels(d []byte) bool {
	return (len(d) == 3 || len(d) == 4) && d[0] == '-' && allDigits(d[1:]) && (len(d) == 3 && d[1] >= '2' || len(d) == 4 && d[1] == '1' && d[2] <= '2')
}

// scanned counts the hardware addresses in a text that have a strength behind
// them.
func (s *places) scanned(p *inspect.Part) {
	d := p.Data
	for i := bytes.IndexByte(d, ':') - 2; i >= 0 && i+20 <= len(d) && s.bssids < 16; i++ {
		if d[i+2] != ':' || macForm(d[i:i+17]).kind != "mac" {
			continue
		}
		tail := d[i+17 : min(len(d), i+60)]
		if j := bytes.IndexByte(tail, '-'); j >= 0 && j+3 <= len(tail) && isDecibels(tail[j:j+3]) {
			s.bssids++
			s.signal = true
			if s.bssid == nil {
				s.bssid = p
			}
		}
		i += 17
	}
}

// wifi weighs the networks.
func (s *places) wifi() {
	if s.bssid == nil {
		return
	}
	if s.bssids >= 2 {
		s.note(s.bssid, inspect.Probable, "Several Wi-Fi networks are listed with their hardware addresses; together they tell where the phone is.")
		return
	}
	c := inspect.Suspected
	if s.signal {
		c = inspect.Probable
	}
	s.note(s.bssid, c, "The hardware address of a Wi-Fi access point went up; tables of access points tell where it stands.")
}
