/*
 * settings.c - what is set for the whole server, not for a front or function
 */
#include "config/settings.h"

static const char *const formats[] = { "alb", "json", NULL };
static const char *const levels[] = { "error", "warning", "info", "debug",
	NULL };
static const char *const log_formats[] = { "text", "json", NULL };

#define AT(member) offsetof(struct abt_settings, member)

static const struct abt_option log_rows[] = {
	{ .name = "level",
	    .kind = ABT_ENUM,
	    .offset = offsetof(struct abt_log_settings, level),
	    .preset = "info",
	    .names = levels,
	    .help = "how much is logged" },
	{ .name = "format",
	    .kind = ABT_ENUM,
	    .offset = offsetof(struct abt_log_settings, format),
	    .preset = "text",
	    .names = log_formats,
	    .help = "one line of text or one JSON object a message" },
	ABT_OPTIONS_END,
};

const struct abt_option abt_settings_rows[] = {
	{ .name = "access_log",
	    .kind = ABT_PATH,
	    .offset = AT(access_log),
	    .flag = "access-log",
	    .argument = "FILE",
	    .help = "append one line for each request to FILE" },
	{ .name = "access_log_format",
	    .kind = ABT_ENUM,
	    .offset = AT(access_log_format),
	    .preset = "alb",
	    .names = formats,
	    .flag = "access-log-format",
	    .argument = "alb|json",
	    .help = "the fields of an ALB's own access log, or JSON" },
	{ .name = "explain",
	    .kind = ABT_BOOL,
	    .offset = AT(explain),
	    .flag = "explain",
	    .help = "name the broken rule in a header and a page of every "
		    "answer that is not the function's own" },
	{ .name = "loops",
	    .kind = ABT_INT,
	    .offset = AT(loops),
	    .preset = "0",
	    .max = 256,
	    .flag = "loops",
	    .argument = "N",
	    .help = "threads that serve; 0 is one for each CPU, at most 16" },
	{ .name = "drain",
	    .kind = ABT_DURATION,
	    .offset = AT(drain_ms),
	    .preset = "30s",
	    .max = 3600 * 1000,
	    .flag = "drain",
	    .argument = "TIME",
	    .help = "how long running requests may take to finish when the "
		    "server ends" },
	{ .name = "memory",
	    .kind = ABT_SIZE,
	    .offset = AT(memory),
	    .preset = "256 MiB",
	    .min = 1 << 20,
	    .max = INT64_C(1) << 40,
	    .help = "ceiling of the bodies and results in memory, all "
		    "connections together" },
	{ .name = "connections",
	    .kind = ABT_INT,
	    .offset = AT(connections),
	    .preset = "0",
	    .max = 1 << 24,
	    .flag = "connections",
	    .argument = "N",
	    .help = "most connections at once; 0 is what the limit of open "
		    "files allows" },
	{ .name = "log",
	    .kind = ABT_TABLE,
	    .offset = AT(log),
	    .table = log_rows,
	    .help = "our own messages on standard error" },
	ABT_OPTIONS_END,
};

void
abt_settings_apply(const struct abt_settings *settings, struct abt_setup *setup)
{
	setup->access_log = settings->access_log;
	setup->access_log_format =
	    (enum abt_log_format)settings->access_log_format;
	setup->explain = settings->explain;
	setup->loops = (unsigned)settings->loops;
	setup->drain_ms = settings->drain_ms;
	setup->memory_max = settings->memory;
	setup->conns_max = (unsigned)settings->connections;
	setup->log_level = settings->log.level;
	setup->log_json = settings->log.format == 1;
	for (size_t i = 0; i < setup->front_count; i++)
		setup->fronts[i].explain = settings->explain;
}

void
abt_settings_of(const struct abt_setup *setup, struct abt_settings *settings)
{
	*settings = (struct abt_settings){
		.access_log = setup->access_log,
		.access_log_format = (int)setup->access_log_format,
		.explain = setup->explain,
		.loops = setup->loops,
		.drain_ms = setup->drain_ms,
		.memory = setup->memory_max,
		.connections = setup->conns_max,
		.log = { .level = setup->log_level,
		    .format = setup->log_json ? 1 : 0 },
	};
}
