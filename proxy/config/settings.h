/*
 * settings.h - what is set for the whole server, not for a front or function
 */
#ifndef ABT_CONFIG_SETTINGS_H
#define ABT_CONFIG_SETTINGS_H

#include "albatross/option.h"
#include "gateway/setup.h"

struct abt_settings {
	struct abt_bytes access_log;
	int access_log_format; /* enum abt_log_format */
	bool explain;
	int64_t loops;
	int64_t drain_ms;
	int64_t memory;
	int64_t connections;
	struct abt_log_settings {
		int level;  /* enum abt_log_level */
		int format; /* 0: text, 1: JSON */
	} log;
};
extern const struct abt_option abt_settings_rows[];

/* Write |settings| into |setup| and its fronts. */
void abt_settings_apply(
    const struct abt_settings *settings, struct abt_setup *setup);
/* The other way. */
void abt_settings_of(
    const struct abt_setup *setup, struct abt_settings *settings);

#endif
