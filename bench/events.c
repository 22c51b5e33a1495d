/*
 * events.c - what one request costs behind each door, without a socket
 *
 * A request of a browser with twelve headers is read, and its event written,
 * behind every dialect in turn; then the result is read.  Each line is the best
 * of several rounds, and its ratio to the ALB's.  "events NAME COUNT" does one
 * door's events only, for callgrind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "albatross.h"
#include "config/api.h"
#include "http/read.h"
#include "route/route.h"

#define ROUNDS 15

static const char raw[] =
    "GET /products/17/reviews?page=3&sort=newest&q=red%20shoes HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
    "Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    "\r\n"
    "Accept-Language: en-GB,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Cookie: session=0f9a1c2b3d4e5f60718293a4b5c6d7e8; theme=dark; visits=12"
    "\r\n"
    "Referer: http://shop.example.com/products?page=3\r\n"
    "Cache-Control: no-cache\r\n"
    "Pragma: no-cache\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "X-Request-Source: bench\r\n"
    "\r\n";
static const char result[] =
    "{\"statusCode\":200,\"headers\":{\"content-type\":\"application/json\"},"
    "\"body\":\"{\\\"message\\\":\\\"hello from a function\\\"}\","
    "\"isBase64Encoded\":false}";

struct door {
	struct abt_arena arena; /* of the front and the request */
	struct abt_front front;
	struct abt_routes routes;
	struct abt_route route;
	struct abt_request request;
	struct abt_call call;
};

static struct abt_pool *pool;
static volatile size_t sink;

static void
complain(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "%s\n", sentence);
}

static int
admit(void *context, struct abt_request *req, struct abt_report *report)
{
	const struct door *door = context;

	return door->front.dialect->admit(&door->call, req, report);
}

static void
set_facts(struct abt_facts *facts)
{
	static const char id[] = "5f0c7b1e-6f0e-4a57-9f0b-6b1f2f9c7a10";

	facts->epoch_us = INT64_C(1700000000123456);
	facts->peer_ip = ABT_BYTES("203.0.113.10");
	facts->peer_port = 50000;
	facts->listener_port = 80;
	memcpy(facts->request_id, id, sizeof(id));
	for (size_t i = 0; i < sizeof(facts->random); i++)
		facts->random[i] = (unsigned char)(i * 37 + 11);
	facts->date = ABT_BYTES("Tue, 14 Nov 2023 22:13:20 GMT");
}

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "events: %s\n", what);
	exit(1);
}

static void
read_request(struct door *door)
{
	struct abt_report report;

	abt_report_init(&report, &door->arena);
	door->call.arena = &door->arena;
	must(abt_request_read(abt_bytes(raw, sizeof(raw) - 1),
		 &door->front.policy, admit, door, &door->arena, &door->request,
		 &report) > 0,
	    "the request is not read");
	must(door->front.dialect->route(&door->call, &report) == 0,
	    "there is no route");
}

static void
open_door(struct door *door, const char *name)
{
	struct abt_source source = { .arena = &door->arena,
		.complain = complain };
	struct abt_front_options options = { 0 };

	memset(door, 0, sizeof(*door));
	abt_arena_init(&door->arena, pool);
	must(abt_schema_presets(&source, abt_front_option_rows, &options) == 0,
	    "no presets");
	options.dialect = abt_bytes_text(name);
	options.stage_in_path = false;
	must(abt_front_make(&source, ABT_BYTES("bench"), &options, NULL,
		 &door->front) == 0,
	    "no front");
	door->route.action = ABT_FORWARD;
	door->route.function = door;
	door->route.target_group_arn = abt_target_group_arn(&door->arena,
	    options.region, options.account, ABT_BYTES("function"));
	door->routes = (struct abt_routes){ &door->route, 1 };
	if (door->front.api == NULL)
		door->front.routes = &door->routes;
	else
		must(abt_api_routes_make(
			 &source, &options, door, &door->front) == 0,
		    "no routes");
	abt_front_finish(&door->front);
	door->call = (struct abt_call){ .front = &door->front,
		.request = &door->request };
	set_facts(&door->call.facts);
	read_request(door);
}

/* ---- what is measured ---- */

/* From the request, which is read and has found its route, to the event. */
static void
write_event(struct door *door)
{
	struct abt_call call = door->call;
	struct abt_report report;
	struct abt_json_out out;
	struct abt_arena arena;
	struct abt_buf buf;

	abt_arena_init(&arena, pool);
	abt_report_init(&report, &arena);
	report.quiet_notes = true;
	call.arena = &arena;
	abt_buf_init(&buf, pool, 6291556);
	abt_buf_room(&buf, 2 * door->request.head_size + 640);
	abt_json_out_init(&out, &buf);
	if (door->front.dialect->write_event(&call, &out, &report) != 0)
		must(false, "no event");
	sink = buf.n;
	abt_buf_end(&buf);
	abt_arena_end(&arena);
}

static void
read_result(struct door *door)
{
	struct abt_call call = door->call;
	struct abt_response response = { 0 };
	struct abt_report report;
	struct abt_arena arena;

	abt_arena_init(&arena, pool);
	abt_report_init(&report, &arena);
	report.quiet_notes = true;
	call.arena = &arena;
	if (abt_response_from_result(&call,
		abt_bytes(result, sizeof(result) - 1), false, &response,
		&report) != 0)
		must(false, "no response");
	sink = response.headers.count;
	abt_arena_end(&arena);
}

static double
cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* Nanoseconds a call, in a round of about 10 ms. */
static double
measure(struct door *door, void (*run)(struct door *))
{
	enum { COUNT = 3000 };
	double begin = cpu_seconds();

	for (int i = 0; i < COUNT; i++)
		run(door);
	return (cpu_seconds() - begin) / COUNT * 1e9;
}

#define DOORS 16

/* Rounds of the doors alternate, so that all see the same machine. */
static void
compare(const char *what, struct door *doors, const char *const *names,
    size_t count, void (*run)(struct door *))
{
	double best[DOORS];

	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < count; i++) {
			double took = measure(&doors[i], run);

			if (round == 0 || took < best[i])
				best[i] = took;
		}
	printf("-- %s\n", what);
	for (size_t i = 0; i < count; i++)
		printf("%-12s %8.0f ns %6.2f\n", names[i], best[i],
		    best[i] / best[0]);
}

int
main(int argc, char **argv)
{
	static const char *const names[] = { "alb", "alb-multi", "rest",
		"http-1.0", "http-2.0", "url" };
	static struct door doors[DOORS];
	size_t count = sizeof(names) / sizeof(names[0]);

	pool = abt_pool_new(1 << 20);
	must(pool != NULL, "no memory");
	if (argc > 1) {
		open_door(&doors[0], argv[1]);
		for (int i = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1000;
		     i > 0; i--)
			write_event(&doors[0]);
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		open_door(&doors[i], names[i]);
	compare("events", doors, names, count, write_event);
	compare("results", doors, names, count, read_result);
	for (size_t i = 0; i < count; i++)
		abt_arena_end(&doors[i].arena);
	abt_pool_free(pool);
	return 0;
}
