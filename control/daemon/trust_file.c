/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/trust_file.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/text.h"
#include "x509/pem.h"

static void add_certificate(struct trust_file *file, struct slice der, uint32_t number, struct problems *problems)
{
    struct trust_file_item item = {.number = number};
    const char *fault = "malformed";

    der = slice_of(arena_copy(&file->arena, der.data, der.len), der.len);
    if (x509_certificate_parse(der, &item.certificate, &fault) != ASSAY_OK) {
        problems_add(problems, file->path, 0, "certificate %u: %s", number, fault);
        return;
    }
    if ((file->count & (file->count + 1)) == 0) /* 0, 1, 3, 7, …: room for twice as many */
        file->items = memory_grow(file->items, 2 * (file->count + 1) * sizeof(item));
    file->items[file->count++] = item;
}

static void add_data(struct trust_file *file, struct slice data, struct problems *problems)
{
    uint8_t *buffer = memory_alloc(data.len);
    struct x509_pem_reader reader;
    enum assay_error error;
    uint32_t number = 0;
    struct slice der;

    x509_pem_begin(&reader, data, buffer, data.len);
    while ((error = x509_pem_next(&reader, &der)) != ASSAY_ERR_NOT_FOUND) {
        number++;
        if (error == ASSAY_OK)
            add_certificate(file, der, number, problems);
        else
            problems_add(problems, file->path, (uint32_t)reader.block_line, "certificate %u: cannot be decoded",
                         number);
    }
    if (number == 0)
        problems_add(problems, file->path, 0, "holds no certificate (PEM, DER or PKCS#7)");
    free(buffer);
}

static struct trust_file *create(const char *path)
{
    struct trust_file *file = memory_alloc(sizeof(*file));

    file->references = 1;
    file->path = arena_text(&file->arena, path);
    return file;
}

static struct trust_file *good_or_none(struct trust_file *file, size_t before, const struct problems *problems)
{
    if (problems->count == before)
        return file;
    trust_file_drop(file);
    return NULL;
}

struct trust_file *trust_file_parse(struct slice data, const char *name, struct problems *problems)
{
    struct trust_file *file = create(name);
    size_t before = problems->count;

    add_data(file, data, problems);
    return good_or_none(file, before, problems);
}

struct trust_file *trust_file_read(const char *path, const struct stat *status, struct problems *problems)
{
    struct trust_file *file = create(path);
    size_t before = problems->count;
    struct text data = {0};
    enum assay_error error;

    file->status = *status;
    file->settled = file_is_settled(status);
    error = text_read_file(&data, path, TRUST_FILE_MAX);
    if (error == ASSAY_OK)
        add_data(file, text_slice(&data), problems);
    else
        problems_add(problems, path, 0, "cannot be read: %s", assay_error_text(error));
    text_free(&data);
    return good_or_none(file, before, problems);
}

struct trust_file *trust_file_take(struct trust_file *file)
{
    file->references++;
    return file;
}

void trust_file_drop(struct trust_file *file)
{
    if (file == NULL || --file->references > 0)
        return;
    free(file->items);
    arena_free(&file->arena);
    free(file);
}

bool trust_file_is_current(const struct trust_file *file, const struct stat *status)
{
    return file->settled && file_is_same(&file->status, status);
}

bool trust_file_holds(const struct trust_file *file, const uint8_t sha256[X509_FINGERPRINT_SIZE])
{
    for (size_t i = 0; i < file->count; i++)
        if (memcmp(file->items[i].certificate.sha256, sha256, X509_FINGERPRINT_SIZE) == 0)
            return true;
    return false;
}
