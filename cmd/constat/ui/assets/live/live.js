// Follows a case: rows and totals come as server-sent events. What was captured
// is only ever put in place with textContent.
(function () {
  'use strict';
  const $ = (id) => document.getElementById(id);
  const limit = Number(document.body.dataset.rows);
  const body = $('rows');
  const rows = new Map(); // id -> {data, tr, text}
  let held = null; // rows that came while paused

  const outcomes = {
    intercepted: 'read', plain: 'read, not encrypted', passed: 'passed unread', raw: 'not HTTP', refused: 'refused',
    refused_quic: 'QUIC refused, so that TCP is used', refused_dns: 'private DNS refused',
    client_refused: 'certificate refused', suspected_pin: 'suspected pin', server_failed: 'server failed', idle: 'idle', cut_off: 'cut off',
  };

  function make(name, className, text) {
    const el = document.createElement(name);
    if (className) { el.className = className; }
    if (text !== undefined) { el.textContent = text; }
    return el;
  }

  function bytes(n) {
    if (n < 1000) { return n + ' B'; }
    const units = ['kB', 'MB', 'GB', 'TB'];
    let i = -1;
    do { n /= 1000; i++; } while (n >= 999.5 && i < units.length - 1);
    return (n < 10 ? n.toFixed(1) : Math.round(n)) + ' ' + units[i];
  }

  const known = /^[a-z_]+$/; // class names come from Constat, but go into a CSS class
  function tag(name) { return make('span', 'tag' + (known.test(name) ? ' tag-' + name : ''), name); }

  function clock(text) {
    const t = new Date(text);
    return isNaN(t) ? text : t.toLocaleTimeString([], { hour12: false });
  }

  function fill(tr, r) {
    const cells = [];
    const cell = (className, text) => { const td = make('td', className, text); cells.push(td); return td; };
    cell('', clock(r.time)).title = r.time;
    const device = cell('wire', r.device);
    device.title = r.device + (r.app ? ', ' + r.app : '');
    if (r.app) { device.append(make('span', 'dim', ' ' + r.app)); }
    cell('', r.method || r.scheme.toUpperCase());
    const port = { http: 80, https: 443, ws: 80, wss: 443 }[r.scheme] === r.port ? '' : ':' + r.port;
    cell('host wire', r.host + port).title = r.scheme + '://' + r.host + port;
    const raw = r.protocol ? 'looks like ' + r.protocol.toUpperCase() : 'not HTTP';
    const link = make('a', r.method ? 'wire' : 'dim', r.method ? r.path || '/' : raw);
    link.href = '/request/' + r.id;
    const path = cell('path', undefined);
    path.title = r.path;
    path.appendChild(link);
    if (r.error) {
      cell('bad', r.status ? r.status + ' !' : r.error.split(':')[0]).title = r.error;
    } else {
      cell(r.status >= 400 ? 'bad' : '', r.status ? String(r.status) : r.method ? '…' : '');
    }
    cell('r', bytes(r.up));
    cell('r', bytes(r.down));
    const tags = cell('tags', undefined);
    if (r.tags) {
      const arrow = { up: '↑', down: '↓', both: '↕' }[r.direction];
      if (arrow) { tags.appendChild(make('span', 'dirn', arrow)).title = { up: 'sent by the phone', down: 'received', both: 'sent and received' }[r.direction]; }
      r.tags.split(' ').forEach((name) => tags.appendChild(tag(name)));
    }
    const owner = cell('owner wire', undefined);
    owner.title = r.owner;
    owner.append(r.owner);
    cell('land', r.country).title = r.country && 'declared for the address; not where the machine is known to stand';
    tr.replaceChildren(...cells);
  }

  function matches(entry) {
    const want = $('tag').value;
    if (want === '*' && !entry.data.tags) { return false; }
    if (want && want !== '*' && !entry.data.tags.split(' ').includes(want)) { return false; }
    return $('filter').value.toLowerCase().split(/\s+/).every((word) => entry.text.includes(word));
  }

  function count() {
    const all = rows.size;
    const visible = body.querySelectorAll('tr:not([hidden])').length;
    $('shown').textContent = visible === all ? (all < limit ? '' : 'the newest ' + all) : visible + ' of the newest ' + all;
    $('empty').hidden = all > 0;
  }

  function show(list) {
    for (const r of list) {
      let entry = rows.get(r.id);
      if (!entry) {
        entry = { tr: make('tr', rows.size ? 'new' : '') };
        // The newest stand first; one that was committed late finds its place.
        let before = body.firstChild;
        while (before && Number(before.dataset.id) > r.id) { before = before.nextSibling; }
        entry.tr.dataset.id = r.id;
        body.insertBefore(entry.tr, before);
        rows.set(r.id, entry);
      }
      entry.data = r;
      entry.text = [r.device, r.app, r.protocol, r.method, r.scheme + '://' + r.host + r.path, r.status, r.tags, r.direction, r.owner, r.country, r.error].join(' ').toLowerCase();
      fill(entry.tr, r);
      entry.tr.hidden = !matches(entry);
    }
    while (rows.size > limit) {
      const last = body.lastChild;
      rows.delete(Number(last.dataset.id));
      last.remove();
    }
    count();
  }

  function refilter() {
    rows.forEach((entry) => { entry.tr.hidden = !matches(entry); });
    count();
  }

  function totals(t) {
    const sum = (o) => Object.values(o).reduce((a, b) => a + b, 0);
    $('t-requests').textContent = t.requests.toLocaleString();
    $('t-hosts').textContent = t.hosts.toLocaleString();
    $('t-up').textContent = bytes(t.up);
    $('t-down').textContent = bytes(t.down);
    $('t-findings').textContent = sum(t.findings).toLocaleString();
    $('t-canaries').textContent = t.canaries.toLocaleString();
    $('t-canaries').parentNode.classList.toggle('some', t.canaries > 0);
    $('session').textContent = t.session || 'none';

    const classes = Object.entries(t.findings).sort((a, b) => b[1] - a[1]);
    $('classes').replaceChildren(...(classes.length ? classes.map(([name, n]) => {
      const el = tag(name);
      el.append(' ' + n.toLocaleString());
      return el;
    }) : [make('span', 'none', 'nothing so far')]));

    const found = Object.entries(t.outcomes).sort((a, b) => b[1] - a[1]);
    const all = sum(t.outcomes);
    $('bar').replaceChildren(...found.map(([name, n]) => {
      const el = make('span', known.test(name) ? 'o-' + name : '');
      el.style.flexGrow = n / all; // through the CSSOM, which the policy allows
      el.title = (outcomes[name] || name) + ': ' + n;
      return el;
    }));
    $('outcomes').replaceChildren(...(found.length ? found.map(([name, n]) => {
      const li = make('li');
      li.append(make('i', known.test(name) ? 'o-' + name : ''), (outcomes[name] || name) + ' ' + n.toLocaleString());
      return li;
    }) : [make('li', 'none', 'none so far')]));

    $('unread').replaceChildren(...(t.unread.length ? t.unread.map((u) => {
      const li = make('li');
      const host = make('span', 'wire', u.host || '(no name)');
      host.title = u.host;
      li.append(host, make('span', 'why', (outcomes[u.outcome] || u.outcome) + (u.count > 1 ? ' × ' + u.count : '')));
      return li;
    }) : [make('li', 'none', 'nothing so far')]));
  }

  // The panel comes from the server as it is without a script. It is left alone while
  // somebody is in it.
  let refusals = '';
  function passing(t) {
    const panel = $('passing');
    const now = ['passed', 'client_refused', 'suspected_pin', 'intercepted'].map((name) => t.outcomes[name] || 0).join();
    if (panel && now !== refusals) {
      refusals = now;
      refreshPassing();
    }
  }
  function refreshPassing() {
    const panel = $('passing');
    if (!panel || panel.contains(document.activeElement)) { return; }
    fetch('/passing').then((answer) => answer.ok ? answer.text() : '').then((text) => {
      const fresh = new DOMParser().parseFromString(text, 'text/html').getElementById('passing');
      if (fresh && !$('passing').contains(document.activeElement)) { $('passing').replaceWith(document.adoptNode(fresh)); }
    }).catch(() => {});
  }
  setInterval(refreshPassing, 30000); // what passes for a while ends

  function trouble(text) {
    $('trouble').hidden = !text;
    $('trouble').textContent = text;
  }

  function connected(yes) {
    $('live').classList.toggle('on', yes);
    $('live').title = yes ? 'following the case' : 'not connected';
  }

  $('filter').addEventListener('input', refilter);
  $('tag').addEventListener('change', refilter);
  $('pause').addEventListener('click', () => {
    if (held) {
      show([...held.values()]);
      held = null;
    } else {
      held = new Map();
    }
    $('pause').textContent = held ? 'Go on' : 'Pause';
  });

  const events = new EventSource('/events');
  events.addEventListener('open', () => { connected(true); });
  events.addEventListener('error', () => {
    connected(false);
    trouble(events.readyState === EventSource.CLOSED ? 'Constat does not answer any more, or was started again: open the link that it printed.' : '');
  });
  events.addEventListener('trouble', (e) => { trouble(JSON.parse(e.data)); });
  events.addEventListener('totals', (e) => {
    trouble('');
    const t = JSON.parse(e.data);
    totals(t);
    passing(t);
  });
  events.addEventListener('rows', (e) => {
    trouble('');
    const list = JSON.parse(e.data);
    if (!held) {
      show(list);
      return;
    }
    list.forEach((r) => held.set(r.id, r));
    while (held.size > limit) { held.delete(held.keys().next().value); }
  });
}());
