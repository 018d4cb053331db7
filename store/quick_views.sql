CREATE TEMP VIEW requests AS
SELECT
  q.id AS id,
  q.time AS time,
  ifnull((SELECT m.name FROM mark m WHERE m.id = q.session_id), '') AS session,
  q.device AS device,
  q.door AS door,
  q.method AS method,
  q.scheme AS scheme,
  q.host AS host,
  (SELECT e.port FROM exchange e WHERE e.id = q.id) AS port,
  q.path AS path,
  (SELECT e.query FROM exchange e WHERE e.id = q.id) AS query,
  (SELECT e.request_proto FROM exchange e WHERE e.id = q.id) AS http_version,
  q.status AS status,
  q.request_bytes AS request_bytes,
  q.response_bytes AS response_bytes,
  ifnull((SELECT lower(hex(e.request_sha256)) FROM exchange e WHERE e.id = q.id), '') AS request_sha256,
  ifnull((SELECT lower(hex(e.response_sha256)) FROM exchange e WHERE e.id = q.id), '') AS response_sha256,
  q.request_truncated AS request_truncated,
  q.response_truncated AS response_truncated,
  (SELECT e.duration_us / 1000.0 FROM exchange e WHERE e.id = q.id) AS duration_ms,
  q.server_ip AS server_ip,
  q.owner AS owner,
  q.country AS country,
  q.tags AS tags,
  q.direction AS direction,
  q.error AS error,
  q.connection_id AS connection_id,
  q.session_id AS session_id,
  ifnull((SELECT e.app FROM exchange e WHERE e.id = q.id), '') AS app
FROM quick.request q;

CREATE TEMP VIEW connections AS
SELECT
  q.id AS id,
  q.time AS time,
  ifnull((SELECT m.name FROM mark m WHERE m.id = q.session_id), '') AS session,
  q.device AS device,
  q.door AS door,
  q.host AS host,
  (SELECT c.port FROM connection c WHERE c.id = q.id) AS port,
  q.server_ip AS server_ip,
  q.sni AS sni,
  (SELECT c.alpn FROM connection c WHERE c.id = q.id) AS alpn,
  (SELECT c.ja4 FROM connection c WHERE c.id = q.id) AS ja4,
  ifnull((SELECT c.client_tls ->> 'version' FROM connection c WHERE c.id = q.id), '') AS client_tls,
  q.server_tls AS server_tls,
  q.outcome AS outcome,
  (SELECT c.reason FROM connection c WHERE c.id = q.id) AS reason,
  q.bytes_up AS bytes_up,
  q.bytes_down AS bytes_down,
  (SELECT c.duration_us / 1000.0 FROM connection c WHERE c.id = q.id) AS duration_ms,
  q.client_alert AS client_alert,
  ifnull((SELECT c.server_tls ->> 'alert' FROM connection c WHERE c.id = q.id), '') AS server_alert,
  ifnull((SELECT c.client_tls FROM connection c WHERE c.id = q.id), '') AS client_tls_detail,
  ifnull((SELECT c.server_tls FROM connection c WHERE c.id = q.id), '') AS server_tls_detail,
  ifnull((SELECT c.server_certificate FROM connection c WHERE c.id = q.id), '') AS server_certificate,
  ifnull((SELECT c.server_chain FROM connection c WHERE c.id = q.id), '') AS server_chain_sha256,
  q.session_id AS session_id,
  ifnull((SELECT c.transport FROM connection c WHERE c.id = q.id), 'tcp') AS transport,
  ifnull((SELECT c.app FROM connection c WHERE c.id = q.id), '') AS app,
  ifnull((SELECT c.protocol FROM connection c WHERE c.id = q.id), '') AS protocol,
  ifnull((SELECT l.name FROM connection c JOIN lookup l ON l.id = c.lookup WHERE c.id = q.id), '') AS dns_name,
  (SELECT c.lookup FROM connection c WHERE c.id = q.id) AS dns_id,
  ifnull((SELECT c.http2 FROM connection c WHERE c.id = q.id), '') AS http2
FROM quick.connection q;

CREATE TEMP VIEW findings AS
SELECT
  q.id AS id,
  q.request_id AS request_id,
  q.class AS class,
  q.direction AS direction,
  q.confidence AS confidence,
  q.detector AS detector,
  (SELECT r.findings ->> (q.place || '.path') FROM report r WHERE r.id = q.report) AS path,
  ifnull((SELECT r.findings ->> (q.place || '.excerpt') FROM report r WHERE r.id = q.report), '') AS excerpt,
  ifnull((SELECT r.findings ->> (q.place || '.reason') FROM report r WHERE r.id = q.report), '') AS reason,
  q.frame_id AS frame_id,
  ifnull((SELECT r.findings ->> (q.place || '.start') FROM report r WHERE r.id = q.report), 0) AS "start",
  ifnull((SELECT r.findings ->> (q.place || '.end') FROM report r WHERE r.id = q.report), 0) AS "end"
FROM quick.finding q;

CREATE TEMP VIEW canary_hits AS
SELECT
  q.request_id AS request_id,
  q.canary AS canary,
  q.kind AS kind,
  q.form AS form,
  (SELECT r.hits ->> (q.place || '.path') FROM report r WHERE r.id = q.report) AS path,
  q.class AS class,
  q.direction AS direction,
  q.frame_id AS frame_id,
  ifnull((SELECT r.hits ->> (q.place || '.start') FROM report r WHERE r.id = q.report), 0) AS "start",
  ifnull((SELECT r.hits ->> (q.place || '.end') FROM report r WHERE r.id = q.report), 0) AS "end"
FROM quick.hit q;

CREATE TEMP VIEW identifier_uses AS
SELECT
  q.request_id AS request_id,
  q.value AS value,
  q.kind AS kind,
  q.name AS name,
  q.bits AS bits,
  (SELECT r.identifying ->> (q.place || '[4]') FROM report r WHERE r.id = q.report) AS path,
  q.direction AS direction,
  q.time_in_value AS time_in_value,
  q.frame_id AS frame_id
FROM quick.used q;

CREATE TEMP VIEW addresses AS
SELECT host, server_ip, owner, country, domain, company, asn, as_holder, registry, cloud, certificate_holder, data, requests, first_seen, last_seen
FROM quick.address;
