package main

import (
	"fmt"
	"strings"

	"constat/inspect"
)

// visits are pages that somebody opened.
func visits(g *gen, f func(url, title string) m) []m {
	return times(g, 2, 9, func(int) m {
		g.speak()
		return f(g.url(), pick(g, g.pages))
	})
}

var browsingFamily = family{
	class: inspect.BrowsingHistory, byValue: true, rounds: 12,
	skip: []string{"header, base64"},
	dialects: []dialect{
		{name: "history list", path: "/history/sync", value: func(g *gen) any {
			return m{"history": visits(g, func(url, title string) m {
				return m{"url": url, "title": title, "lastVisited": g.when(), "visitCount": 1 + g.IntN(9)}
			})}
		}},
		{name: "provider columns", path: "/bak", value: func(g *gen) any {
			return m{"bookmarks_history": visits(g, func(url, title string) m {
				return m{"_id": g.IntN(900), "url": url, "title": title, "date": g.when(), "visits": 1 + g.IntN(9), "bookmark": 0}
			})}
		}},
		{name: "page load event", path: "/sa?project=browser", value: func(g *gen) any {
			return m{"event": "page_load_event_finish", "type": "track", "properties": m{"url": g.url(), "internet_status": "wifi", "load_ms": g.IntN(4000)}}
		}},
		{name: "search event", path: "/sa", value: func(g *gen) any {
			return m{"event": "search", "properties": m{"search_word": pick(g, g.searches), "used_searchengine": "duckduckgo", "search_method": "input", "search_position": "home"}}
		}},
		{name: "incognito too", path: "/track", value: func(g *gen) any {
			return m{"e": "nav", "p": m{"page_url": g.url(), "page_title": pick(g, g.pages), "incognito": true}}
		}},
		{name: "screen view of a web page", path: "/v1/batch", value: func(g *gen) any {
			return m{"batch": visits(g, func(url, title string) m {
				return m{"type": "page", "properties": m{"url": url, "title": title, "referrer": g.url()}, "timestamp": g.iso()}
			})}
		}},
		{name: "queries", path: "/suggest/log", value: func(g *gen) any {
			return m{"searchQueries": times(g, 2, 6, func(int) m { g.speak(); return m{"query": pick(g, g.searches), "ts": g.when()} })}
		}},
		{name: "open tabs", path: "/tabs", value: func(g *gen) any {
			return m{"clientName": "phone", "tabs": visits(g, func(url, title string) m {
				return m{"title": title, "urlHistory": []string{url, g.url()}, "lastUsed": g.sec()}
			})}
		}},
		{name: "reputation check of every page", path: "/urlrep/check", value: func(g *gen) any {
			return m{"checkUrls": times(g, 2, 5, func(int) string { return g.url() }), "source": "navigation"}
		}},
		{name: "French keys", path: "/hist", value: func(g *gen) any {
			return m{"historique": visits(g, func(url, title string) m { return m{"adresse": url, "titre": title, "visite_le": g.date()} })}
		}},
		{name: "German keys", path: "/verlauf", value: func(g *gen) any {
			return m{"verlauf": visits(g, func(url, title string) m { return m{"adresse": url, "titel": title, "besucht": g.date()} })}
		}},
		{name: "Chinese keys", path: "/lishi", value: func(g *gen) any {
			return m{"浏览记录": visits(g, func(url, title string) m { return m{"网址": url, "标题": title, "访问时间": g.date()} })}
		}},
		{name: "short keys", path: "/h", value: func(g *gen) any {
			return m{"h": visits(g, func(url, title string) m { return m{"u": url, "t": title, "d": g.sec()} })}
		}},
		{name: "clickstream", path: "/clickstream", value: func(g *gen) any {
			return m{"events": visits(g, func(url, _ string) m {
				return m{"targetUrl": url, "fromUrl": g.url(), "transition": "link", "dwellMs": g.IntN(90000)}
			})}
		}},
		{name: "download event", path: "/dl", value: func(g *gen) any {
			return m{"event": "download_files", "op": "start", "suffix": "pdf", "url": g.url(), "referer_page": g.url()}
		}},
		{name: "video watched", path: "/yt", value: func(g *gen) any {
			return m{"event": "youtube_play", "watched_url": "https://video.example.tv/watch?v=" + g.hex(11), "search_query": pick(g, g.searches)}
		}},
		{name: "parental control", path: "/child/report", value: func(g *gen) any {
			return m{"websites": visits(g, func(url, _ string) m { return m{"site": url, "visitedAt": g.iso(), "blocked": false} })}
		}},

		{name: "Spanish keys", path: "/historial", unseen: true, value: func(g *gen) any {
			return m{"historial": visits(g, func(url, title string) m { return m{"direccion": url, "titulo": title, "visitada": g.date()} })}
		}},
		{name: "Russian keys", path: "/istoriya", unseen: true, value: func(g *gen) any {
			return m{"история": visits(g, func(url, title string) m {
				return m{"адрес": url, "заголовок": title, "время": g.date()}
			})}
		}},
		{name: "Japanese keys", path: "/rireki", unseen: true, value: func(g *gen) any {
			return m{"閲覧履歴": visits(g, func(url, title string) m { return m{"アドレス": url, "題名": title, "日時": g.date()} })}
		}},
		{name: "rows without names", path: "/dump", unseen: true, value: func(g *gen) any {
			var rows [][]any
			for range 4 + g.IntN(5) {
				rows = append(rows, []any{g.when(), g.url(), pick(g, g.pages)})
			}
			return m{"rows": rows, "t": "urls"}
		}},
		{name: "encoded in base64 one by one", path: "/v3/beacon", unseen: true, value: func(g *gen) any {
			return m{"nav": times(g, 2, 6, func(int) m { return m{"u": b64([]byte(g.url())), "ts": g.when()} })}
		}},
		{name: "Chrome-like visits", path: "/uma", unseen: true, value: func(g *gen) any {
			return m{"visited_pages": visits(g, func(url, _ string) m {
				return m{"spec": url, "transition_type": 0, "visit_time_windows_epoch_micros": g.when() * 1000, "foreground_duration": g.IntN(99)}
			})}
		}},
		{name: "accessibility spy", path: "/acc", unseen: true, value: func(g *gen) any {
			return m{"pkg": "com.android.chrome", "url_bar": g.url(), "when": g.when()}
		}},
	},
	wholes: []whole{
		{name: "query of a page check", make: func(g *gen) *inspect.Subject {
			return query("/check", "url", g.url(), "src", "nav")
		}},
		{name: "query of a tag", make: func(g *gen) *inspect.Subject {
			return query("/collect", "v", "1", "t", "pageview", "dl", g.url(), "dt", pick(g, g.pages))
		}},
		{name: "query of another tag", make: func(g *gen) *inspect.Subject {
			return query("/matomo.php", "idsite", "3", "rec", "1", "url", g.url(), "action_name", pick(g, g.pages), "urlref", g.url())
		}},
		{name: "form of a search", make: func(g *gen) *inspect.Subject {
			return form("/stat/search", "search_term", pick(g, g.searches), "engine", "bing", "incognito", "0")
		}},
		{name: "lines of addresses", make: func(g *gen) *inspect.Subject {
			lines := times(g, 3, 9, func(int) string { return fmt.Sprintf("%s %s", g.iso(), g.url()) })
			return up("POST", "/visited.log", "text/plain", []byte(strings.Join(lines, "\n")))
		}},
		{name: "history file", make: func(g *gen) *inspect.Subject {
			rows := visits(g, func(url, title string) m {
				return m{"url": url, "title": title, "visit_count": 1 + g.IntN(9), "last_visit_time": g.when() * 1000, "hidden": 0}
			})
			for i := range rows {
				rows[i] = tree(rows[i]).(m)
			}
			body, ct := upload("History", "History", "application/octet-stream", sqliteFile("urls", rows), nil)
			return up("POST", "/backup", ct, body)
		}},
		{name: "bookmarks page of visits", unseen: true, make: func(g *gen) *inspect.Subject {
			lines := times(g, 3, 7, func(int) string {
				return fmt.Sprintf(`<DT><A HREF="%s" LAST_VISIT="%d">%s</A>`, esc(g.url()), g.sec(), esc(pick(g, g.pages)))
			})
			return up("PUT", "/export/history.html", "text/html", []byte("<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<TITLE>History</TITLE>\n<DL>"+strings.Join(lines, "\n")+"</DL>"))
		}},
		{name: "last pages in a cookie", unseen: true, make: func(g *gen) *inspect.Subject {
			s := subject("GET", "/pixel.gif")
			s.Request.Header.Set("Cookie", "lastpages="+strings.ReplaceAll(strings.Join([]string{g.url(), g.url(), g.url()}, "|"), " ", "%20"))
			return s
		}},
	},
}
