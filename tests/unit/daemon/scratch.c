/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <dirent.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "forge.h"
#include "x509/pem.h"

static char directory[256];

int scratch_begin(void **state)
{
    snprintf(directory, sizeof(directory), "%s/assay-XXXXXX", P_tmpdir);
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    return remove(path);
}

int scratch_end(void **state)
{
    forge_free();
    return nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(const char *name)
{
    static char paths[64][512];
    static unsigned next;
    char *path = paths[next++ % 64];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

void scratch_make(const char *name)
{
    mkdir(scratch_path(name), 0755);
}

void scratch_write_slice(const char *name, struct slice data)
{
    FILE *out = fopen(scratch_path(name), "w");

    assert_non_null(out);
    assert_int_equal(fwrite(data.data, 1, data.len, out), data.len);
    assert_int_equal(fclose(out), 0);
}

void scratch_write(const char *name, const char *text)
{
    scratch_write_slice(name, slice_text(text));
}

void scratch_pem(const char *name, const struct slice *ders, size_t count)
{
    FILE *out = fopen(scratch_path(name), "w");
    char block[16384];

    assert_non_null(out);
    for (size_t i = 0; i < count; i++) {
        assert_true(x509_pem_write(ders[i], block, sizeof(block)) <= sizeof(block));
        fputs(block, out);
    }
    assert_int_equal(fclose(out), 0);
}

void scratch_key(const char *name, void *key)
{
    FILE *out = fopen(scratch_path(name), "w");

    assert_non_null(out);
    assert_int_equal(PEM_write_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(out), 0);
}

bool scratch_exists(const char *name)
{
    return access(scratch_path(name), F_OK) == 0;
}

size_t scratch_count(const char *name)
{
    DIR *open = opendir(scratch_path(name));
    struct dirent *entry;
    size_t count = 0;

    while (open != NULL && (entry = readdir(open)) != NULL)
        count += entry->d_name[0] != '.';
    if (open != NULL)
        closedir(open);
    return count;
}

struct slice scratch_ca(const char *name, unsigned index)
{
    struct forge forge = {.subject = name,
                          .key = forge_key(FORGE_P256, index),
                          .extensions = {forge_ca(-1), forge_usage(1 << 5 | 1 << 6)}};

    return forge_certificate(&forge);
}

const char scratch_good_yaml[] = "port: {device: net_null0, address: 198.18.0.10/15}\n"
                                 "listeners:\n"
                                 "  - {port: 8443, clients: 198.18.1.0/24}\n"
                                 "credentials:\n"
                                 "  - {chain: server.pem, key: server.key}\n"
                                 "trust: {directory: trust}\n"
                                 "via: edge\n"
                                 "admin: {socket: admin.sock}\n"
                                 "nodes:\n"
                                 "  - {address: cucm.steven.lab, type: cucm}\n";

void scratch_good_trust(const char *line)
{
    static const char plain[] = "trust: {directory: trust}\n";
    const char *trust = strstr(scratch_good_yaml, plain);
    struct text text = {0};

    text_add(&text, scratch_good_yaml, (size_t)(trust - scratch_good_yaml));
    text_printf(&text, "%s%s", line, trust + strlen(plain));
    scratch_write("good.yaml", text_get(&text));
    text_free(&text);
}

void scratch_good(void)
{
    struct forge server = {.subject = "vcs.steven.lab",
                           .key = forge_key(FORGE_P256, 0),
                           .extensions = {forge_san(forge_dns("vcs.steven.lab"))}};

    SCRATCH_PEM("server.pem", forge_certificate(&server));
    scratch_key("server.key", server.key);
    scratch_make("trust");
    scratch_write("good.yaml", scratch_good_yaml);
}

struct config *scratch_config(const char *more)
{
    struct problems problems = {0};
    struct text text = {0};
    struct config *config;

    text_printf(&text, "%s%s", scratch_good_yaml, more);
    config = config_parse(text_slice(&text), scratch_path("good.yaml"), &problems);
    for (size_t i = 0; i < problems.kept; i++)
        print_error("%s\n", problems.items[i]);
    assert_non_null(config);
    problems_free(&problems);
    text_free(&text);
    return config;
}

void scratch_expect(const struct problems *problems, const char *const *expected)
{
    size_t count = 0;

    while (expected[count] != NULL)
        count++;
    for (size_t i = 0; i < problems->kept; i++) {
        /* the directory has another name each time */
        const char *text = problems->items[i];
        size_t len = strlen(directory);

        if (len > 0 && strncmp(text, directory, len) == 0)
            text += len + 1;
        if (i >= count || strcmp(text, expected[i]) != 0)
            fail_msg("problem %zu: '%s', expected '%s'", i, text, i < count ? expected[i] : "(none)");
    }
    assert_int_equal(problems->count, count);
}

int scratch_begin_good(void **state)
{
    if (scratch_begin(state) != 0)
        return -1;
    scratch_good();
    return 0;
}
