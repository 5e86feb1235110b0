#include "cli/media.h"

#include <string.h>
#include <strings.h>

struct media {
    const char *mark; /* the end of a name, or the first bytes */
    size_t len;       /* of the first bytes */
    const char *type;
};

static const struct media endings[] = {
    {"pdf", 0, "application/pdf"},
    {"txt", 0, "text/plain"},
    {"md", 0, "text/markdown"},
    {"csv", 0, "text/csv"},
    {"html", 0, "text/html"},
    {"htm", 0, "text/html"},
    {"xml", 0, "application/xml"},
    {"json", 0, "application/json"},
    {"eml", 0, "message/rfc822"},
    {"jpg", 0, "image/jpeg"},
    {"jpeg", 0, "image/jpeg"},
    {"png", 0, "image/png"},
    {"gif", 0, "image/gif"},
    {"tif", 0, "image/tiff"},
    {"tiff", 0, "image/tiff"},
    {"webp", 0, "image/webp"},
    {"svg", 0, "image/svg+xml"},
    {"mp3", 0, "audio/mpeg"},
    {"wav", 0, "audio/wav"},
    {"m4a", 0, "audio/mp4"},
    {"mp4", 0, "video/mp4"},
    {"mov", 0, "video/quicktime"},
    {"mkv", 0, "video/x-matroska"},
    {"zip", 0, "application/zip"},
    {"gz", 0, "application/gzip"},
    {"tar", 0, "application/x-tar"},
    {"7z", 0, "application/x-7z-compressed"},
    {"doc", 0, "application/msword"},
    {"xls", 0, "application/vnd.ms-excel"},
    {"ppt", 0, "application/vnd.ms-powerpoint"},
    {"docx", 0, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"xlsx", 0, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"pptx", 0, "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"odt", 0, "application/vnd.oasis.opendocument.text"},
    {"ods", 0, "application/vnd.oasis.opendocument.spreadsheet"},
    {"ofd", 0, "application/ofd"},
    {"dcm", 0, "application/dicom"},
    {"p7s", 0, "application/pkcs7-signature"},
    {"pem", 0, "application/x-pem-file"},
    {"cbor", 0, "application/cbor"},
};

static const struct media beginnings[] = {
    {"%PDF-", 5, "application/pdf"},
    {"\x89PNG\r\n\x1a\n", 8, "image/png"},
    {"\xff\xd8\xff", 3, "image/jpeg"},
    {"GIF8", 4, "image/gif"},
    {"PK\x03\x04", 4, "application/zip"},
    {"\x1f\x8b", 2, "application/gzip"},
    {"<?xml", 5, "application/xml"},
    {"\x7f"
     "ELF",
     4, "application/x-elf"},
};

const char *media_type(const char *path, struct bytes first)
{
    const char *name = strrchr(path, '/');
    const char *dot = strrchr(name ? name : path, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++) {
        if (strcasecmp(dot + 1, endings[i].mark) == 0) {
            return endings[i].type;
        }
    }
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        if (first.len >= beginnings[i].len &&
            memcmp(first.at, beginnings[i].mark, beginnings[i].len) == 0) {
            return beginnings[i].type;
        }
    }
    return "application/octet-stream";
}
