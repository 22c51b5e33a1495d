/*
 * regex.c - regular expressions as JSON schemas and API Gateway use them
 *
 * A pattern becomes a tree, the tree a program for a machine that is in many
 * states at once (Thompson, "Regular Expression Search Algorithm", 1968).  It
 * never goes back in the text, so no pattern takes exponential time.
 */
#include "base/regex.h"

#define NODES_MAX   5000  /* of a tree */
#define PROGRAM_MAX 20000 /* instructions, counted repeats written out */
#define DEPTH_MAX   100   /* groups in each other */
#define REPEAT_MAX  1000
#define NO_LIMIT    UINT32_MAX
#define LAST_CODE   0x10ffff

enum kind {
	EMPTY,
	SET,    /* one character of some ranges */
	BEGIN,  /* ^ */
	END,    /* $ */
	WORD,   /* \b */
	INSIDE, /* \B */
	CAT,
	ALT,
	REPEAT,
};

struct range {
	struct range *next;
	uint32_t low, high;
};

struct node {
	enum kind kind;
	bool negative; /* of a set */
	struct range *ranges;
	struct node *a, *b;
	uint32_t min, max; /* of REPEAT */
};

struct parser {
	struct abt_bytes rest;
	struct abt_arena *arena;
	unsigned nodes, depth;
	bool bad;
};

enum op {
	OP_SET,
	OP_BEGIN,
	OP_END,
	OP_WORD,
	OP_INSIDE,
	OP_SPLIT, /* go on at x and at y */
	OP_MATCH,
};

struct step {
	enum op op;
	uint32_t x, y;
	const struct node *set;
};

struct abt_regex {
	struct step *steps;
	uint32_t count;
	bool bad;
};

/* ---- characters ---- */

static bool
follows(struct abt_bytes b, size_t i)
{
	return i < b.n && ((unsigned char)b.p[i] & 0xc0) == 0x80;
}

/* The character at the beginning of |b|, which is not empty; its length in
 * |n|.  A byte that is no UTF-8 counts as one beyond all characters. */
static uint32_t
decode(struct abt_bytes b, size_t *n)
{
	unsigned char c = (unsigned char)b.p[0];
	size_t want = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, i;
	uint32_t code = c;

	*n = 1;
	if (c < 0x80)
		return c;
	if (c < 0xc2 || c > 0xf4)
		return LAST_CODE + 1 + c;
	code = c & (0x7fu >> want);
	for (i = 1; i < want; i++) {
		if (!follows(b, i))
			return LAST_CODE + 1 + c;
		code = code << 6 | ((unsigned char)b.p[i] & 0x3f);
	}
	*n = want;
	return code;
}

static bool
is_word(uint32_t c)
{
	return c < 128 && (abt_char_is((char)c, ABT_CHAR_ALPHA) ||
			      abt_char_is((char)c, ABT_CHAR_DIGIT) || c == '_');
}

/* ---- the tree ---- */

static struct node *parse_alternatives(struct parser *p);

static struct node *
new_node(struct parser *p, enum kind kind)
{
	struct node *node = NULL;

	if (p->nodes++ < NODES_MAX)
		node = abt_arena_zero(p->arena, sizeof(*node));
	if (node == NULL)
		p->bad = true;
	else
		node->kind = kind;
	return node;
}

static void
add_range(struct parser *p, struct node *set, uint32_t low, uint32_t high)
{
	struct range *range = abt_arena_alloc(p->arena, sizeof(*range));

	if (range == NULL || low > high) {
		p->bad = true;
		return;
	}
	*range = (struct range){ set->ranges, low, high };
	set->ranges = range;
}

static bool
take(struct parser *p, char c)
{
	if (p->rest.n == 0 || p->rest.p[0] != c)
		return false;
	p->rest.p++;
	p->rest.n--;
	return true;
}

