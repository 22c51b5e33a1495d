# bench.mk - compare with nginx, haproxy and serverless-offline

BENCH      ?=
BENCH_PROG := $(B)/bench/http_server $(B)/bench/runtime_client

$(B)/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -std=c11 -O2 -g $(WARNINGS) -o $@ $<

# Floor 0 alone, linked with what it measures.
$(B)/bench/base: $(B)/bench/base.o $(B)/liball.a
	@mkdir -p $(@D)
	$(CC) $(ABT_LDFLAGS) -o $@ $^ $(ABT_LIBS)

#: make bench-base   measure JSON, base64, UTF-8 and memory alone
bench-base: $(B)/bench/base
	$(B)/bench/base
.PHONY: bench-base

#: make bench        measure us and our peers; BENCH="scenario ..." chooses
bench:
	@tests/deps build run bench
	@$(MAKE) --no-print-directory B=$(B) $(B)/albatross $(BENCH_PROG)
	bench/run -B $(B) $(BENCH)
