/* Checks a file with libcairn-verify.
 *
 * usage: verify FILE FILE.proof NAME.trust
 *
 * cc verify.c $(pkg-config --cflags --libs cairn-verify) -o verify */
#include <cairn_verify.h>

#include <stdio.h>
#include <stdlib.h>

#define SMALL_FILE_MAX (1u << 20)

/* Reads a whole small file into `out`; returns its length, or 0 if there is none. */
static size_t read_small(const char *path, unsigned char *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 0;
    }
    size_t len = fread(out, 1, SMALL_FILE_MAX, file);
    fclose(file);
    return len;
}

static void take_file(struct cairn_digest *digest, const char *path)
{
    unsigned char part[65536];
    size_t got;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    while ((got = fread(part, 1, sizeof part, file)) > 0) {
        cairn_digest_update(digest, part, got);
    }
    fclose(file);
}

static void print_verdict(const struct cairn_verdict *verdict)
{
    static const char *const outcomes[] = {"pass", "FAIL", "note"};
    for (size_t i = 0; i < cairn_verdict_count(verdict); i++) {
        printf("%s  %s: %s\n", outcomes[cairn_verdict_outcome(verdict, i)],
               cairn_verdict_check(verdict, i), cairn_verdict_text(verdict, i));
    }
    printf("%s\n", cairn_verdict_summary(verdict));
}

int main(int argc, char **argv)
{
    static unsigned char bytes[SMALL_FILE_MAX];
    char error[256] = "";
    if (argc != 4) {
        fprintf(stderr, "usage: verify FILE FILE.proof NAME.trust\n");
        return 2;
    }
    struct cairn_proof *proof =
        cairn_proof_new(bytes, read_small(argv[2], bytes), error, sizeof error);
    if (proof == NULL) {
        fprintf(stderr, "%s: %s\n", argv[2], error);
        return 2;
    }
    struct cairn_trust *trust =
        cairn_trust_new(bytes, read_small(argv[3], bytes), error, sizeof error);
    if (trust == NULL) {
        fprintf(stderr, "%s: %s\n", argv[3], error);
        cairn_proof_free(proof);
        return 2;
    }
    struct cairn_digest *digest = cairn_digest_new(proof);
    take_file(digest, argv[1]);
    struct cairn_verdict *verdict = cairn_verify(proof, trust, digest);
    print_verdict(verdict);
    int status = (int)cairn_verdict_status(verdict);
    cairn_verdict_free(verdict);
    cairn_digest_free(digest);
    cairn_trust_free(trust);
    cairn_proof_free(proof);
    return status;
}
