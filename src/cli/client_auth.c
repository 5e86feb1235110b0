#include "cli/client_auth.h"

#include "base/clock.h"
#include "cli/passphrase.h"
#include "codec/msgsig.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void client_auth_init(struct client_auth *auth, const struct args *args)
{
    const char *given = args_has(args, "key") ? args_text(args, "key") : NULL;
    const char *from_environment = getenv("CAIRN_KEY");
    bool may_ask = args_has(args, "passphrase-file");
    *auth = (struct client_auth){.args = args, .path = given};
    if (!given && may_ask && from_environment && from_environment[0]) {
        auth->path = from_environment;
    }
}

void client_auth_clear(struct client_auth *auth)
{
    signer_free(auth->own);
    wipe(auth->token, sizeof auth->token);
    *auth = (struct client_auth){0};
}

enum err client_auth_open(struct client_auth *auth, struct why *why)
{
    if (auth->signer) {
        return OK;
    }
    if (!auth->path) {
        return ERR_NOT_FOUND;
    }
    TRY(key_open(&auth->own, auth->path, auth->args, why));
    auth->signer = auth->own;
    return OK;
}

void url_origin(struct buf *out, const char *url)
{
    bool tls = strncmp(url, "https", 5) == 0;
    const char *host = strstr(url, "://") + 3;
    size_t len = strcspn(host, "/?#");
    const char *own = tls ? ":443" : ":80";
    if (len > strlen(own) && strncmp(host + len - strlen(own), own, strlen(own)) == 0 &&
        (host[0] == '[' ? host[len - strlen(own) - 1] == ']' : true)) {
        len -= strlen(own);
    }
    buf_put(out, bytes_text(tls ? "https://" : "http://"));
    for (size_t i = 0; i < len; i++) {
        buf_put_byte(out, (uint8_t)tolower((unsigned char)host[i]));
    }
}

/* Appends "name: value" to the list. */
static void add_field(struct curl_slist **headers, const char *name, const struct buf *value)
{
    struct buf line = {0};
    buf_put(&line, bytes_text(name));
    buf_put(&line, bytes_text(": "));
    buf_put(&line, buf_bytes(value));
    buf_put_byte(&line, 0);
    *headers = curl_slist_append(*headers, (const char *)line.at);
    BUG_ON(*headers == NULL);
    wipe(line.at, line.len);
    buf_clear(&line);
}

static enum err sign_fields(const struct client_auth *auth, struct curl_slist **headers,
                            struct signed_request *request)
{
    struct buf input = {0};
    struct buf signature = {0};
    enum err err =
        request_signature_write(&input, &signature, request, auth->signer, clock_wall_ms() / 1000);
    if (err == OK) {
        add_field(headers, "Signature-Input", &input);
        add_field(headers, "Signature", &signature);
    }
    buf_clear(&input);
    buf_clear(&signature);
    return err;
}

enum err client_auth_fields(struct client_auth *auth, struct curl_slist **headers,
                            const char *server, const char *method, const char *target,
                            struct bytes body)
{
    struct buf text = {0};
    if (auth->token[0]) {
        buf_put(&text, bytes_text("Bearer "));
        buf_put(&text, bytes_text(auth->token));
        add_field(headers, "Authorization", &text);
        wipe(text.at, text.len);
        buf_clear(&text);
        return OK;
    }
    if (!auth->signs || !auth->signer) {
        return OK;
    }
    struct buf digest = {0};
    url_origin(&text, server);
    const char *authority = memmem(text.at, text.len, "://", 3);
    size_t scheme_len = (size_t)(authority - (const char *)text.at) + 3;
    if (body.len > 0) {
        content_digest_write(&digest, body);
        add_field(headers, "Content-Digest", &digest);
    }
    struct signed_request request = {
        .method = method,
        .authority = {text.at + scheme_len, text.len - scheme_len},
        .target = bytes_text(target),
        .content_digest = buf_bytes(&digest),
    };
    enum err err = sign_fields(auth, headers, &request);
    buf_clear(&text);
    buf_clear(&digest);
    return err;
}
