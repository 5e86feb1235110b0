/* SHA-256 is OpenSSL's low-level one: with the SHA instructions of the processor a 65-byte message
 * costs a quarter of libsodium's time and three quarters of EVP's, and its state is plain memory.
 * SM3 exists only behind EVP, so one context a thread is kept for the short messages. */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init, SHA256_Update, SHA256_Final */

#include "crypto/digest.h"
#include "crypto/signer.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256_state), "the opaque state is too small");
_Static_assert(alignof(SHA256_CTX) <= alignof(struct sha256_state), "the state is misaligned");
_Static_assert(SHA256_DIGEST_LENGTH == sizeof(struct hash), "a hash holds one SHA-256");

static SHA256_CTX *sha256_inside(struct sha256_state *state)
{
    return (SHA256_CTX *)(void *)state->opaque;
}

void sha256_init(struct sha256_state *state)
{
    BUG_ON(SHA256_Init(sha256_inside(state)) != 1);
}

void sha256_update(struct sha256_state *state, struct bytes part)
{
    BUG_ON(SHA256_Update(sha256_inside(state), part.at, part.len) != 1);
}

void sha256_final(struct sha256_state *state, struct hash *out)
{
    BUG_ON(SHA256_Final(out->at, sha256_inside(state)) != 1);
}

void sha256(struct hash *out, struct bytes message)
{
    sha256_parts(out, &message, 1);
}

void sha256_parts(struct hash *out, const struct bytes *parts, size_t count)
{
    struct sha256_state state;
    sha256_init(&state);
    for (size_t i = 0; i < count; i++) {
        sha256_update(&state, parts[i]);
    }
    sha256_final(&state, out);
}

#define SHA256_BLOCK 64

void hmac_sha256(struct hash *out, struct bytes key, struct bytes message)
{
    uint8_t pad[SHA256_BLOCK] = {0};
    struct hash inner;
    if (key.len > sizeof pad) {
        struct hash short_key;
        sha256(&short_key, key);
        memcpy(pad, short_key.at, sizeof short_key.at);
        wipe(&short_key, sizeof short_key);
    } else if (key.len > 0) {
        memcpy(pad, key.at, key.len);
    }
    for (size_t i = 0; i < sizeof pad; i++) {
        pad[i] ^= 0x36;
    }
    sha256_parts(&inner, (struct bytes[]){BYTES_OF(pad), message}, 2);
    for (size_t i = 0; i < sizeof pad; i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }
    sha256_parts(out, (struct bytes[]){BYTES_OF(pad), hash_bytes(&inner)}, 2);
    wipe(pad, sizeof pad);
    wipe(&inner, sizeof inner);
}

/* Fetched once: a fetch for each message would cost ten times the digest of a short one. */
static pthread_once_t sm3_once = PTHREAD_ONCE_INIT;
static const EVP_MD *sm3_md;
static pthread_key_t sm3_key;
static __thread EVP_MD_CTX *sm3_of_thread;

static void sm3_thread_ends(void *context)
{
    EVP_MD_CTX_free(context);
    sm3_of_thread = NULL;
}

static void sm3_fetch(void)
{
    sm3_md = EVP_MD_fetch(NULL, "SM3", NULL);
    BUG_ON(sm3_md == NULL || EVP_MD_get_size(sm3_md) != (int)sizeof(struct hash));
    BUG_ON(pthread_key_create(&sm3_key, sm3_thread_ends) != 0);
}

static void sm3_begin(EVP_MD_CTX *context)
{
    BUG_ON(EVP_DigestInit_ex2(context, sm3_md, NULL) != 1);
}

static EVP_MD_CTX *sm3_context_new(void)
{
    BUG_ON(pthread_once(&sm3_once, sm3_fetch) != 0);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    BUG_ON(context == NULL);
    return context;
}

void sm3(struct hash *out, struct bytes message)
{
    EVP_MD_CTX *context = sm3_of_thread;
    if (context == NULL) {
        context = sm3_context_new();
        BUG_ON(pthread_setspecific(sm3_key, context) != 0);
        sm3_of_thread = context;
    }
    sm3_begin(context);
    BUG_ON(EVP_DigestUpdate(context, message.at, message.len) != 1);
    BUG_ON(EVP_DigestFinal_ex(context, out->at, NULL) != 1);
}

struct sm3_state {
    EVP_MD_CTX *context;
};

struct sm3_state *sm3_new(void)
{
    struct sm3_state *state = mem_alloc(sizeof *state);
    state->context = sm3_context_new();
    sm3_begin(state->context);
    return state;
}

void sm3_update(struct sm3_state *state, struct bytes part)
{
    BUG_ON(EVP_DigestUpdate(state->context, part.at, part.len) != 1);
}

void sm3_final(struct sm3_state *state, struct hash *out)
{
    BUG_ON(EVP_DigestFinal_ex(state->context, out->at, NULL) != 1);
    sm3_begin(state->context);
}

void sm3_free(struct sm3_state *state)
{
    if (state) {
        EVP_MD_CTX_free(state->context);
        free(state);
    }
}
