/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/crls.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/arena.h"
#include "x509/describe.h"
#include "x509/pem.h"

static void add_crl(struct x509_crl_set *set, struct slice der, const char *file, uint32_t number,
                    struct problems *problems)
{
    const char *fault = "malformed";

    switch (x509_crl_set_add(set, der, &fault)) {
    case ASSAY_OK:
    case ASSAY_ERR_DUPLICATE: return;
    case ASSAY_ERR_UNSUPPORTED: problems_warn(problems, file, 0, "CRL %u left out: %s", number, fault); return;
    case ASSAY_ERR_MALFORMED: problems_add(problems, file, 0, "CRL %u: %s", number, fault); return;
    default: problems_add(problems, file, 0, "CRL %u: out of memory", number);
    }
}

static void load_file(struct x509_crl_set *set, const char *path, struct problems *problems)
{
    struct text data = {0};
    enum assay_error error = text_read_file(&data, path, X509_CRL_SIZE_MAX);
    struct x509_pem_reader reader;
    uint8_t *buffer = NULL;
    uint32_t number = 0;
    struct slice der;

    if (error != ASSAY_OK) {
        problems_add(problems, path, 0, "cannot be read: %s", assay_error_text(error));
        text_free(&data);
        return;
    }
    buffer = memory_alloc(text_slice(&data).len);
    x509_pem_begin_crls(&reader, text_slice(&data), buffer, text_slice(&data).len);
    while ((error = x509_pem_next(&reader, &der)) != ASSAY_ERR_NOT_FOUND) {
        number++;
        if (error == ASSAY_OK)
            add_crl(set, der, path, number, problems);
        else
            problems_add(problems, path, (uint32_t)reader.block_line, "CRL %u: cannot be decoded", number);
    }
    if (number == 0)
        problems_add(problems, path, 0, "holds no CRL (PEM or DER)");
    free(buffer);
    text_free(&data);
}

static int known(const struct dirent *entry)
{
    static const char *const suffixes[] = {".crl", ".pem", ".der"};
    size_t length = strlen(entry->d_name);

    for (size_t i = 0; entry->d_name[0] != '.' && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (length > 4 && strcmp(entry->d_name + length - 4, suffixes[i]) == 0)
            return 1;
    return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_folder(struct x509_crl_set *set, const char *folder, struct problems *problems)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, known, by_name);
    struct arena arena = {0};

    if (n < 0)
        problems_add(problems, folder, 0, "cannot be read: %s", strerror(errno));
    if (n > CRLS_FILES_MAX)
        problems_add(problems, folder, 0, "more than %d CRL files", CRLS_FILES_MAX);
    for (int i = 0; i < n; i++) {
        if (n <= CRLS_FILES_MAX)
            load_file(set, arena_printf(&arena, "%s/%s", folder, names[i]->d_name), problems);
        free(names[i]);
    }
    free(names);
    arena_free(&arena);
}

static void describe(const struct x509_crl_set *set, struct text *content)
{
    for (size_t i = 0; i < x509_crl_set_count(set); i++) {
        const struct x509_crl *crl = &x509_crl_set_at(set, i)->crl;
        char hex[X509_DESCRIBE_HEX_SIZE];
        struct x509_digest_value digest;

        /* The set's order depends on what is in it, not on files. */
        if (x509_digest_make(X509_DIGEST_SHA256, crl->der, &digest) != ASSAY_OK)
            continue;
        x509_describe_hex(slice_of(digest.bytes, digest.size), hex, sizeof(hex));
        text_printf(content, "crl %s\n", hex);
    }
}

struct x509_crl_set *crls_load(const char *path, struct text *content, struct problems *problems)
{
    struct x509_crl_set *set = x509_crl_set_create();
    size_t before = problems->count;
    struct stat status;

    if (set == NULL)
        problems_add(problems, path, 0, "out of memory");
    else if (stat(path, &status) != 0)
        problems_add(problems, path, 0, "cannot be read: %s", strerror(errno));
    else if (S_ISDIR(status.st_mode))
        load_folder(set, path, problems);
    else
        load_file(set, path, problems);
    if (set != NULL && problems->count == before && x509_crl_set_count(set) == 0)
        problems_warn(problems, path, 0, "no CRL in it");
    if (problems->count == before) {
        describe(set, content);
        return set;
    }
    x509_crl_set_free(set);
    return NULL;
}
