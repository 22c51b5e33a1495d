/*
 * base.c - floor 0 alone: JSON, base64, UTF-8, memory, ids and dates
 *
 * Each line is the best of several rounds, which is what the code costs when
 * nothing else runs.  yajl stands beside our reader and writer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include "albatross/json.h"
#include "base/clock.h"
#include "base/ids.h"

#define SIZE   ((size_t)1 << 20)
#define ROUNDS 5

struct work {
	struct abt_bytes in;
	char *out; /* room for twice SIZE */
	struct abt_pool *pool;
};

static volatile size_t sink;

static double
cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* |bytes| of 0: show nanoseconds a call. */
static void
measure(const char *name, size_t bytes, void (*run)(struct work *),
    struct work *work)
{
	double best = 1e9;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		double took = 0;
		long n, i;

		for (n = 1; took < 0.02; n *= 2) {
			double begin = cpu_seconds();

			for (i = 0; i < n; i++)
				run(work);
			took = cpu_seconds() - begin;
		}
		took /= (double)(n / 2);
		best = took < best ? took : best;
	}
	if (bytes > 0)
		printf("%-36s %8.2f GB/s %9.1f us\n", name,
		    (double)bytes / best / 1e9, best * 1e6);
	else
		printf("%-36s %8.1f ns\n", name, best * 1e9);
}

/* ---- what is measured ---- */

static void
copy(struct work *w)
{
	memcpy(w->out, w->in.p, w->in.n);
	sink = (size_t)w->out[w->in.n / 2];
}

static void
check_utf8(struct work *w)
{
	sink = abt_utf8_valid(w->in);
}

static void
encode(struct work *w)
{
	abt_base64_encode(w->out, w->in);
}

static void
decode(struct work *w)
{
	sink = (size_t)abt_base64_decode(w->out, w->in);
}

static void
write_string(struct work *w)
{
	struct abt_json_out out;
	struct abt_buf buf;

	abt_buf_init(&buf, w->pool, 16 * SIZE);
	abt_json_out_init(&out, &buf);
	abt_json_string(&out, NULL, w->in);
	sink = buf.n;
	abt_buf_end(&buf);
}

static void
write_string_yajl(struct work *w)
{
	yajl_gen gen = yajl_gen_alloc(NULL);
	const unsigned char *p;
	size_t n;

	yajl_gen_string(gen, (const unsigned char *)w->in.p, w->in.n);
	yajl_gen_get_buf(gen, &p, &n);
	sink = n;
	yajl_gen_free(gen);
}

static void
scan(struct work *w)
{
	struct abt_arena arena;

	abt_arena_init(&arena, w->pool);
	sink = abt_json_scan(w->in, ABT_JSON_DEPTH, &arena, NULL) != NULL;
	abt_arena_end(&arena);
}

static int
on_string(void *context, const unsigned char *p, size_t n)
{
	(void)context;
	(void)p;
	sink = n;
	return 1;
}

static void
scan_yajl(struct work *w)
{
	static const yajl_callbacks callbacks = { .yajl_string = on_string };
	yajl_handle yajl = yajl_alloc(&callbacks, NULL, NULL);

	yajl_parse(yajl, (const unsigned char *)w->in.p, w->in.n);
	yajl_complete_parse(yajl);
	yajl_free(yajl);
}

/* About what an ALB sends for a GET with twelve headers. */
static void
write_event(struct work *w)
{
	static const char *const headers[][2] = {
		{ "accept", "text/html,application/xhtml+xml" },
		{ "accept-encoding", "gzip, deflate" },
		{ "accept-language", "en-US,en;q=0.8" },
		{ "host", "shop-1234567890.us-east-1.elb.amazonaws.com" },
		{ "upgrade-insecure-requests", "1" },
		{ "user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:109.0)" },
		{ "x-amzn-trace-id",
		    "Root=1-5c536348-3d683b8b04734faae651f476" },
		{ "x-forwarded-for", "192.0.2.7" },
		{ "x-forwarded-port", "80" },
		{ "x-forwarded-proto", "http" },
	};
	struct abt_json_out out;
	struct abt_buf buf;
	size_t i;

	abt_buf_init(&buf, w->pool, SIZE);
	abt_json_out_init(&out, &buf);
	abt_json_object(&out, NULL);
	abt_json_object(&out, "requestContext");
	abt_json_object(&out, "elb");
	abt_json_text(&out, "targetGroupArn",
	    "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
	    "targetgroup/shop/49e9d65c45c6791a");
	abt_json_close(&out);
	abt_json_close(&out);
	abt_json_text(&out, "httpMethod", "GET");
	abt_json_text(&out, "path", "/some/path");
	abt_json_object(&out, "queryStringParameters");
	abt_json_text(&out, "query", "1234ABCD");
	abt_json_close(&out);
	abt_json_object(&out, "headers");
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		abt_json_string_at(&out, abt_bytes_text(headers[i][0]),
		    abt_bytes_text(headers[i][1]));
	abt_json_close(&out);
	abt_json_text(&out, "body", "");
	abt_json_bool(&out, "isBase64Encoded", false);
	abt_json_close(&out);
	sink = buf.n;
	abt_buf_end(&buf);
}

