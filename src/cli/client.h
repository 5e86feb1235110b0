/* Talks to a node over HTTP. */
#ifndef CAIRN_CLI_CLIENT_H
#define CAIRN_CLI_CLIENT_H

#include "base/bytes.h"
#include "cli/passphrase.h"

#include <jansson.h>

#define CLIENT_SERVER   "http://127.0.0.1:8420"
#define CLIENT_JSON_MAX ((size_t)64 << 20) /* bytes of a JSON answer */

/* Rows of a verb's table: what client_new reads. */
/* clang-format off */
#define ARG_SERVER                                                                                 \
    {"server", "URL", "the ledger's node; else CAIRN_SERVER, else " CLIENT_SERVER, NULL, false,    \
     false},                                                                                       \
    {"ca", "FILE", "PEM file of whom to trust; else CAIRN_CA, else this system's", NULL, false,    \
     false},                                                                                       \
    {"plain-http", NULL, "http to another machine, which anybody between can read and change",     \
     NULL, false, false}
/* clang-format on */

/* What every verb that reads takes. */
#define ARGS_READER                                                                  \
    {"key", "FILE", "your private key, where only members may read; else CAIRN_KEY", \
     NULL,  false,  false},                                                          \
        ARG_PASSPHRASE

/* One connection; one thread at a time. */
struct client;

/* Prepares a client for --server, CAIRN_SERVER or the default; connects later. ERR_FORMAT for what
 * is no http or https URL, ERR_REFUSED for http to another machine without --plain-http and for
 * https to an address, peer_trust_open's errors. The caller frees it.
 *
 * Where the ledger answers only its members, requests are signed with --key, if the verb has it, or
 * with the key that CAIRN_KEY names. */
must_use enum err client_new(struct client **out, const struct args *args, struct why *why);
/* The same for the server at a URL; of the options --ca and --plain-http count. */
must_use enum err client_new_to(struct client **out, const char *server, const struct args *args,
                                struct why *why);
void client_free(struct client *client);
/* Has it sign with a key that is open already; it stays the caller's. */
void client_use_signer(struct client *client, const struct signer *signer);
/* Has it sign in to no other ledger than that of a trust file. */
void client_expect_chain(struct client *client, const struct hash *chain);

/* GET of `path` ("/v1/ledger"): appends the body, at most `max` bytes. ERR_UNREACHABLE (no answer,
 * or one that is too long or cut); x509_judge's errors for the server's certificate; ERR_REFUSED
 * for every status but 200, `why` being what the problem document says. */
must_use enum err client_get(struct client *client, const char *path, size_t max, struct buf *out,
                             struct why *why);
/* The same for a JSON object, which the caller releases. ERR_FORMAT if it is none. */
must_use enum err client_get_json(struct client *client, const char *path, json_t **out,
                                  struct why *why);

/* GET of an answer without an end: each part is handed on as it comes, until `part` returns false
 * (OK) or the connection ends (OK, or ERR_UNREACHABLE where it broke). Says who asks if it has a
 * key. ERR_REFUSED as client_get. */
typedef bool client_part_fn(void *context, struct bytes part);
must_use enum err client_stream(struct client *client, const char *path, client_part_fn *part,
                                void *context, struct why *why);

/* POSTs statements and reads the JSON answer (201 or 207). A connection that breaks, a busy node
 * or one that took too long is tried again a few times with the same bytes: the ledger answers what
 * it has already with its first place. Errors as in client_get, ERR_FORMAT. */
must_use enum err client_post(struct client *client, const char *path, const char *content_type,
                              struct bytes body, json_t **out, struct why *why);

/* DELETE of what is one's own, signed. ERR_NOT_FOUND if there is no key; errors as in client_get.
 */
must_use enum err client_delete(struct client *client, const char *path, struct why *why);
/* Signs in for a session, whose token the next writes show; *out (may be NULL) is the answer with
 * the token, which the caller releases. ERR_NOT_FOUND if there is no key, ERR_MISMATCH if the
 * ledger is another one than is expected, errors as in client_get. */
must_use enum err client_sign_in(struct client *client, json_t **out, struct why *why);

/* The status of the last answer, 0 where there was none. */
long client_status(const struct client *client);

/* Appends text as one segment of a path, percent-encoded. */
void path_segment(struct buf *out, const char *text);
/* Fills `why` from a problem document (RFC 9457); texts that it lacks come from `status`. */
void problem_read(struct why *why, const json_t *problem, long status);

#endif
