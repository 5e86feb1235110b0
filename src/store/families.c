/* Why the options are as they are:
 *
 * - `log`, `items`, `block`, `tiles`, `history` grow at their end only, so files of level-style
 *   compaction never overlap and move down without being rewritten. `state`, `recent` and the
 *   others are small beside them.
 * - Items and tiles are digests, which do not compress. Entries and headers repeat their headers.
 * - What is old is as good as what is new: without ttl and periodic_compaction_seconds RocksDB
 *   would rewrite every file once in 30 days.
 * - Every batch writes `meta`, so its unflushed part keeps old write-ahead logs alive;
 *   max_total_wal_size bounds what a start after a kill has to replay.
 * - RocksDB as Debian builds it has its assertions on, and one of them aborts when its own text log
 *   cannot be written: a full disk would end the process inside a commit instead of failing it. So
 *   it logs next to nothing; failures come back as codes and are logged by us.
 * - Index runs are ingested, never written: their memtables stay empty. Universal compaction keeps
 *   runs few at two to three writes a pair. Their filters are on the 8-byte prefix, which is all
 *   that a search knows.
 * - Index and filter blocks live in the block cache, in small partitions, so that memory is bounded
 *   by its size and not by the size of the database, and a start reads none of them. */
#include "store/families.h"

#include <string.h>

/* Of every family. */
#define COMMON_OPTIONS "ttl=0;periodic_compaction_seconds=0;"

#define DATABASE_OPTIONS                      \
    "create_missing_column_families=true;"    \
    "max_total_wal_size=134217728;"           \
    "db_write_buffer_size=268435456;"         \
    "max_background_jobs=3;"                  \
    "max_open_files=1024;"                    \
    "skip_stats_update_on_db_open=true;"      \
    "bytes_per_sync=1048576;"                 \
    "recycle_log_file_num=0;"                 \
    "keep_log_file_num=4;"                    \
    "max_log_file_size=4194304;"              \
    "info_log_level=FATAL_LEVEL;"             \
    "max_manifest_file_size=16777216;"        \
    "stats_dump_period_sec=0;"                \
    "stats_persist_period_sec=0;"             \
    "track_and_verify_wals_in_manifest=true;" \
    "verify_sst_unique_id_in_manifest=true;"  \
    "paranoid_checks=true;"

#define SMALL_OPTIONS              \
    COMMON_OPTIONS                 \
    "write_buffer_size=8388608;"   \
    "max_write_buffer_number=2;"   \
    "compression=kLZ4Compression;" \
    "level0_file_num_compaction_trigger=4"

#define TEXT_OPTIONS                   \
    COMMON_OPTIONS                     \
    "write_buffer_size=33554432;"      \
    "max_write_buffer_number=3;"       \
    "target_file_size_base=134217728;" \
    "compression=kLZ4Compression;"     \
    "level0_file_num_compaction_trigger=2"

#define DIGEST_OPTIONS                 \
    COMMON_OPTIONS                     \
    "write_buffer_size=67108864;"      \
    "max_write_buffer_number=3;"       \
    "target_file_size_base=134217728;" \
    "compression=kNoCompression;"      \
    "level0_file_num_compaction_trigger=2"

#define TILE_OPTIONS              \
    COMMON_OPTIONS                \
    "write_buffer_size=8388608;"  \
    "max_write_buffer_number=2;"  \
    "compression=kNoCompression;" \
    "level0_file_num_compaction_trigger=2"

#define INDEX_OPTIONS                                                \
    COMMON_OPTIONS                                                   \
    "write_buffer_size=65536;"                                       \
    "compression=kLZ4Compression;"                                   \
    "compaction_style=kCompactionStyleUniversal;"                    \
    "compaction_options_universal={size_ratio=20;min_merge_width=6;" \
    "max_size_amplification_percent=300};"                           \
    "level0_file_num_compaction_trigger=12;"                         \
    "level0_slowdown_writes_trigger=40;"                             \
    "level0_stop_writes_trigger=60;"                                 \
    "target_file_size_base=268435456"

