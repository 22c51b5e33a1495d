/*
 * verdict.c - a report shown to a person
 */
#include "cli/verdict.h"

#include "base/log.h"

#define WIDTH  79
#define LABEL  11 /* "  the rule " and its kin */
#define SHOWN  56 /* bytes of a value that are shown */
#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define BOLD   "\033[1m"
#define PLAIN  "\033[0m"

static const char *
paint(const struct abt_verdict *verdict, const char *color)
{
	return verdict->color ? color : "";
}

void
abt_print_folded(
    FILE *out, const char *label, unsigned indent, const char *text)
{
	int column = fprintf(out, "%-*s", (int)indent, label);
	bool first = true;

	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (!first && column + 1 + (int)n > WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = (int)indent;
			first = true;
		}
		fprintf(out, "%s%.*s", first ? "" : " ", (int)n, text);
		column += (int)n + (first ? 0 : 1);
		first = false;
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

/* One unescaped step of |pointer| against a member's name. */
static bool
step_is(struct abt_bytes step, struct abt_bytes name)
{
	size_t i = 0, j = 0;

	for (; i < step.n && j < name.n; i++, j++) {
		char c = step.p[i];

		if (c == '~' && i + 1 < step.n)
			c = step.p[++i] == '1' ? '/' : '~';
		if (c != name.p[j])
			return false;
	}
	return i == step.n && j == name.n;
}

static const struct abt_json *
follow_step(const struct abt_json *value, struct abt_bytes step)
{
	const struct abt_json *found = NULL;
	uint64_t index;

	if (value->kind == ABT_JSON_ARRAY)
		return abt_bytes_number(step, 10, UINT32_MAX, &index)
			   ? abt_json_at(value, (size_t)index)
			   : NULL;
	if (value->kind != ABT_JSON_OBJECT)
		return NULL;
	for (const struct abt_json *m = value->first; m != NULL; m = m->next)
		if (step_is(step, m->key))
			found = m; /* the last one counts */
	return found;
}

const struct abt_json *
abt_json_follow(const struct abt_json *root, struct abt_bytes pointer)
{
	struct abt_bytes step;

	if (pointer.n == 0)
		return root;
	if (pointer.p[0] != '/')
		return NULL;
	pointer.p++;
	pointer.n--;
	while (root != NULL && abt_bytes_next(&pointer, '/', &step))
		root = follow_step(root, step);
	return root;
}

/* The bytes of |value| as they stand in the source. */
static struct abt_bytes
as_written(const struct abt_verdict *verdict, const struct abt_json *value)
{
	struct abt_bytes rest = verdict->source;
	size_t n = 1;

	if (value->offset >= rest.n)
		return abt_bytes("", 0);
	rest.p += value->offset;
	rest.n -= value->offset;
	if (rest.p[0] == '"') {
		while (n < rest.n && rest.p[n] != '"')
			n += rest.p[n] == '\\' ? 2 : 1;
		n++;
	} else if (value->kind == ABT_JSON_OBJECT ||
		   value->kind == ABT_JSON_ARRAY) {
		n = rest.n;
	} else {
		while (n < rest.n &&
		       abt_char_is(rest.p[n], ABT_CHAR_TOKEN | ABT_CHAR_DIGIT))
			n++;
	}
	return abt_bytes(rest.p, n < rest.n ? n : rest.n);
}

/* Cut at |SHOWN| bytes, but not inside a character. */
static struct abt_bytes
shorten(struct abt_bytes text)
{
	if (text.n <= SHOWN)
		return text;
	text.n = SHOWN;
	while (text.n > 0 && ((unsigned char)text.p[text.n] & 0xc0) == 0x80)
		text.n--;
	return text;
}

static void
show_value(const struct abt_verdict *verdict, const struct abt_json *value)
{
	struct abt_bytes text = as_written(verdict, value);
	struct abt_bytes shown = shorten(text);
	char escaped[SHOWN * 4 + 1];
	size_t n;

	if (value->kind == ABT_JSON_OBJECT || value->kind == ABT_JSON_ARRAY) {
		fprintf(verdict->out, "    %-*s%s with %u %s%s\n", LABEL,
		    "there is", abt_json_kind_name(value->kind), value->count,
		    value->kind == ABT_JSON_OBJECT ? "member" : "element",
		    value->count == 1 ? "" : "s");
		return;
	}
	n = abt_log_escape(escaped, sizeof escaped, shown);
	fprintf(verdict->out, "    %-*s%.*s%s", LABEL, "there is", (int)n,
	    escaped, shown.n < text.n ? " ..." : "");
	if (value->kind == ABT_JSON_STRING || value->kind == ABT_JSON_NUMBER)
		fprintf(
		    verdict->out, "  (%s)", abt_json_kind_name(value->kind));
	fputc('\n', verdict->out);
}

static void
show_place(const struct abt_verdict *verdict, size_t offset)
{
	unsigned line, column;

	if (verdict->file == NULL)
		return;
	abt_json_place(verdict->source, offset, &line, &column);
	fprintf(verdict->out, "    %-*s%s:%u:%u\n", LABEL, "place",
	    verdict->file, line, column);
}

static void
show_escaped(FILE *out, const char *before, struct abt_bytes text)
{
	char escaped[1024];
	size_t n = abt_log_escape(escaped, sizeof escaped, text);

	fprintf(out, "%s%.*s", before, (int)n, escaped);
}

static void
label(const struct abt_verdict *verdict, const char *name, const char *text)
{
	char begin[32];

	snprintf(begin, sizeof begin, "    %s", name);
	abt_print_folded(verdict->out, begin, LABEL + 4, text);
}

void
abt_verdict_rule(const struct abt_verdict *verdict, const struct abt_rule *rule,
    struct abt_bytes where, struct abt_bytes detail, bool note)
{
	const struct abt_json *value = NULL;
	char escaped[512];

	fprintf(verdict->out, "  %s%s%s%s", paint(verdict, note ? YELLOW : RED),
	    note ? "note " : "", rule->name, paint(verdict, PLAIN));
	if (where.n > 0)
		show_escaped(verdict->out, " at ", where);
	fputc('\n', verdict->out);
	label(verdict, "what", rule->text);
	if (detail.n > 0) {
		size_t n = abt_log_escape(escaped, sizeof escaped - 1, detail);

		escaped[n] = '\0';
		label(verdict, "namely", escaped);
	}
	if (verdict->root != NULL)
		value = abt_json_follow(verdict->root, where);
	if (value != NULL) {
		show_value(verdict, value);
		show_place(verdict, value->offset);
	}
	if (verdict->error != NULL && where.n == 0)
		show_place(verdict, verdict->error->offset);
	if (rule->reason != NULL)
		label(verdict, "AWS says", rule->reason);
	label(verdict, "cure", rule->cure);
	label(verdict, "source", rule->source);
}

void
abt_verdict_findings(
    const struct abt_verdict *verdict, const struct abt_report *report)
{
	for (const struct abt_finding *f = report->first; f != NULL;
	     f = f->next)
		abt_verdict_rule(
		    verdict, f->rule, f->where, f->detail, f->note);
}

static void
count(const struct abt_report *report, unsigned *broken, unsigned *notes)
{
	*broken = *notes = 0;
	for (const struct abt_finding *f = report->first; f != NULL;
	     f = f->next)
		*(f->note ? notes : broken) += 1;
	if (*broken == 0 && report->broken != NULL)
		*broken = 1;
}

void
abt_verdict_client(const struct abt_verdict *verdict, const char *before,
    const struct abt_response *response)
{
	struct abt_bytes phrase = response->reason;

	if (phrase.p == NULL)
		phrase = abt_bytes_text(abt_status_phrase(response->status));
	fprintf(verdict->out, "%s %d", before, response->status);
	if (phrase.n > 0)
		show_escaped(verdict->out, " ", phrase);
}

static void
show_client(const struct abt_verdict *verdict)
{
	if (verdict->response == NULL)
		return;
	abt_verdict_client(verdict, "; the client gets", verdict->response);
	if (verdict->response->rule == NULL)
		fprintf(verdict->out, ", %zu bytes", verdict->response->body.n);
}

void
abt_verdict_head(const struct abt_verdict *verdict, const char *name,
    const struct abt_report *report)
{
	unsigned broken, notes;

	count(report, &broken, &notes);
	fprintf(verdict->out, "%s%s%s: ", paint(verdict, BOLD), name,
	    paint(verdict, PLAIN));
	if (broken > 0)
		fprintf(verdict->out, "%sbroken%s", paint(verdict, RED),
		    paint(verdict, PLAIN));
	else
		fprintf(verdict->out, "%sgood%s", paint(verdict, GREEN),
		    paint(verdict, PLAIN));
	if (broken > 1)
		fprintf(verdict->out, " (%u rules)", broken);
	if (notes > 0)
		fprintf(
		    verdict->out, ", %u note%s", notes, notes > 1 ? "s" : "");
	show_client(verdict);
	fputc('\n', verdict->out);
}
