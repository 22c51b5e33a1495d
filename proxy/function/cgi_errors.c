/*
 * cgi_errors.c - what CGI programs write to stderr, line by line into our log
 *
 * A pipe, its watcher and its buffer cost more than reading a line, and most
 * programs write none: they are lent to one program after another.  What a
 * program leaves behind may still write when its pipe is another's; such a line
 * is told under the other's request.
 */
#include "function/cgi_job.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"

#define SPARE_MAX 64

static void
on_line(void *context, struct abt_bytes text)
{
	const struct abt_cgi_errors *errors = context;

	abt_log_output(errors->cgi->function->name,
	    errors->job != NULL ? errors->job->request_id : "", text);
}

static struct abt_cgi_errors *
errors_new(struct abt_cgi *cgi)
{
	struct abt_cgi_errors *errors = abt_calloc(1, sizeof(*errors));

	if (errors == NULL)
		return NULL;
	errors->cgi = cgi;
	errors->output = abt_output_new(
	    cgi->function->home, &errors->child_end, on_line, NULL, errors);
	if (errors->output != NULL)
		return errors;
	abt_free(errors);
	return NULL;
}

static void
errors_free(struct abt_cgi_errors *errors)
{
	abt_output_free(errors->output);
	close(errors->child_end);
	abt_free(errors);
}

int
abt_cgi_errors_take(struct abt_cgi_job *job, int *child_end)
{
	struct abt_cgi *cgi = job->cgi;
	struct abt_cgi_errors *errors = cgi->spare;

	if (errors != NULL) {
		cgi->spare = errors->next;
		cgi->spare_count--;
	} else if ((errors = errors_new(cgi)) == NULL) {
		return -1;
	}
	errors->job = job;
	job->errors = errors;
	*child_end = fcntl(errors->child_end, F_DUPFD_CLOEXEC, 3);
	return *child_end >= 0 ? 0 : -1;
}

void
abt_cgi_errors_give(struct abt_cgi_job *job)
{
	struct abt_cgi *cgi = job->cgi;
	struct abt_cgi_errors *errors = job->errors;

	if (errors == NULL)
		return;
	job->errors = NULL;
	abt_output_flush(errors->output);
	errors->job = NULL;
	if (cgi->spare_count >= SPARE_MAX) {
		errors_free(errors);
		return;
	}
	errors->next = cgi->spare;
	cgi->spare = errors;
	cgi->spare_count++;
}

void
abt_cgi_errors_end(struct abt_cgi *cgi)
{
	struct abt_cgi_errors *errors;

	while ((errors = cgi->spare) != NULL) {
		cgi->spare = errors->next;
		errors_free(errors);
	}
}
