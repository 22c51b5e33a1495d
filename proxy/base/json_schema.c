/*
 * json_schema.c - does a value meet a JSON Schema (draft 4)?
 *
 * Each keyword is one function: does it hold for this value?  A keyword that
 * says nothing about values of this kind holds.  The schema is the operator's,
 * the value a stranger's: no value takes more than n log n, but for what the
 * schema itself multiplies.
 */
#include "base/json_schema.h"

#include <stdlib.h>

#include "base/regex.h"

#define DEPTH_MAX 200 /* schemas within schemas, references followed */

struct check {
	const struct abt_json *root;
	struct abt_arena *arena;
	unsigned depth;
};

static bool meets(struct check *c, const struct abt_json *schema,
    const struct abt_json *value);

/* ---- numbers and lengths ---- */

static double
number_of(const struct abt_json *value)
{
	char copy[64];
	size_t n =
	    value->text.n < sizeof(copy) ? value->text.n : sizeof(copy) - 1;

	memcpy(copy, value->text.p, n);
	copy[n] = '\0';
	return strtod(copy, NULL);
}

/* |number| without its fraction; those over 2^53 have none. */
static double
truncated(double number)
{
	if (number > -9e15 && number < 9e15)
		return (double)(int64_t)number;
	return number;
}

static bool
is_whole(const struct abt_json *value)
{
	double number = number_of(value), whole = truncated(number);

	return number >= whole && number <= whole;
}

static size_t
characters(struct abt_bytes text)
{
	size_t i, n = 0;

	for (i = 0; i < text.n; i++)
		n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return n;
}

/* Is |count| at most |limit| (at least, if |least|)?  No limit: yes. */
static bool
count_fits(const struct abt_json *limit, size_t count, bool least)
{
	double bound;

	if (!abt_json_is(limit, ABT_JSON_NUMBER))
		return true;
	bound = number_of(limit);
	return least ? (double)count >= bound : (double)count <= bound;
}

static size_t
members(const struct abt_json *object)
{
	const struct abt_json *m;
	size_t n = 0;

	for (m = object->first; m != NULL; m = m->next)
		n += !abt_json_is_shadowed(m);
	return n;
}

/* ---- type, enum ---- */

static bool
is_type(const struct abt_json *value, struct abt_bytes type)
{
	static const char *const names[] = {
		[ABT_JSON_NULL] = "null",
		[ABT_JSON_FALSE] = "boolean",
		[ABT_JSON_TRUE] = "boolean",
		[ABT_JSON_NUMBER] = "number",
		[ABT_JSON_STRING] = "string",
		[ABT_JSON_ARRAY] = "array",
		[ABT_JSON_OBJECT] = "object",
	};

	if (abt_bytes_equal(type, abt_bytes_text(names[value->kind])))
		return true;
	return value->kind == ABT_JSON_NUMBER &&
	       abt_bytes_equal(type, ABT_BYTES("integer")) && is_whole(value);
}

static bool
type_holds(const struct abt_json *type, const struct abt_json *value)
{
	const struct abt_json *t;

	if (abt_json_is(type, ABT_JSON_STRING))
		return is_type(value, type->text);
	if (!abt_json_is(type, ABT_JSON_ARRAY))
		return true;
	for (t = type->first; t != NULL; t = t->next)
		if (t->kind == ABT_JSON_STRING && is_type(value, t->text))
			return true;
	return false;
}

static bool
equal(struct check *c, const struct abt_json *a, const struct abt_json *b)
{
	struct abt_arena scratch;
	bool same;

	if (a->kind != b->kind)
		return false;
	abt_arena_init(&scratch, c->arena->pool);
	same = abt_json_compare(a, b, 0, &scratch) == NULL;
	if (abt_arena_failed(&scratch))
		abt_arena_fail(c->arena);
	abt_arena_end(&scratch);
	return same;
}

static bool
enum_holds(
    struct check *c, const struct abt_json *list, const struct abt_json *value)
{
	const struct abt_json *e;

	if (!abt_json_is(list, ABT_JSON_ARRAY))
		return true;
	for (e = list->first; e != NULL; e = e->next)
		if (equal(c, e, value))
			return true;
	return false;
}

/* ---- numbers, strings ---- */

