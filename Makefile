# The two commands that matter are `make demo` and `make test`; neither needs
# root, an account, a server or a display. `make help` lists the rest.
GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
# Tests and the small static programs are built without the window: that needs
# no C compiler. The window's flags are the same everywhere, because another
# set costs minutes.
TAGS     ?= nogui
LDFLAGS   = -s -w -X main.version=$(VERSION)
BUILD     = CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) -ldflags "$(LDFLAGS)"
WINDOW    = CGO_ENABLED=1 $(GO) build -trimpath -tags no_emoji,no_metadata,no_animations
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT     = $(GO) run mvdan.cc/gofumpt@v0.12.0
FUZZTIME ?= 10s
ARGS     ?=
LAB      ?= lab.py

.PHONY: help build gui nogui demo icons package package-linux package-windows test-package screenshots test check cross test-long test-real test-reach test-lan test-lab test-desktop fuzz bench bench-desktop clean

help: ## list what can be made
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

build: ## the program for this machine: ./foldpost, with its window where C headers are
	@if assets/linux/headers.sh; then $(MAKE) --no-print-directory gui; else $(MAKE) --no-print-directory nogui; fi

gui: ## the program with its window; the first time takes minutes
	$(WINDOW) -ldflags "$(LDFLAGS)" -o foldpost .

nogui: ## the program without a window, one static file
	$(BUILD) -o foldpost .

demo: build ## two devices and a mail server on this machine; ARGS=--exit ends when both folders are equal
	./foldpost demo $(ARGS)

test: ## what every change must pass, in under two minutes
	$(GO) vet -tags $(TAGS) ./...
	$(GO) test -tags $(TAGS) ./...

check: ## vet, staticcheck, gofumpt
	$(GO) vet -tags $(TAGS) ./...
	$(STATICCHECK) -tags $(TAGS) ./...
	@out=$$($(GOFUMPT) -l .); test -z "$$out" || { echo "not formatted, run: $(GOFUMPT) -w ."; echo "$$out"; exit 1; }

cross: ## one static file each for linux, windows and darwin
	GOOS=linux   GOARCH=amd64 $(BUILD) -o bin/foldpost-linux-amd64 .
	GOOS=windows GOARCH=amd64 $(BUILD) -o bin/foldpost-windows-amd64.exe .
	GOOS=darwin  GOARCH=arm64 $(BUILD) -o bin/foldpost-darwin-arm64 .

# The race detector runs on one processor: Go 1.26's runtime lets the timers of
# one synctest bubble share a race context, and dies when two processors run
# them at once (runtime/time.go, unlockAndRun). What it finds does not depend on
# what ran at the same instant.
test-long: ## the race detector, and many more random histories of the sync engine
	$(GO) test -race -cpu 1 ./p2p/... ./mail/... ./app/...
	FOLDPOST_HISTORIES=10000 $(GO) test -count=1 -timeout 20m -run 'TestMany$$' ./app/folder
	FOLDPOST_HISTORIES=400 $(GO) test -count=1 -timeout 20m -run 'Test(Random|Calm|Rapid)?Histories$$' ./app/folder

test-real: ## Postfix, Dovecot and real processes (installs them when root on Debian)
	$(GO) test -count=1 -timeout 15m -tags real -run TestReal ./app/e2e

test-reach: ## real processes behind routers in network namespaces of the tests' own, some five minutes (root on Debian)
	$(GO) test -count=1 -timeout 15m -parallel 6 -tags reach -run '^TestReach' -v ./app/e2e

test-lan: ## real processes that find each other in local networks, beside Avahi, in network namespaces of the test's own (root on Debian)
	$(GO) test -count=1 -timeout 10m -tags $(TAGS),lan -run '^TestLAN$$' -v ./app/e2e

# The window for tests tells what is on its screen, which tests cannot see.
# The errors are walked through in one look: SKIP= walks through both.
SKIP ?= ^TestErrors/.*_dark
test-desktop: ## two windows by mouse and keyboard on a desktop without a screen (root on Debian); pictures in bin/desktop
	assets/linux/headers.sh && ui/desktop/packages.sh
	$(WINDOW),uitest -o bin/foldpost-uitest .
	FOLDPOST=$(abspath bin/foldpost-uitest) $(GO) test -count=1 -timeout 30m -tags $(TAGS),desktop -run '^Test(Way|Errors)' -skip '$(SKIP)' -v ./ui/desktop

