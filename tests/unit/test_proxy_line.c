/*
 * test_proxy_line.c - PROXY protocol v1 and v2, cut anywhere
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "lib/guard.h"
#include "net/proxy_line.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

/* Read |in| whole, and demand that every shorter piece asks for more. */
static ssize_t
read_line(struct abt_bytes in, struct abt_proxy_line *line)
{
	struct abt_bytes copy = abt_guard_copy(in);
	ssize_t n = abt_proxy_line_read(copy, line);
	struct abt_proxy_line part;
	size_t i;

	for (i = 0; n > 0 && i < (size_t)n; i++) {
		struct abt_bytes piece = abt_guard_copy(abt_bytes(in.p, i));

		assert_int_equal(abt_proxy_line_read(piece, &part), 0);
		abt_guard_free(piece);
	}
	abt_guard_free(copy);
	return n;
}

static void
assert_address(const unsigned char ip[16], const char *text)
{
	char out[INET6_ADDRSTRLEN];

	assert_non_null(inet_ntop(AF_INET6, ip, out, sizeof(out)));
	assert_string_equal(out, text);
}

static void
test_v1(void **unused)
{
	struct abt_proxy_line line;
	struct abt_bytes in =
	    ABT_BYTES("PROXY TCP4 192.0.2.1 10.0.0.9 56324 443\r\nGET /");

	(void)unused;
	assert_int_equal(read_line(in, &line), in.n - 5);
	assert_true(line.known);
	assert_address(line.source, "::ffff:192.0.2.1");
	assert_address(line.destination, "::ffff:10.0.0.9");
	assert_int_equal(line.source_port, 56324);
	assert_int_equal(line.destination_port, 443);
	in = ABT_BYTES("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n");
	assert_int_equal(read_line(in, &line), in.n);
	assert_address(line.source, "2001:db8::1");
	in = ABT_BYTES("PROXY UNKNOWN\r\n");
	assert_int_equal(read_line(in, &line), in.n);
	assert_false(line.known);
	in = ABT_BYTES("PROXY UNKNOWN ffff:f...f:ffff 1 2 3\r\n");
	assert_int_equal(read_line(in, &line), in.n);
	assert_false(line.known);
}

static void
test_v1_bad(void **unused)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
		"PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
		"PROXY TCP4 ::1 5.6.7.8 1 2\r\n",
		"PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
		"PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
		"PROXY \r\n",
		"PROXY \n",
		"PROXYTCP4",
		("PROXY UNKNOWN 0123456789012345678901234567890123456789"
		 "01234567890123456789012345678901234567890123456789012345678"
		 "9"),
	};
	struct abt_proxy_line line;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_line(abt_bytes_text(bad[i]), &line), -1);
}

static void
test_v2(void **unused)
{
	static const char v4[] =
	    SIGNATURE "\x21\x11\0\x0f\xc0\0\2\1\x0a\0\0\x09\xdc\4\1\xbb"
		      "\4\0\0GET";
	static const char v6[] =
	    SIGNATURE "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
		      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\0\2";
	static const char local[] = SIGNATURE "\x20\0\0\0";
	static const char local_with_tlv[] = SIGNATURE "\x20\x11\0\3\4\0\0";
	static const char unix_stream[] = SIGNATURE "\x21\x31\0\2xy";
	struct abt_proxy_line line;

	(void)unused;
	assert_int_equal(
	    read_line(abt_bytes(v4, sizeof(v4) - 1), &line), 16 + 15);
	assert_true(line.known);
	assert_address(line.source, "::ffff:192.0.2.1");
	assert_int_equal(line.source_port, 0xdc04);
	assert_int_equal(line.destination_port, 443);
	assert_int_equal(
	    read_line(abt_bytes(v6, sizeof(v6) - 1), &line), 16 + 36);
	assert_address(line.source, "2001:db8::1");
	assert_address(line.destination, "::1");
	assert_int_equal(line.destination_port, 2);
	assert_int_equal(
	    read_line(abt_bytes(local, sizeof(local) - 1), &line), 16);
	assert_false(line.known);
	assert_int_equal(
	    read_line(
		abt_bytes(local_with_tlv, sizeof(local_with_tlv) - 1), &line),
	    19);
	assert_false(line.known);
	assert_int_equal(
	    read_line(abt_bytes(unix_stream, sizeof(unix_stream) - 1), &line),
	    18);
	assert_false(line.known);
}

static void
test_v2_bad(void **unused)
{
	static const char version[] = SIGNATURE "\x11\x11\0\0";
	static const char command[] = SIGNATURE "\x22\x11\0\0";
	static const char datagram[] =
	    SIGNATURE "\x21\x12\0\x0c\1\2\3\4\1\2\3\4\0\1\0\1";
	static const char tight[] =
	    SIGNATURE "\x21\x11\0\x0b\1\2\3\4\1\2\3\4\0\1\0";
	static const char tight6[] = SIGNATURE "\x21\x21\0\1x";
	struct abt_proxy_line line;

	(void)unused;
	assert_int_equal(
	    read_line(abt_bytes(version, sizeof(version) - 1), &line), -1);
	assert_int_equal(
	    read_line(abt_bytes(command, sizeof(command) - 1), &line), -1);
	assert_int_equal(
	    read_line(abt_bytes(datagram, sizeof(datagram) - 1), &line), -1);
	assert_int_equal(
	    read_line(abt_bytes(tight, sizeof(tight) - 1), &line), -1);
	assert_int_equal(
	    read_line(abt_bytes(tight6, sizeof(tight6) - 1), &line), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v1),
		cmocka_unit_test(test_v1_bad),
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_v2_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