static bool
number_holds(const struct abt_json *schema, const struct abt_json *value)
{
	const struct abt_json *low = abt_json_get(schema, "minimum");
	const struct abt_json *high = abt_json_get(schema, "maximum");
	const struct abt_json *step = abt_json_get(schema, "multipleOf");
	double number = number_of(value);

	if (abt_json_is(low, ABT_JSON_NUMBER) &&
	    (number < number_of(low) ||
		(number <= number_of(low) &&
		    abt_json_is(abt_json_get(schema, "exclusiveMinimum"),
			ABT_JSON_TRUE))))
		return false;
	if (abt_json_is(high, ABT_JSON_NUMBER) &&
	    (number > number_of(high) ||
		(number >= number_of(high) &&
		    abt_json_is(abt_json_get(schema, "exclusiveMaximum"),
			ABT_JSON_TRUE))))
		return false;
	if (abt_json_is(step, ABT_JSON_NUMBER) && number_of(step) > 0) {
		double times = number / number_of(step);

		double off =
		    times - truncated(times + (times < 0 ? -0.5 : 0.5));

		/* 0.3 is three times 0.1, whatever binary numbers say */
		return (off < 0 ? -off : off) <=
		       (times < 0 ? -times : times) * 1e-12;
	}
	return true;
}

static bool
pattern_finds(struct check *c, struct abt_bytes pattern, struct abt_bytes text)
{
	const struct abt_regex *regex;
	struct abt_arena scratch;
	bool found;

	abt_arena_init(&scratch, c->arena->pool);
	regex = abt_regex_compile(pattern, &scratch);
	/* a pattern that we do not speak holds */
	found = regex == NULL || abt_regex_search(regex, text, false, &scratch);
	if (abt_arena_failed(&scratch))
		abt_arena_fail(c->arena);
	abt_arena_end(&scratch);
	return found;
}

static bool
string_holds(struct check *c, const struct abt_json *schema,
    const struct abt_json *value)
{
	const struct abt_json *pattern = abt_json_get(schema, "pattern");
	size_t n = characters(value->text);

	return count_fits(abt_json_get(schema, "minLength"), n, true) &&
	       count_fits(abt_json_get(schema, "maxLength"), n, false) &&
	       (!abt_json_is(pattern, ABT_JSON_STRING) ||
		   pattern_finds(c, pattern->text, value->text));
}

/* ---- arrays ---- */

struct hashed {
	uint64_t hash;
	const struct abt_json *value;
};

static uint64_t
mix(uint64_t hash, struct abt_bytes bytes)
{
	size_t i;

	for (i = 0; i < bytes.n; i++)
		hash = (hash ^ (unsigned char)bytes.p[i]) * 0x100000001b3u;
	return hash ^ hash >> 29;
}

/* Equal values have equal hashes. */
static uint64_t
hash_of(const struct abt_json *value)
{
	uint64_t hash = (uint64_t)value->kind * 0x9e3779b97f4a7c15u;
	const struct abt_json *m;
	double number;

	switch (value->kind) {
	case ABT_JSON_NUMBER:
		number = number_of(value) + 0.0; /* -0 is 0 */
		return mix(
		    hash, abt_bytes((const char *)&number, sizeof(number)));
	case ABT_JSON_STRING:
		return mix(hash, value->text);
	case ABT_JSON_ARRAY:
		for (m = value->first; m != NULL; m = m->next)
			hash = hash * 31 + hash_of(m);
		return hash;
	case ABT_JSON_OBJECT:
		for (m = value->first; m != NULL; m = m->next)
			if (!abt_json_is_shadowed(m))
				hash += mix(hash_of(m), m->key);
		return hash;
	default:
		return hash;
	}
}

static int
by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static bool
all_differ(struct check *c, const struct abt_json *array)
{
	const struct abt_json *e;
	struct hashed *all =
	    abt_arena_array(c->arena, (size_t)array->count + 1, sizeof(*all));
	size_t n = 0, i;

	if (all == NULL)
		return false;
	for (e = array->first; e != NULL; e = e->next)
		all[n++] = (struct hashed){ hash_of(e), e };
	qsort(all, n, sizeof(*all), by_hash);
	for (i = 1; i < n; i++)
		if (all[i - 1].hash == all[i].hash &&
		    equal(c, all[i - 1].value, all[i].value))
			return false;
	return true;
}

