/*
 * print_setup.c - a setup as the file that would make it
 */
#include "config/print_setup.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "albatross/dialect.h"
#include "config/api.h"
#include "config/schema.h"
#include "config/settings.h"
#include "route/route.h"

static void
print_cidr(struct abt_json_out *out, const struct abt_cidr *cidr)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char ip[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 8];
	bool v4 = cidr->bits >= 96 && memcmp(cidr->address, mapped, 12) == 0;

	if (v4)
		inet_ntop(AF_INET, cidr->address + 12, ip, sizeof ip);
	else
		inet_ntop(AF_INET6, cidr->address, ip, sizeof ip);
	snprintf(
	    text, sizeof text, "%s/%u", ip, v4 ? cidr->bits - 96 : cidr->bits);
	abt_json_text(out, NULL, text);
}

static void
print_tls(struct abt_json_out *out, const struct abt_setup_listener *listener)
{
	if (!listener->tls)
		return;
	if (listener->certificate_count == 0) {
		abt_json_bool(out, "tls", true);
		return;
	}
	abt_json_array(out, "tls");
	for (size_t i = 0; i < listener->certificate_count; i++) {
		abt_json_object(out, NULL);
		abt_json_text(
		    out, "certificate", listener->certificates[i].certificate);
		abt_json_text(out, "key", listener->certificates[i].key);
		abt_json_close(out);
	}
	abt_json_close(out);
}

static void
print_listener(
    struct abt_json_out *out, const struct abt_setup_listener *listener)
{
	abt_json_object(out, NULL);
	abt_json_string(out, "address", listener->address);
	abt_json_string(out, "front", listener->front->name);
	if (listener->host_count > 0) {
		abt_json_object(out, "hosts");
		for (size_t i = 0; i < listener->host_count; i++)
			abt_json_string_at(out, listener->hosts[i].host,
			    listener->hosts[i].front->name);
		abt_json_close(out);
	}
	print_tls(out, listener);
	if (listener->proxy_source_count > 0) {
		abt_json_array(out, "proxy_protocol");
		for (size_t i = 0; i < listener->proxy_source_count; i++)
			print_cidr(out, &listener->proxy_sources[i]);
		abt_json_close(out);
	}
	abt_json_close(out);
}

static void
print_patterns(struct abt_json_out *out, const char *name,
    const struct abt_bytes *patterns, size_t count)
{
	if (count == 0)
		return;
	abt_json_array(out, name);
	for (size_t i = 0; i < count; i++)
		abt_json_string(out, NULL, patterns[i]);
	abt_json_close(out);
}

static void
print_action(struct abt_json_out *out, const struct abt_route *route)
{
	const struct abt_function *function = route->function;

	switch (route->action) {
	case ABT_FORWARD:
		if (function != NULL)
			abt_json_text(out, "function", function->name);
		else
			abt_json_null(out, "function");
		if (route->target_group_arn.n > 0)
			abt_json_string(
			    out, "target_group_arn", route->target_group_arn);
		break;
	case ABT_REDIRECT:
		abt_json_object(out, "redirect");
		abt_json_int(out, "status", route->redirect.status);
		abt_json_string(out, "protocol", route->redirect.protocol);
		abt_json_string(out, "host", route->redirect.host);
		abt_json_string(out, "port", route->redirect.port);
		abt_json_string(out, "path", route->redirect.path);
		abt_json_string(out, "query", route->redirect.query);
		abt_json_close(out);
		break;
	case ABT_MOCK: /* of APIs */
		break;
	case ABT_FIXED_RESPONSE:
		abt_json_object(out, "fixed_response");
		abt_json_int(out, "status", route->fixed.status);
		if (route->fixed.content_type.n > 0)
			abt_json_string(
			    out, "content_type", route->fixed.content_type);
		abt_json_string(out, "body", route->fixed.body);
		abt_json_close(out);
		break;
	}
}

static void
print_front(struct abt_json_out *out, const struct abt_front *front)
{
	abt_json_object_at(out, front->name);
	abt_json_text(out, "dialect", front->dialect->name);
	abt_json_text(out, "limits", front->limits_off ? "off" : "aws");
	abt_json_string(out, "dns_name", front->dns_name);
	abt_json_string(out, "region", front->region);
	abt_json_string(out, "account", front->account);
	abt_json_object(out, "attributes");
	abt_schema_print(
	    out, front->dialect->attributes, front->attributes, false);
	abt_json_close(out);
	if (front->api != NULL) {
		abt_api_print(out, front);
		abt_json_close(out);
		return;
	}
	abt_json_array(out, "rules");
	for (size_t i = 0; i < front->routes->count; i++) {
		const struct abt_route *route = &front->routes->routes[i];

		abt_json_object(out, NULL);
		if (route->priority > 0)
			abt_json_int(out, "priority", route->priority);
		print_patterns(out, "path", route->paths, route->path_count);
		print_patterns(out, "host", route->hosts, route->host_count);
		print_action(out, route);
		abt_json_close(out);
	}
	abt_json_close(out);
	abt_json_close(out);
}

static void
print_function(struct abt_json_out *out, const struct abt_function *function)
{
	abt_json_object(out, function->name);
	abt_json_object(out, function->backend->name);
	abt_schema_print(
	    out, function->backend->options, function->self, false);
	abt_json_close(out);
	abt_schema_print(
	    out, abt_function_option_rows, &function->options, false);
	abt_json_close(out);
}

void
abt_setup_print(struct abt_json_out *out, const struct abt_setup *setup)
{
	struct abt_settings settings;

	abt_settings_of(setup, &settings);
	abt_json_object(out, NULL);
	abt_json_array(out, "listeners");
	for (size_t i = 0; i < setup->listener_count; i++)
		print_listener(out, &setup->listeners[i]);
	abt_json_close(out);
	abt_json_object(out, "fronts");
	for (size_t i = 0; i < setup->front_count; i++)
		print_front(out, &setup->fronts[i]);
	abt_json_close(out);
	abt_json_object(out, "functions");
	for (size_t i = 0; i < setup->function_count; i++)
		print_function(out, setup->functions[i]);
	abt_json_close(out);
	abt_schema_print(out, abt_settings_rows, &settings, false);
	abt_json_close(out);
}
