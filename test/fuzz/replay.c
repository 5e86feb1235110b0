/* Runs a fuzz target over every file of a folder, where no fuzzer is built in. The last line before
 * an abort names the file at fault. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1u << 20)

/* A block of exactly the input's size lets the address sanitizer see a read beyond its end. */
static bool replay(const char *folder, const char *name, uint8_t *space)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    size_t len = fread(space, 1, FILE_MAX, file);
    bool whole = feof(file) != 0;
    fclose(file);
    if (!whole) {
        fprintf(stderr, "%s: can't be read, or has more than %u bytes\n", path, FILE_MAX);
        return false;
    }
    fprintf(stderr, "%s\n", path);
    uint8_t *exact = mem_alloc(len);
    memcpy(exact, space, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return true;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    uint8_t *space = mem_alloc(FILE_MAX);
    unsigned count = 0;
    bool good = true;
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            good = replay(argv[1], entry->d_name, space) && good;
            count++;
        }
    }
    closedir(folder);
    free(space);
    printf("%u inputs\n", count);
    return good && count > 0 ? 0 : 1;
}
