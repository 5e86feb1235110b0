#include "crypto/random.h"
#include "base/err.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

/* The kernel's generator, asked directly: it needs no initialisation and is safe in any thread and
 * after a fork. */
void random_bytes(uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);
        BUG_ON(got < 0 && errno != EINTR);
        if (got > 0) {
            out += got;
            len -= (size_t)got;
        }
    }
}
