#include "base/clock.h"

#include <stdint.h>
#include <time.h>

/* A double in a comment is fine. */
uint64_t pure(void *pointer)
{
    double share = 0.5;
    print("%p", pointer);
    return (uint64_t)(share * 2);
}
