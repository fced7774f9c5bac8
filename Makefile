# smmpanel: `make help` lists the targets.
LUA     ?= lua5.4
PREFIX  ?= /usr/local
CC      ?= cc
CFLAGS  ?= -O2 -g

# lua5.4 -> 5.4; luajit and lua5.1 -> 5.1: one build serves every program of an ABI
ABI     := $(or $(shell $(LUA) -e 'print((_VERSION:match("[%d.]+$$")))' 2>/dev/null),$(patsubst lua%,%,$(filter lua5.%,$(LUA))),5.4)
# The 5.1 ABI is compiled with any of its headers that is installed. A plain `lua` may have any version.
ABI_PCS := $(if $(filter 5.1,$(ABI)),luajit lua5.1 lua-5.1 lua51,lua$(ABI) lua-$(ABI) lua$(subst .,,$(ABI)))
LUA_PC  := $(firstword $(foreach p,$(ABI_PCS),$(shell pkg-config --exists $(p) 2>/dev/null && echo $(p))) \
             $(shell pkg-config --modversion lua 2>/dev/null | grep -q '^$(ABI)[.]' && echo lua))
LUA_INC ?= $(shell pkg-config --cflags $(LUA_PC) 2>/dev/null)
# libcurl is opened when it is first needed. LINK_CURL=1 links it instead, for a system without dlopen, or whose libcurl
# has another name than libcurl.so.4.
UNAME   := $(shell uname -s)
LINK_CURL ?= $(if $(filter Darwin,$(UNAME)),1)
CURL    ?= $(or $(shell pkg-config --cflags --libs libcurl 2>/dev/null),$(shell curl-config --cflags --libs 2>/dev/null),-lcurl)
# `make ZLIB=` builds without zlib: then no answer is requested in gzip
ZLIB    ?= -lz

WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion
DEFINES := -std=c11 -D_GNU_SOURCE -fvisibility=hidden $(if $(ZLIB),,-DWITHOUT_ZLIB) $(if $(LINK_CURL),-DLINK_LIBCURL)
ifeq ($(UNAME),Darwin)
SHARED  := -bundle -undefined dynamic_lookup
else
# nodelete: a host may unload the module while its thread is still ending
SHARED  := -shared -Wl,-z,nodelete
endif