static bool
items_hold(struct check *c, const struct abt_json *schema,
    const struct abt_json *value)
{
	const struct abt_json *items = abt_json_get(schema, "items"), *e;
	const struct abt_json *more = abt_json_get(schema, "additionalItems");
	const struct abt_json *place =
	    abt_json_is(items, ABT_JSON_ARRAY) ? items->first : NULL;
	bool each = abt_json_is(items, ABT_JSON_OBJECT);

	if (items == NULL)
		return true;
	for (e = value->first; e != NULL; e = e->next) {
		const struct abt_json *rule = each            ? items
					      : place != NULL ? place
							      : more;

		if (rule != NULL && rule->kind == ABT_JSON_FALSE)
			return false;
		if (abt_json_is(rule, ABT_JSON_OBJECT) && !meets(c, rule, e))
			return false;
		if (place != NULL)
			place = place->next;
	}
	return true;
}

static bool
array_holds(struct check *c, const struct abt_json *schema,
    const struct abt_json *value)
{
	return count_fits(
		   abt_json_get(schema, "minItems"), value->count, true) &&
	       count_fits(
		   abt_json_get(schema, "maxItems"), value->count, false) &&
	       items_hold(c, schema, value) &&
	       (!abt_json_is(
		    abt_json_get(schema, "uniqueItems"), ABT_JSON_TRUE) ||
		   all_differ(c, value));
}

/* ---- objects ---- */

static bool
has_all(const struct abt_json *names, const struct abt_json *value)
{
	const struct abt_json *name;

	if (!abt_json_is(names, ABT_JSON_ARRAY))
		return true;
	for (name = names->first; name != NULL; name = name->next)
		if (name->kind == ABT_JSON_STRING &&
		    abt_json_get_bytes(value, name->text) == NULL)
			return false;
	return true;
}

/* By its name, by patterns, or as one too many. */
static bool
member_holds(struct check *c, const struct abt_json *schema,
    const struct abt_json *member)
{
	const struct abt_json *named = abt_json_get(schema, "properties");
	const struct abt_json *patterns =
	    abt_json_get(schema, "patternProperties");
	const struct abt_json *more =
	    abt_json_get(schema, "additionalProperties");
	const struct abt_json *rule =
	    abt_json_is(named, ABT_JSON_OBJECT)
		? abt_json_get_bytes(named, member->key)
		: NULL;
	bool known = rule != NULL;

	if (known && !meets(c, rule, member))
		return false;
	if (!abt_json_is(patterns, ABT_JSON_OBJECT))
		patterns = NULL;
	for (rule = patterns != NULL ? patterns->first : NULL; rule != NULL;
	     rule = rule->next) {
		if (!pattern_finds(c, rule->key, member->key))
			continue;
		known = true;
		if (!meets(c, rule, member))
			return false;
	}
	if (known || more == NULL)
		return true;
	if (more->kind == ABT_JSON_OBJECT)
		return meets(c, more, member);
	return more->kind != ABT_JSON_FALSE;
}

static bool
dependencies_hold(struct check *c, const struct abt_json *schema,
    const struct abt_json *value)
{
	const struct abt_json *all = abt_json_get(schema, "dependencies"), *d;

	if (!abt_json_is(all, ABT_JSON_OBJECT))
		return true;
	for (d = all->first; d != NULL; d = d->next) {
		if (abt_json_get_bytes(value, d->key) == NULL)
			continue;
		if (d->kind == ABT_JSON_OBJECT ? !meets(c, d, value)
					       : !has_all(d, value))
			return false;
	}
	return true;
}

static bool
object_holds(struct check *c, const struct abt_json *schema,
    const struct abt_json *value)
{
	const struct abt_json *m;
	size_t n = members(value);

	if (!count_fits(abt_json_get(schema, "minProperties"), n, true) ||
	    !count_fits(abt_json_get(schema, "maxProperties"), n, false) ||
	    !has_all(abt_json_get(schema, "required"), value))
		return false;
	for (m = value->first; m != NULL; m = m->next)
		if (!abt_json_is_shadowed(m) && !member_holds(c, schema, m))
			return false;
	return dependencies_hold(c, schema, value);
}

/* ---- schemas of schemas ---- */