static uint32_t
next_code(struct parser *p)
{
	uint32_t code;
	size_t n;

	if (p->rest.n == 0) {
		p->bad = true;
		return 0;
	}
	code = decode(p->rest, &n);
	p->rest.p += n;
	p->rest.n -= n;
	return code;
}

/* |digits| hex digits. */
static uint32_t
hex(struct parser *p, unsigned digits)
{
	uint32_t code = 0;

	while (digits-- > 0) {
		int value = p->rest.n > 0 ? abt_hex_value(p->rest.p[0]) : -1;

		if (value < 0) {
			p->bad = true;
			return 0;
		}
		code = code << 4 | (uint32_t)value;
		p->rest.p++;
		p->rest.n--;
	}
	return code;
}

/* Classes behind a backslash, into |set|.  False: |c| is none. */
static bool
add_class(struct parser *p, struct node *set, uint32_t c)
{
	static const struct {
		char name;
		uint32_t bounds[10]; /* pairs, in order; 0 ends */
	} classes[] = {
		{ 'd', { '0', '9' } },
		{ 'w', { '0', '9', 'A', 'Z', '_', '_', 'a', 'z' } },
		{ 's', { '\t', '\r', ' ', ' ', 0xa0, 0xa0, 0x2028, 0x2029 } },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		const uint32_t *b = classes[i].bounds;
		uint32_t from = 0;

		if (c == (uint32_t)classes[i].name) {
			for (; b[0] != 0; b += 2)
				add_range(p, set, b[0], b[1]);
			return true;
		}
		if (c != (uint32_t)classes[i].name - 32) /* upper case */
			continue;
		for (; b[0] != 0; b += 2) {
			add_range(p, set, from, b[0] - 1);
			from = b[1] + 1;
		}
		add_range(p, set, from, UINT32_MAX);
		return true;
	}
	return false;
}

/* The one character that a backslash and |c| mean. */
static uint32_t
escaped(struct parser *p, uint32_t c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'f':
		return '\f';
	case 'v':
		return '\v';
	case '0':
		return 0;
	case 'x':
		return hex(p, 2);
	case 'u':
		return hex(p, 4);
	default:
		/* no references back, no properties, nothing unknown */
		if (c < 128 &&
		    abt_char_is((char)c, ABT_CHAR_ALPHA | ABT_CHAR_DIGIT))
			p->bad = true;
		return c;
	}
}

/* One member of a class in brackets, perhaps the begin of a range. */
static void
parse_member(struct parser *p, struct node *set)
{
	uint32_t low = next_code(p), high;

	if (low == '\\') {
		low = next_code(p);
		if (add_class(p, set, low))
			return;
		low = low == 'b' ? '\b' : escaped(p, low);
	}
	high = low;
	if (p->rest.n >= 2 && p->rest.p[0] == '-' && p->rest.p[1] != ']') {
		(void)next_code(p);
		high = next_code(p);
		if (high == '\\')
			high = escaped(p, next_code(p));
	}
	add_range(p, set, low, high);
}

static struct node *
parse_brackets(struct parser *p)
{
	struct node *set = new_node(p, SET);

	if (set == NULL)
		return NULL;
	set->negative = take(p, '^');
	while (!p->bad && !take(p, ']'))
		parse_member(p, set);
	return set;
}

static struct node *
parse_escape(struct parser *p)
{
	uint32_t c = next_code(p);
	struct node *set;

	if (c == 'b' || c == 'B')
		return new_node(p, c == 'b' ? WORD : INSIDE);
	set = new_node(p, SET);
	if (set != NULL && !add_class(p, set, c)) {
		c = escaped(p, c);
		add_range(p, set, c, c);
	}
	return set;
}

static struct node *
parse_group(struct parser *p)
{
	struct node *node;

	if (take(p, '?') && !take(p, ':')) /* looking around, names, flags */
		p->bad = true;
	if (p->bad || ++p->depth > DEPTH_MAX) {
		p->bad = true;
		return NULL;
	}
	node = parse_alternatives(p);
	p->depth--;
	if (!take(p, ')'))
		p->bad = true;
	return node;
}

