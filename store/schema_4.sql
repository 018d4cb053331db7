-- Version 4: lookups of the DNS, flows of datagrams, apps, protocols of what is
-- relayed unread, interim responses.
-- From "CREATE VIEW" on, this also serves to read older cases as they are.

ALTER TABLE connection ADD COLUMN transport TEXT; -- NULL: tcp; 'udp', 'icmp'
ALTER TABLE connection ADD COLUMN app TEXT;       -- package name, NULL when nobody knows
ALTER TABLE connection ADD COLUMN lookup INTEGER; -- lookup.id that had the destination's address; NULL: none
ALTER TABLE connection ADD COLUMN http2 TEXT;     -- what the client's first frames show
ALTER TABLE connection ADD COLUMN protocol TEXT;  -- what its first bytes look like
ALTER TABLE exchange ADD COLUMN app TEXT;
ALTER TABLE exchange ADD COLUMN interim BLOB;     -- heads of 1xx responses

CREATE TABLE lookup(                  -- a question to the DNS and its answer
  id          INTEGER PRIMARY KEY,
  seq         INTEGER NOT NULL,
  time        TEXT NOT NULL,
  duration_us INTEGER NOT NULL,
  door        TEXT NOT NULL,
  device      TEXT NOT NULL,
  app         TEXT NOT NULL,
  client      TEXT NOT NULL,          -- address:port
  over        TEXT NOT NULL,          -- 'udp' or 'tcp'
  server      TEXT NOT NULL,          -- address:port that the client asked
  resolver    TEXT NOT NULL,          -- that was asked for it, '' when none was
  name        TEXT NOT NULL,
  type        TEXT NOT NULL,
  code        TEXT NOT NULL,          -- response code, '' without an answer
  error       TEXT NOT NULL,
  answers     TEXT NOT NULL,          -- one a line
  addresses   TEXT NOT NULL,          -- separated by spaces
  stripped    INTEGER NOT NULL
) STRICT;
CREATE INDEX lookup_name ON lookup(name);
CREATE INDEX connection_lookup ON connection(lookup) WHERE lookup IS NOT NULL;

CREATE TRIGGER lookup_kept BEFORE DELETE ON lookup BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be deleted'); END;
CREATE TRIGGER lookup_fixed BEFORE UPDATE ON lookup BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be changed'); END;

DROP VIEW requests;
DROP VIEW connections;
DROP VIEW coverage;

CREATE VIEW requests AS
SELECT
  e.id AS id,
  e.began AS time,
  ifnull((SELECT m.name FROM mark m WHERE m.time <= e.began ORDER BY m.time DESC, m.id DESC LIMIT 1), '') AS session,
  e.device AS device,
  e.door AS door,
  e.method AS method,
  e.scheme AS scheme,
  e.host AS host,
  e.port AS port,
  e.path AS path,
  e.query AS query,
  e.request_proto AS http_version,
  nullif(e.status, 0) AS status,
  ifnull(e.request_size, 0) AS request_bytes,
  ifnull(e.response_size, 0) AS response_bytes,
  ifnull(lower(hex(e.request_sha256)), '') AS request_sha256,
  ifnull(lower(hex(e.response_sha256)), '') AS response_sha256,
  ifnull(e.request_kept < e.request_size, 0) AS request_truncated,
  ifnull(e.response_kept < e.response_size, 0) AS response_truncated,
  e.duration_us / 1000.0 AS duration_ms,
  CASE WHEN e.server LIKE '[%' THEN substr(e.server, 2, instr(e.server, ']') - 2)
    ELSE substr(e.server, 1, instr(e.server, ':') - 1) END AS server_ip,
  ifnull(r.owner, '') AS owner,
  ifnull(r.country, '') AS country,
  CASE WHEN EXISTS(SELECT 1 FROM report f WHERE f.exchange = e.id AND f.frame > 0)
    THEN ifnull((SELECT group_concat(class, ' ') FROM (
      SELECT DISTINCT j.value AS class
      FROM report f, json_each('["' || replace(f.tags, ' ', '","') || '"]') j
      WHERE f.exchange = e.id AND f.tags <> ''
        AND f.id = (SELECT max(n.id) FROM report n WHERE n.exchange = f.exchange AND n.frame = f.frame)
      ORDER BY 1)), '')
    ELSE ifnull(r.tags, '') END AS tags,
  CASE WHEN EXISTS(SELECT 1 FROM report f WHERE f.exchange = e.id AND f.frame > 0)
    THEN (SELECT CASE WHEN max(f.direction IN ('up', 'both')) THEN CASE WHEN max(f.direction IN ('down', 'both')) THEN 'both' ELSE 'up' END
        WHEN max(f.direction = 'down') THEN 'down' ELSE '' END
      FROM report f
      WHERE f.exchange = e.id
        AND f.id = (SELECT max(n.id) FROM report n WHERE n.exchange = f.exchange AND n.frame = f.frame))
    ELSE ifnull(r.direction, '') END AS direction,
  e.error AS error,
  e.connection AS connection_id,
  (SELECT iif(m.name = '', NULL, m.id) FROM mark m WHERE m.time <= e.began ORDER BY m.time DESC, m.id DESC LIMIT 1) AS session_id,
  ifnull(e.app, '') AS app
