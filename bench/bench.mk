# bench.mk - compare with nginx, haproxy and serverless-offline

BENCH      ?=
BENCH_PROG := $(B)/bench/http_server $(B)/bench/runtime_client

$(B)/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -std=c11 -O2 -g $(WARNINGS) -o $@ $<

#: make bench        measure us and our peers; BENCH="scenario ..." chooses
bench: $(B)/albatross $(BENCH_PROG)
	@tests/deps bench
	bench/run -B $(B) $(BENCH)
