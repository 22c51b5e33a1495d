/*
 * suggest.c - the nearest known name to a mistyped one
 *
 * Edit distance with swaps of neighbours, blind to case and to '-' against '_'.
 * A name is only suggested when at most a third of it differs: a wrong guess
 * helps less than none.
 */
#include "config/schema.h"

#define LONGEST 64

static char
fold(char c)
{
	return c == '-' ? '_' : abt_lower(c);
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment, three rows of the table. */
static size_t
distance(struct abt_bytes a, struct abt_bytes b)
{
	size_t rows[3][LONGEST + 1];

	for (size_t j = 0; j <= b.n; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *now = rows[i % 3], *last = rows[(i + 2) % 3];
		const size_t *older = rows[(i + 1) % 3];
		char c = fold(a.p[i - 1]);

		now[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			char d = fold(b.p[j - 1]);
			size_t best = last[j - 1] + (c == d ? 0 : 1);

			best = smaller(best, last[j] + 1);
			best = smaller(best, now[j - 1] + 1);
			if (i > 1 && j > 1 && c == fold(b.p[j - 2]) &&
			    d == fold(a.p[i - 2]))
				best = smaller(best, older[j - 2] + 1);
			now[j] = best;
		}
	}
	return rows[a.n % 3][b.n];
}

const char *
abt_schema_nearest(
    struct abt_bytes name, const char *const *names, size_t count)
{
	const char *best = NULL;
	size_t best_distance = (name.n + 2) / 3 + 1;

	if (name.n == 0 || name.n > LONGEST)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct abt_bytes known = abt_bytes_text(names[i]);
		size_t d;

		if (known.n > LONGEST || known.n > 2 * name.n + 1)
			continue;
		d = distance(name, known);
		if (d < best_distance && d < known.n) {
			best = names[i];
			best_distance = d;
		}
	}
	return best;
}
