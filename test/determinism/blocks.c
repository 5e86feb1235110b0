/* usage: blocks make FILE SEED BLOCKS | blocks play FILE
 *
 * Both print the same lines about the same file, whatever compiled them. */
#include "maker.h"
#include "sequence.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LEN_MAX ((size_t)1 << 30)

int main(int argc, char **argv)
{
    struct buf file = {0};
    struct why why = {0};
    if (argc == 5 && strcmp(argv[1], "make") == 0) {
        sequence_make(&file, strtoull(argv[3], NULL, 0), (unsigned)strtoul(argv[4], NULL, 0));
        MUST(file_write(argv[2], buf_bytes(&file), 0644, &why));
    } else if (argc == 3 && strcmp(argv[1], "play") == 0) {
        MUST(file_read(&file, argv[2], FILE_LEN_MAX, &why));
        sequence_play(buf_bytes(&file));
    } else {
        fputs("usage: blocks make FILE SEED BLOCKS | blocks play FILE\n", stderr);
        return 2;
    }
    buf_clear(&file);
    return 0;
}
