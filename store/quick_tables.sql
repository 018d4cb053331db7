-- What a Prepared reader works out once, beside the case, in a file that goes away
-- with it. A column without a type stands for one that the view computes: it compares
-- like that.

CREATE TABLE quick.request(
  id INTEGER PRIMARY KEY, time TEXT, session_id, device TEXT, door TEXT, method TEXT, scheme TEXT, host TEXT, path TEXT, status, request_bytes, response_bytes,
  request_truncated, response_truncated, server_ip, owner, country, tags, direction, error TEXT, connection_id INTEGER, inspected);

CREATE TABLE quick.connection(
  id INTEGER PRIMARY KEY, time TEXT, session_id, device TEXT, door TEXT, host TEXT, server_ip, sni TEXT, server_tls, outcome TEXT, bytes_up INTEGER,
  bytes_down INTEGER, client_alert, named TEXT);

-- Of these, a report and a place in its JSON say where the rest stands.
CREATE TABLE quick.finding(report, place, id, request_id INTEGER, frame_id INTEGER, class, direction, confidence, detector);
CREATE TABLE quick.hit(report, place, request_id INTEGER, frame_id INTEGER, canary, kind, form, class, direction);
CREATE TABLE quick.used(report, place, request_id INTEGER, frame_id INTEGER, value, kind, name, bits, direction, time_in_value);

CREATE TABLE quick.address(
  host TEXT, server_ip, owner, country, domain, company, asn, as_holder, registry, cloud, certificate_holder, data, requests, first_seen, last_seen,
  PRIMARY KEY(host, server_ip)) WITHOUT ROWID;

-- Sums from which Coverage is put together for any scope.
CREATE TABLE quick.connected(session_id, device, door, host, outcome, client_alert, n, newest, bytes_up, bytes_down, first, last);
CREATE TABLE quick.asked(session_id, device, door, host, raw, n, truncated, failed, uninspected, first, last);
CREATE TABLE quick.opaque(session_id, device, host, n, bytes);