/* How many schemas of the list |value| meets. */
static size_t
met(struct check *c, const struct abt_json *list, const struct abt_json *value)
{
	const struct abt_json *s;
	size_t n = 0;

	for (s = list->first; s != NULL; s = s->next)
		n += meets(c, s, value);
	return n;
}

static bool
combined_hold(struct check *c, const struct abt_json *schema,
    const struct abt_json *value)
{
	const struct abt_json *all = abt_json_get(schema, "allOf");
	const struct abt_json *any = abt_json_get(schema, "anyOf");
	const struct abt_json *one = abt_json_get(schema, "oneOf");
	const struct abt_json *not = abt_json_get(schema, "not");

	return (!abt_json_is(all, ABT_JSON_ARRAY) ||
		   met(c, all, value) == all->count) &&
	       (!abt_json_is(any, ABT_JSON_ARRAY) || met(c, any, value) > 0) &&
	       (!abt_json_is(one, ABT_JSON_ARRAY) || met(c, one, value) == 1) &&
	       (!abt_json_is(not, ABT_JSON_OBJECT) || !meets(c, not, value));
}

/* One step of a pointer with its escapes (RFC 6901). */
static struct abt_bytes
unescaped(struct check *c, struct abt_bytes step)
{
	char *out = abt_arena_alloc(c->arena, step.n + 1);
	size_t i, n = 0;

	if (out == NULL)
		return step;
	for (i = 0; i < step.n; i++) {
		bool tilde = step.p[i] == '~' && i + 1 < step.n;

		if (tilde && step.p[i + 1] == '1')
			out[n++] = '/';
		else if (tilde && step.p[i + 1] == '0')
			out[n++] = '~';
		else
			out[n++] = step.p[i];
		i += tilde && (step.p[i + 1] == '0' || step.p[i + 1] == '1');
	}
	return abt_bytes(out, n);
}

/* "#/definitions/pet", or NULL: not in this document. */
static const struct abt_json *
resolve(struct check *c, struct abt_bytes reference)
{
	const struct abt_json *at = c->root;
	struct abt_bytes rest = reference, step;

	if (!abt_bytes_next(&rest, '/', &step) ||
	    !abt_bytes_equal(step, ABT_BYTES("#")))
		return NULL;
	while (at != NULL && abt_bytes_next(&rest, '/', &step)) {
		uint64_t n;

		if (at->kind == ABT_JSON_OBJECT)
			at = abt_json_get_bytes(at, unescaped(c, step));
		else if (at->kind == ABT_JSON_ARRAY &&
			 abt_bytes_number(step, 10, UINT32_MAX, &n))
			at = abt_json_at(at, (size_t)n);
		else
			at = NULL;
	}
	return at;
}

static bool
schema_holds(struct check *c, const struct abt_json *schema,
    const struct abt_json *value)
{
	const struct abt_json *ref = abt_json_get(schema, "$ref");

	if (abt_json_is(ref, ABT_JSON_STRING)) {
		ref = resolve(c, ref->text);
		return ref == NULL || meets(c, ref, value);
	}
	if (!type_holds(abt_json_get(schema, "type"), value) ||
	    !enum_holds(c, abt_json_get(schema, "enum"), value))
		return false;
	if (value->kind == ABT_JSON_NUMBER && !number_holds(schema, value))
		return false;
	if (value->kind == ABT_JSON_STRING && !string_holds(c, schema, value))
		return false;
	if (value->kind == ABT_JSON_ARRAY && !array_holds(c, schema, value))
		return false;
	if (value->kind == ABT_JSON_OBJECT && !object_holds(c, schema, value))
		return false;
	return combined_hold(c, schema, value);
}

static bool
meets(struct check *c, const struct abt_json *schema,
    const struct abt_json *value)
{
	bool holds;

	if (schema->kind != ABT_JSON_OBJECT)
		return true;
	if (c->depth == DEPTH_MAX || abt_arena_failed(c->arena))
		return false;
	c->depth++;
	holds = schema_holds(c, schema, value);
	c->depth--;
	return holds;
}

bool
abt_json_schema_holds(const struct abt_json *schema,
    const struct abt_json *value, struct abt_arena *scratch)
{
	struct check c = { .root = schema, .arena = scratch };

	return meets(&c, schema, value) && !abt_arena_failed(scratch);
}
