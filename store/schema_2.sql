-- Version 2: values that could be identifiers, the roles of those who answer.
-- From "CREATE VIEW" on, this also serves to read cases of version 1 as they are.

ALTER TABLE report ADD COLUMN identifying TEXT; -- JSON list of lists: value, kind, name, bits, path, direction, and a time when it holds one

CREATE TABLE address(                 -- who is behind a host name and the address that answered, the newest counts
  id        INTEGER PRIMARY KEY,
  seq       INTEGER NOT NULL,
  time      TEXT NOT NULL,
  host      TEXT NOT NULL,
  server_ip TEXT NOT NULL,            -- '' when none answered
  owner     TEXT NOT NULL,
  country   TEXT NOT NULL,
  domain    TEXT NOT NULL,
  company   TEXT NOT NULL,
  asn       INTEGER NOT NULL,         -- 0: not known
  as_holder TEXT NOT NULL,
  registry  TEXT NOT NULL,
  cloud     TEXT NOT NULL,
  data      TEXT NOT NULL
) STRICT;
CREATE INDEX address_newest ON address(host, server_ip, id);

CREATE TRIGGER address_kept BEFORE DELETE ON address BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be deleted'); END;
CREATE TRIGGER address_fixed BEFORE UPDATE ON address BEGIN SELECT raise(ABORT, 'records are evidence: they cannot be changed'); END;

DROP VIEW identifiers;

CREATE VIEW identifier_uses AS
SELECT
  r.exchange AS request_id,
  v.value ->> 0 AS value,
  v.value ->> 1 AS kind,
  v.value ->> 2 AS name,
  v.value ->> 3 AS bits,
  v.value ->> 4 AS path,
  v.value ->> 5 AS direction,
  ifnull(v.value ->> 6, '') AS time_in_value,
  r.frame AS frame_id
FROM report r, json_each(r.identifying) v
WHERE r.identifying IS NOT NULL
  AND r.id = (SELECT max(n.id) FROM report n WHERE n.exchange = r.exchange AND n.frame = r.frame);

CREATE VIEW identifiers AS
WITH reset AS MATERIALIZED (
  SELECT m.time AS time FROM mark m
  WHERE m.name <> '' AND (lower(m.name) IN ('reset', 'reboot', 'wipe', 'reinstall', 'clear') OR EXISTS(
    SELECT 1 FROM json_each(m.factors) f
    WHERE lower(f.key) IN ('reset', 'reboot', 'wipe', 'reinstall', 'clear') AND lower(f.value) NOT IN ('', 'no', 'off', 'none', 'false', '0')))
), place AS MATERIALIZED (
  SELECT e.id AS id, e.host AS host, e.began AS began,
    (SELECT CASE m.name WHEN '' THEN NULL ELSE m.id END FROM mark m WHERE m.time <= e.began ORDER BY m.time DESC, m.id DESC LIMIT 1) AS session
  FROM exchange e
), used AS (
  SELECT value, kind, 'value' AS source, name, request_id, frame_id, direction, time_in_value FROM identifier_uses
  UNION ALL
  SELECT canary, kind, 'canary', '', request_id, frame_id, direction, '' FROM canary_hits WHERE class = 'identifiers'
  UNION ALL
  SELECT excerpt, detector, 'finding', '', request_id, frame_id, direction, '' FROM findings WHERE class = 'identifiers' AND detector <> 'canary'
)
SELECT
  u.value AS value,
  max(u.kind) AS kind,
  ifnull(group_concat(DISTINCT nullif(u.name, '')), '') AS names,
  u.source AS source,
  count(DISTINCT p.id) AS requests,
  count(DISTINCT CASE u.direction WHEN 'up' THEN iif(u.frame_id > 0, -u.frame_id, p.id) END) AS transmissions,
  count(DISTINCT p.host) AS hosts,
  group_concat(DISTINCT p.host) AS host_list,
  min(p.began) AS first_seen,
  max(p.began) AS last_seen,
  round((julianday(max(p.began)) - julianday(min(p.began))) * 86400, 3) AS lifespan_seconds,
  count(DISTINCT p.session) AS sessions,
  (SELECT count(*) FROM reset r WHERE r.time > min(p.began) AND r.time <= max(p.began)) AS resets,
  max(u.time_in_value) AS time_in_value
FROM used u JOIN place p ON p.id = u.request_id
GROUP BY u.source, u.value;

CREATE VIEW addresses AS
WITH pair AS MATERIALIZED (
  SELECT host, CASE WHEN server LIKE '[%' THEN substr(server, 2, instr(server, ']') - 2)
      ELSE substr(server, 1, instr(server, ':') - 1) END AS ip,
    count(*) AS requests, min(began) AS first, max(began) AS last
  FROM exchange GROUP BY host, ip
), shown AS MATERIALIZED ( -- what max(id) stands beside is taken from the row that has it
  SELECT host, CASE WHEN server LIKE '[%' THEN substr(server, 2, instr(server, ']') - 2)
      ELSE substr(server, 1, instr(server, ':') - 1) END AS ip,
    max(id), ',' || replace(replace(server_certificate ->> 'subject', '\,', char(1)), '\+', char(2)) || ',' AS subject
  FROM connection WHERE server_certificate IS NOT NULL GROUP BY host, ip
), holder AS MATERIALIZED (
  SELECT host, ip, CASE
      WHEN instr(subject, ',O=') > 0 THEN substr(subject, instr(subject, ',O=') + 3)
      WHEN instr(subject, ',CN=') > 0 THEN substr(subject, instr(subject, ',CN=') + 4)
      ELSE ',' END AS rest
  FROM shown
)
SELECT
  p.host AS host,
  p.ip AS server_ip,
  ifnull(a.owner, '') AS owner,
  ifnull(a.country, '') AS country,
  ifnull(a.domain, '') AS domain,
  ifnull(a.company, '') AS company,
  nullif(a.asn, 0) AS asn,
  ifnull(a.as_holder, '') AS as_holder,
  ifnull(a.registry, '') AS registry,
  ifnull(a.cloud, '') AS cloud,
  ifnull(replace(replace(substr(h.rest, 1, instr(h.rest, ',') - 1), char(1), ','), char(2), '+'), '') AS certificate_holder,
  ifnull(a.data, '') AS data,
  p.requests AS requests,
  p.first AS first_seen,
  p.last AS last_seen
FROM pair p
LEFT JOIN address a ON a.id = (SELECT max(n.id) FROM address n WHERE n.host = p.host AND n.server_ip = p.ip)
LEFT JOIN holder h ON h.host = p.host AND h.ip = p.ip;
