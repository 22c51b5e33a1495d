/*
 * event_all.c - one request through every door, side by side
 *
 * The events are taken apart into members, each named by its JSON pointer;
 * lists stay whole.  Doors that agree share a line.  All doors get the same
 * facts, so ids and times differ only where the formats do.
 */
#include "cli/event_all.h"

#include "albatross.h"
#include "config/api.h"
#include "route/route.h"

#include <stdio.h>

#define DOORS_MAX 16
#define INDENT    4

struct door {
	char name[32];
	const struct abt_json *event; /* NULL: refused, or incomplete */
	const struct abt_rule *rule;  /* why */
	int status;                   /* what the client gets then */
};

/* One member of any event, and its value behind each door. */
struct member {
	struct member *next;
	struct abt_bytes pointer;
	struct abt_bytes values[DOORS_MAX]; /* JSON; p == NULL: absent */
};

struct all {
	struct abt_cli *cli;
	struct door doors[DOORS_MAX];
	size_t count;
	struct member *first, **last;
};

/* ---- the doors ---- */

/* Routes are for doors that have them; a stage must be asked for, or the same
 * path could not go through all doors. */
static struct abt_front_options
options_for(const struct all *all, const struct abt_front_options *options,
    const struct door *door)
{
	const struct abt_dialect *dialect =
	    abt_dialect_find(abt_bytes_text(door->name));
	struct abt_front_options own = *options;

	own.dialect = abt_bytes_text(door->name);
	own.attributes = NULL;
	own.attribute.count = 0;
	own.stage_in_path =
	    options->stage_in_path && abt_cli_given(all->cli, "stage");
	if (dialect != NULL && dialect->routing == ABT_ONE_FUNCTION)
		own.route.count = 0;
	return own;
}

static int
make_front(struct all *all, const struct abt_front_options *options,
    struct abt_front *front)
{
	struct abt_arena *arena = &all->cli->arena;
	struct abt_source *source = &all->cli->source;
	struct abt_routes *routes = abt_arena_zero(arena, sizeof *routes);
	struct abt_route *route = abt_arena_zero(arena, sizeof *route);

	if (routes == NULL || route == NULL)
		return -1;
	route->action = ABT_FORWARD;
	route->function = route; /* something: nothing is invoked */
	route->target_group_arn = abt_target_group_arn(
	    arena, options->region, options->account, ABT_BYTES("function"));
	routes->routes = route;
	routes->count = 1;
	if (abt_front_make(source, ABT_BYTES("event"), options, NULL, front) !=
	    0)
		return -1;
	if (front->api == NULL)
		front->routes = routes;
	else if (abt_api_routes_make(source, options, route, front) != 0)
		return -1;
	abt_front_finish(front);
	return 0;
}

/* 0; or an exit status: nothing can be shown. */
static int
open_door(struct all *all, const struct abt_front_options *options,
    const struct abt_call *facts, struct abt_bytes raw, struct door *door)
{
	struct abt_front_options own = options_for(all, options, door);
	struct abt_arena *arena = &all->cli->arena;
	struct abt_front *front = abt_arena_zero(arena, sizeof *front);
	struct abt_call call = {
		.front = front, .facts = facts->facts, .arena = arena
	};
	struct abt_response response = { 0 };
	struct abt_json_error error;
	struct abt_report report;
	struct abt_bytes event;
	int rc;

	if (front == NULL || make_front(all, &own, front) != 0)
		return ABT_EXIT_USAGE;
	abt_report_init(&report, arena);
	rc = abt_event_from_request(&call, raw, &event, &response, &report);
	if (rc < 0)
		return abt_cli_usage(all->cli, "the request is not complete");
	door->rule = report.broken;
	door->status = response.status;
	if (rc == 0)
		door->event =
		    abt_json_scan(event, ABT_JSON_DEPTH, arena, &error);
	return 0;
}

/* Every dialect, and the ALB's other mode. */
static void
list_doors(struct all *all)
{
	for (size_t i = 0; abt_dialects[i] != NULL; i++) {
		const struct abt_option *row = abt_dialects[i]->attributes;

		if (all->count + 2 > DOORS_MAX)
			return;
		snprintf(all->doors[all->count++].name,
		    sizeof all->doors[0].name, "%s", abt_dialects[i]->name);
		for (; row != NULL && row->kind != ABT_OPTION_END; row++)
			if (row->flag != NULL &&
			    strcmp(row->flag, "multi-value-headers") == 0)
				snprintf(all->doors[all->count++].name,
				    sizeof all->doors[0].name, "%s-multi",
				    abt_dialects[i]->name);
	}
}

/* ---- taking events apart ---- */

