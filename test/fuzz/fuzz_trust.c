/* Trust files and their updates. An input is a trust file's length and bytes, then those of an
 * update. A trust file has one encoding; an update never loses a head, and never changes the ledger
 * or an authority. */
#include "crypto/digest.h"
#include "fuzz.h"
#include "mutate.h"
#include "proof/trustupdate.h"

const struct fuzz_shape fuzz_shape = {2, true};

static enum err parse(struct bytes in)
{
    struct trust *trust;
    enum err err = trust_parse(&trust, in, NULL);
    BUG_ON((err == OK) != (trust != NULL));
    trust_free(trust);
    return err;
}

static enum err update_parse(struct bytes in)
{
    struct trust_update *update;
    enum err err = trust_update_parse(&update, in, NULL);
    BUG_ON((err == OK) != (update != NULL));
    trust_update_free(update);
    return err;
}

static void check_regimes(const struct trust *trust)
{
    for (size_t i = 0; i < trust->regime_count; i++) {
        const struct trust_regime *regime = &trust->regimes[i];
        BUG_ON(trust_regime(trust, regime->from) != regime);
        for (size_t k = 0; k < regime->key_count; k++) {
            const struct receipt_key *key = &regime->keys[k];
            BUG_ON(!bytes_equal(pubkey_spki(key->key), key->spki));
            BUG_ON(regime_key(regime, pubkey_kid(key->key), key->from) == NULL);
        }
        for (size_t k = 0; k < regime->range_count; k++) {
            BUG_ON(regime_range(regime, regime->ranges[k].from) != &regime->ranges[k]);
        }
    }
    for (size_t i = 0; i < trust->head_count; i++) {
        BUG_ON(trust_head(trust, trust->heads[i].place) != &trust->heads[i]);
    }
}

static void check_trust(const struct trust *trust, struct bytes input)
{
    struct buf out = {0};
    trust_write(&out, trust);
    BUG_ON(!bytes_equal(buf_bytes(&out), input));
    check_regimes(trust);
    check_whole_only(parse, input);
    buf_clear(&out);
}

/* What was known stays known; a head that wasn't lost may have become so. */
static void check_carried(const struct trust *old, const struct trust *new)
{
    struct buf out = {0};
    BUG_ON(!bytes_equal(old->name, new->name) || !hash_equal(&old->chain, &new->chain));
    for (size_t i = 0; i < old->head_count; i++) {
        const struct head *before = &old->heads[i];
        const struct head *after = trust_head(new, before->place);
        BUG_ON(after == NULL || !hash_equal(&before->hash, &after->hash));
        BUG_ON(before->lost && !after->lost);
    }
    BUG_ON(new->authority_count != old->authority_count);
    for (size_t i = 0; i < old->authority_count; i++) {
        BUG_ON(!bytes_equal(old->authorities[i], new->authorities[i]));
    }
    trust_write(&out, new);
    BUG_ON(parse(buf_bytes(&out)) != OK);
    buf_clear(&out);
}

static void check_update(const struct trust *old, struct bytes input)
{
    struct trust_update *update;
    struct trust *new;
    struct why why = {0};
    if (trust_update_parse(&update, input, NULL) != OK) {
        return;
    }
    struct buf out = {0};
    trust_update_write(&out, update);
    BUG_ON(!bytes_equal(buf_bytes(&out), input));
    check_whole_only(update_parse, input);
    for (size_t i = 0; old && i <= update->step_count; i++) {
        struct hash accepted;
        if (i > 0) {
            sha256(&accepted, update->steps[i - 1].header_bytes);
        }
        enum err err = trust_update_apply(&new, old, update, i > 0 ? &accepted : NULL, &why);
        BUG_ON((err == OK) != (new != NULL));
        if (err == OK) {
            check_carried(old, new);
        }
        trust_free(new);
        i = i > 4 ? update->step_count : i;
    }
    buf_clear(&out);
    trust_update_free(update);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = {data, size};
    struct bytes trust_bytes = take_block(&rest);
    struct trust *trust;
    struct why why = {0};
    if (trust_parse(&trust, trust_bytes, &why) == OK) {
        check_trust(trust, trust_bytes);
    }
    check_update(trust, rest);
    trust_free(trust);
    return 0;
}
