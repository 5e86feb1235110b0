# The front door. Meson and ninja do the building; this file only names what people do most often.
prefix ?= /usr/local
DESTDIR ?=
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := release
.PHONY: release check test demo bench bench-full fuzz fmt tidy install dist dist-test clean help \
	packages-build packages-engine packages-test packages-bench packages-dev engine

release: packages-build
	@tools/configure.sh build -Dunit_tests=false -Dprefix=$(prefix)
	@ninja -C build

# CometBFT, for ledgers of several institutions: build/bin/cometbft.
engine: packages-engine
	@tools/engine.sh

check: packages-test
	@tools/check.sh

test: packages-test
	@tools/test.sh

demo: release
	@tools/demo.sh build/cairn

bench: packages-bench release
	@build/cairn bench

bench-full: packages-bench release
	@build/cairn bench --full

fuzz: packages-dev
	@tools/fuzz.sh

fmt: packages-test
	@tools/sources.sh | xargs clang-format-14 -i

tidy: packages-test
	@tools/tidy.sh

install: release
	@DESTDIR="$(DESTDIR)" meson install -C build --no-rebuild

dist: packages-build
	@tools/dist/dist.sh

dist-test: packages-dev
	@tools/dist/test.sh

clean:
	@rm -rf build build-* dist

packages-build packages-engine packages-test packages-bench packages-dev: packages-%:
	@tools/packages.sh $*

help:
	@echo 'make             build build/cairn (optimised, assertions on)'
	@echo 'make engine      build build/bin/cometbft, which orders a ledger of several institutions'
	@echo 'make check       format, lints, unit tests, replay of fuzz corpora: about a minute'
	@echo 'make test        everything: sanitizers, both compilers, end to end'
	@echo 'make demo        a ledger in ./demo/ on real files of this machine'
	@echo 'make bench       the short benchmark; make bench-full: the long one (30 M items)'
	@echo 'make fuzz        every fuzz target for a while (FUZZ_SECONDS=60)'
	@echo 'make fmt         lay the sources out; make tidy: clang-tidy over src/'
	@echo 'make install     into prefix=$(prefix), below DESTDIR if it is set'
	@echo 'make dist        dist/: one archive that installs without a network (DIST_KEY= signs it);'
	@echo '                 make dist-test: two builds alike, tried in a fresh Debian, as root'
	@echo 'make clean       remove the build folders'
	@echo
	@echo 'What is missing of tools/packages.txt is installed first, if this may be done without a'
	@echo 'password; otherwise the command to run is printed.'
