package detect

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
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
	geoCells    // a cell in one value
	geoMACs     // networks in one value
	geoCode     // a code of a grid: Open Location Code, MGRS, three words, H3, S2
	geoPolyline // a line of points
	geoEast     // metres of a grid
	geoNorth
)

var geoWords = newPhrases(map[geo]string{
	geoLat:    `lat la lt weidu wd breite lintang enlem szerokosc szerokość vido platos`,
	geoLon:    `lon lng long lo ln jingdu jd laenge bujur boylam dlugosc długość kinhdo mikos`,
	geoBoth:   `ll latlng latlon lnglat lonlat sll cll uule gps gpsinfo konum lokasi ubicacion ubicación localizacao localização posizione standort местоположение 位置 定位 坐标 위치`,
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
	geoMACs:   `macs mmac wifis wifilist aps nearbywifi wifinearby wifimacs bssids bssidlist accesspoints wifiaccesspoints wifiscan scanresults visiblewifi visiblenetworks hotspots wifiap wifiaps`,
	geoCode:   `olc mgrs usng w3w what3words whatthreewords threewords h3 h3index h3cell h3id s2 s2cell s2cellid s2token s2id maidenhead`,
	geoEast:   `easting eastings utmx utmeasting`,
	geoNorth:  `northing northings utmy utmnorthing`,
}, map[geo]string{
	geoLat:      `latitude shirota shyrota latitud latitudine latitudo leveysaste zemepisnasirka breitengrad breedtegraad breddegrad szerokoscgeograficzna szerokośćgeograficzna zeměpisnášířka lat широта 纬度 緯度 위도 अक्षांश ละติจูด vĩđộ γεωγραφικόπλάτος πλάτος خطالعرض دائرةالعرض عرضجغرافیایی קורוחב gpslat gpslatitude ` + geoUnits(`latitude`, `lat`),
	geoLon:      `longitude dolgota dovgota longitud longitudine longitudo pituusaste zemepisnadelka laengengrad längengrad lengtegraad lengdegrad dlugoscgeograficzna długośćgeograficzna zeměpisnádélka lon lng долгота довгота 经度 経度 經度 경도 देशांतर ลองจิจูด kinhđộ γεωγραφικόμήκος μήκος خطالطول طولجغرافیایی קואורך gpslng gpslon gpslongitude longtitude long ` + geoUnits(`longitude`, `lon`, `lng`),
	geoBoth:     `latlng latlon lnglat lonlat latlong longlat geolocation geoposition gpscoordinates gpslocation gpsposition gpscoords geopoint geocoordinates currentlocation userlocation devicelocation lastlocation lastknownlocation mylocation latitudelongitude gpsloc geoloc geocoords geouri`,
	geoSome:     `location coords coordinates position coordinate nmea track trajectory`,
	geoHash:     `geohash`,
	geoBSSID:    `bssid`,
	geoSSID:     `ssid`,
	geoSignal:   `rssi signallevel signalstrength signaldbm`,
	geoMCC:      `mcc`,
	geoMNC:      `mnc`,
	geoArea:     `locationareacode trackingareacode lac tac`,
	geoCell:     `cellid cellidentity gsmcellid cellidentifier cgi ecgi`,
	geoCode:     `pluscode openlocationcode globalcode what3words h3index h3cell s2cellid s2token mgrs`,
	geoPolyline: `polyline polylines encodedpath encodedpoints encodedroute encodedtrack encodedpolyline`,
})

// geoUnits writes each name with the units that a coordinate can be in.
func geoUnits(names ...string) string {
	var b strings.Builder
	for _, n := range names {
		for _, unit := range strings.Fields(`deg degrees degree e5 e6 e7 micro microdeg microdegrees x1e6 x1e7 1e6 1e7 wgs wgs84 gcj gcj02 bd09 dms decimal dd semicircles semicircle`) {
			b.WriteString(n)
			b.WriteString(unit)
			b.WriteByte(' ')
		}
	}
	return b.String()
}

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
	bare   bool // a list of addresses says no more than that, and can be of the phone's own
	bssid  *inspect.Part
	signal bool // one of them came with a strength or a name
	names  *inspect.Known[phrase[geo]]
	// waiting is a latitude or longitude in an object of its own, and where that
	// stands.
	waiting   *inspect.Part
	waitingOf geo
	row       inspect.Record // the last that has no names
	path      string         // of the request
	macs      map[string]*inspect.Part
	// Of the document at hand: fields are named as those of places, or can be one
	// together.
	named    bool
	together together
}

// maxPlaces bounds the findings: a track is proved by its first points.
const maxPlaces = 8

