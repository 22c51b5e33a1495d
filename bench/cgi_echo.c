/*
 * cgi_echo.c - the CGI program of the bench: a small page, or its body back
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
put(const char *data, size_t n)
{
	while (n > 0) {
		ssize_t done = write(1, data, n);

		if (done <= 0)
			return -1;
		data += done;
		n -= (size_t)done;
	}
	return 0;
}

int
main(void)
{
	static const char head[] = "Content-Type: text/plain\n\n";
	static char buffer[65536];
	const char *length = getenv("CONTENT_LENGTH");
	ssize_t n;

	if (length == NULL || strcmp(length, "0") == 0)
		return put("Content-Type: text/plain\n\nhello from a program\n",
			   sizeof(head) - 1 + 21) != 0;
	if (put(head, sizeof(head) - 1) != 0)
		return 1;
	while ((n = read(0, buffer, sizeof(buffer))) > 0)
		if (put(buffer, (size_t)n) != 0)
			return 1;
	return 0;
}
