# The thin front door; the build itself is CMake's (CMakePresets.json).
#   make serve    install what is missing, build, serve the bundled pair on 127.0.0.1:8080
#   make test     install, build, run every test
#   make bench-pocket   the paper's evaluation on the bundled pair, as build/bench-pocket/report.html
#   make deb      Debian packages, in build/package (docs/install.md)
#   make check    what CI runs: format, lint, include direction, tests, NEON, sanitizers
BINARY := build/release/bin/aio

.PHONY: serve build test check format lint fuzz clean bench-pocket deb
.DEFAULT_GOAL := build

serve: build
	$(BINARY) serve $(ARGS)

build: deps-build
	@test -f build/release/build.ninja || cmake --preset release
	cmake --build --preset release --target aio

test: deps-test
	@test -f build/release/build.ninja || cmake --preset release
	cmake --build --preset release
	ctest --preset release

deb: deps-package build
	cd build/release && cpack -G DEB -B ../package

bench-pocket: build
	scripts/bench-pocket

check: deps-check
	scripts/check-includes
	scripts/check-format
	$(MAKE) test
	scripts/lint
	scripts/check-neon
	$(MAKE) sanitize-asan-ubsan
	$(MAKE) sanitize-tsan

SANITIZE := sanitize-asan-ubsan sanitize-tsan
.PHONY: $(SANITIZE)
$(SANITIZE): sanitize-%: deps-test
	@test -f build/$*/build.ninja || cmake --preset $*
	cmake --build --preset $*
	ctest --preset $*

fuzz: deps-check
	scripts/fuzz

format: deps-check
	git ls-files -co --exclude-standard 'src/*.h' 'src/*.cc' | xargs clang-format-14 -i

lint: deps-check build
	scripts/lint

# A static pattern: make looks up no implicit rule for a phony target.
DEPS := deps-build deps-test deps-check deps-package
.PHONY: $(DEPS)
$(DEPS): deps-%:
	@scripts/install-deps $*

clean:
	rm -rf build
