/*
 * rest_headers.c - the header maps of a result become header lines
 *
 * The lists come first, then the single values; values of one name stand
 * together, where the name first stood, under the spelling that the lists have
 * (apigw.md R7.19).  To find them together all are sorted by lower-case name,
 * so that no choice of names makes it quadratic.
 */
#include "dialect/rest_headers.h"

#include "dialect/maps.h"

#define LIST_LOOK 100

/* One value that was found, in order. */
struct value {
	struct abt_field field;
	size_t next_group; /* at a group's first: where it ends, sorted */
	size_t begin;      /* the same: where it begins */
	bool single;
};

struct reading {
	const struct abt_call *call;
	struct abt_response *response;
	struct abt_report *report;
	struct value *values;
	size_t count;
};

static struct abt_bytes
where_of(struct reading *r, bool single, struct abt_bytes name)
{
	return abt_json_pointer(r->call->arena,
	    single ? ABT_BYTES("/headers") : ABT_BYTES("/multiValueHeaders"),
	    name);
}

/* The place is only made where somebody will read it. */
static void
note(struct reading *r, enum abt_rule_id rule, bool single,
    struct abt_bytes name)
{
	if (!r->report->quiet_notes)
		abt_note(r->report, rule, where_of(r, single, name));
}

struct abt_bytes
abt_rest_scalar(const struct abt_json *value)
{
	if (value->kind == ABT_JSON_TRUE)
		return ABT_BYTES("true");
	if (value->kind == ABT_JSON_FALSE)
		return ABT_BYTES("false");
	return value->text;
}

/* ---- reading ---- */

static int
read_value(struct reading *r, bool single, struct abt_bytes name,
    const struct abt_json *value)
{
	struct abt_bytes text = abt_rest_scalar(value);

	if (name.n == 0 || !abt_bytes_all(name, ABT_CHAR_TOKEN) ||
	    !abt_bytes_all(text, ABT_CHAR_FIELD)) /* R8.11 */
		return abt_break(r->report, ABT_RULE_REST_RESULT_HEADER_BAD,
		    where_of(r, single, name));
	if (value->kind != ABT_JSON_STRING)
		note(r, ABT_RULE_REST_NOTE_COERCED, single, name);
	r->values[r->count++] = (struct value){
		.field = { .name = name,
		    .value = text,
		    .id = abt_field_find(name) },
		.single = single,
	};
	return 0;
}

/* One member of multiValueHeaders (R7.14). */
static int
read_list(struct reading *r, const struct abt_json *list)
{
	const struct abt_json *value;

	if (list->kind == ABT_JSON_NULL) {
		note(r, ABT_RULE_REST_NOTE_NULL, false, list->key);
		return 0;
	}
	if (list->kind != ABT_JSON_ARRAY)
		return abt_break(r->report, ABT_RULE_REST_RESULT_MULTI_VALUE,
		    where_of(r, false, list->key));
	for (value = list->first; value != NULL; value = value->next) {
		if (value->kind == ABT_JSON_NULL) {
			note(r, ABT_RULE_REST_NOTE_NULL, false, list->key);
			continue;
		}
		if (value->kind == ABT_JSON_OBJECT ||
		    value->kind == ABT_JSON_ARRAY) {
			if (abt_break(r->report,
				ABT_RULE_REST_RESULT_MULTI_VALUE,
				where_of(r, false, list->key)) != 0)
				return -1;
		} else if (read_value(r, false, list->key, value) != 0) {
			return -1;
		}
	}
	return 0;
}

/* One member of headers (R7.11 to R7.13). */
static int
read_single(struct reading *r, const struct abt_json *value)
{
	if (value->kind == ABT_JSON_NULL) {
		note(r, ABT_RULE_REST_NOTE_NULL, true, value->key);
		return 0;
	}
	if (value->kind == ABT_JSON_OBJECT || value->kind == ABT_JSON_ARRAY)
		return abt_break(r->report, ABT_RULE_REST_RESULT_HEADER_VALUE,
		    where_of(r, true, value->key));
	return read_value(r, true, value->key, value);
}

static int
read_maps(struct reading *r, const struct abt_json *single,
    const struct abt_json *multi)
{
	const struct abt_json *m;

	for (m = multi != NULL ? multi->first : NULL; m != NULL; m = m->next)
		if (!abt_json_is_shadowed(m) && read_list(r, m) != 0)
			return -1;
	for (m = single != NULL ? single->first : NULL; m != NULL; m = m->next)
		if (!abt_json_is_shadowed(m) && read_single(r, m) != 0)
			return -1;
	return 0;
}

/* How many values there can be. */
static size_t
room_for(const struct abt_json *single, const struct abt_json *multi)
{
	size_t n = single != NULL ? single->count : 0;
	const struct abt_json *m;

	for (m = multi != NULL ? multi->first : NULL; m != NULL; m = m->next)
		n += m->count;
	return n;
}

/* ---- renaming and dropping ---- */

/* R8.5 */
static bool
is_remapped(const struct abt_field *field)
{
	static const struct abt_bytes others[] = {
		ABT_BYTES_INIT("www-authenticate"),
		ABT_BYTES_INIT("authorization"),
		ABT_BYTES_INIT("content-md5"),
		ABT_BYTES_INIT("max-forwards"),
		ABT_BYTES_INIT("proxy-authenticate"),
		ABT_BYTES_INIT("x-amzn-requestid"),
	};
	size_t i;

	switch (field->id) {
	case ABT_FIELD_CONNECTION:
	case ABT_FIELD_CONTENT_LENGTH:
	case ABT_FIELD_DATE:
	case ABT_FIELD_EXPECT:
	case ABT_FIELD_HOST:
	case ABT_FIELD_SERVER:
	case ABT_FIELD_TRAILER:
	case ABT_FIELD_UPGRADE:
	case ABT_FIELD_USER_AGENT:
		return true;
	case ABT_FIELD_OTHER:
		for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			if (abt_bytes_equal_nocase(field->name, others[i]))
				return true;
		return false;
	default:
		return false;
	}
}

