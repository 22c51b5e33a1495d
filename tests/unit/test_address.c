/*
 * test_address.c - addresses: parsing, sharing among loops, being in use
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "lib/net_world.h"

#define GET "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

static char why[512];

static int
bind_to(struct abt_address *address, const char *text, unsigned loops)
{
	*why = '\0';
	return abt_address_bind(address, text, loops, why, sizeof(why));
}

static unsigned
port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	assert_int_equal(
	    getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static void
test_one_port_for_all_loops(void **unused)
{
	struct abt_address address;
	char want[64];
	unsigned i;

	(void)unused;
	assert_int_equal(bind_to(&address, "localhost:0", 4), 0);
	assert_true(address.port > 0);
	snprintf(want, sizeof(want), "127.0.0.1:%u", address.port);
	assert_string_equal(address.url_host, want);
	for (i = 0; i < 4; i++) {
		assert_int_equal(port_of(address.fds[i]), address.port);
		assert_true(fcntl(address.fds[i], F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(address.fds[i], F_GETFL) & O_NONBLOCK);
	}
	abt_address_close(&address);
}

/* All the sockets of a group get connections. */
static void
test_kernel_shares_out(void **unused)
{
	struct abt_address address;
	unsigned got[2] = { 0, 0 }, i;

	(void)unused;
	assert_int_equal(bind_to(&address, "127.0.0.1:0", 2), 0);
	for (i = 0; i < 64; i++) {
		struct sockaddr_in to = {
			.sin_family = AF_INET,
			.sin_port = htons((uint16_t)address.port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
		int fd = socket(AF_INET, SOCK_STREAM, 0), j;

		assert_int_equal(
		    connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
		for (j = 0; j < 2; j++) {
			int peer = accept(address.fds[j], NULL, NULL);

			if (peer >= 0) {
				got[j]++;
				close(peer);
			}
		}
		close(fd);
	}
	assert_int_equal(got[0] + got[1], 64);
	assert_true(got[0] > 0 && got[1] > 0);
	abt_address_close(&address);
}

static void
test_in_use(void **unused)
{
	struct abt_address address, second;
	char text[64], want[64];

	(void)unused;
	assert_int_equal(bind_to(&address, "127.0.0.1:0", 2), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", address.port);
	assert_int_equal(bind_to(&second, text, 2), -1);
	snprintf(want, sizeof(want), "(pid %ld)", (long)getpid());
	assert_non_null(strstr(why, text));
	assert_non_null(strstr(why, "in use by"));
	assert_non_null(strstr(why, want));
	assert_non_null(strstr(why, "--port"));
	/* also when the first one takes everything */
	abt_address_close(&address);
	assert_int_equal(bind_to(&address, "0.0.0.0:0", 1), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", address.port);
	assert_int_equal(bind_to(&second, text, 1), -1);
	abt_address_close(&address);
	/* and free at once when it has ended */
	assert_int_equal(bind_to(&second, text, 2), 0);
	abt_address_close(&second);
}

static void
test_bad_addresses(void **unused)
{
	static const char *const bad[] = { "", "8080", "127.0.0.1", ":8080",
		"127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "300.0.0.1:80",
		"[::1:80", "[127.0.0.1]:80", "example.com:80",
		"unix:", "127.0.0.1:-1", "127.0.0.1:8 0" };
	struct abt_address address;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(bind_to(&address, bad[i], 1), -1);
		assert_true(strlen(why) > 10);
	}
	assert_int_equal(bind_to(&address, "192.0.2.1:8080", 1), -1);
	assert_non_null(strstr(why, "no address of this machine"));
}

static void
test_ipv6(void **unused)
{
	struct abt_address address;

	(void)unused;
	if (bind_to(&address, "[::1]:0", 2) != 0)
		fail_msg("this machine has no IPv6");
	assert_non_null(strstr(address.url_host, "[::1]:"));
	abt_address_close(&address);
}

static void
test_unix(void **unused)
{
	char path[] = "/tmp/albatross-unix-XXXXXX", text[64];
	struct abt_address address, second;
	struct stat st;
	int fd;

	(void)unused;
	assert_non_null(mkdtemp(path));
	snprintf(text, sizeof(text), "unix:%s/s", path);
	assert_int_equal(bind_to(&address, text, 3), 0);
	assert_true(address.is_unix);
	assert_string_equal(address.url_host, text);
	assert_int_equal(bind_to(&second, text, 1), -1);
	assert_non_null(strstr(why, "in use"));
	abt_address_close(&address);
	assert_int_not_equal(stat(text + 5, &st), 0);
	/* one that nobody answers on is removed */
	assert_int_equal(bind_to(&address, text, 1), 0);
	close(address.fds[0]);
	address.fds[0] = -1;
	assert_int_equal(bind_to(&second, text, 1), 0);
	/* the first one's end must not take the second one's file */
	abt_address_close(&address);
	assert_int_equal(stat(text + 5, &st), 0);
	abt_address_close(&second);
	/* a file that is no socket is left alone */
	fd = open(text + 5, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(bind_to(&address, text, 1), -1);
	assert_int_equal(stat(text + 5, &st), 0);
	unlink(text + 5);
	rmdir(path);
}

/* ---- a unix socket that is served ---- */

static void
test_served_on_unix(void **unused)
{
	char path[] = "/tmp/albatross-unix-XXXXXX", text[64], out[512];
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct abt_address address;
	struct abt_listener *listener;
	struct world world;
	int fd;

	(void)unused;
	memset(&world, 0, sizeof(world));
	assert_non_null(mkdtemp(path));
	snprintf(text, sizeof(text), "unix:%s/s", path);
	world_open(&world);
	assert_int_equal(bind_to(&address, text, 1), 0);
	listener = abt_listener_new(world.loop, address.fds[0], &world.options);
	address.fds[0] = -1;
	memcpy(to.sun_path, text + 5, strlen(text + 5) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	world_send(&world, fd, GET, strlen(GET));
	world_read(&world, fd, out, sizeof(out), 10, NULL);
	assert_non_null(strstr(out, "GET /x 0"));
	assert_string_equal(world.peer.ip, "");
	assert_int_equal(world.peer.port, 0);
	close(fd);
	abt_listener_free(listener);
	abt_address_close(&address);
	world_close(&world);
	rmdir(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_port_for_all_loops),
		cmocka_unit_test(test_kernel_shares_out),
		cmocka_unit_test(test_in_use),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_served_on_unix),
	};

	abt_log_set_level(ABT_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
