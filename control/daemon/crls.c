/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/crls.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/arena.h"
#include "x509/describe.h"
#include "x509/pem.h"

/* --- one file -------------------------------------------------------------------------------------------------------------------- */

static void file_free(struct crls_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        x509_crl_record_unref(file->records[i]);
    free(file->records);
    free(file->path);
    problems_free(&file->warnings);
    *file = (struct crls_file){0};
}

static void add_record(struct crls_file *file, struct x509_crl_record *record)
{
    file->records = memory_grow(file->records, (file->count + 1) * sizeof(struct x509_crl_record *));
    file->records[file->count++] = record;
}

static void add_crl(struct crls_file *file, struct slice der, uint32_t number, struct problems *problems)
{
    struct x509_crl_record *record;
    const char *fault = "malformed";

    switch (x509_crl_record_create(der, &record, &fault)) {
    case ASSAY_OK: add_record(file, record); return;
    case ASSAY_ERR_UNSUPPORTED:
        problems_warn(&file->warnings, file->path, 0, "CRL %u left out: %s", number, fault);
        return;
    case ASSAY_ERR_MALFORMED: problems_add(problems, file->path, 0, "CRL %u: %s", number, fault); return;
    default: problems_add(problems, file->path, 0, "CRL %u: out of memory", number);
    }
}

static void read_file(struct crls_file *file, struct problems *problems)
{
    struct text data = {0};
    enum assay_error error = text_read_file(&data, file->path, X509_CRL_SIZE_MAX);
    struct x509_pem_reader reader;
    uint8_t *buffer = NULL;
    uint32_t number = 0;
    struct slice der;

    if (error != ASSAY_OK) {
        problems_add(problems, file->path, 0, "cannot be read: %s", assay_error_text(error));
        text_free(&data);
        return;
    }
    buffer = memory_alloc(text_slice(&data).len);
    x509_pem_begin_crls(&reader, text_slice(&data), buffer, text_slice(&data).len);
    while ((error = x509_pem_next(&reader, &der)) != ASSAY_ERR_NOT_FOUND) {
        number++;
        if (error == ASSAY_OK)
            add_crl(file, der, number, problems);
        else
            problems_add(problems, file->path, (uint32_t)reader.block_line, "CRL %u: cannot be decoded", number);
    }
    if (number == 0)
        problems_add(problems, file->path, 0, "holds no CRL (PEM or DER)");
    free(buffer);
    text_free(&data);
}

/* What is kept of that path, if it is still so. */
static const struct crls_file *kept_file(const struct crls *crls, const char *path, const struct stat *status)
{
    for (size_t i = 0; crls != NULL && i < crls->count; i++) {
        const struct crls_file *file = &crls->files[i];

        if (strcmp(file->path, path) == 0)
            return file->settled && file_is_same(&file->status, status) ? file : NULL;
    }
    return NULL;
}

/* Their texts begin with the path, and get it again. */
static void repeat_warnings(const struct crls_file *file, struct problems *out)
{
    for (size_t i = 0; i < file->warnings.warnings_kept; i++)
        problems_warn(out, file->path, 0, "%s", file->warnings.warnings[i] + strlen(file->path) + strlen(": "));
}

static void copy_file(struct crls_file *file, const struct crls_file *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        add_record(file, x509_crl_record_ref(kept->records[i]));
    repeat_warnings(kept, &file->warnings);
}

/* --- all of them ------------------------------------------------------------------------------------------------------------------ */

/* A load under way: what will be kept when it went well. */
struct load {
    const struct crls *before;
    struct crls_file *files;
    size_t count;
    uint64_t reads;
    struct problems *problems;
};

static void load_file(struct load *load, const char *path)
{
    const struct crls_file *kept;
    struct crls_file *file;

    load->files = memory_grow(load->files, (load->count + 1) * sizeof(*load->files));
    file = &load->files[load->count++];
    *file = (struct crls_file){.path = memory_alloc(strlen(path) + 1)};
    memcpy(file->path, path, strlen(path) + 1);
    /* looked at before it is read: what is written in between has a newer time */
    if (stat(path, &file->status) != 0) {
        problems_add(load->problems, path, 0, "cannot be read: %s", strerror(errno));
        return;
    }
    kept = kept_file(load->before, path, &file->status);
    file->settled = file_is_settled(&file->status);
    if (kept != NULL) {
        copy_file(file, kept);
    } else {
        read_file(file, load->problems);
        load->reads++;
    }
    repeat_warnings(file, load->problems);
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

static void load_folder(struct load *load, const char *folder)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, known, by_name);
    struct arena arena = {0};

    if (n < 0)
        problems_add(load->problems, folder, 0, "cannot be read: %s", strerror(errno));
    if (n > CRLS_FILES_MAX)
        problems_add(load->problems, folder, 0, "more than %d CRL files", CRLS_FILES_MAX);
    for (int i = 0; i < n; i++) {
        if (n <= CRLS_FILES_MAX)
            load_file(load, arena_printf(&arena, "%s/%s", folder, names[i]->d_name));
        free(names[i]);
    }
    free(names);
    arena_free(&arena);
}

static void load_path(struct load *load, const char *path)
{
    size_t before = load->problems->count, count = 0;
    struct stat status;

    if (stat(path, &status) != 0)
        problems_add(load->problems, path, 0, "cannot be read: %s", strerror(errno));
    else if (S_ISDIR(status.st_mode))
        load_folder(load, path);
    else
        load_file(load, path);
    for (size_t i = 0; i < load->count; i++)
        count += load->files[i].count;
    if (load->problems->count == before && count == 0)
        problems_warn(load->problems, path, 0, "no CRL in it");
}

