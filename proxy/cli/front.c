/*
 * front.c - the front that the command line describes
 */
#include "cli/front.h"

int
abt_cli_front(struct abt_cli *cli, const char *name,
    const struct abt_front_options *options, struct abt_front *front)
{
	char why[512];
	int rc = 0;

	if (abt_front_make(
		&cli->source, abt_bytes_text(name), options, NULL, front) != 0)
		return ABT_EXIT_USAGE;
	for (size_t i = 0; i < cli->attribute_count; i++) {
		const struct abt_attribute *a = &cli->attributes[i];

		if (abt_front_attribute(&cli->source, front, a->name, a->value,
			why, sizeof why) != 0)
			rc = abt_cli_usage(cli, "--%s %s", a->flag, why);
	}
	if (rc == 0)
		abt_front_finish(front);
	return rc;
}