func detectLocation(t *inspect.Tree) []inspect.Finding {
	s := places{path: t.Subject.Path, names: geoNames.In(t)}
	s.segments(t)
	for r, may := range upRecords(t, s.pick) {
		if len(s.found) >= maxPlaces && s.bssids > 8 {
			break
		}
		s.record(r, may)
	}
	for p := range upParts(t, mayTellPlace) {
		if len(p.Data) >= 9 {
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

// segments looks for coordinates in the path of the request: one behind the
// other, or behind their names.
func (s *places) segments(t *inspect.Tree) {
	p := requestPart(t)
	if p == nil || p.Decoder() != "request.path" || bytes.Count(p.Data, []byte(".")) < 2 {
		return
	}
	var before, last, lastName []byte
	for segment := range bytes.SplitSeq(p.Data[:min(len(p.Data), 1024)], []byte("/")) {
		if !isPlainNumber(segment) {
			before = segment
			continue
		}
		if last != nil {
			a, ok1 := degree(last, 90, false, false)
			b, ok2 := degree(segment, 180, false, false)
			named := geoWords.of(string(lastName)).of == geoLat && geoWords.of(string(before)).of == geoLon
			if ok1 && ok2 && (named && min(a.decimals, b.decimals) >= 2 || min(a.decimals, b.decimals) >= 4 && !bytes.HasPrefix(last, []byte("0."))) {
				s.note(p, inspect.Suspected, "Two segments of the path are a latitude and a longitude with "+decimals(max(a.decimals, b.decimals))+".")
				return
			}
		}
		last, lastName = segment, before
	}
}

// pick picks columns whose names are those of places, and documents in which the
// fields of a record together can be one, whatever their names.
func (s *places) pick(d *inspect.Document, may []bool) bool {
	const decibels = inspect.Hyphens | inspect.Digits
	some, x, y, strength, mac, beacon := false, false, false, false, false, false
	s.together = 0
	for i := range d.Columns {
		c := &d.Columns[i]
		n := s.names.OfColumn(c)
		may[i] = hasValue(c) && (n.of != geoNone || c.Place != "" && isBareValue(c.Name) || len(c.Name) == 17)
		some = some || may[i]
		strength = strength || c.Holds&decibels == decibels && c.Min <= 4 && c.Max >= 3
		mac = mac || c.Holds&(inspect.Colons|inspect.Hyphens) != 0 && c.Min <= 17 && c.Max >= 17
		switch c.Name {
		case "x", "X":
			x = true
		case "y", "Y":
			y = true
		case "major", "Major", "maj", "namespace", "namespaceId", "instance", "instanceId":
			beacon = true
		}
		switch c.First.Decoder() {
		case "protobuf":
			s.together |= byNumbers
		}
		if (c.Elements || c.First.Decoder() == "xml") && c.Holds&inspect.Dots != 0 && c.Holds&inspect.Digits != 0 && c.Max > 5 {
			s.together |= byRows
		}
	}
	if strength && mac {
		s.together |= byNetwork
	}
	if strength && beacon {
		s.together |= byBeacon
	}
	if x && y {
		s.together |= byAxes
	}
	s.named = some
	return some || s.together != 0
}

// together says as what fields of a record can be a place, whatever their names.
type together uint8

const (
	byBeacon together = 1 << iota
	byNetwork
	byAxes
	byRows
	byNumbers // the fields have numbers for names
	byAll     = byNumbers<<1 - 1
)

// record looks for the parts of a place among the fields of one record.
func (s *places) record(r inspect.Record, may []bool) {
	var lat, lon, bssid, ssid, signal, mcc, mnc, area, cell *inspect.Part
	var latWord, lonWord wordFlags
	var east, north *inspect.Part
	var row [maxColumnsOfPlace]*inspect.Part // numbers under one name
	inRow := 0
	add := func(p *inspect.Part) {
		if inRow > 0 && bareIndex(row[0].Name) != bareIndex(p.Name) {
			inRow = 0
		}
		if inRow < len(row) {
			row[inRow] = p
		}
		inRow++
	}
	fields, together := r.Fields, s.together
	if may == nil {
		together = byAll
	} else if !s.named {
		fields = nil
	}
	for _, p := range fields {
		if may != nil && !may[p.Column()] || p.Kind == inspect.Null || p.Kind == inspect.Bool || len(p.Data) == 0 || len(p.Data) > 4096 && !containsFold(p.Name, "poly") || p.Name == "" {
			continue
		}
		if len(p.Name) == 17 && isDecibels(p.Data) && isMAC([]byte(p.Name)) {
			s.network(p, true) // a scan as an object of addresses and strengths
			continue
		}
		if p.Parent == nil && p.Decoder() != "request.header" && p.Decoder() != "request.cookie" {
			continue
		}
		ph := s.names.Of(p)
		if ph.of == geoNone && p.Group != "" && isBareValue(p.Name) {
			var buf [maxName]byte
			ph = s.names.OfBytes(container(&buf, p))
			switch ph.of {
			case geoLat, geoLon:
				s.half(r, p, ph.of)
			case geoBoth, geoSome:
				if isPlainNumber(p.Data) && ph.before&(ofPlace|ofThing) == 0 {
					add(p)
				}
			case geoMACs:
				if isMAC(p.Data) {
					s.network(p, false)
					s.bare = s.bare || containsFold(p.Name, "macs")
				}
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
			if p.Kind == inspect.Number || isPlainNumber(p.Data) {
				add(p)
				continue
			}
			if len(p.Data) <= 15 {
				s.code(p)
			}
			s.pair(p, ph.of == geoBoth, s.context(r))
		case geoCode:
			if ph.before&ofThing == 0 {
				s.code(p)
			}
		case geoPolyline:
			s.polyline(p)
		case geoEast:
			east = p
		case geoNorth:
			north = p
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
			if isMAC(p.Data) {
				s.network(p, false)
				s.bare = s.bare || containsFold(p.Name, "macs")
			} else {
				s.listed(p)
			}
		}
	}
	switch {
	case lat != nil && lon != nil && (latWord|lonWord)&(ofPlace|ofThing) == 0:
		s.coordinates(lat, lon, r, s.context(r))
	case lat != nil && len(r.Fields) == 3 && isArray(r):
		s.triple(r, lat, geoLat)
	case lon != nil && len(r.Fields) == 3 && isArray(r):
		s.triple(r, lon, geoLon)
	}
	if inRow >= 2 && inRow <= 4 && (len(r.Fields) == inRow || row[0].Name != row[1].Name || !isArray(r)) {
		r := r
		r.Fields = row[:inRow]
		s.array(r)
	}
	if east != nil && north != nil && isMetres(east.Data) && isMetres(north.Data) {
		s.note(east, inspect.Suspected, "The fields "+quoted(east.Name)+" and "+quoted(north.Name)+" hold metres of a grid that covers the earth (UTM), which are a place.")
	}
	if together&byBeacon != 0 {
		s.beacon(r)
	}
	if lat == nil && lon == nil {
		if together&byAxes != 0 {
			s.axes(r)
		}
		if together&byRows != 0 {
			s.track(r)
		}
		if together&byNumbers != 0 && len(r.Fields) >= 2 && r.Fields[0].Decoder() == "protobuf" {
			s.numbered(r)
		}
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
	if bssid == nil && together&byNetwork != 0 {
		bssid, signal = network(r, signal)
	}
	if bssid == nil && lat == nil && together&byNumbers != 0 {
		s.nameless(r)
	}
	if bssid != nil {
		s.network(bssid, ssid != nil || signal != nil)
	}
	if mcc == nil && mnc == nil && (area == nil || cell == nil) {
		return
	}
	s.cell(r, mcc, mnc, area, cell)
}

// maxColumnsOfPlace bounds the numbers under one name that can be a place:
// latitude, longitude, height, and one more.
const maxColumnsOfPlace = 5

// nameless counts the messages of a list that hold a hardware address and a
// number, their fields having numbers for names, as scans are sent.
func (s *places) nameless(r inspect.Record) {
	if n := len(r.Fields); n < 2 || n > 6 || r.Parent == nil || r.Fields[0].Decoder() != "protobuf" {
		return
	}
	var mac *inspect.Part
	value := false
	for _, p := range r.Fields {
		switch {
		case len(p.Data) == 17 && (p.Data[2] == ':' || p.Data[2] == '-') && macForm(p.Data).kind == "mac":
			mac = p
		case p.Kind == inspect.Number:
			value = true
		}
	}
	if mac == nil || !value {
		return
	}
	if s.macs == nil {
		s.macs = make(map[string]*inspect.Part)
	}
	if len(s.macs) < 3 {
		s.macs[string(mac.Data)] = mac
		if len(s.macs) == 3 {
			s.note(mac, inspect.Suspected, "Several hardware addresses went up, each with a number beside it, as scans of the Wi-Fi networks around a phone are written.")
		}
	}
}

// network counts a network of the surroundings.
func (s *places) network(p *inspect.Part, signal bool) {
	s.bssids++
	if s.bssid == nil {
		s.bssid = p
	}
	s.signal = s.signal || signal
}

// bareIndex cuts the index off a name of a form: coords[0], coords[].
func bareIndex(name string) string {
	for strings.HasSuffix(name, "]") {
		i := strings.LastIndexByte(name, '[')
		if i < 1 || !allDigits([]byte(name[i+1:len(name)-1])) && i != len(name)-2 {
			break
		}
		name = name[:i]
	}
	return name
}

// isPlainNumber says that d is one number with decimals.
func isPlainNumber(d []byte) bool {
	if len(d) < 3 || len(d) > 24 || bytes.IndexByte(d, '.') < 0 {
		return false
	}
	_, ok := number(d)
	return ok
}

// isMetres takes the coordinates of a grid of metres.
func isMetres(d []byte) bool {
	n, ok := number(d)
	return ok && n >= 100_000 && n < 10_000_000
}

// context is contextOf, and whether the record is a view of a map.
func (s *places) context(r inspect.Record) ctxFlags {
	c := contextOf(r)
	if z := r.Field("z", "Z"); z != nil && len(z.Data) <= 2 && allDigits(z.Data) {
		c |= ctxMap
	}
	return c
}

// triple puts degrees, minutes and seconds together that are arrays, as the
// fields of pictures are written: {"GPSLatitude": [50, 43, 11.4], …}.
func (s *places) triple(r inspect.Record, p *inspect.Part, of geo) {
	if a, ok := degree(r.Fields[0].Data, 180, false, false); !ok || a.decimals > 0 {
		return
	}
	for _, f := range r.Fields[1:] {
		if n, ok := number(f.Data); !ok || n < 0 || n >= 60 {
			return
		}
	}
	if q := s.waiting; q != nil && s.waitingOf != of && q.Parent == p.Parent {
		s.waiting = nil
		s.note(q, inspect.Probable, "The fields "+quoted(q.Name)+" and "+quoted(p.Name)+" hold a latitude and a longitude in degrees, minutes and seconds.")
		return
	}
	s.waiting, s.waitingOf = p, of
}

// beacon looks at what a Bluetooth beacon says of itself, and how strong it was
// heard: who knows where the beacon hangs knows where the phone is.
func (s *places) beacon(r inspect.Record) {
	if len(r.Fields) < 3 || r.Parent == nil {
		return
	}
	var major, minor, id, strength *inspect.Part
	for _, p := range r.Fields {
		switch p.Name {
		case "major", "Major", "maj":
			major = p
		case "minor", "Minor", "min":
			minor = p
		case "namespace", "namespaceId", "instance", "instanceId":
			id = p
		default:
			if isDecibels(p.Data) {
				strength = p
			}
		}
	}
	if strength == nil || !(major != nil && minor != nil && allDigits(major.Data) && allDigits(minor.Data) || id != nil && isHexDigits(id.Data) && len(id.Data) >= 12) {
		return
	}
	s.note(strength, inspect.Suspected, "A Bluetooth beacon that the phone heard is told with its numbers and its strength; who knows where it hangs knows where the phone is.")
}

// code looks at a word that names a square on the earth.
func (s *places) code(p *inspect.Part) {
	d := bytes.TrimSpace(p.Data)
	what := ""
	switch {
	case len(d) < 4 || len(d) > 64:
	case isPlusCode(d):
		return // found by its form
	case isH3(d):
		return
	case len(d) >= 6 && isGeohash(d) && hasLetter(d) && strings.EqualFold(p.Name, "geo"):
		what = "a geohash"
	case isMGRS(d):
		what = "a square of the Military Grid Reference System"
	case isThreeWords(d) && strings.ContainsAny(p.Name, "wW"):
		what = "three words that name a square of three metres"
	case containsFold(p.Name, "s2") && (isHexDigits(d) && len(d) >= 8 && len(d) <= 16 && hasDigit(d) || allDigits(d) && len(d) >= 18 && len(d) <= 20):
		what = "a cell of the S2 grid"
	}
	if what != "" {
		s.note(p, inspect.Suspected, "The field "+quoted(p.Name)+" holds "+what+", which is a place.")
	}
}

// isH3 takes a cell of the H3 grid (h3geo.org, section Index representations):
// the mode 1, a resolution of about a kilometre or finer, and ones in the digits
// that the resolution does not use.
func isH3(d []byte) bool {
	if len(d) != 15 || d[0] != '8' || !isHexDigits(d) {
		return false
	}
	n, err := strconv.ParseUint(string(d), 16, 64)
	if err != nil {
		return false
	}
	resolution := int(n >> 52 & 15)
	unused := 3 * (15 - resolution)
	return resolution >= 7 && n&(1<<unused-1) == 1<<unused-1 && n>>45&0x7f < 122
}

// isMGRS takes 32ULB6601220331: zone, square, and two numbers of the same
// length.
func isMGRS(d []byte) bool {
	i := 0
	for i < 2 && i < len(d) && d[i]-'0' < 10 {
		i++
	}
	if i == 0 || len(d)-i < 3+4 || (len(d)-i-3)%2 != 0 || len(d) > 15 {
		return false
	}
	for _, c := range d[i : i+3] {
		if c-'A' >= 26 || c == 'I' || c == 'O' {
			return false
		}
	}
	return allDigits(d[i+3:])
}

// isThreeWords takes filled.count.soap, also behind three slashes.
func isThreeWords(d []byte) bool {
	d = bytes.TrimPrefix(d, []byte("///"))
	words := 1
	for i, c := range d {
		switch {
		case c == '.':
			if i == 0 || d[i-1] == '.' || i == len(d)-1 {
				return false
			}
			words++
		case c|0x20-'a' < 26, c >= 0x80:
		default:
			return false
		}
	}
	return words == 3
}

// polyline looks at a line of points, written as differences of hundred
// thousandths of a degree (developers.google.com/maps/documentation/utilities/
// polylinealgorithm).
func (s *places) polyline(p *inspect.Part) {
	d := p.Data
	if len(d) < 12 {
		return
	}
	var lat, lon, points int
	for at := 0; at < len(d) && points < 64; points++ {
		for _, sum := range []*int{&lat, &lon} {
			n, shift := 0, 0
			for {
				if at == len(d) || d[at] < 63 || d[at] > 126 || shift > 30 {
					return
				}
				c := int(d[at] - 63)
				at++
				n |= c & 31 << shift
				shift += 5
				if c < 32 {
					break
				}
			}
			if n&1 != 0 {
				n = ^n
			}
			*sum += n >> 1
		}
		if lat > 90e5 || lat < -90e5 || lon > 180e5 || lon < -180e5 {
			return
		}
	}
	if points >= 2 {
		s.note(p, inspect.Probable, "The field "+quoted(p.Name)+" holds a line of "+strconv.Itoa(points)+" or more points on the earth, written as differences (encoded polyline).")
	}
}

// geoEnds are ends of names that are written without any mark between words. A
// latitude needs its longitude beside it, so a wrong one does no harm.
var geoEnds = newEndings(map[geo]string{
	geoLat: "latitude lat", geoLon: "longitude lng lon", geoBoth: "latlng latlon lnglat", geoBSSID: "bssid",
})

var geoNames = inspect.NewNameFacts(ifShort(lookGeo))

// lookGeo looks up a name.
func lookGeo(name string) phrase[geo] {
	name = lowerIdeographs(bareIndex(name))
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
	case "value", "val", "v", "item", "element", "double", "float", "decimalValue", "double_value", "doubleVal", "stringValue", "deg", "degrees", "$", "#text", "_", "Value", "doubleValue", "decimal":
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
	if !ok || a.whole != b.whole || a.zero && b.zero || max(a.decimals, b.decimals) < 2 || min(a.decimals, b.decimals) < 1 && max(a.decimals, b.decimals) < 3 {
		return
	}
	if ctx&ctxShop != 0 && ctx&(ctxDevice|ctxEvent|ctxUser) == 0 || ctx&ctxMap != 0 {
		return
	}
	if len(lat.Name) <= 3 && max(a.decimals, b.decimals) < 5 && (len(lon.Name) == 2 || isMeasurement(r)) {
		return // latencies: "lat" beside "long" or "ping"
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
	whole    bool // a whole number of millionths or the like
}

var measureWords = newLexicon(map[bool]string{true: `down up dl ul download upload jitter jit ping loss rtt ttfb dns tcp tls mbps bandwidth throughput p50 p75 p90 p95 p99 latency avg mean median lcp fcp cls inp qps iops`})

// isMeasurement says that a record tells times and speeds of a network.
func isMeasurement(r inspect.Record) bool {
	for _, f := range r.Fields {
		if len(r.Fields) > 64 {
			return false
		}
		if measureWords.of(f.Name) {
			return true
		}
	}
	return false
}

// degrees reads a coordinate: degrees with decimals, or whole millionths or
// ten-millionths of a degree where the name says so.
func degrees(p *inspect.Part, most float64) (a angle, ok bool) {
	d := bytes.TrimSpace(p.Data)
	if containsFold(p.Name, "semicircle") {
		// 2^31 of them are 180 degrees.
		n, err := strconv.ParseInt(string(d[:min(len(d), 16)]), 10, 64)
		limit := int64(most / 180 * (1 << 31))
		return angle{decimals: 6, zero: n == 0, whole: true}, err == nil && n >= -limit && n <= limit
	}
	if a, ok = degree(d, most, strings.HasSuffix(p.Name, "E7") || strings.HasSuffix(p.Name, "e7"), true); ok || len(d) < 8 {
		return a, ok
	}
	if a, ok = sexagesimal(d, most); ok {
		return a, true
	}
	if len(d) <= 32 && len(d)%4 == 0 && hasLetter(d) { // each value by itself in base64
		var out [24]byte
		if n, err := base64.StdEncoding.Decode(out[:], d); err == nil {
			return degree(out[:n], most, false, false)
		}
	}
	return a, false
}

// sexagesimal reads degrees, minutes and perhaps seconds: 50°43'11.4"N, N 50
// 43.190, and the fractions of pictures, 50/1,43/1,1143/100.
func sexagesimal(d []byte, most float64) (a angle, ok bool) {
	if len(d) > 48 {
		return a, false
	}
	var n [3]float64
	count, decimals, sign, letter := 0, 0, false, false
	for i := 0; i < len(d); {
		c := d[i]
		switch {
		case c-'0' < 10:
			start := i
			for i < len(d) && (d[i]-'0' < 10 || d[i] == '.') {
				i++
			}
			x, err := strconv.ParseFloat(string(d[start:i]), 64)
			if err != nil || count == 3 {
				return a, false
			}
			if dot := bytes.IndexByte(d[start:i], '.'); dot >= 0 {
				decimals = i - start - dot - 1
			}
			if i+1 < len(d) && d[i] == '/' && d[i+1]-'0' < 10 {
				start = i + 1
				for i++; i < len(d) && d[i]-'0' < 10; i++ {
				}
				y, err := strconv.ParseFloat(string(d[start:i]), 64)
				if err != nil || y == 0 {
					return a, false
				}
				x /= y
				sign = true
			}
			n[count] = x
			count++
			continue
		case c == 'N', c == 'S', c == 'E', c == 'W', c == 'O':
			if letter {
				return a, false
			}
			letter = true
		case c == 0xc2 && i+1 < len(d) && d[i+1] == 0xb0: // °
			sign = true
			i++
		case c == 0xe2: // ′ and ″
		case c == 0x80, c == 0xb2, c == 0xb3:
		case c == ' ', c == '\'', c == '"', c == ',', c == '-' && i == 0, c == '+' && i == 0, c == ':':
		default:
			return a, false
		}
		i++
	}
	if count < 2 || !sign && !letter || n[0] > most || n[1] >= 60 || n[2] >= 60 || n[0] != math.Trunc(n[0]) {
		return a, false
	}
	// A minute is a sixtieth, a second a sixtieth of that.
	return angle{decimals: 2*(count-1) + min(decimals, 4), zero: n[0] == 0 && n[1] == 0}, true
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
				return angle{decimals: 6, whole: true}, true
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
	if r.Fields[0].Data[0] == '0' && r.Fields[1].Data[0] == '0' || strings.HasPrefix(string(r.Fields[0].Data), "-0.") && strings.HasPrefix(strings.TrimPrefix(string(r.Fields[1].Data), "-"), "0.") {
		return // shares of one
	}
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
	if len(name) > 5 {
		name = strings.TrimSuffix(name, "s")
	}
	switch ph := geoWords.of(name); {
	case ph.of == geoBoth:
	case ph.of == geoSome && name != "coordinate" && name != "position" && name != "pos" && name != "point" && name != "coord" && name != "coords" && name != "coordinates" && name != "at" && name != "origin" && name != "around":
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
	if i := bytes.LastIndexByte(d, ';'); i > 8 && bytes.IndexByte(d[:i], ';') > 0 && bytes.IndexByte(d[i:], '=') > 0 {
		d = d[:i] // 52.52;13.405;acc=18
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

// mayTellPlace picks columns that text can find something in.
func mayTellPlace(d *inspect.Document, may []bool) bool {
	some := false
	for i := range d.Columns {
		c := &d.Columns[i]
		may[i] = c.Max >= 9 && mayBePlace(c)
		some = some || may[i]
	}
	return some
}

func mayBePlace(c *inspect.Column) bool {
	holds := func(set inspect.Chars) bool { return c.Holds&set == set }
	switch {
	case hasText(c) && c.Max >= 20 && (holds(inspect.Dots|inspect.Digits) || holds(inspect.Colons|inspect.Hyphens|inspect.Digits)):
		return true // coordinates in words, a scan of networks
	case holds(inspect.Dots) && c.Holds&(inspect.Others|inspect.Colons|inspect.Parens|inspect.Commas|inspect.Slashes|inspect.Bars|inspect.Spaces|inspect.Semicolons) != 0:
		return true // a sentence of a receiver, geo:, POINT(), a pair
	case holds(inspect.Digits) && c.Min <= 15 && c.Max >= 15:
		return true // a cell of a grid
	}
	return holds(inspect.Digits|inspect.Pluses) || holds(inspect.NonASCII|inspect.UpperCase) && c.Min <= 64 // a code; degrees
}

// text looks for what needs no name: NMEA sentences, geo URIs, well-known text,
// degrees with minutes, and pairs with many decimals.
func (s *places) text(p *inspect.Part) {
	const numbers = inspect.Dots | inspect.Digits
	d, holds := p.Data, p.Holds()
	if p.Kind <= inspect.Text && len(d) >= 20 && (len(p.Children) == 0 || p.Children[0].Decoder() == "url") {
		if len(p.Children) == 0 && len(d) <= 8<<10 && holds&inspect.Hyphens != 0 && bytes.IndexByte(d, ':') >= 2 {
			s.scanned(p)
		}
		if holds&numbers != numbers {
			// no coordinates in words
		} else if d[0] != '$' && holds&inspect.Commas != 0 && trackerLine(d[:min(len(d), 16<<10)]) {
			s.note(p, inspect.Probable, "The line holds a latitude and a longitude in degrees and minutes with their directions, as satellite receivers and trackers write them.")
		} else {
			s.sentence(p)
		}
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
	case len(d) == 15 && c == '8' && isH3(d):
		if n := 15 - int(unhex(d[1])); n >= 5 || containsFold(p.Name, "h3") {
			s.note(p, inspect.Suspected, "The value is a cell of the H3 grid, which is a place.")
		}
	case isPlusCode(d) && idThing(p.Name)&ofThing == 0:
		s.note(p, inspect.Probable, "The value is an Open Location Code, which is a latitude and a longitude written as one word.")
	case len(d) <= 64 && (c-'0' < 10 || c == '-' || c == '+' || c == 'N' || c == 'S'):
		if holds&inspect.NonASCII != 0 && isDMS(d) {
			s.note(p, inspect.Probable, "The value is a latitude and a longitude in degrees, minutes and seconds.")
		} else if holds&inspect.Slashes != 0 && isISO6709(d) {
			s.note(p, inspect.Probable, "The value is a latitude and a longitude as ISO 6709 writes them.")
		} else if holds&inspect.Commas != 0 && geoWords.of(p.Name).of == geoNone && bytes.IndexByte(d, ' ') < 0 && (p.Name == "" || idThing(p.Name)&ofPlace == 0) {
			// A pair without a name that says so.
			least := 4
			if p.Decoder() == "path" && mentions(strings.ReplaceAll(s.path[:min(len(s.path), maxName)], "/", "_"), skyWords) {
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

// longestTrack is how much of a text is searched for coordinates.
const longestTrack = 256 << 10

// decimal is a number with decimals in a text.
type decimal struct {
	start, end int
	angle      angle
	value      float64
}

// sentence looks for a latitude and a longitude in the lines of a text: behind
// their names, or beside each other in a place that speaks of places.
func (s *places) sentence(p *inspect.Part) {
	d := p.Data[:min(len(p.Data), longestTrack)]
	var last decimal
	said, rows := 0, rows{}
	for i := bytes.IndexByte(d, '.'); i >= 0 && said < 2; {
		n, ok := decimalAt(d, i)
		next := max(n.end, i+1)
		if ok && n.angle.decimals >= 3 {
			if gap := n.start - last.end; last.end > 0 && gap > 0 && gap <= 24 && last.value >= -90 && last.value <= 90 {
				c := named(d, last, n)
				if c == "" && gap <= 3 && beside(d, last, n, p) {
					c = inspect.Suspected
				}
				if c != "" {
					said++
					s.note(p, c, "The text holds a latitude and a longitude with "+decimals(max(last.angle.decimals, n.angle.decimals))+", by what stands around them.")
				}
				rows.add(d, last, n)
			}
			last = n
		}
		j := bytes.IndexByte(d[next:], '.')
		if j < 0 {
			break
		}
		i = next + j
	}
	if said == 0 && rows.found >= 2 && speaksOfPlaces(s.path, p) {
		s.note(p, inspect.Suspected, "The lines hold, in the same place of each, two numbers in the form of a latitude and a longitude that hardly change, and what stands around speaks of a way.")
	}
}

// decimalAt reads the number whose point stands at i.
func decimalAt(d []byte, i int) (n decimal, ok bool) {
	start, end := i, i+1
	for start > 0 && i-start < 4 && d[start-1]-'0' < 10 {
		start--
	}
	for end < len(d) && d[end]-'0' < 10 {
		end++
	}
	n.end = end
	if start == i || end-i < 4 || end-i > 18 || end < len(d) && (d[end] == '.' || d[end]|0x20-'a' < 26) {
		return n, false
	}
	if start > 0 {
		switch c := d[start-1]; {
		case c == '-' || c == '+':
			start--
		case c-'0' < 10, c == '.', c|0x20-'a' < 26, c == '_':
			return n, false
		}
	}
	n.start = start
	v, err := strconv.ParseFloat(string(d[start:end]), 64)
	n.value = v
	n.angle = angle{decimals: end - i - 1, zero: v == 0}
	return n, err == nil && v >= -180 && v <= 180 && v != 0
}

// named says how sure it is that a latitude's name stands in front of a and a
// longitude's in front of b.
func named(d []byte, a, b decimal) inspect.Confidence {
	if isLabel(d[max(0, a.start-24):a.start], "lat", "latitude") && isLabel(d[a.end:b.start], "lon", "lng", "long", "longitude") {
		return inspect.Probable
	}
	return ""
}

// isLabel says that the last word of d, in front of an equals sign or a colon,
// ends as one of words.
func isLabel(d []byte, words ...string) bool {
	d = bytes.TrimRight(d, "=: \"'\\>(")
	for _, w := range words {
		if len(d) >= len(w) && equalFold(string(d[len(d)-len(w):]), w) {
			return true
		}
	}
	return false
}

// placeWords are what a text says in front of coordinates.
var placeWords = newStems("location", "latlng", "latlon", "lat/lng", "position", "gps", "coord", "geo", "fused", "lastknown", "standort", "ubicacion", "posizione", "whereami")

// beside says that the pair stands where coordinates do: in an address of a map
// behind an at sign, between angle brackets, or behind a word for places.
func beside(d []byte, a, b decimal, p *inspect.Part) bool {
	if min(a.angle.decimals, b.angle.decimals) < 4 || bytes.IndexByte(d[a.end:b.start], ',') < 0 && bytes.IndexByte(d[a.end:b.start], ';') < 0 {
		return false
	}
	if a.start > 0 && (d[a.start-1] == '@' && a.start > 1 && d[a.start-2] == '/' || d[a.start-1] == '<' && b.end < len(d) && d[b.end] == '>') {
		return true
	}
	return mentions(lastOf(d[:a.start]), placeWords)
}

// lastOf returns the end of a text as a name, without its digits.
func lastOf(d []byte) string {
	d = d[max(0, len(d)-40):]
	if i := bytes.LastIndexByte(d, '\n'); i >= 0 {
		d = d[i+1:]
	}
	return string(d)
}

// rows counts the lines that hold two coordinates near those of the line before.
type rows struct {
	line, found int
	a, b        float64
}

func (r *rows) add(d []byte, a, b decimal) {
	if min(a.angle.decimals, b.angle.decimals) < 4 || b.start-a.end > 2 || math.Abs(a.value) < 1 && math.Abs(b.value) < 1 {
		return
	}
	if da, db := math.Abs(a.value-r.a), math.Abs(b.value-r.b); r.a != 0 && da < 0.2 && db < 0.2 && da+db > 0 && bytes.IndexByte(d[r.line:a.start], '\n') >= 0 {
		r.found++
	}
	r.a, r.b, r.line = a.value, b.value, b.end
}

// wayWords speak of where somebody goes.
var wayWords = newStems("track", "gps", "geo", "location", "position", "points", "trace", "route", "trip", "ride", "journey", "waypoint", "travel", "latlng", "latlon", "coord", "fixes", "path", "segment", "movement", "visits", "places", "gpx", "nmea")

func speaksOfPlaces(path string, p *inspect.Part) bool {
	if mentions(p.Name, wayWords) || p.Group != "" && len(p.Group) < maxName && mentions(p.Group, wayWords) {
		return true
	}
	for segment := range strings.SplitSeq(path[:min(len(path), 512)], "/") {
		if len(segment) > 2 && len(segment) <= maxName && mentions(segment, wayWords) {
			return true
		}
	}
	return false
}

// track looks at rows without names, one of which is r: the numbers of two
// neighbouring columns are coordinates that hardly change from row to row.
func (s *places) track(r inspect.Record) {
	if n := len(r.Fields); n < 3 || n > 12 || !isArray(r) || strings.Count(r.Group, "[")+strings.Count(string(r.Fields[0].Path), "[") == 0 {
		s.row = inspect.Record{}
		return
	}
	last := s.row
	s.row = r
	if len(last.Fields) != len(r.Fields) || last.Parent != r.Parent || listOf(last.Group) != listOf(r.Group) || last.Group == r.Group {
		return
	}
	for i := 0; i+1 < len(r.Fields); i++ {
		var v [4]float64
		ok := true
		for j, p := range []*inspect.Part{last.Fields[i], last.Fields[i+1], r.Fields[i], r.Fields[i+1]} {
			dot := bytes.IndexByte(p.Data, '.')
			n, is := number(p.Data)
			if ok = is && dot > 0 && len(p.Data)-dot > 4 && n >= -180 && n <= 180 && (j%2 == 1 || n >= -90 && n <= 90) && math.Abs(n) >= 0.001; !ok {
				break
			}
			v[j] = n
		}
		da, db := math.Abs(v[0]-v[2]), math.Abs(v[1]-v[3])
		if ok && da < 0.2 && db < 0.2 && da+db > 0 && (math.Abs(v[0]) >= 1 || math.Abs(v[1]) >= 1) {
			for _, p := range r.Fields[:i] {
				if isInstant(p) && speaksOfPlaces(s.path, p) {
					s.note(r.Fields[i], inspect.Suspected, "Row by row, two numbers without names have the form of a latitude and a longitude that hardly change, beside a time, and what stands around speaks of a way.")
					return
				}
			}
		}
	}
}

// trackerLine looks for 2234.4669,N,11354.3287,E, which is how NMEA 0183 and the
// trackers that borrow from it write a place.
func trackerLine(d []byte) bool {
	for range 64 {
		i := bytes.IndexByte(d, ',')
		if i < 0 || i+4 > len(d) {
			return false
		}
		before, rest := d[:i], d[i+1:]
		if c := rest[0]; rest[1] == ',' && (c == 'N' || c == 'S') && isMinutes(before, 2) {
			if value, after, ok := bytes.Cut(rest[2:], []byte(",")); ok && len(after) > 0 && (after[0] == 'E' || after[0] == 'W') && isMinutes(value, 3) {
				return true
			}
		}
		d = rest
	}
	return false
}

// isMinutes says that d ends in degrees of so many digits, minutes of two, and
// decimals.
func isMinutes(d []byte, digits int) bool {
	dot := bytes.LastIndexByte(d, '.')
	if dot < digits+2 || len(d)-dot < 4 || !allDigits(d[dot+1:]) || !allDigits(d[dot-digits-2:dot]) {
		return false
	}
	return d[dot-2] < '6' && (dot == digits+2 || d[dot-digits-3]-'0' > 9)
}

// skyWords speak of what is asked for by place.
var skyWords = newStems("weather", "forecast", "geo", "near", "point", "location", "position", "around", "place", "map", "sun", "tide", "airquality", "pollen", "radar", "timezone", "elevation")

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

// listed counts the networks in one value: "aa:bb:…,-61,home|…".
func (s *places) listed(p *inspect.Part) {
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
	switch {
	case s.signal:
		c = inspect.Probable
	case s.bare:
		return
	}
	s.note(s.bssid, c, "The hardware address of a Wi-Fi access point went up; tables of access points tell where it stands.")
}