static struct node *
parse_atom(struct parser *p)
{
	uint32_t c = next_code(p);
	struct node *set;

	switch (c) {
	case '(':
		return parse_group(p);
	case '[':
		return parse_brackets(p);
	case '\\':
		return parse_escape(p);
	case '^':
		return new_node(p, BEGIN);
	case '$':
		return new_node(p, END);
	case '*':
	case '+':
	case '?':
		p->bad = true;
		return NULL;
	default:
		set = new_node(p, SET);
		if (set == NULL)
			return NULL;
		if (c == '.') {
			set->negative = true;
			add_range(p, set, '\n', '\n');
			add_range(p, set, '\r', '\r');
		} else {
			add_range(p, set, c, c);
		}
		return set;
	}
}

static bool
parse_number(struct parser *p, uint32_t *out)
{
	uint64_t value;
	size_t n = abt_bytes_span(p->rest, ABT_CHAR_DIGIT);

	if (!abt_bytes_number(abt_bytes(p->rest.p, n), 10, REPEAT_MAX, &value))
		return false;
	*out = (uint32_t)value;
	p->rest.p += n;
	p->rest.n -= n;
	return true;
}

/* {m}, {m,} or {m,n}.  False, nothing taken: a brace that means itself. */
static bool
parse_counts(struct parser *p, uint32_t *min, uint32_t *max)
{
	struct parser before = *p;

	if (take(p, '{') && parse_number(p, min)) {
		*max = *min;
		if (take(p, ',') && !parse_number(p, max))
			*max = NO_LIMIT;
		if (take(p, '}'))
			return true;
	}
	p->rest = before.rest;
	return false;
}

static bool
parse_repeat(struct parser *p, uint32_t *min, uint32_t *max)
{
	*min = 0;
	*max = NO_LIMIT;
	if (take(p, '*'))
		return true;
	if (take(p, '+')) {
		*min = 1;
		return true;
	}
	if (take(p, '?')) {
		*max = 1;
		return true;
	}
	return parse_counts(p, min, max);
}

static struct node *
parse_piece(struct parser *p)
{
	struct node *node = parse_atom(p), *repeat;
	uint32_t min, max;

	if (p->bad || !parse_repeat(p, &min, &max))
		return node;
	if (!take(p, '?')) /* which match is of no interest, only whether */
		(void)take(p, '+');
	repeat = new_node(p, REPEAT);
	if (repeat != NULL) {
		repeat->a = node;
		repeat->min = min;
		repeat->max = max;
		p->bad = p->bad || min > max;
	}
	return repeat;
}

static struct node *
pair(struct parser *p, enum kind kind, struct node *a, struct node *b)
{
	struct node *node = new_node(p, kind);

	if (node != NULL) {
		node->a = a;
		node->b = b;
	}
	return node;
}

static struct node *
parse_sequence(struct parser *p)
{
	struct node *node = new_node(p, EMPTY);

	while (!p->bad && p->rest.n > 0 && p->rest.p[0] != '|' &&
	       p->rest.p[0] != ')')
		node = pair(p, CAT, node, parse_piece(p));
	return node;
}

static struct node *
parse_alternatives(struct parser *p)
{
	struct node *node = parse_sequence(p);

	while (!p->bad && take(p, '|'))
		node = pair(p, ALT, node, parse_sequence(p));
	return node;
}

/* ---- the program ---- */

/* Without steps they are only counted. */
static uint32_t
add_step(struct abt_regex *regex, enum op op, const struct node *set)
{
	uint32_t at = regex->count;

	if (at == PROGRAM_MAX) {
		regex->bad = true;
		return 0;
	}
	if (regex->steps != NULL)
		regex->steps[at] = (struct step){ op, at + 1, at + 1, set };
	regex->count++;
	return at;
}

