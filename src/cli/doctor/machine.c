#include "cli/doctor/doctor.h"

#include "base/bytes.h"

#include <ftw.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BESIDE_LEN ((uint64_t)200 << 20) /* what a node takes beside budget and caches */
#define FILES_MORE 2000                  /* open files beside connections */
#define FREE_WARN  ((uint64_t)5 << 30)
#define FREE_ERROR ((uint64_t)512 << 20)

static uint64_t found_len;

static int add_file(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)path;
    (void)place;
    found_len += kind == FTW_F ? (uint64_t)info->st_blocks * 512 : 0;
    return 0;
}

uint64_t doctor_folder_len(const char *dir)
{
    found_len = 0;
    return nftw(dir, add_file, 16, FTW_PHYS) == 0 ? found_len : 0;
}

static void find_memory(struct findings *findings, const struct config *config)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    uint64_t ram = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
    uint64_t wanted = config->memory + config->cache + BESIDE_LEN;
    bool fits = wanted < ram / 4 * 3;
    finding(findings, fits ? FINDING_OK : FINDING_WARN, "memory",
            fits ? NULL : "Lower memory or cache, or give the machine more.",
            "up to %" PRIu64 " MiB by the settings (memory, cache, 200 MiB), of %" PRIu64 " MiB",
            wanted >> 20, ram >> 20);
}

/* The limit of whoever asks; the one of a node that runs is in its metrics. */
static void find_files(struct findings *findings, const struct config *config)
{
    struct rlimit limit;
    uint64_t wanted = config->connections + FILES_MORE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    bool fits = limit.rlim_max >= wanted;
    finding(findings, fits ? FINDING_OK : FINDING_WARN, "files",
            fits ? NULL : "Raise the hard limit of open files (LimitNOFILE), or lower connections.",
            "a process here may have %" PRIu64 " files open; the settings want %" PRIu64,
            (uint64_t)limit.rlim_max, wanted);
}

static void find_disk(struct findings *findings, const char *dir)
{
    struct statvfs disk;
    if (statvfs(dir, &disk) != 0) {
        finding(findings, FINDING_WARN, "disk", "Check the path and its permissions.",
                "the disk of %s can't be asked", dir);
        return;
    }
    uint64_t free_len = (uint64_t)disk.f_bavail * disk.f_frsize;
    enum severity severity = free_len < FREE_ERROR  ? FINDING_ERROR
                             : free_len < FREE_WARN ? FINDING_WARN
                                                    : FINDING_OK;
    finding(findings, severity, "disk",
            severity == FINDING_OK ? NULL : "Make room or enlarge it; below 512 MiB writing stops.",
            "%" PRIu64 " MiB free; the ledger takes %" PRIu64 " MiB", free_len >> 20,
            doctor_folder_len(dir) >> 20);
}

void doctor_machine(struct findings *findings, const struct config *config, const char *dir)
{
    find_memory(findings, config);
    find_files(findings, config);
    find_disk(findings, dir);
}
