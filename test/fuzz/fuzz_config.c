#include "fuzz.h"

#include "config/config.h"

#include <string.h>

/* A file of settings is read or refused with a reason; what is read prints, and reads back alike.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct config config;
    struct why why = {0};
    enum err err = config_parse(&config, (struct bytes){data, len}, NULL, &why);
    BUG_ON(err != OK && (!why.field[0] || !why.problem[0] || !why.remedy[0]));
    if (err == OK) {
        struct buf text = {0};
        for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
            for (size_t n = 0; n < config_count(&config, (enum config_number)i); n++) {
                buf_put(&text, bytes_text(config_keys[i].name));
                buf_put(&text, bytes_text("="));
                config_print(&text, &config, (enum config_number)i, n);
                buf_put_byte(&text, '\n');
            }
        }
        struct config again;
        err = config_parse(&again, buf_bytes(&text), NULL, &why);
        BUG_ON(err != OK);
        for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
            BUG_ON(!config_same(&config, &again, (enum config_number)i));
        }
        config_clear(&again);
        buf_clear(&text);
    }
    config_clear(&config);
    return 0;
}