static bool insert(struct x509_crl_set *set, struct x509_crl_record *record)
{
    enum assay_error error = x509_crl_set_insert(set, record);

    return error == ASSAY_OK || error == ASSAY_ERR_DUPLICATE;
}

static bool fill(struct x509_crl_set *set, const struct load *load, const struct crls *crls)
{
    for (size_t i = 0; i < load->count; i++)
        for (size_t k = 0; k < load->files[i].count; k++)
            if (!insert(set, load->files[i].records[k]))
                return false;
    for (size_t i = 0; crls != NULL && i < crls->sources.count; i++) {
        struct crl_source *source = crls->sources.items[i];

        if ((source->record != NULL && !insert(set, source->record)) ||
            (source->newest != NULL && !insert(set, source->newest)))
            return false;
    }
    for (size_t i = 0; crls != NULL && i < crls->cached_count; i++)
        for (size_t k = 0; k < crls->cached[i].count; k++)
            if (!insert(set, crls->cached[i].records[k]))
                return false;
    return crls == NULL || revoked_fill(&crls->revoked, set);
}

/* The set's order depends on what is in it, not on files. */
static void describe(const struct x509_crl_set *set, struct text *content)
{
    for (size_t i = 0; i < x509_crl_set_count(set); i++) {
        const struct x509_crl_record *record = x509_crl_set_at(set, i);
        char hex[X509_DESCRIBE_HEX_SIZE];

        x509_describe_hex(slice_of(record->sha256, sizeof(record->sha256)), hex, sizeof(hex));
        text_printf(content, "crl %s\n", hex);
    }
    for (size_t i = 0; i < x509_crl_set_responses(set); i++) {
        struct x509_digest_value digest = {0};
        const uint8_t *certificate;
        char hex[X509_DESCRIBE_HEX_SIZE];

        if (x509_digest_make(X509_DIGEST_SHA256, x509_crl_set_response_at(set, i, &certificate), &digest) != ASSAY_OK)
            abort(); /* SHA-256 of memory cannot fail */
        x509_describe_hex(slice_of(digest.bytes, digest.size), hex, sizeof(hex));
        text_printf(content, "ocsp %s\n", hex);
    }
}

static void files_free(struct crls_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        file_free(&files[i]);
    free(files);
}

/* The same files as they were read. */
static struct crls_file *files_copy(const struct crls *crls)
{
    struct crls_file *files = memory_alloc(crls->count * sizeof(*files));

    for (size_t i = 0; i < crls->count; i++) {
        const struct crls_file *from = &crls->files[i];
        size_t length = strlen(from->path) + 1;

        files[i] = (struct crls_file){.path = memory_alloc(length), .status = from->status, .settled = from->settled};
        memcpy(files[i].path, from->path, length);
        copy_file(&files[i], from);
    }
    return files;
}

/* What cannot be read now counts as it was read last, if that is wanted and there is something. */
static void load_files(struct load *load, const struct crls *crls, const char *path)
{
    struct problems *problems = load->problems, found = {0};

    load->problems = &found;
    load_path(load, path);
    load->problems = problems;
    if (found.count > 0 && crls != NULL && crls->lasting && crls->count > 0) {
        problems_warn(problems, path, 0, "the CRLs that were read last stay: %s", found.items[0]);
        files_free(load->files, load->count);
        load->files = files_copy(crls);
        load->count = crls->count;
        problems_free(&found);
    }
    problems_take(problems, &found);
}

struct x509_crl_set *crls_load(struct crls *crls, const char *path, struct text *content, struct problems *problems)
{
    struct load load = {.before = crls, .problems = problems};
    struct x509_crl_set *set = x509_crl_set_create();
    size_t before = problems->count;

    if (path != NULL)
        load_files(&load, crls, path);
    if (problems->count == before && (set == NULL || !fill(set, &load, crls)))
        problems_add(problems, path, 0, "out of memory");
    if (problems->count != before) {
        files_free(load.files, load.count);
        x509_crl_set_free(set);
        return NULL;
    }
    describe(set, content);
    if (crls != NULL) {
        files_free(crls->files, crls->count);
        crls->files = load.files;
        crls->count = load.count;
        crls->reads += load.reads;
    } else {
        files_free(load.files, load.count);
    }
    return set;
}

size_t crls_read_cache(struct crls *crls, const char *directory, struct problems *problems)
{
    struct problems found = {0};
    struct load load = {.problems = &found};
    size_t count = 0;

    load_folder(&load, directory);
    for (size_t i = 0; i < found.kept; i++)
        problems_warn(problems, directory, 0, "left out of what assayd fetched: %s", found.items[i]);
    problems_free(&found);
    files_free(crls->cached, crls->cached_count);
    crls->cached = load.files;
    crls->cached_count = load.count;
    for (size_t i = 0; i < load.count; i++)
        count += load.files[i].count;
    return count;
}

struct crls crls_lend(const struct crls *crls)
{
    return (struct crls){.count = crls->count,
                         .files = files_copy(crls),
                         .sources = crls->sources,
                         .revoked = crls->revoked,
                         .cached_count = crls->cached_count,
                         .cached = crls->cached,
                         .lasting = true};
}

void crls_give_back(struct crls *lent)
{
    files_free(lent->files, lent->count);
    *lent = (struct crls){0};
}

void crls_free(struct crls *crls)
{
    files_free(crls->files, crls->count);
    crl_sources_free(&crls->sources);
    revoked_free(&crls->revoked);
    files_free(crls->cached, crls->cached_count);
    *crls = (struct crls){0};
}
