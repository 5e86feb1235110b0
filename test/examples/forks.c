#include "forks.h"

#include "ledger/members.h"
#include "proof/fork.h"
#include "proof/keyrecord.h"
#include "proof/note.h"
#include "proof/receipt.h"

#include <stdlib.h>
#include <string.h>

/* Another head of the same place: as if another entry had been the last. */
static struct header other_head(const struct header *head)
{
    struct header other = *head;
    other.tree_root = label_hash("cairn example: another log");
    return other;
}

static void emit_evidence(const char *name, const struct fork_evidence *evidence,
                          const struct trust *trust)
{
    struct buf bytes = {0};
    struct fork_evidence *read;
    struct verdict verdict = {0};
    fork_evidence_write(&bytes, evidence);
    must(fork_evidence_parse(&read, buf_bytes(&bytes), NULL), name);
    fork_evidence_verify(&verdict, read, trust);
    must(verdict.status == VERDICT_PASS ? OK : ERR_MISMATCH, verdict.summary);
    verdict_clear(&verdict);
    fork_evidence_free(read);
    emit_buf(name, "fork", &bytes);
}

static void show_heads(const struct header heads[2], const struct trust *trust,
                       const struct signer *receipt)
{
    struct buf kept[4] = {0};
    struct fork_evidence evidence = {0};
    for (size_t i = 0; i < 2; i++) {
        header_write(&kept[i], &heads[i]);
        must(receipt_sign(&kept[2 + i], &heads[i], bytes_text("node-1"), receipt), "the receipt");
        evidence.sides[i].header = buf_bytes(&kept[i]);
        evidence.sides[i].receipt = buf_bytes(&kept[2 + i]);
    }
    emit_evidence("fork-heads", &evidence, trust);
    for (size_t i = 0; i < 4; i++) {
        buf_clear(&kept[i]);
    }
}

/* A state proof of the key's record under the newest head. */
static void prove_key(struct buf *out, struct view *view, const struct signer *receipt,
                      const struct signer *checkpoint)
{
    struct buf key = {0};
    struct buf signed_head = {0};
    struct state_answer answer = {0};
    struct state_proof *proof = mem_zalloc(sizeof *proof);
    key_record_state_key(&key, pubkey_kid(signer_pubkey(checkpoint)));
    must(view_state(view, bytes_text(MEMBER_MODULE), buf_bytes(&key), &answer), "the record");
    must(receipt_sign(&signed_head, view_header(view), bytes_text("node-1"), receipt),
         "the receipt");
    proof->module = bytes_text(MEMBER_MODULE);
    proof->key = buf_bytes(&key);
    proof->present = true;
    proof->value = buf_bytes(&answer.value);
    proof->siblings.count = answer.siblings.len / sizeof(struct hash);
    memcpy(proof->siblings.at, answer.siblings.at, answer.siblings.len);
    proof->head = view_header_bytes(view);
    proof->receipts[0] = buf_bytes(&signed_head);
    proof->receipt_count = 1;
    state_proof_write(out, proof);
    state_answer_clear(&answer);
    buf_clear(&signed_head);
    buf_clear(&key);
    free(proof);
}

static void note_write(struct buf *out, const struct header *head, const struct signer *checkpoint)
{
    struct buf origin = {0};
    struct buf text = {0};
    struct note_key key;
    checkpoint_origin(&origin, bytes_text("example"), head);
    must(note_key_of(&key, buf_bytes(&origin), NOTE_ED25519, signer_pubkey(checkpoint)), "the key");
    checkpoint_write(&text, bytes_text("example"), head);
    buf_put(out, buf_bytes(&text));
    buf_put_byte(out, '\n');
    must(note_sign(out, &key, checkpoint, buf_bytes(&text)), "the checkpoint");
    buf_clear(&origin);
    buf_clear(&text);
}

void show_forks(struct world *world, const struct trust *trust, const struct signer *receipt,
                const struct signer *checkpoint)
{
    struct view *view = ledger_view(world->ledger);
    struct header heads[2] = {*view_header(view), other_head(view_header(view))};
    struct buf notes[2] = {0};
    struct buf key = {0};
    struct fork_evidence evidence = {.checkpoints = true};
    show_heads(heads, trust, receipt);
    prove_key(&key, view, receipt, checkpoint);
    evidence.key = buf_bytes(&key);
    for (size_t i = 0; i < 2; i++) {
        note_write(&notes[i], &heads[i], checkpoint);
        evidence.sides[i].note = buf_bytes(&notes[i]);
    }
    emit_evidence("fork-checkpoints", &evidence, trust);
    buf_clear(&notes[0]);
    buf_clear(&notes[1]);
    buf_clear(&key);
    view_release(view);
}