struct column {
    const char *name;
    const char *options;
    size_t block_size;
};

static const struct column columns[COLUMN_COUNT] = {
    [COLUMN_DEFAULT] = {"default", SMALL_OPTIONS, 4096},
    [COLUMN_FAMILIES + FAMILY_LOG] = {"log", TEXT_OPTIONS, 16384},
    [COLUMN_FAMILIES + FAMILY_ITEMS] = {"items", DIGEST_OPTIONS, 4096},
    [COLUMN_FAMILIES + FAMILY_BLOCK] = {"block", SMALL_OPTIONS, 16384},
    [COLUMN_FAMILIES + FAMILY_RECENT] = {"recent", SMALL_OPTIONS, 4096},
    [COLUMN_FAMILIES + FAMILY_STATE] = {"state", TEXT_OPTIONS, 8192},
    [COLUMN_FAMILIES + FAMILY_ATTEST] = {"attest", SMALL_OPTIONS, 16384},
    [COLUMN_FAMILIES + FAMILY_META] = {"meta", SMALL_OPTIONS, 4096},
    [COLUMN_FAMILIES + FAMILY_TILES] = {"tiles", TILE_OPTIONS, 8192},
    [COLUMN_FAMILIES + FAMILY_HISTORY] = {"history", TILE_OPTIONS, 8192},
    [COLUMN_INDEXES + INDEX_SHA256] = {"index.sha256", INDEX_OPTIONS, 8192},
    [COLUMN_INDEXES + INDEX_SM3] = {"index.sm3", INDEX_OPTIONS, 8192},
    [COLUMN_INDEXES + INDEX_REF] = {"index.ref", INDEX_OPTIONS, 8192},
    [COLUMN_INDEXES + INDEX_STATEMENT] = {"index.statement", INDEX_OPTIONS, 8192},
    [COLUMN_INDEXES + INDEX_TARGET] = {"index.target", INDEX_OPTIONS, 8192},
};

/* RocksDB's C functions lack setters for some of our options, so all that can be are set here, as
 * text. A mistake in the text is ours. */
static rocksdb_options_t *options_parse(const char *text)
{
    rocksdb_options_t *base = rocksdb_options_create();
    rocksdb_options_t *options = rocksdb_options_create();
    char *error = NULL;
    rocksdb_get_options_from_string(base, text, options, &error);
    BUG_ON(error != NULL);
    rocksdb_options_destroy(base);
    return options;
}

static rocksdb_options_t *column_options(const struct column *column, rocksdb_cache_t *cache,
                                         bool is_index)
{
    rocksdb_options_t *options = options_parse(column->options);
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_block_size(table, column->block_size);
    rocksdb_block_based_options_set_format_version(table, 5);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
    rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1);
    rocksdb_block_based_options_set_index_type(
        table, rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_ribbon(10));
    rocksdb_block_based_options_set_partition_filters(table, 1);
    rocksdb_block_based_options_set_metadata_block_size(table, 8192);
    if (is_index) {
        rocksdb_block_based_options_set_whole_key_filtering(table, 0);
        rocksdb_options_set_prefix_extractor(options,
                                             rocksdb_slicetransform_create_fixed_prefix(8));
    }
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    return options;
}

void families_init(struct families *out, size_t cache_len)
{
    out->cache = rocksdb_cache_create_lru(cache_len);
    out->database = options_parse(DATABASE_OPTIONS);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        out->names[i] = columns[i].name;
        out->options[i] = column_options(&columns[i], out->cache, i >= COLUMN_INDEXES);
    }
}

void families_clear(struct families *families)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        rocksdb_options_destroy(families->options[i]);
    }
    rocksdb_options_destroy(families->database);
    rocksdb_cache_destroy(families->cache);
}

size_t families_find(const struct families *families, const char *name)
{
    size_t column = 0;
    while (column < COLUMN_COUNT && strcmp(families->names[column], name) != 0) {
        column++;
    }
    return column;
}
