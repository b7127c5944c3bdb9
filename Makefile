# couler: `make` builds build/couler and build/libcouler.a; `make help` lists the targets.

VERSION := 0.1.0
B      ?= build
CC     ?= cc
PREFIX ?= /usr/local
DESTDIR ?=

PKGS   := yaml-0.1 jansson libpcre2-8 sqlite3 libcrypto mpfr
# Needed to compile, loaded when it is first used: libcurl takes 16 ms to load, more than `couler check` does.
DL_PKGS := libcurl
WARN   := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wpedantic
HARDEN := -fstack-protector-strong -fPIE
CFLAGS ?= -O2 -g
OPT    := $(if $(findstring -O0,$(CFLAGS)),,-D_FORTIFY_SOURCE=2)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -Iinclude -DCOULER_VERSION='"$(VERSION)"' $(WARN) $(if $(WERROR),-Werror) $(HARDEN) $(OPT) \
	$(shell pkg-config --cflags $(PKGS) $(DL_PKGS)) $(CFLAGS) $(SAN)
LIBS   = $(shell pkg-config --libs $(PKGS)) -lpthread -lm -ldl
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS) $(SAN)

# Files that travel inside the binary: each is an array embed_PATH and embed_PATH_len, PATH with _ for what no name may hold.
EMBED  := $(wildcard backends/argo/*.sh backends/shell/*.sh backends/shell/*.awk backends/airflow/couler_airflow.py backends/airflow/*.schema.json \
	grammar/couler.ebnf grammar/ir.schema.json src/run/report.html src/cli/completions/*)

CLI_SRC := $(wildcard src/cli/*.c)
LIB_SRC := $(filter-out $(CLI_SRC),$(wildcard src/*/*.c backends/*.c backends/*/*.c))
# The code lake of `couler nl`: one array, each file after a line \001NAME.
LAKE    := $(wildcard grammar/lake/*.cw examples/*.cw)
LIB_OBJ := $(LIB_SRC:%.c=$(B)/obj/%.o) $(EMBED:%=$(B)/embed/%.o) $(B)/embed/lake.o
CLI_OBJ := $(CLI_SRC:%.c=$(B)/obj/%.o)
UNIT    := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
HEADERS := $(wildcard include/couler/*.h)

# V=1 shows the commands themselves.
Q   := $(if $(V),,@)
say  = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),@:,@printf '%-3s %s\n' $(1) $(2))

.PHONY: all lib help demo check quick lint golden-update install uninstall clean setup unit fuzz bench bench-run
all: $(B)/couler

lib: $(B)/libcouler.a

$(B)/couler: $(B)/obj/src/cli/main.o $(B)/libcli.a $(B)/libcouler.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(B)/libcli.a: $(CLI_OBJ)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(B)/libcouler.a: $(LIB_OBJ)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Objects are rebuilt when the flags change.
$(B)/flags: FORCE
	@mkdir -p $(B)
	@echo '$(CC) $(ALL_CFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS)' > $@
FORCE:

$(B)/embed/%.o: %
	@mkdir -p $(@D)
	@name=embed_$$(printf '%s' '$*' | tr -c 'A-Za-z0-9' _); \
	{ echo '#include <stddef.h>'; echo "extern const unsigned char $$name[]; extern const size_t $${name}_len;"; echo "const unsigned char $$name[] = {"; \
	od -An -v -tx1 '$<' | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; echo "0 };"; echo "const size_t $${name}_len = sizeof $$name - 1;"; } > $(B)/embed/$*.c
	$(Q)$(CC) -std=c11 -fPIE $(SAN) -c -o $@ $(B)/embed/$*.c

$(B)/embed/lake.o: $(LAKE) grammar/lake
	@mkdir -p $(@D)
	@{ echo '#include <stddef.h>'; echo 'extern const unsigned char embed_lake[]; extern const size_t embed_lake_len;'; echo 'const unsigned char embed_lake[] = {'; \
	for f in $(LAKE); do printf '\001%s\n' "$$(basename "$$f" .cw)"; cat "$$f"; done | od -An -v -tx1 | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; \
	echo '0 };'; echo 'const size_t embed_lake_len = sizeof embed_lake - 1;'; } > $(B)/embed/lake.c
	$(CC) -std=c11 -fPIE $(SAN) -c -o $@ $(B)/embed/lake.c

$(B)/unit/%: tests/unit/%.c $(B)/libcouler.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/unit -Isrc $$(pkg-config --cflags check) $(ALL_LDFLAGS) -o $@ $< $(B)/libcouler.a $(LIBS) $$(pkg-config --libs check)

unit: $(UNIT)

help:
	@echo 'make            build/couler and build/libcouler.a'
	@echo 'make setup      installs what the build needs (Debian packages; sudo only if not root)'
	@echo 'make demo       setup, build, and the main job on examples/churn.cw'
	@echo 'make check      setup for tests, build with -Werror, every test; last line "N passed, N failed"'
	@echo 'make quick      the tests that need no engine: about a minute'
	@echo 'make lint       header rule, clang-tidy, cppcheck'
	@echo 'make golden-update  rewrites the golden outputs; read the diff'
	@echo 'make bench      the compiler against its peers (docs/benchmarks.md)'
	@echo 'make bench-run  the local runner against its peers'
	@echo 'make soak       kills the runner 1,000 times and looks at what is left'
	@echo 'make differential N=1000  more random programs than the tests run'
	@echo 'make install    PREFIX=$(PREFIX) DESTDIR='

setup:
	@sh tests/setup.sh build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

clean:
	rm -rf $(B)

# Tests: suites are tests/suites/NAME.sh
check:
	@sh tests/setup.sh test
	@$(MAKE) -s WERROR=1 $(B)/couler
	@sh tests/check.sh $(SUITES)

quick:
	@$(MAKE) -s WERROR=1 $(B)/couler
	@sh tests/check.sh 10-unit 20-golden

golden-update: $(B)/couler
	@python3 tests/golden.py $(B)/couler --update

lint:
	@sh tests/check.sh 70-lint

# Pages that a table already tells are made, not kept: one for each subcommand, and the language's.
man: $(B)/couler
	@mkdir -p $(B)/man
	@for c in $$($(B)/couler help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do $(B)/couler help --man $$c > $(B)/man/couler-$$c.1 || exit 1; done
	@$(B)/couler help --man cw > $(B)/man/couler-cw.5
.PHONY: man

install: $(B)/couler $(B)/libcouler.a man
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/couler \
		$(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 755 $(B)/couler $(DESTDIR)$(PREFIX)/bin/couler
	install -m 644 $(B)/libcouler.a $(DESTDIR)$(PREFIX)/lib/libcouler.a
	install -m 644 $(HEADERS) $(DESTDIR)$(PREFIX)/include/couler/
	install -m 644 man/*.1 $(B)/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 $(B)/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	$(B)/couler completions bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/couler
	$(B)/couler completions zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_couler
	$(B)/couler completions fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/couler.fish
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$${prefix}/lib' 'includedir=$${prefix}/include' '' 'Name: couler' \
		'Description: a unified ML workflow compiler' 'Version: $(VERSION)' 'Requires.private: $(PKGS)' \
		'Libs: -L$${libdir} -lcouler' 'Libs.private: -lm -lpthread -ldl' 'Cflags: -I$${includedir}' > $(DESTDIR)$(PREFIX)/lib/pkgconfig/couler.pc

uninstall:
	rm -rf $(DESTDIR)$(PREFIX)/bin/couler $(DESTDIR)$(PREFIX)/lib/libcouler.a $(DESTDIR)$(PREFIX)/include/couler $(DESTDIR)$(PREFIX)/lib/pkgconfig/couler.pc \
		$(DESTDIR)$(PREFIX)/share/man/man1/couler.1 $(DESTDIR)$(PREFIX)/share/man/man1/couler-*.1 $(DESTDIR)$(PREFIX)/share/man/man5/couler-cw.5 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/couler $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_couler \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/couler.fish

# Measurements: not part of the tests.
$(B)/parse_speed: tests/bench/parse_speed.c $(B)/libcouler.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(B)/libcouler.a $(LIBS)

bench: $(B)/couler $(B)/parse_speed
	python3 tests/bench/bench.py $(B)/couler --markdown docs/benchmarks.md

# Elastic input pipelines: training, transport and the simulator into docs/elastic.md.
.PHONY: bench-elastic
bench-elastic: $(B)/couler
	python3 tests/bench/elastic.py $(B)/couler --out docs/elastic.md

# The main job on a real file: check, draw, compile for each engine, run.
demo:
	@sh tests/setup.sh build
	@$(MAKE) -s $(B)/couler
	@sh examples/demo.sh $(B)/couler $(B)/demo

# More random programs than CI runs: make differential N=1000
differential: $(B)/couler
	python3 tests/differential.py $(B)/couler --n $(or $(N),500)

# Figures of docs/optimizer.md: the cache policies; the searches of sweep against their peers.
.PHONY: bench-passes bench-search
bench-passes: $(B)/couler
	python3 tests/bench/passes.py $(B)/couler
	python3 tests/bench/pack.py $(B)/couler --out docs/optimizer.md

$(B)/search_ask: tests/bench/search_ask.c $(B)/libcouler.a
	$(CC) $(ALL_CFLAGS) -Isrc $(ALL_LDFLAGS) -o $@ $< $(B)/libcouler.a $(LIBS)

SEARCH_VENV := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/couler-dev/search-venv
bench-search: $(B)/couler $(B)/search_ask
	test -x $(SEARCH_VENV)/bin/optuna || { python3 -m venv $(SEARCH_VENV) && $(SEARCH_VENV)/bin/pip install -q -r tests/bench/requirements-search.txt; }
	$(SEARCH_VENV)/bin/python tests/bench/search.py $(B)/couler $(B)/search_ask --runs $(B)/search.json --out docs/optimizer.md

# The local runner against its peers (docs/benchmarks-run.md), and the 1,000 kills of which the tests do 50.
bench-run: $(B)/couler
	python3 tests/bench/bench_run.py $(B)/couler

soak: $(B)/couler
	python3 tests/fault/kill.py $(B)/couler --n 1000
.PHONY: soak
