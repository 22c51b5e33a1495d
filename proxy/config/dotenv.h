/*
 * dotenv.h - environment files: NAME=VALUE lines
 */
#ifndef ABT_CONFIG_DOTENV_H
#define ABT_CONFIG_DOTENV_H

#include "albatross/option.h"

/*
 * Read |text| into |map| (the last of a name counts), slices in |arena|.  0, or
 * -1 with the line and what is wrong with it in |line| and |what| (static; NULL
 * when out of memory).
 */
int abt_dotenv_parse(struct abt_bytes text, struct abt_arena *arena,
    struct abt_map *map, unsigned *line, const char **what);

/* The same from |file|; a sentence with file and line in |why|. */
int abt_dotenv_read(const char *file, struct abt_arena *arena,
    struct abt_map *map, char *why, size_t size);

#endif
