/* Statements of this client: drafted, signed, sent, answered. */
#ifndef CAIRN_CLI_SIGN_H
#define CAIRN_CLI_SIGN_H

#include "cli/client.h"
#include "cli/passphrase.h"
#include "proof/statement.h"
#include "proof/trust.h"

#define SIGN_VALID_MS 600000 /* a statement may be taken for ten minutes */

#define ARG_TRUST(help)                                 \
    {                                                   \
        "trust", "NAME.trust", help, NULL, false, false \
    }
/* What every verb that signs takes besides the name of its member. */
#define ARGS_SIGNING                                                                              \
    {"key", "FILE", "your private key", NULL, true, false}, ARG_PASSPHRASE,                       \
        {"mandate", "STATEMENT", "act under this mandate of another member", NULL, false, false}, \
        ARG_TRUST("the ledger must be the one of this trust file"), ARG_SERVER, ARG_JSON
#define ARG_AS                                                                                   \
    {                                                                                            \
        "as", "MEMBER", "your member id; else the ledger is asked whose key it is", NULL, false, \
            false                                                                                \
    }

/* Who signs, for which ledger. */
struct signing {
    struct client *client;
    struct signer *signer;
    struct trust *trust; /* or NULL */
    struct hash chain;
    char member[MEMBER_ID_MAX + 1];
    bool has_mandate;
    struct hash mandate;
};

/* Opens the key, asks the ledger for its chain id (which must be that of --trust), and for the
 * key's member unless the option called `member_option` says it. ERR_MISMATCH, errors of key_open,
 * client_get and trust_read. To be closed in any case. */
must_use enum err signing_open(struct signing *out, const struct args *args,
                               const char *member_option, struct why *why);
/* The same without asking anybody: the ledger is --trust's, the member --as; both are given. */
must_use enum err signing_open_offline(struct signing *out, const struct args *args,
                                       struct why *why);
void signing_close(struct signing *signing);

/* One statement to be: content type, what it is about (may be ""), body. */
struct matter {
    const char *content_type;
    const char *subject;
    struct bytes body;
};
/* Appends a signed statement with a fresh nonce, valid from now on for SIGN_VALID_MS, and writes
 * its id. ERR_REFUSED if the subject holds a number of a person; ERR_RANGE, ERR_IO. */
must_use enum err signing_sign(const struct signing *signing, const struct matter *matter,
                               struct buf *out, struct hash *id, struct why *why);

/* Sends one statement and returns its answer {"ok", "seen", ...} with "head" added; the caller
 * releases it. ERR_REFUSED and the errors of client_post. */
must_use enum err statement_post(struct client *client, const char *path, const char *content_type,
                                 struct bytes body, json_t **answer, struct why *why);

/* Signs, sends, prints the answer: all of a verb that says one thing. Returns the exit status. */
int signing_do(const struct args *args, const char *member_option, const struct matter *matter);
/* Prints one answer, as JSON or as text, and releases it. */
void answer_print(const struct args *args, json_t *answer);

/* Reads a trust file; the caller frees it. file_read's and trust_parse's errors. */
must_use enum err trust_read(struct trust **out, const char *path, struct why *why);

/* Reads what stands for 32 bytes in hex, `field` being what an error names. ERR_FORMAT. */
must_use enum err hash_read(struct hash *out, const char *field, const char *text, struct why *why);

#endif
