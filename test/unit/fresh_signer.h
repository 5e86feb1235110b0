/* A new Ed25519 key for a test. */
#ifndef CAIRN_TEST_FRESH_SIGNER_H
#define CAIRN_TEST_FRESH_SIGNER_H

#include "check.h"
#include "crypto/signer.h"

/* The caller frees it. */
static inline struct signer *fresh_signer(void)
{
    struct signer *signer;
    struct buf pem = {0};
    CHECK_OK(key_generate(&pem, ALG_ED25519, NULL));
    CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
    buf_clear(&pem);
    return signer;
}

#endif
