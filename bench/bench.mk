# bench.mk - compare with nginx, haproxy and serverless-offline

BENCH      ?=
BENCH_PROG := $(B)/bench/http_server $(B)/bench/runtime_client $(B)/bench/events \
              $(B)/bench/cgi_echo $(B)/bench/spawn

$(B)/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -std=c11 -O2 -g $(WARNINGS) -o $@ $<

# As legacy programs are: C, linked for good.
$(B)/bench/cgi_echo: bench/cgi_echo.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -O2 $(WARNINGS) -static -o $@ $<

# What is measured without a socket, linked with what it measures.
$(B)/bench/base $(B)/bench/events: $(B)/bench/%: $(B)/bench/%.o $(B)/liball.a
	@mkdir -p $(@D)
	$(CC) $(ABT_LDFLAGS) -o $@ $^ $(ABT_LIBS)

#: make bench-base   measure JSON, base64, UTF-8 and memory alone
bench-base: $(B)/bench/base
	$(B)/bench/base

#: make bench-events measure events and results of every door alone
bench-events: $(B)/bench/events
	$(B)/bench/events
.PHONY: bench-base bench-events

#: make bench        measure us and our peers; BENCH="scenario ..." chooses
bench:
	@tests/deps build run bench
	@$(MAKE) --no-print-directory B=$(B) $(B)/albatross $(BENCH_PROG)
	bench/run -B $(B) $(BENCH)