static struct member *
member_at(struct all *all, struct abt_bytes pointer)
{
	struct member *m;

	for (m = all->first; m != NULL; m = m->next)
		if (abt_bytes_equal(m->pointer, pointer))
			return m;
	m = abt_arena_zero(&all->cli->arena, sizeof *m);
	if (m == NULL)
		return NULL;
	m->pointer = pointer;
	*all->last = m;
	all->last = &m->next;
	return m;
}

static struct abt_bytes
json_of(struct all *all, const struct abt_json *value)
{
	struct abt_json_out out;
	struct abt_buf buf;
	struct abt_bytes json;

	abt_buf_init(&buf, NULL, SIZE_MAX / 2);
	abt_json_out_init(&out, &buf);
	abt_json_tree(&out, NULL, value);
	if (abt_json_out_failed(&out))
		abt_arena_fail(&all->cli->arena);
	json = abt_arena_copy(&all->cli->arena, abt_buf_bytes(&buf));
	abt_buf_end(&buf);
	return json;
}

/* Depth is bounded by the reader. */
static void
take_apart(struct all *all, size_t door, struct abt_bytes pointer,
    const struct abt_json *value)
{
	struct member *m;

	if (value->kind == ABT_JSON_OBJECT && value->count > 0) {
		for (value = value->first; value != NULL; value = value->next)
			take_apart(all, door,
			    abt_json_pointer(
				&all->cli->arena, pointer, value->key),
			    value);
		return;
	}
	m = member_at(all, pointer);
	if (m != NULL)
		m->values[door] = json_of(all, value);
}

/* ---- printing ---- */

static bool
same(struct abt_bytes a, struct abt_bytes b)
{
	return (a.p == NULL) == (b.p == NULL) && abt_bytes_equal(a, b);
}

static bool
all_same(const struct all *all, const struct member *m)
{
	const struct abt_bytes *first = NULL;

	for (size_t i = 0; i < all->count; i++) {
		if (all->doors[i].event == NULL)
			continue;
		if (first == NULL)
			first = &m->values[i];
		else if (!same(*first, m->values[i]))
			return false;
	}
	return true;
}

/* The doors that have the value of door |i|, if it is the first of them. */
static void
print_group(const struct all *all, const struct member *m, size_t i)
{
	const char *between = "";

	for (size_t k = 0; k < i; k++)
		if (all->doors[k].event != NULL &&
		    same(m->values[k], m->values[i]))
			return;
	printf("%*s", INDENT, "");
	for (size_t k = i; k < all->count; k++) {
		if (all->doors[k].event == NULL ||
		    !same(m->values[k], m->values[i]))
			continue;
		printf("%s%s", between, all->doors[k].name);
		between = " ";
	}
	if (m->values[i].p == NULL)
		printf(": (absent)\n");
	else
		printf(": %.*s\n", ABT_FMT(m->values[i]));
}

static void
print_members(const struct all *all)
{
	unsigned equal = 0, differing = 0;

	for (const struct member *m = all->first; m != NULL; m = m->next) {
		if (all_same(all, m)) {
			size_t i = 0;

			while (all->doors[i].event == NULL)
				i++;
			printf("  %.*s: %.*s\n", ABT_FMT(m->pointer),
			    ABT_FMT(m->values[i]));
			equal++;
			continue;
		}
		printf("* %.*s\n", ABT_FMT(m->pointer));
		for (size_t i = 0; i < all->count; i++)
			if (all->doors[i].event != NULL)
				print_group(all, m, i);
		differing++;
	}
	printf("%u members are the same behind every door, %u differ (*)\n",
	    equal, differing);
}

static int
print_refusals(const struct all *all)
{
	int rc = ABT_EXIT_OK;

	for (size_t i = 0; i < all->count; i++) {
		const struct door *door = &all->doors[i];

		if (door->event != NULL)
			continue;
		printf("! %s refuses: the client gets %d (%s)\n", door->name,
		    door->status,
		    door->rule != NULL ? door->rule->name : "no rule");
		rc = ABT_EXIT_BROKEN;
	}
	return rc;
}

int
abt_event_all(struct abt_cli *cli, const struct abt_front_options *options,
    const struct abt_facts_options *facts, struct abt_bytes raw)
{
	struct all all = { .cli = cli, .last = &all.first };
	struct abt_call call = { 0 };
	int rc = abt_cli_facts(cli, facts, &call);

	if (rc != 0)
		return rc;
	list_doors(&all);
	for (size_t i = 0; i < all.count; i++) {
		rc = open_door(&all, options, &call, raw, &all.doors[i]);
		if (rc != 0)
			return rc;
		if (all.doors[i].event != NULL)
			take_apart(
			    &all, i, abt_bytes("", 0), all.doors[i].event);
	}
	if (abt_arena_failed(&cli->arena)) {
		abt_cli_no_memory(cli);
		return ABT_EXIT_BROKEN;
	}
	rc = print_refusals(&all);
	if (all.first != NULL)
		print_members(&all);
	return abt_cli_flush(cli, rc);
}
