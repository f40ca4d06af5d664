# Milena. Newcomers: `make demo` and `make test`. Everything that is built lands in build/ (and Cargo's target/).

CARGO    ?= cargo
CC       ?= cc
PYTHON   ?= python3
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SONAME  := libmilena.so.$(firstword $(subst ., ,$(VERSION)))
REAL    := libmilena.so.$(VERSION)
CARGO_OUT = $(or $(CARGO_TARGET_DIR),target)/release

STRICT   := -std=c11 -Wall -Wextra -Wpedantic -Werror
PROGRAMS := $(patsubst examples-c/%.c,build/bin/%,$(wildcard examples-c/milena-*.c))
PROBES   := $(patsubst bench/probes/%.c,build/bench/bin/%,$(wildcard bench/probes/*.c))
COMMON   := $(patsubst examples-c/%.c,build/obj/%.o,$(wildcard examples-c/common/*.c))

.DEFAULT_GOAL := help
.PHONY: help lib tools demo install wheel header test bench probes fmt clippy clean
.SECONDARY:

help: ## This text
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# Replaced, not overwritten: a program that runs may have the old one mapped.
lib: ## The libraries and their pkg-config file, into build/lib
	$(CARGO) build --release --package milena
	@mkdir -p build/lib/pkgconfig
	@cmp -s $(CARGO_OUT)/libmilena.so build/lib/$(REAL) || install -m 755 $(CARGO_OUT)/libmilena.so build/lib/$(REAL)
	@cmp -s $(CARGO_OUT)/libmilena.a build/lib/libmilena.a || install -m 644 $(CARGO_OUT)/libmilena.a build/lib/libmilena.a
	@ln -sf $(REAL) build/lib/$(SONAME)
	@ln -sf $(SONAME) build/lib/libmilena.so
	@$(call pkgconfig,$(CURDIR)/build,$(CURDIR)/build/lib,$(CURDIR)/include) > build/lib/pkgconfig/milena.pc

# $(call pkgconfig,prefix,libdir,includedir) prints the pkg-config file.
pkgconfig = sed -e 's|@PREFIX@|$(1)|' -e 's|@LIBDIR@|$(2)|' -e 's|@INCLUDEDIR@|$(3)|' -e 's|@VERSION@|$(VERSION)|' milena.pc.in

tools: lib ## The programs of examples-c, into build/bin
	@test -n "$(PROGRAMS)" || { echo "there is no examples-c/milena-*.c" >&2; exit 1; }
	@$(MAKE) --no-print-directory $(PROGRAMS)

build/bin/%: build/obj/%.o $(COMMON) build/lib/$(REAL)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Lbuild/lib -lmilena -lpthread -lm '-Wl,-rpath,$$ORIGIN/../lib'

build/bench/bin/%: build/obj/bench/%.o $(COMMON) build/lib/$(REAL)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Lbuild/lib -lmilena -lpthread -lm '-Wl,-rpath,$$ORIGIN/../../lib'

build/obj/bench/%.o: bench/probes/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(STRICT) $(CFLAGS) $(CPPFLAGS) -MMD -Iinclude -Iexamples-c -c -o $@ $<

build/obj/%.o: examples-c/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(STRICT) $(CFLAGS) $(CPPFLAGS) -MMD -Iinclude -Iexamples-c -c -o $@ $<

-include $(wildcard build/obj/*.d build/obj/common/*.d build/obj/bench/*.d)

demo: tools ## A million records through the library and back; BOOTSTRAP=host:port for a real Kafka
	build/bin/milena-demo $(if $(BOOTSTRAP),--bootstrap-servers $(BOOTSTRAP))

build/lib/$(REAL):
	@$(MAKE) --no-print-directory lib

install: build/lib/$(REAL) ## Header, libraries and pkg-config file into PREFIX (and DESTDIR)
	install -d $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 include/milena.h $(DESTDIR)$(INCLUDEDIR)/
	install -m 755 build/lib/$(REAL) $(DESTDIR)$(LIBDIR)/
	install -m 644 build/lib/libmilena.a $(DESTDIR)$(LIBDIR)/
	ln -sf $(REAL) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libmilena.so
	$(call pkgconfig,$(PREFIX),$(LIBDIR),$(INCLUDEDIR)) > $(DESTDIR)$(LIBDIR)/pkgconfig/milena.pc

wheel: lib ## The Python wheel, into bindings/python/dist
	$(PYTHON) bindings/python/build_wheel.py

header: ## include/milena.h, from the sources
	$(CARGO) run --quiet --package xtask -- header

test: ## All tests, real Kafka included; scripts/test.sh NAME... runs some stages
	scripts/test.sh

bench: ## Measures the library beside other clients on a real broker (bench/README.md); bench/run SECTION... runs parts
	bench/run

probes: tools
	@$(MAKE) --no-print-directory $(PROBES)

fmt: ## Format the Rust sources
	$(CARGO) fmt --all

clippy: ## Lint the Rust sources
	$(CARGO) clippy --workspace --all-targets -- -D warnings

clean: ## Remove what was built
	$(CARGO) clean
	rm -rf build
