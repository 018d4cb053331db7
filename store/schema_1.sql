-- A Constat case. The views at the end are the interface and are described in
-- docs/schema.md; the tables may change from one version to the next.
-- Everything in the log and in the tables of its kinds is evidence: it is only
-- ever added to. Times are RFC 3339 in UTC.

CREATE TABLE log(
  seq  INTEGER PRIMARY KEY,           -- leaf index in the Merkle tree, from 0 without gaps
  kind TEXT NOT NULL,                 -- the table that holds the record
  id   INTEGER NOT NULL,              -- its id there
  hash BLOB NOT NULL                  -- RFC 6962 leaf hash of the record
) STRICT;

CREATE TABLE subtree(                 -- roots of the complete subtrees of 256 leaves; can be computed from log
  n    INTEGER PRIMARY KEY,           -- from 0: leaves 256n to 256n+255
  hash BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoint(
  id   INTEGER PRIMARY KEY,           -- from 1 without gaps
  time TEXT NOT NULL,
  size INTEGER NOT NULL,              -- leaves that it covers
  root BLOB NOT NULL,
  note TEXT NOT NULL                  -- signed note, C2SP tlog-checkpoint; says all of the above
) STRICT;

CREATE TABLE secret(                  -- from which the salts of sealed columns are derived
  id     INTEGER PRIMARY KEY CHECK(id = 1),
  secret BLOB NOT NULL
) STRICT;

CREATE TABLE genesis(
  id       INTEGER PRIMARY KEY,
  seq      INTEGER NOT NULL,
  case_id  TEXT NOT NULL,             -- ULID
  created  TEXT NOT NULL,
  tool     TEXT NOT NULL,
  format   INTEGER NOT NULL,          -- version of what records and leaves mean
  verifier TEXT NOT NULL              -- C2SP verifier key of the checkpoints
) STRICT;

CREATE TABLE run(                     -- one per time that the case was opened for writing
  id       INTEGER PRIMARY KEY,
  seq      INTEGER NOT NULL,
  began    TEXT NOT NULL,
  tool     TEXT NOT NULL,
  settings TEXT NOT NULL              -- JSON object
) STRICT;

CREATE TABLE persona(                 -- the planted identity, from its time on
  id      INTEGER PRIMARY KEY,
  seq     INTEGER NOT NULL,
  time    TEXT NOT NULL,
  name    TEXT NOT NULL,
  persona BLOB                        -- JSON
) STRICT;

CREATE TABLE mark(                    -- ends a session and, unless its name is empty, opens the next
  id      INTEGER PRIMARY KEY,
  seq     INTEGER NOT NULL,
  time    TEXT NOT NULL,
  name    TEXT NOT NULL,
  factors TEXT NOT NULL,              -- JSON object
  note    TEXT NOT NULL
) STRICT;

CREATE TABLE connection(
  id          INTEGER PRIMARY KEY,
  seq         INTEGER NOT NULL,
  opened      TEXT NOT NULL,
  duration_us INTEGER NOT NULL,
  door        TEXT NOT NULL,
  device      TEXT NOT NULL,
  client      TEXT NOT NULL,          -- address:port
  host        TEXT NOT NULL,
  port        INTEGER NOT NULL,
  server      TEXT NOT NULL,          -- address:port that was dialled, '' when none was
  sni         TEXT NOT NULL,
  alpn        TEXT NOT NULL,
  ja4         TEXT NOT NULL,
  client_tls  TEXT,                   -- JSON, NULL without TLS
  client_chain TEXT,
  client_certificate TEXT,
  server_tls  TEXT,
  server_chain TEXT,                  -- SHA-256 of the certificates, leaf first; see certificate
  server_certificate TEXT,            -- JSON: what the leaf says of itself
  bytes_up    INTEGER NOT NULL,
  bytes_down  INTEGER NOT NULL,
  outcome     TEXT NOT NULL,
  reason      TEXT NOT NULL,
  first_up    BLOB,                   -- first bytes of a connection that is neither TLS nor HTTP
  first_down  BLOB
) STRICT;

CREATE TABLE exchange(
  id          INTEGER PRIMARY KEY,    -- in the order of beginning
  seq         INTEGER NOT NULL,
  connection  INTEGER NOT NULL,
  device      TEXT NOT NULL,
  door        TEXT NOT NULL,
  began       TEXT NOT NULL,
  duration_us INTEGER NOT NULL,
  method      TEXT NOT NULL,
  scheme      TEXT NOT NULL,
  host        TEXT NOT NULL,
  port        INTEGER NOT NULL,
  path        TEXT NOT NULL,
  query       TEXT NOT NULL,
  server      TEXT NOT NULL,          -- address:port that answered, '' when none did
  request_proto       TEXT NOT NULL,
  request_exact       INTEGER NOT NULL, -- 1: request_head is what was on the wire
  request_head        BLOB,
  request_trailer     BLOB,
  request_size        INTEGER,        -- of the body; NULL: no body
  request_kept        INTEGER,        -- bytes of it that are kept
  request_complete    INTEGER,        -- 1: the sender ended it properly
  request_sha256      BLOB,
  request_kept_sha256 BLOB,           -- NULL when all is kept
  request_chunk       INTEGER,        -- the last chunk of what is kept; NULL when nothing is
  status      INTEGER NOT NULL,       -- 0: no response
  response_proto       TEXT NOT NULL,
  response_exact       INTEGER NOT NULL,
  response_head        BLOB,
  response_trailer     BLOB,
  response_size        INTEGER,
  response_kept        INTEGER,
  response_complete    INTEGER,
  response_sha256      BLOB,
  response_kept_sha256 BLOB,
  response_chunk       INTEGER,
  error       TEXT NOT NULL
) STRICT;

CREATE TABLE frame(                   -- a WebSocket message
  id          INTEGER PRIMARY KEY,
  seq         INTEGER NOT NULL,
  exchange    INTEGER NOT NULL,
  time        TEXT NOT NULL,
  direction   TEXT NOT NULL,
  opcode      INTEGER NOT NULL,
  deflated    INTEGER NOT NULL,
  size        INTEGER,
  kept        INTEGER,
  complete    INTEGER,
  sha256      BLOB,
  kept_sha256 BLOB,
  chunk       INTEGER
) STRICT;
CREATE INDEX frame_exchange ON frame(exchange);

CREATE TABLE report(                  -- what an inspection found; the newest of an exchange and frame counts
  id        INTEGER PRIMARY KEY,
  seq       INTEGER NOT NULL,
  exchange  INTEGER NOT NULL,
  frame     INTEGER NOT NULL,         -- 0: on the exchange itself
  time      TEXT NOT NULL,
  version   TEXT NOT NULL,            -- of the inspector
  parts     INTEGER NOT NULL,
  tags      TEXT NOT NULL,
  direction TEXT NOT NULL,
  owner     TEXT NOT NULL,
  country   TEXT NOT NULL,
  findings  TEXT,                     -- JSON lists
  hits      TEXT,
  damage    TEXT
) STRICT;
CREATE INDEX report_newest ON report(exchange, frame, id);

-- Pieces of bodies, of 256 KiB but for the last. There is no index on the
-- hashes, which come in no order: it would cost more than all the rest of a
-- request. Equal bodies are stored once as long as the writer remembers them.
CREATE TABLE chunk(
  id     INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL,               -- of the body from its first byte to the end of this chunk
  parent INTEGER,                     -- the chunk before it, NULL for the first
  size   INTEGER NOT NULL,            -- bytes of the body to the end of this chunk
  codec  TEXT NOT NULL,               -- of data: '' or 'zstd'
  data   BLOB NOT NULL
) STRICT;

CREATE TABLE certificate(             -- that servers presented
  sha256 BLOB PRIMARY KEY,
  der    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE open_record(             -- not evidence: what is going on, in case the program dies
  kind          TEXT NOT NULL,
  id            INTEGER NOT NULL,
  facts         TEXT NOT NULL,        -- JSON list of the columns known so far
  request       INTEGER,              -- last chunk of each body so far
  response      INTEGER,
  PRIMARY KEY(kind, id)
) STRICT, WITHOUT ROWID;

-- Guards.

CREATE TRIGGER log_kept BEFORE DELETE ON log BEGIN SELECT raise(ABORT, 'the log is evidence: it cannot be deleted'); END;
CREATE TRIGGER log_fixed BEFORE UPDATE ON log BEGIN SELECT raise(ABORT, 'the log is evidence: it cannot be changed'); END;
CREATE TRIGGER subtree_kept BEFORE DELETE ON subtree BEGIN SELECT raise(ABORT, 'the log is evidence: it cannot be deleted'); END;
CREATE TRIGGER subtree_fixed BEFORE UPDATE ON subtree BEGIN SELECT raise(ABORT, 'the log is evidence: it cannot be changed'); END;
CREATE TRIGGER checkpoint_kept BEFORE DELETE ON checkpoint BEGIN SELECT raise(ABORT, 'checkpoints are evidence: they cannot be deleted'); END;
CREATE TRIGGER checkpoint_fixed BEFORE UPDATE ON checkpoint BEGIN SELECT raise(ABORT, 'checkpoints are evidence: they cannot be changed'); END;
CREATE TRIGGER secret_kept BEFORE DELETE ON secret BEGIN SELECT raise(ABORT, 'the secret is needed to verify the log: it cannot be deleted'); END;
CREATE TRIGGER secret_fixed BEFORE UPDATE ON secret BEGIN SELECT raise(ABORT, 'the secret is needed to verify the log: it cannot be changed'); END;
CREATE TRIGGER genesis_kept BEFORE DELETE ON genesis BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be deleted'); END;
CREATE TRIGGER genesis_fixed BEFORE UPDATE ON genesis BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be changed'); END;
CREATE TRIGGER run_kept BEFORE DELETE ON run BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be deleted'); END;
CREATE TRIGGER run_fixed BEFORE UPDATE ON run BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be changed'); END;
CREATE TRIGGER persona_kept BEFORE DELETE ON persona BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be deleted'); END;
CREATE TRIGGER persona_fixed BEFORE UPDATE ON persona BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be changed'); END;
CREATE TRIGGER mark_kept BEFORE DELETE ON mark BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be deleted'); END;
CREATE TRIGGER mark_fixed BEFORE UPDATE ON mark BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be changed'); END;
CREATE TRIGGER connection_kept BEFORE DELETE ON connection BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be deleted'); END;
CREATE TRIGGER connection_fixed BEFORE UPDATE ON connection BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be changed'); END;
CREATE TRIGGER exchange_kept BEFORE DELETE ON exchange BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be deleted'); END;
CREATE TRIGGER exchange_fixed BEFORE UPDATE ON exchange BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be changed'); END;
CREATE TRIGGER frame_kept BEFORE DELETE ON frame BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be deleted'); END;
CREATE TRIGGER frame_fixed BEFORE UPDATE ON frame BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be changed'); END;
CREATE TRIGGER report_kept BEFORE DELETE ON report BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be deleted'); END;
CREATE TRIGGER report_fixed BEFORE UPDATE ON report BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be changed'); END;
CREATE TRIGGER chunk_fixed BEFORE UPDATE ON chunk BEGIN SELECT raise(ABORT, 'bodies are evidence: they cannot be changed'); END;
CREATE TRIGGER chunk_kept BEFORE DELETE ON chunk
WHEN EXISTS(SELECT 1 FROM chunk WHERE parent = old.id)
  OR EXISTS(SELECT 1 FROM exchange WHERE old.id IN (request_chunk, response_chunk))
  OR EXISTS(SELECT 1 FROM frame WHERE old.id = chunk)
  OR EXISTS(SELECT 1 FROM open_record WHERE old.id IN (request, response))
BEGIN SELECT raise(ABORT, 'bodies are evidence: what a record refers to cannot be deleted'); END;
CREATE TRIGGER certificate_kept BEFORE DELETE ON certificate BEGIN SELECT raise(ABORT, 'certificates are evidence: they cannot be deleted'); END;
CREATE TRIGGER certificate_fixed BEFORE UPDATE ON certificate BEGIN SELECT raise(ABORT, 'certificates are evidence: they cannot be changed'); END;

-- The views: the interface.

CREATE VIEW sessions AS
SELECT m.id AS id, m.name AS name, m.factors AS factors, m.note AS note, m.time AS opened,
  ifnull((SELECT n.time FROM mark n WHERE (n.time, n.id) > (m.time, m.id) ORDER BY n.time, n.id LIMIT 1), '') AS closed
FROM mark m WHERE m.name <> '';

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
  e.connection AS connection_id
FROM exchange e
LEFT JOIN report r ON r.id = (SELECT max(n.id) FROM report n WHERE n.exchange = e.id AND n.frame = 0);

CREATE VIEW findings AS
SELECT
  r.id * 1000000 + f.key + 1 AS id,
  r.exchange AS request_id,
  f.value ->> 'class' AS class,
  f.value ->> 'direction' AS direction,
  f.value ->> 'confidence' AS confidence,
  f.value ->> 'detector' AS detector,
  f.value ->> 'path' AS path,
  ifnull(f.value ->> 'excerpt', '') AS excerpt,
  ifnull(f.value ->> 'reason', '') AS reason,
  r.frame AS frame_id,
  ifnull(f.value ->> 'start', 0) AS "start",
  ifnull(f.value ->> 'end', 0) AS "end"
FROM report r, json_each(r.findings) f
WHERE r.findings IS NOT NULL
  AND r.id = (SELECT max(n.id) FROM report n WHERE n.exchange = r.exchange AND n.frame = r.frame);

CREATE VIEW canary_hits AS
SELECT
  r.exchange AS request_id,
  h.value ->> 'canary' AS canary,
  h.value ->> 'kind' AS kind,
  h.value ->> 'form' AS form,
  h.value ->> 'path' AS path,
  h.value ->> 'class' AS class,
  h.value ->> 'direction' AS direction,
  r.frame AS frame_id,
  ifnull(h.value ->> 'start', 0) AS "start",
  ifnull(h.value ->> 'end', 0) AS "end"
FROM report r, json_each(r.hits) h
WHERE r.hits IS NOT NULL
  AND r.id = (SELECT max(n.id) FROM report n WHERE n.exchange = r.exchange AND n.frame = r.frame);

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
  ifnull(c.server_chain, '') AS server_chain_sha256
FROM connection c;

CREATE VIEW hosts AS
WITH q AS (
  SELECT host, count(*) AS requests, sum(request_bytes) AS up, sum(response_bytes) AS down, min(time) AS first, max(time) AS last
  FROM requests GROUP BY host
), c AS (
  SELECT host, count(*) AS connections, min(opened) AS first, max(opened) AS last,
    sum(outcome = 'intercepted') AS intercepted, sum(outcome = 'passed') AS passed,
    sum(outcome IN ('client_refused', 'suspected_pin')) AS refused
  FROM connection GROUP BY host
), t AS (
  SELECT host, group_concat(class, ' ') AS tags FROM (
    SELECT DISTINCT q.host AS host, j.value AS class
    FROM requests q, json_each('["' || replace(q.tags, ' ', '","') || '"]') j
    WHERE q.tags <> '' ORDER BY 1, 2)
  GROUP BY host
), o AS (
  SELECT e.host AS host, r.owner AS owner, r.country AS country, max(r.id)
  FROM report r JOIN exchange e ON e.id = r.exchange WHERE r.owner <> '' OR r.country <> ''
  GROUP BY e.host
), h AS (SELECT host FROM q UNION SELECT host FROM c)
SELECT
  h.host AS host,
  ifnull(q.requests, 0) AS requests,
  ifnull(c.connections, 0) AS connections,
  ifnull(q.up, 0) AS bytes_up,
  ifnull(q.down, 0) AS bytes_down,
  coalesce(min(q.first, c.first), q.first, c.first) AS first_seen,
  coalesce(max(q.last, c.last), q.last, c.last) AS last_seen,
  ifnull(t.tags, '') AS tags,
  ifnull(c.intercepted, 0) AS intercepted,
  ifnull(c.passed, 0) AS passed,
  ifnull(c.refused, 0) AS refused,
  ifnull(o.owner, '') AS owner,
  ifnull(o.country, '') AS country
FROM h LEFT JOIN q USING(host) LEFT JOIN c USING(host) LEFT JOIN t USING(host) LEFT JOIN o USING(host);

CREATE VIEW identifiers AS
SELECT
  v.value AS value,
  v.kind AS kind,
  v.source AS source,
  count(DISTINCT e.id) AS requests,
  count(DISTINCT e.host) AS hosts,
  min(e.began) AS first_seen,
  max(e.began) AS last_seen
FROM (
  SELECT request_id, canary AS value, kind, 'canary' AS source FROM canary_hits WHERE class = 'identifiers'
  UNION ALL
  SELECT request_id, excerpt, detector, 'finding' FROM findings WHERE class = 'identifiers' AND detector <> 'canary'
) v JOIN exchange e ON e.id = v.request_id
GROUP BY 1, 2, 3;

CREATE VIEW coverage AS
WITH c AS (
  SELECT session, outcome, bytes_up, bytes_down FROM connections
  UNION ALL
  SELECT '*', outcome, bytes_up, bytes_down FROM connection
), t AS (
  SELECT session, outcome, count(*) AS connections, sum(bytes_up) AS bytes_up, sum(bytes_down) AS bytes_down
  FROM c GROUP BY session, outcome
)
SELECT
  session,
  outcome,
  outcome IN ('intercepted', 'plain') AS readable,
  connections,
  bytes_up,
  bytes_down,
  round(1.0 * connections / sum(connections) OVER s, 4) AS share_connections,
  round(1.0 * (bytes_up + bytes_down) / max(1, sum(bytes_up + bytes_down) OVER s), 4) AS share_bytes
FROM t WINDOW s AS (PARTITION BY session);
