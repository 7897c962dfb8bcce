/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/check.h"

#include "daemon/config.h"
#include "daemon/sections.h"

/* Builds what the daemon would build of the files, for one core, and throws it away. Values that were wrong are not there. */
static void check_files(const struct config *config, uint64_t now_s, struct problems *problems)
{
    struct trust *trust = config->root.trust.directory != NULL ? trust_load_all(config, problems) : NULL;
    const struct verify_switches switches = {0};
    struct credential_cache cache = {0};

    if (trust != NULL)
        section_drop(section_build_trust(config, trust, &switches, NULL, problems));
    section_drop(section_build_access(config, 1, NULL, problems));
    section_drop(section_build_credentials(config, 1, &cache, NULL, now_s, problems));
    credentials_free(&cache);
    trust_free(trust);
}

bool check_file(const char *file, uint64_t now_s, struct problems *problems)
{
    size_t before = problems->count;
    struct config *config = config_load_partial(file, problems);

    if (config == NULL)
        return false;
    /* what values mean together can be asked only where each of them is right */
    if (problems->count == before)
        check_values(config, problems);
    check_files(config, now_s, problems);
    config_free(config);
    return problems->count == before;
}

struct access_set *check_rules(const char *file, struct problems *problems)
{
    size_t before = problems->count;
    struct config *config = config_load_partial(file, problems);
    struct section *section = NULL;
    struct access_set *rules = NULL;

    if (config != NULL && problems->count == before)
        section = section_build_access(config, 1, NULL, problems);
    if (section != NULL) {
        rules = section->rules;
        section->rules = NULL; /* ours now */
        section_drop(section);
    }
    config_free(config);
    return rules;
}

void check_print_keys(FILE *out)
{
    struct text keys = {0};

    config_print_keys(&keys);
    fputs(text_get(&keys), out);
    text_free(&keys);
}