SOURCES := $(wildcard csrc/*.c)
HEADERS := $(wildcard csrc/*.h)
CORE    := build/$(ABI)/smmpanel/core.so
VERSION := $(shell sed -n 's/^.define SMMPANEL_VERSION "\(.*\)"/\1/p' csrc/smmpanel.h)

# The project's own files first, then the system's.
RUN     := env LUA_PATH='./lua/?.lua;./lua/?/init.lua;;' LUA_CPATH='./build/$(ABI)/?.so;;' $(LUA)
BUSTED  := $(RUN) $(shell command -v busted)
SPECS   ?= spec
# `make test` runs both; `LUA=luajit make test` only that one
LUAS    := $(if $(filter environment command,$(firstword $(origin LUA))),$(LUA),lua5.4 luajit)

.PHONY: picture sanitize sanitize-quick fuzz fuzz-cli test-terminal test-browser soak coverage doc dist deb test-luas test-arch test-libcurls test-systems all help demo sandbox bench test specs lint format clean install uninstall
.DEFAULT_GOAL := all

all: $(CORE) ## build the C core for $(LUA) (LUA=luajit for the 5.1 ABI)

# Explains what the build needs, before the compiler fails on a header.
define check_lua
command -v $(LUA) >/dev/null || { echo "make: there is no program $(LUA): install it, or name another: make LUA=lua5.4" >&2; exit 1; }
[ -n "$(LUA_PC)$(filter environment command,$(firstword $(origin LUA_INC)))" ] || { \
  echo "make: the headers of Lua $(ABI) were not found by pkg-config ($(ABI_PCS))" >&2; \
  echo "make: install them (Debian: $(if $(filter 5.1,$(ABI)),libluajit-5.1-dev,liblua$(ABI)-dev)), or pass their path: make LUA=$(LUA) LUA_INC=-I/path" >&2; exit 1; }
endef

$(CORE): $(SOURCES) $(HEADERS) Makefile
	@$(check_lua)
	@mkdir -p $(@D)
	$(CC) $(DEFINES) $(WARN) $(CFLAGS) $(CPPFLAGS) -fPIC -pthread $(LUA_INC) $(SOURCES) -o $@.new $(SHARED) $(LDFLAGS) $(if $(LINK_CURL),$(CURL),$(filter -I% -D%,$(CURL))) $(ZLIB) -lm
	@mv $@.new $@

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## try every action of the API against a sandbox panel; installs what is missing
	@tools/deps build sandbox cli
	@$(MAKE) --no-print-directory all
	@$(RUN) examples/tour.lua

sandbox: ## run a test panel until Ctrl-C; installs what is missing
	@tools/deps build sandbox cli
	@$(MAKE) --no-print-directory all
	@$(LUA) bin/smmpanel sandbox

test: ## all specs, on Lua 5.4 and on LuaJIT; installs what is missing
	@tools/deps build luajit sandbox test loops ledger cli
	@! command -v lua5.3 >/dev/null || $(MAKE) --no-print-directory LUA=lua5.3 all
	@LUAS="$(LUAS)" tools/test $(SPECS)

test-loops: ## only the specs of the event loops, in the real programs
	@tools/deps build luajit sandbox test loops ledger
	@! command -v lua5.3 >/dev/null || $(MAKE) --no-print-directory LUA=lua5.3 all
	@LUAS="$(LUAS)" tools/test spec/loops

# Not the command line's specs (Debian's libraries for it are for 5.4 and LuaJIT), nor the slow ones.
PURE    := $(filter-out $(foreach w,ledger_crash limiter cli regression hostile limits,$(wildcard spec/$(w)*)),$(wildcard spec/*_spec.lua))

test-luas: ## the specs that need no host program, on Lua 5.1 to 5.3, and 5.5 if available; installs what is missing
	@tools/deps build luas sandbox test ledger cli
	@tools/cjson-5.5
	@lua5.2 -e 'require "busted.core"' 2>/dev/null || echo "test-luas: without Lua 5.2, for which busted is not packaged here"
	@LUAS="lua5.1 $$(! lua5.2 -e 'require "busted.core"' 2>/dev/null || echo lua5.2) lua5.3 \
	  $$(! command -v lua5.5 >/dev/null || echo lua5.5)" tools/test $(PURE)

test-arch: ## the engine's specs on musl, some on big-endian s390x in qemu; as root, installs what is missing
	@tools/deps build sandbox test arch
	@tools/musl
	@tools/arch

test-libcurls: ## the engine's specs with libcurl of several versions, built from source; installs what is missing
	@tools/deps build sandbox test libcurls
	@tools/libcurls

test-systems: ## all specs on bare Debian systems (SYSTEMS="bookworm trixie sid"); writes docs/systems.md; as root, an hour
	@tools/systems $(SYSTEMS)

test-long: ## long runs: ledgers under SIGKILL, a shared rate limit, 100,000 watched orders, nginx reloads, p99 beside attacks
	@tools/deps build luajit sandbox test ledger
	@$(MAKE) --no-print-directory LUA=luajit all
	@$(MAKE) --no-print-directory specs SPECS=spec/long BUSTED_FLAGS='--pattern=_long'

specs: all build/locale
	@LOCPATH=build/locale $(BUSTED) $(BUSTED_FLAGS) $(SPECS)

# Locales whose decimal point is a comma, or two bytes: the specs check that the locale has no effect.
build/locale:
	@mkdir -p $@ && for name in de_DE ps_AF; do localedef -i $$name -f UTF-8 $@/$$name.UTF-8 || true; done

bench: ## measure against the alternatives, side by side; QUICK=1: in under two minutes
	@tools/deps build luajit sandbox bench
	@$(MAKE) --no-print-directory LUA=lua5.4 all
	@$(MAKE) --no-print-directory LUA=luajit all
	@bench/build
	@env LUA_PATH='./lua/?.lua;./lua/?/init.lua;./?.lua;;' LUA_CPATH='./build/bench/5.4/?.so;./build/5.4/?.so;;' \
	  lua5.4 bench/run.lua $(ROWS)

sanitize: ## the specs under the sanitizers and valgrind, and with each allocation failing in turn
	@tools/deps build luajit sandbox test sanitize
	@tools/sanitize

sanitize-quick: ## a short form of sanitize, for every change
	@tools/deps build luajit sandbox test sanitize
	@tools/sanitize quick

fuzz: ## run each fuzz target for FUZZ_SECONDS (60)
	@tools/deps build fuzz
	@tools/fuzz

fuzz-cli: all ## run every CLI command against random answers and control characters for FUZZ_SECONDS (60)
	@tools/deps build test
	@tools/fuzz_cli

test-terminal: all ## check that a panel cannot send control sequences to the terminal, in tmux and xterm.js (npm)
	@tools/deps build test
	@command -v node >/dev/null || { echo "test-terminal needs node and npm"; exit 1; }
	@tools/terminal

test-browser: all ## check that a web page in a real browser (Chromium) cannot reach the sandbox
	@tools/deps build sandbox cli
	@tools/browser

soak: all ## calls at full speed with faults for SOAK_SECONDS (20)
	@tools/deps build test
	@$(RUN) tools/soak.lua

coverage: all ## show which lines of csrc/ the specs and the fuzz targets run
	@tools/deps build sandbox test fuzz
	@tools/coverage

lint: ## luacheck, clang-format, cppcheck, and both compilers with warnings as errors
	@tools/deps build luajit lint cli
	@tools/lint

doc: ## build the manual in build/doc/html
	@tools/deps build doc cli
	@$(MAKE) --no-print-directory LUA=lua5.4 all
	@lua5.4 tools/doc build/doc && echo build/doc/html/index.html
	@lua5.4 tools/vimdoc >build/smmpanel.txt && mv build/smmpanel.txt contrib/nvim/doc/smmpanel.txt

dist: ## pack the sources of the last commit into build/smmpanel-VERSION.tar.gz
	@mkdir -p build
	@git archive --format=tar.gz --prefix=smmpanel-$(VERSION)/ -o build/smmpanel-$(VERSION).tar.gz HEAD
	@echo build/smmpanel-$(VERSION).tar.gz

deb: ## build a Debian package for both ABIs in build/deb; tools/deb-smoke tests it
	@tools/deps build luajit deb cli
	@$(MAKE) --no-print-directory LUA=lua5.4 all
	@$(MAKE) --no-print-directory LUA=luajit all
	@tools/deb build/deb

picture: ## make docs/terminal.svg from a session with the command line in tmux
	@tools/deps build sandbox test cli
	@$(MAKE) --no-print-directory LUA=lua5.4 all
	@env LUA_PATH='./lua/?.lua;./lua/?/init.lua;./?.lua;;' LUA_CPATH='./build/5.4/?.so;;' lua5.4 tools/picture >build/terminal.svg
	@mv build/terminal.svg docs/terminal.svg

format: ## format the C sources with clang-format
	clang-format -i csrc/*.c csrc/*.h

clean: ## remove the build results
	rm -rf build

PLACES   = DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" LUADIR="$(LUADIR)" LIBDIR="$(LIBDIR)" BINDIR="$(BINDIR)"

install: all ## install into PREFIX (/usr/local), honours DESTDIR; PARTS=library omits the command
	@$(PLACES) tools/install $(ABI) $(notdir $(LUA)) $(PARTS)

uninstall: ## remove the installed files
	@$(PLACES) tools/install --remove $(ABI) $(notdir $(LUA)) $(PARTS)