static bool
is_dropped(const struct abt_field *field)
{
	return field->id == ABT_FIELD_TRANSFER_ENCODING ||
	       field->id == ABT_FIELD_TE || field->id == ABT_FIELD_KEEP_ALIVE ||
	       field->id == ABT_FIELD_PROXY_CONNECTION;
}

static void
place(struct reading *r, const struct value *value)
{
	const struct abt_field *field = &value->field;
	struct abt_response *response = r->response;
	struct abt_arena *arena = r->call->arena;

	if (is_dropped(field)) {
		note(r, ABT_RULE_REST_NOTE_DROPPED, value->single, field->name);
	} else if (is_remapped(field)) {
		note(r,
		    field->id == ABT_FIELD_CONTENT_LENGTH
			? ABT_RULE_REST_NOTE_LENGTH
			: ABT_RULE_REST_NOTE_REMAPPED,
		    value->single, field->name);
		abt_headers_add_id(&response->headers, arena, ABT_FIELD_OTHER,
		    abt_arena_printf(
			arena, "x-amzn-Remapped-%.*s", ABT_FMT(field->name)),
		    field->value);
	} else {
		abt_headers_add_id(field->id == ABT_FIELD_CONTENT_TYPE
				       ? &response->ours
				       : &response->headers,
		    arena, field->id, field->name, field->value);
	}
}

void
abt_rest_default_type(
    const struct abt_call *call, struct abt_response *response)
{
	if (abt_headers_first(&response->ours, ABT_FIELD_CONTENT_TYPE) == NULL)
		abt_headers_add_id(&response->ours, call->arena,
		    ABT_FIELD_CONTENT_TYPE, ABT_BYTES("Content-Type"),
		    ABT_BYTES("application/json"));
}

/* ---- merging ---- */

static struct value *
value_of(const struct abt_entry *entry)
{
	return (struct value *)(uintptr_t)entry->value.p;
}

/* Sort the values into groups of one name; the first value of each group knows
 * where it stands. */
static void
group(struct reading *r, struct abt_entries *sorted)
{
	struct abt_arena *arena = r->call->arena;
	size_t i, end;

	for (i = 0; i < r->count; i++)
		abt_entries_add(sorted, arena,
		    abt_field_lower(&r->values[i].field, arena),
		    abt_bytes(
			(const char *)&r->values[i], sizeof(r->values[i])));
	abt_entries_sort(sorted, arena);
	for (i = 0; i < sorted->count; i = end) {
		struct value *first = value_of(&sorted->items[i]);

		for (end = i + 1; end < sorted->count; end++)
			if (!abt_bytes_equal(
				sorted->items[i].name, sorted->items[end].name))
				break;
		first->begin = i;
		first->next_group = end;
	}
}

/* Is the single value one of its group's list (R7.20)?  Of a list that is long
 * beyond all use only the beginning is looked at. */
static bool
stands_in_list(
    const struct abt_entries *sorted, size_t begin, const struct value *single)
{
	size_t i;

	for (i = begin; i < sorted->count && i < begin + LIST_LOOK; i++) {
		const struct value *other = value_of(&sorted->items[i]);

		if (other == single || other->single)
			return false;
		if (abt_bytes_equal(other->field.value, single->field.value))
			return true;
	}
	return false;
}

static void
place_group(struct reading *r, const struct abt_entries *sorted,
    const struct value *first)
{
	size_t i;

	for (i = first->begin; i < first->next_group; i++) {
		struct value *value = value_of(&sorted->items[i]);

		if (value->single &&
		    stands_in_list(sorted, first->begin, value)) {
			note(r, ABT_RULE_REST_NOTE_TWICE, true,
			    value->field.name);
			continue;
		}
		if (value->single && !first->single)
			value->field.name = first->field.name;
		place(r, value);
	}
}

static int
check_maps(struct reading *r, const struct abt_json **single,
    const struct abt_json **multi)
{
	if (*single != NULL && (*single)->kind != ABT_JSON_OBJECT) {
		*single = NULL;
		if (abt_break(r->report, ABT_RULE_REST_RESULT_HEADERS,
			ABT_BYTES("/headers")) != 0)
			return -1;
	}
	if (*multi != NULL && (*multi)->kind != ABT_JSON_OBJECT) {
		*multi = NULL;
		return abt_break(r->report, ABT_RULE_REST_RESULT_MULTI,
		    ABT_BYTES("/multiValueHeaders"));
	}
	return 0;
}

int
abt_rest_read_headers(const struct abt_call *call,
    const struct abt_json *single, const struct abt_json *multi,
    struct abt_response *response, struct abt_report *report)
{
	struct reading r = {
		.call = call, .response = response, .report = report
	};
	struct abt_entries sorted = { NULL, 0, 0 };
	size_t i;

	if (check_maps(&r, &single, &multi) != 0)
		return -1;
	r.values = abt_arena_array(
	    call->arena, room_for(single, multi) + 1, sizeof(*r.values));
	if (r.values == NULL)
		return 0; /* the arena remembers */
	if (read_maps(&r, single, multi) != 0)
		return -1;
	if (multi == NULL) { /* nothing to merge with */
		for (i = 0; i < r.count; i++)
			place(&r, &r.values[i]);
	} else {
		group(&r, &sorted);
		for (i = 0; i < r.count; i++)
			if (r.values[i].next_group > 0)
				place_group(&r, &sorted, &r.values[i]);
	}
	abt_rest_default_type(call, response);
	return 0;
}