/* Step |at| goes on at |x| and |y| instead of behind itself. */
static void
send_on(struct abt_regex *regex, uint32_t at, uint32_t x, uint32_t y)
{
	if (regex->steps == NULL || regex->bad)
		return;
	regex->steps[at].x = x;
	regex->steps[at].y = y;
}

static void emit(struct abt_regex *regex, const struct node *node);

static void
emit_repeat(struct abt_regex *regex, const struct node *node)
{
	uint32_t i, split, back;

	for (i = 0; i < node->min && !regex->bad; i++)
		emit(regex, node->a);
	if (node->max == NO_LIMIT) {
		split = add_step(regex, OP_SPLIT, NULL);
		emit(regex, node->a);
		back = add_step(regex, OP_SPLIT, NULL);
		send_on(regex, back, split, split);
		send_on(regex, split, split + 1, regex->count);
		return;
	}
	for (; i < node->max && !regex->bad; i++) {
		split = add_step(regex, OP_SPLIT, NULL);
		emit(regex, node->a);
		send_on(regex, split, split + 1, regex->count);
	}
}

static void
emit_alternatives(struct abt_regex *regex, const struct node *node)
{
	uint32_t split = add_step(regex, OP_SPLIT, NULL), skip;

	emit(regex, node->a);
	skip = add_step(regex, OP_SPLIT, NULL);
	send_on(regex, split, split + 1, regex->count);
	emit(regex, node->b);
	send_on(regex, skip, regex->count, regex->count);
}

/* The left sides of sequences are as deep as the pattern is long. */
static void
emit_sequence(struct abt_regex *regex, const struct node *node)
{
	const struct node *rows[64];
	size_t n = 0;

	while (node->kind == CAT && n < 64) {
		rows[n++] = node->b;
		node = node->a;
	}
	emit(regex, node);
	while (n > 0)
		emit(regex, rows[--n]);
}

static void
emit(struct abt_regex *regex, const struct node *node)
{
	static const enum op ops[] = { [SET] = OP_SET,
		[BEGIN] = OP_BEGIN,
		[END] = OP_END,
		[WORD] = OP_WORD,
		[INSIDE] = OP_INSIDE };

	if (regex->bad)
		return;
	switch (node->kind) {
	case EMPTY:
		break;
	case CAT:
		emit_sequence(regex, node);
		break;
	case ALT:
		emit_alternatives(regex, node);
		break;
	case REPEAT:
		emit_repeat(regex, node);
		break;
	default:
		(void)add_step(regex, ops[node->kind], node);
	}
}

const struct abt_regex *
abt_regex_compile(struct abt_bytes pattern, struct abt_arena *arena)
{
	struct parser p = { .rest = pattern, .arena = arena };
	struct abt_regex *regex = abt_arena_zero(arena, sizeof(*regex));
	struct node *tree = parse_alternatives(&p);

	if (regex == NULL || tree == NULL || p.bad || p.rest.n > 0)
		return NULL;
	emit(regex, tree);
	if (regex->bad)
		return NULL;
	regex->steps = abt_arena_array(
	    arena, (size_t)regex->count + 1, sizeof(*regex->steps));
	if (regex->steps == NULL)
		return NULL;
	regex->count = 0;
	emit(regex, tree);
	(void)add_step(regex, OP_MATCH, NULL);
	return regex->bad ? NULL : regex;
}

/* ---- the machine ---- */

/* States, each once, in order of arrival. */
struct states {
	uint32_t *list, *mark; /* mark[i] == turn: i is in the list */
	uint32_t count, turn;
};

struct machine {
	const struct abt_regex *regex;
	struct abt_bytes text;
	struct states now, next;
	uint32_t *stack;
	uint32_t before; /* the character before |at|; LAST_CODE + 1: none */
	size_t at;
};