screenshots: ## the README's pictures, from the real program (root on Debian)
	assets/linux/headers.sh && ui/desktop/packages.sh
	$(WINDOW),uitest -o bin/foldpost-uitest .
	mkdir -p assets/screenshots
	FOLDPOST=$(abspath bin/foldpost-uitest) SCREENSHOTS=$(abspath assets/screenshots) \
	  $(GO) test -count=1 -timeout 15m -tags $(TAGS),desktop -run '^TestPictures$$' -v ./ui/desktop

bench-desktop: gui ## how fast the window starts, and what it costs while nothing happens
	ui/desktop/packages.sh
	$(WINDOW) -o bin/bare ./ui/desktop/testdata/bare
	FOLDPOST=$(abspath foldpost) BARE=$(abspath bin/bare) $(GO) test -count=1 -timeout 15m -tags $(TAGS),desktop -run '^TestCost' -v ./ui/desktop

test-lab: ## hosts behind NAT routers in network namespaces (root on Debian, LAB=path of lab.py)
	LAB=$(abspath $(LAB)) $(GO) test -count=1 -timeout 15m -tags lab -run TestLab ./app/e2e

fuzz: ## every fuzz target for FUZZTIME each
	@set -e; for dir in $$($(GO) list -f '{{.Dir}}' ./...); do \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go 2>/dev/null | cut -c6-); do \
	    echo "$$dir $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$dir; done; done

bench: build ## figures beside the limits measured in the same run
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 20m ./app/e2e
	$(GO) test -run '^$$' -bench Stream -timeout 5m ./p2p

# A Debian version begins with a digit; a commit's name is put behind one.
DEBVERSION = $(or $(patsubst v%,%,$(filter v%,$(VERSION))),0.1.0~git$(shell git log -1 --format=%cd --date=format:%Y%m%d 2>/dev/null).$(VERSION))
NFPM       = $(GO) run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0
MINGW      = x86_64-w64-mingw32

package: package-linux package-windows ## .deb, tar.xz and .zip for people, in bin/

package-linux: gui
	assets/linux/tree.sh ./foldpost bin/linux
	rm -f bin/*.deb bin/*.tar.xz
	DEBVERSION=$(DEBVERSION) $(NFPM) package -f assets/linux/nfpm.yaml -p deb -t bin/
	tar --sort=name --owner=0 --group=0 --transform 's,^\.,foldpost-$(VERSION),' -C bin/linux -cJf bin/foldpost-$(VERSION)-linux-amd64.tar.xz .

# foldpost.exe has the window and no console; foldpost.com, which cmd.exe finds
# first, is the same program for the command line. The first build takes minutes.
package-windows:
	mkdir -p bin/windows
	assets/windows/resources.sh $(MINGW) "$(VERSION)" foldpost_windows_amd64.syso
	trap 'rm -f foldpost_windows_amd64.syso' EXIT; \
	  GOOS=windows GOARCH=amd64 CC=$(MINGW)-gcc $(WINDOW) -ldflags "$(LDFLAGS) -H windowsgui" -o bin/windows/foldpost.exe . && \
	  GOOS=windows GOARCH=amd64 $(BUILD) -o bin/windows/foldpost.com .
	cp LICENSE bin/windows/LICENSE.txt
	rm -f bin/*.zip
	cd bin/windows && zip -q ../foldpost-$(VERSION)-windows-amd64.zip foldpost.exe foldpost.com LICENSE.txt

test-package: ## installs the .deb in a clean Debian and starts its menu entry there (root on Debian)
	assets/linux/test.sh bin/foldpost_*.deb

ICONS = assets/icons
icons: ## pictures from their sources in assets/icons (rsvg-convert, convert)
	mkdir -p $(ICONS)/png
	for n in 48 64 128 256 512; do rsvg-convert -w $$n -h $$n $(ICONS)/foldpost.svg -o $(ICONS)/png/foldpost-$$n.png; done
	for n in 16 32; do rsvg-convert -w $$n -h $$n $(ICONS)/foldpost-16.svg -o $(ICONS)/png/foldpost-$$n.png; done
	rsvg-convert $(ICONS)/foldpost-24.svg -o $(ICONS)/png/foldpost-24.png
	for s in idle syncing attention paused offline; do for p in dark light; do \
	  rsvg-convert --stylesheet $(ICONS)/tray/$$p.css $(ICONS)/tray/$$s.svg -o $(ICONS)/png/tray-$$s-$$p.png; done; done
	cd $(ICONS)/png && convert foldpost-16.png foldpost-24.png foldpost-32.png foldpost-48.png foldpost-64.png foldpost-256.png ../foldpost.ico

clean: ## remove what was built
	rm -rf foldpost bin