static void
use_arena(struct work *w)
{
	struct abt_arena arena;
	int i;

	abt_arena_init(&arena, w->pool);
	for (i = 0; i < 20; i++)
		sink = abt_arena_alloc(&arena, 64) != NULL;
	abt_arena_end(&arena);
}

static void
use_chunk(struct work *w)
{
	abt_chunk_end(w->pool, abt_chunk_new(w->pool, SIZE));
}

static void
make_id(struct work *w)
{
	unsigned char random[16];

	if (abt_random(random, sizeof(random)) == 0)
		abt_id_uuid(w->out, random);
}

static void
write_date(struct work *w)
{
	abt_date_iso_us(w->out, abt_clock_epoch_us());
}

/* ---- input ---- */

static char *
repeat(const char *text, size_t *n)
{
	size_t length = strlen(text);
	char *p = malloc(SIZE);

	if (p == NULL)
		exit(1);
	for (*n = 0; *n + length <= SIZE; *n += length)
		memcpy(p + *n, text, length);
	return p;
}

static void
measure_text(const char *name, const char *text, struct work *w)
{
	struct abt_json_out out;
	struct abt_bytes plain;
	struct abt_buf buf;
	size_t n;
	char *p = repeat(text, &n);

	printf("-- 1 MB of %s\n", name);
	w->in = plain = abt_bytes(p, n);
	measure("UTF-8", n, check_utf8, w);
	measure("write a string", n, write_string, w);
	measure("  yajl_gen", n, write_string_yajl, w);
	abt_buf_init(&buf, NULL, 16 * SIZE);
	abt_json_out_init(&out, &buf);
	abt_json_object(&out, NULL);
	abt_json_string(&out, "body", plain);
	abt_json_close(&out);
	w->in = abt_buf_bytes(&buf);
	measure("read it", w->in.n, scan, w);
	measure("  yajl, callbacks", w->in.n, scan_yajl, w);
	abt_buf_end(&buf);
	free(p);
}

static void
measure_bytes(struct work *w)
{
	size_t n;
	char *p = repeat("some bytes \xff\x80 of no meaning ", &n), *code;

	printf("-- 1 MB of bytes\n");
	w->in = abt_bytes(p, n);
	measure("memcpy", n, copy, w);
	measure("base64, encode", n, encode, w);
	code = malloc(abt_base64_length(n));
	if (code == NULL)
		exit(1);
	abt_base64_encode(code, w->in);
	w->in = abt_bytes(code, abt_base64_length(n));
	measure("base64, decode", w->in.n, decode, w);
	free(code);
	free(p);
}

int
main(void)
{
	struct work w = { .out = malloc(2 * SIZE),
		.pool = abt_pool_new(8 * SIZE) };

	if (w.out == NULL || w.pool == NULL)
		return 1;
	measure_text("ASCII", "plain text of no meaning. ", &w);
	measure_text("JSON",
	    "{\"id\":12345,\"name\":\"Some name\",\"tags\":[\"a\",\"bc\"]},",
	    &w);
	measure_text("German",
	    "Fr\xc3\xbch \xc3\xbc"
	    "bt sich, wer Stra\xc3\x9f"
	    "en baut. ",
	    &w);
	measure_text("Japanese", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", &w);
	measure_bytes(&w);
	printf("-- small things\n");
	w.in = ABT_BYTES(
	    "{\"statusCode\":200,\"statusDescription\":\"200 OK\",\"headers\":"
	    "{\"Content-Type\":\"application/json\",\"Cache-Control\":"
	    "\"no-cache\",\"X-Request-Id\":\"0123456789abcdef\"},"
	    "\"isBase64Encoded\":false,\"body\":\"{\\\"message\\\":\\\"hello "
	    "world\\\",\\\"items\\\":[1,2,3],\\\"ok\\\":true}\"}");
	measure("write an event of 650 bytes", 0, write_event, &w);
	measure("read a result of 240 bytes", 0, scan, &w);
	measure("  yajl, callbacks", 0, scan_yajl, &w);
	measure("arena: 20 pieces", 0, use_arena, &w);
	measure("pool: a chunk of 1 MB", 0, use_chunk, &w);
	measure("random UUID", 0, make_id, &w);
	measure("clock and date", 0, write_date, &w);
	abt_pool_free(w.pool);
	free(w.out);
	return 0;
}
