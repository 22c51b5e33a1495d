/*
 * watch.h - tells when the files of a function change
 */
#ifndef ABT_FUNCTION_WATCH_H
#define ABT_FUNCTION_WATCH_H

#include "net/loop.h"

struct abt_watch;

/*
 * Watch the folder |root| and all below it on |loop|, but not .git,
 * node_modules and __pycache__.  |changed| is called on the loop once nothing
 * more has changed for 100 ms: a save by rename, a new folder, a removed file
 * count too.  0, or -1 with a sentence and its cure in |why| (inotify's limits
 * are told as such).  |root| is copied.
 */
int abt_watch_start(struct abt_loop *loop, const char *root,
    void (*changed)(void *context), void *context, char *why, size_t size);
/* The same with a handle to end it by. */
struct abt_watch *abt_watch_new(struct abt_loop *loop, const char *root,
    void (*changed)(void *context), void *context, char *why, size_t size);
void abt_watch_free(struct abt_watch *watch);

#endif
