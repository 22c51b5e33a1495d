/*
 * tls_self.c - the self-signed certificate for this machine
 *
 * Made once under the XDG state directory, and anew when it runs out soon or is
 * damaged.  Each file appears whole (written aside, then renamed); a lock keeps
 * two servers that start together from mixing their pairs.  It is its own CA,
 * so that curl --cacert takes it.
 */
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAYS       397 /* the most that clients accept of any certificate */
#define RENEW_DAYS 14
#define DAY        (24L * 60 * 60)
#define PATH_ROOM  4096

/* ---- where ---- */

/* Make |path| and what is above it.  0 or -1 with errno. */
static int
make_folders(char *path)
{
	char *slash = path;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		int rc;

		*slash = '\0';
		rc = mkdir(path, 0700);
		*slash = '/';
		if (rc != 0 && errno != EEXIST)
			return -1;
	}
	return mkdir(path, 0700) != 0 && errno != EEXIST ? -1 : 0;
}

static int
find_folder(char folder[PATH_ROOM], char *why, size_t why_size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	/* Relative paths are to be ignored, says the XDG specification. */
	if (state != NULL && state[0] == '/')
		n = snprintf(folder, PATH_ROOM, "%s/albatross", state);
	else if (home != NULL && home[0] == '/')
		n = snprintf(
		    folder, PATH_ROOM, "%s/.local/state/albatross", home);
	else
		n = -1;
	if (n < 0 || n >= PATH_ROOM) {
		snprintf(why, why_size,
		    "no place for the self-signed certificate: set HOME or "
		    "XDG_STATE_HOME");
		return -1;
	}
	if (make_folders(folder) != 0) {
		snprintf(why, why_size,
		    "%s: %s; set XDG_STATE_HOME to a "
		    "folder that can be written",
		    folder, strerror(errno));
		return -1;
	}
	return 0;
}

/* ---- is the old one good? ---- */

static X509 *
read_certificate(const char *path)
{
	BIO *file = BIO_new_file(path, "re");
	X509 *cert =
	    file != NULL ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;

	BIO_free(file);
	return cert;
}

static EVP_PKEY *
read_key(const char *path)
{
	BIO *file = BIO_new_file(path, "re");
	EVP_PKEY *key =
	    file != NULL ? PEM_read_bio_PrivateKey(file, NULL, NULL, "") : NULL;

	BIO_free(file);
	return key;
}

static bool
is_good(const char *cert_path, const char *key_path)
{
	X509 *cert = read_certificate(cert_path);
	EVP_PKEY *key = read_key(key_path);
	int days = 0, seconds = 0;
	bool good = cert != NULL && key != NULL &&
		    X509_check_private_key(cert, key) == 1 &&
		    ASN1_TIME_diff(
			&days, &seconds, NULL, X509_get0_notAfter(cert)) == 1 &&
		    days >= RENEW_DAYS;

	X509_free(cert);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good;
}

/* ---- making one ---- */

static bool
add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ok = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

static bool
add_extensions(X509 *cert)
{
	return add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") &&
	       add_extension(cert, NID_key_usage,
		   "critical,digitalSignature,keyCertSign") &&
	       add_extension(cert, NID_ext_key_usage, "serverAuth") &&
	       add_extension(cert, NID_subject_key_identifier, "hash") &&
	       add_extension(cert, NID_subject_alt_name,
		   "DNS:localhost,IP:127.0.0.1,IP:::1");
}

static bool
set_serial(X509 *cert)
{
	BIGNUM *number = BN_new();
	bool ok =
	    number != NULL &&
	    BN_rand(number, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;

	BN_free(number);
	return ok;
}

static bool
set_name(X509 *cert)
{
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
		   (const unsigned char *)"albatross (self-signed)", -1, -1,
		   0) == 1 &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		   (const unsigned char *)"localhost", -1, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, name) == 1;
}

static X509 *
make_certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();

	if (cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
	    set_serial(cert) && set_name(cert) &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), -DAY) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), (DAYS - 1) * DAY) !=
		NULL &&
	    X509_set_pubkey(cert, key) == 1 && add_extensions(cert) &&
	    X509_sign(cert, key, EVP_sha256()) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}

/* ---- writing ---- */

static int
write_whole(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t took = write(fd, data, n);

		if (took < 0 && errno == EINTR)
			continue;
		if (took <= 0)
			return -1;
		data += took;
		n -= (size_t)took;
	}
	return 0;
}

/* The file appears whole or not at all. */
static int
write_file(const char *path, mode_t mode, BIO *content)
{
	char aside[PATH_ROOM + 32];
	char *data;
	long n = BIO_get_mem_data(content, &data);
	int fd, rc;

	snprintf(aside, sizeof(aside), "%s.%ld", path, (long)getpid());
	unlink(aside);
	fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -1;
	rc = write_whole(fd, data, (size_t)n);
	if (close(fd) != 0 || rc != 0 || rename(aside, path) != 0) {
		int error = errno;

		unlink(aside);
		errno = error;
		return -1;
	}
	return 0;
}

/* Both as text.  0, -1: OpenSSL failed, -2: a file could not be written. */
static int
write_pair(
    const char *cert_path, X509 *cert, const char *key_path, EVP_PKEY *key)
{
	BIO *cert_text = BIO_new(BIO_s_mem()), *key_text = BIO_new(BIO_s_mem());
	int rc = -1;

	if (cert_text != NULL && key_text != NULL &&
	    PEM_write_bio_X509(cert_text, cert) == 1 &&
	    PEM_write_bio_PrivateKey(
		key_text, key, NULL, NULL, 0, NULL, NULL) == 1)
		rc = write_file(key_path, 0600, key_text) == 0 &&
			     write_file(cert_path, 0644, cert_text) == 0
			 ? 0
			 : -2;
	BIO_free(cert_text);
	BIO_free(key_text);
	return rc;
}

static int
make_pair(
    const char *cert_path, const char *key_path, char *why, size_t why_size)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key != NULL ? make_certificate(key) : NULL;
	int rc = cert != NULL ? write_pair(cert_path, cert, key_path, key) : -1;
	int error = errno;

	X509_free(cert);
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (rc == -2)
		snprintf(why, why_size, "%s: %s", cert_path, strerror(error));
	else if (rc != 0)
		snprintf(why, why_size,
		    "the self-signed certificate could not be made");
	return rc == 0 ? 0 : -1;
}

int
abt_tls_self_signed(
    char *cert, char *key, size_t size, char *why, size_t why_size)
{
	char folder[PATH_ROOM], lock[PATH_ROOM + 16];
	int n, m, fd, rc = 0;

	if (find_folder(folder, why, why_size) != 0)
		return -1;
	n = snprintf(cert, size, "%s/localhost.pem", folder);
	m = snprintf(key, size, "%s/localhost-key.pem", folder);
	if (n < 0 || (size_t)n >= size || m < 0 || (size_t)m >= size) {
		snprintf(why, why_size, "%s: the path is too long", folder);
		return -1;
	}
	snprintf(lock, sizeof(lock), "%s/lock", folder);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		flock(fd, LOCK_EX); /* without it the pair is checked again */
	if (!is_good(cert, key))
		rc = make_pair(cert, key, why, why_size);
	if (fd >= 0)
		close(fd);
	return rc;
}
