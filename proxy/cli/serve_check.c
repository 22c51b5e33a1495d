/*
 * serve_check.c - what is wrong with a setup that only its use would show
 */
#include "cli/serve.h"

int
abt_serve_check(struct abt_cli *cli, struct abt_setup *setup)
{
	int status = 0;
	char why[512];

	for (size_t i = 0; i < setup->listener_count; i++) {
		const struct abt_setup_listener *listener =
		    &setup->listeners[i];
		struct abt_tls *tls;

		if (listener->certificate_count == 0)
			continue;
		tls = abt_tls_new(listener->certificates,
		    listener->certificate_count, why, sizeof why);
		if (tls == NULL)
			status = abt_cli_usage(cli, "%s", why);
		else
			abt_tls_free(tls);
	}
	return status;
}
