/*
 * replay.c - feeds files to a fuzz target: each file named, and every file of
 * each folder named
 *
 * Each input is a block of memory of just its size, so that a sanitizer sees a
 * look behind its end.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static unsigned long fed;

static int
complain(const char *path)
{
	perror(path);
	return -1;
}

static int
feed_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(size > 0 ? size : 1);
	int rc = 0;

	if (file == NULL || data == NULL || fread(data, 1, size, file) != size)
		rc = complain(path);
	else
		LLVMFuzzerTestOneInput(data, size);
	if (file != NULL)
		fclose(file);
	free(data);
	fed++;
	return rc;
}

static int feed(const char *path);

static int
feed_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	int rc = 0;

	if (folder == NULL)
		return complain(path);
	while (rc == 0 && (entry = readdir(folder)) != NULL) {
		char inner[4096];

		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(inner, sizeof(inner), "%s/%s", path,
			entry->d_name) >= (int)sizeof(inner))
			rc = complain(path);
		else
			rc = feed(inner);
	}
	closedir(folder);
	return rc;
}

static int
feed(const char *path)
{
	struct stat info;

	if (stat(path, &info) != 0)
		return complain(path);
	if (S_ISDIR(info.st_mode))
		return feed_folder(path);
	return feed_file(path, (size_t)info.st_size);
}

int
main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (feed(argv[i]) != 0)
			return 1;
	printf("%lu inputs\n", fed);
	return fed > 0 ? 0 : 1;
}
