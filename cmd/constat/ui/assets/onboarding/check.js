// Finds out on this very device whether the proxy is used and the certificate
// trusted. An image from the check host loads only through the proxy; over https
// only with the certificate. Written for browsers of 2014 (ES5, no fetch).
(function () {
  'use strict';
  var card = document.getElementById('check');
  var again = document.getElementById('again');
  if (!card || !again) { return; }
  var host = card.getAttribute('data-host');
  var limit = 10000; // ms to wait for one image
  var run = 0;

  function state(id, name) { document.getElementById(id).className = 'row ' + name; }

  function verdict(id) {
    var all = ['v-good', 'v-none', 'v-cert', 'v-plain'];
    for (var i = 0; i < all.length; i++) {
      var el = document.getElementById(all[i]);
      el.className = el.className.replace(/ shown/g, '') + (all[i] === id ? ' shown' : '');
    }
  }

  function load(scheme, done) {
    var img = new Image();
    var over = false;
    function end(ok) {
      if (over) { return; }
      over = true;
      clearTimeout(timer);
      img.onload = img.onerror = null;
      done(ok);
    }
    var timer = setTimeout(function () { end(false); }, limit);
    img.onload = function () { end(img.width > 0); };
    img.onerror = function () { end(false); };
    img.src = scheme + '://' + host + '/check.png?' + new Date().getTime() + '-' + Math.random();
  }

  function check() {
    var mine = ++run;
    var plain, tls;
    function show() {
      if (mine !== run) { return; }
      if (plain !== undefined) { state('plain', plain ? 'ok' : 'fail'); }
      if (tls !== undefined && (tls || plain)) { state('tls', tls ? 'ok' : 'fail'); }
      if (plain === undefined || tls === undefined) { return; }
      if (!plain && !tls) { state('tls', 'skipped'); }
      verdict(plain ? (tls ? 'v-good' : 'v-cert') : (tls ? 'v-plain' : 'v-none'));
      again.disabled = false;
    }
    again.disabled = true;
    state('plain', 'waiting');
    state('tls', 'waiting');
    verdict('');
    // A page that came by https may load nothing else, and is itself the proof.
    load(location.protocol === 'https:' ? 'https' : 'http', function (ok) { plain = ok; show(); });
    load('https', function (ok) { tls = ok; show(); });
  }

  card.className += ' live';
  again.onclick = check;
  check();
}());
