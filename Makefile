# make run     start Constat on a fresh case
# make test    all tests, with the race detector where goroutines share something, and the end-to-end tests
# make lint    go vet, staticcheck, gofumpt
# make bench   cost per request, side by side with other proxies
# make score   precision and recall: make score DATA=folder

GO      ?= go
PACKAGES := ./...
export CGO_ENABLED = 1

.PHONY: run build test lint bench score deps clean

run: bin/constat
	@bin/constat run

build: bin/constat bin/constat-verify

bin/constat: FORCE
	@$(GO) build -o $@ ./cmd/constat

bin/constat-verify: FORCE
	@CGO_ENABLED=0 $(GO) build -o $@ ./cmd/constat-verify

FORCE:

# The end-to-end tests drive real programs; this installs those that are missing.
deps:
	@.ci/deps curl:curl openssl:openssl sqlite3:sqlite3 chromium:chromium certutil:libnss3-tools heif-convert:libheif-examples unzip:unzip pdftotext:poppler-utils dig:bind9-dnsutils mosquitto:mosquitto mosquitto_pub:mosquitto-clients ip:iproute2 nft:nftables ping:iputils-ping

# Packages with tests that compute much in one goroutine. The race detector has nothing
# to see there and makes them ten times slower, so they skip themselves under it.
ALONE := ./cmd/constat-score ./inspect/canary ./inspect/decode ./inspect/detect ./inspect/owner ./store/evidence ./store/export

# The end-to-end tests drive a program that is built without the race detector, as users
# have it: what races in it is found by the tests of its packages.
E2E := ./cmd/constat/e2e
RACED = $(filter-out %/cmd/constat/e2e,$(shell $(GO) list $(PACKAGES)))

test: deps
	$(GO) test -race -timeout 14m $(RACED)
	$(GO) test -timeout 14m $(E2E) $(ALONE)

lint:
	$(GO) vet $(PACKAGES)
	$(GO) tool staticcheck $(PACKAGES)
	@out=$$($(GO) tool gofumpt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofumpt would change:"; echo "$$out"; exit 1; fi

bench: bin/constat
	$(GO) run ./cmd/constat-bench -constat bin/constat

DATA ?=
score:
	@test -n "$(DATA)" || { echo "make score: name a folder of labelled data, as in: make score DATA=data"; exit 2; }
	$(GO) run ./cmd/constat-score -data $(DATA)

clean:
	rm -rf bin