static bool
holds(const struct machine *m, enum op op)
{
	bool left = is_word(m->before), right = false;

	if (op == OP_BEGIN)
		return m->at == 0;
	if (op == OP_END)
		return m->at == m->text.n;
	if (m->at < m->text.n) {
		size_t n;

		right = is_word(decode(
		    abt_bytes(m->text.p + m->at, m->text.n - m->at), &n));
	}
	return (left != right) == (op == OP_WORD);
}

static bool
enter(struct states *states, uint32_t state)
{
	if (states->mark[state] == states->turn)
		return false;
	states->mark[state] = states->turn;
	states->list[states->count++] = state;
	return true;
}

/* |state| and all that is reached from it without a character. */
static void
reach(struct machine *m, struct states *states, uint32_t state)
{
	uint32_t depth = 0;

	if (!enter(states, state))
		return;
	m->stack[depth++] = state;
	while (depth > 0) {
		const struct step *step = &m->regex->steps[m->stack[--depth]];

		if (step->op == OP_SET || step->op == OP_MATCH ||
		    (step->op != OP_SPLIT && !holds(m, step->op)))
			continue;
		if (enter(states, step->x))
			m->stack[depth++] = step->x;
		if (enter(states, step->y))
			m->stack[depth++] = step->y;
	}
}

static bool
contains(const struct node *set, uint32_t c)
{
	const struct range *range = set->ranges;

	while (range != NULL && (c < range->low || c > range->high))
		range = range->next;
	return (range != NULL) != set->negative;
}

static bool
has_matched(const struct machine *m)
{
	return m->now.mark[m->regex->count - 1] == m->now.turn;
}

/* One character on. */
static void
turn(struct machine *m)
{
	struct states states;
	size_t n;
	uint32_t c =
	    decode(abt_bytes(m->text.p + m->at, m->text.n - m->at), &n);

	m->at += n;
	m->before = c;
	m->next.count = 0;
	m->next.turn = m->now.turn + 1;
	for (uint32_t i = 0; i < m->now.count; i++) {
		const struct step *step = &m->regex->steps[m->now.list[i]];

		if (step->op == OP_SET && contains(step->set, c))
			reach(m, &m->next, step->x);
	}
	states = m->now;
	m->now = m->next;
	m->next = states;
}

static bool
start(struct machine *m, struct abt_arena *scratch)
{
	uint32_t n = m->regex->count;
	uint32_t *all = abt_arena_array(scratch, n, 5 * sizeof(*all));

	if (all == NULL)
		return false;
	m->now = (struct states){ all, all + n, 0, 1 };
	m->next =
	    (struct states){ all + 2 * (size_t)n, all + 3 * (size_t)n, 0, 0 };
	m->stack = all + 4 * (size_t)n;
	m->before = LAST_CODE + 1;
	reach(m, &m->now, 0);
	return true;
}

bool
abt_regex_search(const struct abt_regex *regex, struct abt_bytes text,
    bool whole, struct abt_arena *scratch)
{
	struct machine m = { .regex = regex, .text = text };
	/* begins at the beginning or nowhere */
	bool anchored = whole || regex->steps[0].op == OP_BEGIN;

	if (!start(&m, scratch))
		return false;
	while (m.at < text.n) {
		if (!whole && has_matched(&m))
			return true;
		turn(&m);
		if (!anchored)
			reach(&m, &m.now, 0);
		else if (m.now.count == 0)
			return false;
	}
	return has_matched(&m);
}

bool
abt_regex_matches(struct abt_bytes pattern, struct abt_bytes text)
{
	const struct abt_regex *regex;
	struct abt_arena arena;
	bool found;

	if (abt_bytes_equal(pattern, text))
		return true;
	abt_arena_init(&arena, NULL);
	regex = abt_regex_compile(pattern, &arena);
	found = regex != NULL && abt_regex_search(regex, text, true, &arena);
	abt_arena_end(&arena);
	return found;
}
