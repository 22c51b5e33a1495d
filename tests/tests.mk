# tests/tests.mk - everything that tests; included by the Makefile

#: make run          install what is missing, build, serve the sample function
run:
	@tests/deps build run
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@exec tests/serve-sample $(B)/albatross

#: make deps         install what building and testing need
deps:
	@tests/deps build run cases check
	@tests/npm >/dev/null

#: make check        all tests, under ten minutes; ends with "N passed, N failed"
check:
	@tests/deps build run cases check
	@tests/npm >/dev/null
	@B=$(B) MAKE="$(MAKE)" tests/run short

#: make check-long   the same and the long ones: sweep, valgrind, TSan, fuzzing
check-long:
	@tests/deps build run cases check long
	@tests/npm >/dev/null
	@B=$(B) MAKE="$(MAKE)" tests/run long

#: make check-fresh  a bare Debian 12 root, a clone in it, make run, make check
check-fresh:
	@tests/deps fresh
	@tests/fresh

# Case files of one's own: make cases CASES="a.jsonl b.jsonl" AREAS="alb".
# Areas: alb; rest http1 http2 url; runtime-api invoke cgi sigv4 async; the
# cases of the Extensions API count as extensions.  Without AREAS every case of
# the files named counts; without CASES our own files and what is built: alb and
# APIs, live also runtime-api and cgi.  API cases with authorizers or keys are
# of the area authorizer, which is not built.
CASES ?=
AREAS ?= $(if $(CASES),,$(BUILT))
CASE_FILES = $(if $(CASES),$(CASES),$(sort $(wildcard tests/cases/alb/*.jsonl \
             tests/cases/apigw/*.jsonl tests/cases/lambda/*.jsonl)))

#: make cases        case tables through the pure translation (CASES, AREAS)
cases: BUILT = alb rest http1 http2 url
cases-live: BUILT = alb rest http1 http2 url runtime-api cgi
cases:
	@tests/deps build cases
	@$(MAKE) --no-print-directory -s $(B)/tests/cases $(B)/tests/host
	@tests/run-cases pure $(B) "$(AREAS)" $(CASE_FILES)

#: make cases-live   the same over sockets, through build/albatross
cases-live:
	@tests/deps build cases
	@$(MAKE) --no-print-directory -s all $(B)/tests/host
	@tests/run-cases live $(B) "$(AREAS)" $(CASE_FILES)

#: make unit         the unit tests
unit: tests
	@B=$(B) MAKE="$(MAKE)" tests/run unit

#: make lint         style, floors, prefixes, the plan of the house
lint: all $(B)/liball.a
	@B=$(B) MAKE="$(MAKE)" tests/run lint

#: make e2e          the real program with real clients (E2E="tests/e2e/07-tls.t")
e2e: all $(B)/bootstrap
	@tests/deps build run check
	@B=$(B) MAKE="$(MAKE)" E2E="$(E2E)" tests/run e2e

#: make replay       every committed fuzz input once more
replay: $(REPLAY)
	@B=$(B) MAKE="$(MAKE)" tests/run replay

#: make tests        build all test programs
tests: all $(B)/bootstrap $(UNIT) $(REPLAY) $(B)/tests/cases $(B)/tests/host

# A function of ours driven by hand: see tests/host.c.
$(B)/tests/host: $(B)/tests/host.o $(LIB_OBJ) $(B)/liball.a
	@mkdir -p $(@D)
	$(CC) $(ABT_LDFLAGS) -o $@ $^ -lpcre2-8 $(ABT_LIBS)

# All objects of the program, nothing linked: for the other compiler's warnings.
objects: $(PURE_OBJ) $(REST_OBJ) $(UNIT_SRC:%.c=$(B)/%.o) $(LIB_OBJ)

#: make fuzz         fuzz every parser (FUZZ_SECONDS each, default 600)
FUZZ_SECONDS ?= 600
fuzz:
	@tests/deps build check
	@$(MAKE) --no-print-directory B=$(B)-fuzz CC=clang SAN=fuzz fuzz-programs
	@B=$(B)-fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run-fuzz

fuzz-programs: $(FUZZ)

$(B)/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/liball.a
	@mkdir -p $(@D)
	$(CC) $(ABT_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(ABT_LIBS)

.PHONY: replay objects fuzz-programs