FROM exchange e
LEFT JOIN report r ON r.id = (SELECT max(n.id) FROM report n WHERE n.exchange = e.id AND n.frame = 0);

CREATE VIEW connections AS
SELECT
  c.id AS id,
  c.opened AS time,
  ifnull((SELECT m.name FROM mark m WHERE m.time <= c.opened ORDER BY m.time DESC, m.id DESC LIMIT 1), '') AS session,
  c.device AS device,
  c.door AS door,
  c.host AS host,
  c.port AS port,
  CASE WHEN c.server LIKE '[%' THEN substr(c.server, 2, instr(c.server, ']') - 2)
    ELSE substr(c.server, 1, instr(c.server, ':') - 1) END AS server_ip,
  c.sni AS sni,
  c.alpn AS alpn,
  c.ja4 AS ja4,
  ifnull(c.client_tls ->> 'version', '') AS client_tls,
  ifnull(c.server_tls ->> 'version', '') AS server_tls,
  c.outcome AS outcome,
  c.reason AS reason,
  c.bytes_up AS bytes_up,
  c.bytes_down AS bytes_down,
  c.duration_us / 1000.0 AS duration_ms,
  ifnull(c.client_tls ->> 'alert', '') AS client_alert,
  ifnull(c.server_tls ->> 'alert', '') AS server_alert,
  ifnull(c.client_tls, '') AS client_tls_detail,
  ifnull(c.server_tls, '') AS server_tls_detail,
  ifnull(c.server_certificate, '') AS server_certificate,
  ifnull(c.server_chain, '') AS server_chain_sha256,
  (SELECT iif(m.name = '', NULL, m.id) FROM mark m WHERE m.time <= c.opened ORDER BY m.time DESC, m.id DESC LIMIT 1) AS session_id,
  ifnull(c.transport, 'tcp') AS transport,
  ifnull(c.app, '') AS app,
  ifnull(c.protocol, '') AS protocol,
  ifnull((SELECT l.name FROM lookup l WHERE l.id = c.lookup), '') AS dns_name,
  c.lookup AS dns_id,
  ifnull(c.http2, '') AS http2
FROM connection c;

CREATE VIEW dns AS
SELECT
  l.id AS id,
  l.time AS time,
  ifnull((SELECT m.name FROM mark m WHERE m.time <= l.time ORDER BY m.time DESC, m.id DESC LIMIT 1), '') AS session,
  l.device AS device,
  l.app AS app,
  l.door AS door,
  l.name AS name,
  l.type AS type,
  l.code AS code,
  l.addresses AS addresses,
  l.answers AS answers,
  l.over AS over,
  l.server AS server,
  l.resolver AS resolver,
  l.duration_us / 1000.0 AS duration_ms,
  l.stripped AS stripped,
  l.error AS error,
  (SELECT count(*) FROM connection c WHERE c.lookup = l.id) AS connections,
  (SELECT iif(m.name = '', NULL, m.id) FROM mark m WHERE m.time <= l.time ORDER BY m.time DESC, m.id DESC LIMIT 1) AS session_id
FROM lookup l;

CREATE VIEW coverage AS
WITH c AS (
  SELECT session, session_id, outcome, bytes_up, bytes_down FROM connections
  UNION ALL
  SELECT '*', NULL, outcome, bytes_up, bytes_down FROM connection
), t AS (
  SELECT session, session_id, outcome, count(*) AS connections, sum(bytes_up) AS bytes_up, sum(bytes_down) AS bytes_down
  FROM c GROUP BY session, session_id, outcome
)
SELECT
  session,
  outcome,
  outcome IN ('intercepted', 'plain') AS readable,
  connections,
  bytes_up,
  bytes_down,
  round(1.0 * connections / sum(connections) OVER s, 4) AS share_connections,
  round(1.0 * (bytes_up + bytes_down) / max(1, sum(bytes_up + bytes_down) OVER s), 4) AS share_bytes,
  session_id
FROM t WINDOW s AS (PARTITION BY session, session_id);
