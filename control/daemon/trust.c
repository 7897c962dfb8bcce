/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/trust.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "x509/describe.h"
#include "x509/pem.h"

#define ROLE_COUNT 3

const char *trust_folder(enum x509_role role)
{
    switch (role) {
    case X509_ROLE_ANCHOR: return "anchors";
    case X509_ROLE_HELPER: return "helpers";
    case X509_ROLE_LEAF_ONLY: return "leaves";
    }
    return "";
}

enum assay_error trust_role_parse(const char *word, enum x509_role *out)
{
    static const struct {
        const char *word;
        enum x509_role role;
    } words[] = {{"anchor", X509_ROLE_ANCHOR},
                 {"helper", X509_ROLE_HELPER},
                 {"leaf", X509_ROLE_LEAF_ONLY},
                 {"leaf-only", X509_ROLE_LEAF_ONLY}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, word) != 0)
            continue;
        *out = words[i].role;
        return ASSAY_OK;
    }
    return ASSAY_ERR_MALFORMED;
}

void trust_fingerprint(const uint8_t sha256[X509_FINGERPRINT_SIZE], char out[2 * X509_FINGERPRINT_SIZE + 1])
{
    x509_describe_hex(slice_of(sha256, X509_FINGERPRINT_SIZE), out, 2 * X509_FINGERPRINT_SIZE + 1);
}

/* --- reading ------------------------------------------------------------------------------------------------------------- */

/* Where the search for a certificate begins: fingerprints are as good as random. */
static size_t index_begin(const struct trust *trust, const struct x509_certificate *certificate)
{
    uint64_t hash;

    memcpy(&hash, certificate->sha256, sizeof(hash));
    return hash & (trust->index_size - 1);
}

/* The first entry from *at on with that certificate, or NULL; *at is then behind it. */
static const struct trust_entry *index_next(const struct trust *trust, const struct x509_certificate *certificate,
                                            size_t *at)
{
    while (trust->index[*at] != 0) {
        const struct trust_entry *entry = &trust->entries[trust->index[*at] - 1];

        *at = (*at + 1) & (trust->index_size - 1);
        if (x509_certificate_same(&entry->certificate, certificate))
            return entry;
    }
    return NULL;
}

static void index_put(struct trust *trust, size_t entry)
{
    size_t at = index_begin(trust, &trust->entries[entry].certificate);

    while (trust->index[at] != 0)
        at = (at + 1) & (trust->index_size - 1);
    trust->index[at] = (uint32_t)entry + 1;
}

/* At most half full, so that each search ends soon. */
static void index_add(struct trust *trust, size_t entry)
{
    if (2 * trust->count > trust->index_size) {
        free(trust->index);
        trust->index_size = trust->index_size == 0 ? 64 : 2 * trust->index_size;
        trust->index = memory_alloc(trust->index_size * sizeof(*trust->index));
        for (size_t i = 0; i < entry; i++)
            index_put(trust, i);
    }
    index_put(trust, entry);
}

static bool has_entry(const struct trust *trust, const struct x509_certificate *certificate, enum x509_role role)
{
    const struct trust_entry *entry;
    size_t at;

    if (trust->count == 0)
        return false;
    at = index_begin(trust, certificate);
    while ((entry = index_next(trust, certificate, &at)) != NULL)
        if (entry->role == role)
            return true;
    return false;
}

/* What the certificate proposes: from what is known, or found out (the check of a signature). */
static enum x509_role proposed_role(const struct trust *known, const struct x509_certificate *certificate)
{
    for (; known != NULL; known = known->next) {
        const struct trust_entry *entry;
        size_t at;

        if (known->count == 0)
            continue;
        at = index_begin(known, certificate);
        while ((entry = index_next(known, certificate, &at)) != NULL)
            if (entry->role_proposed)
                return entry->role;
    }
    return x509_role_propose(certificate);
}

/* role < 0: as the certificate proposes. */
static void add_entry(struct trust *trust, const struct trust *known, const char *file, int role,
                      const struct trust_file_item *item, struct problems *problems)
{
    const struct x509_certificate *certificate = &item->certificate;
    struct trust_entry entry = {
        .file = file, .number = item->number, .role_proposed = role < 0, .certificate = *certificate};

    if (trust->count >= TRUST_CERTIFICATES_MAX) {
        problems_add(problems, file, 0, "certificate %u: more than %u certificates", item->number,
                     TRUST_CERTIFICATES_MAX);
        return;
    }
    entry.role = role < 0 ? proposed_role(known, certificate) : (enum x509_role)role;
    if (has_entry(trust, certificate, entry.role))
        return;
    if ((trust->count & (trust->count + 1)) == 0) /* 0, 1, 3, 7, …: room for twice as many */
        trust->entries = memory_grow(trust->entries, 2 * (trust->count + 1) * sizeof(entry));
    trust->entries[trust->count++] = entry;
    index_add(trust, trust->count - 1);
}

/* Takes over the reference. */
static void keep_file(struct trust *trust, struct trust_file *file)
{
    trust->files = memory_grow(trust->files, (trust->file_count + 1) * sizeof(struct trust_file *));
    trust->files[trust->file_count++] = file;
}

/* Appends a certificate as PEM. */
static void add_pem(struct text *out, struct slice der)
{
    size_t size = x509_pem_write(der, NULL, 0);
    char *pem = memory_alloc(size);

    x509_pem_write(der, pem, size);
    text_add_text(out, pem);
    free(pem);
}

/* As a picture of the list known has it, if it is still so. */
static struct trust_file *known_file(const struct trust *known, const char *path, const struct stat *status)
{
    for (; known != NULL; known = known->next)
        for (size_t i = 0; i < known->file_count; i++)
            if (trust_file_is_current(known->files[i], status) && strcmp(known->files[i]->path, path) == 0)
                return trust_file_take(known->files[i]);
    return NULL;
}

static void load_file(struct trust *trust, const struct trust *known, const char *path, const struct stat *status,
                      int role, struct problems *problems)
{
    struct trust_file *file = known_file(known, path, status);

    if (file == NULL)
        file = trust_file_read(path, status, problems);
    if (file == NULL)
        return;
    keep_file(trust, file);
    for (size_t i = 0; i < file->count; i++)
        add_entry(trust, known, file->path, role, &file->items[i], problems);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool known_suffix(const char *name)
{
    static const char *const suffixes[] = {".pem", ".crt", ".cer", ".der", ".cert", ".p7b"};
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (len > strlen(suffixes[i]) && strcmp(name + len - strlen(suffixes[i]), suffixes[i]) == 0)
            return true;
    return false;
}

/* Returns false when there is no such directory. */
static bool load_folder(struct trust *trust, const struct trust *known, const char *folder, int role,
                        struct problems *problems)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, visible, by_name);

    if (n < 0 && errno == ENOENT)
        return false;
    if (n < 0)
        problems_add(problems, folder, 0, "cannot be read: %s", strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *path = arena_printf(&trust->arena, "%s/%s", folder, names[i]->d_name);
        struct stat status;

        free(names[i]);
        if (stat(path, &status) != 0)
            problems_add(problems, path, 0, "cannot be read: %s", strerror(errno));
        else if (S_ISREG(status.st_mode) && known_suffix(path))
            load_file(trust, known, path, &status, role, problems);
        else if (S_ISREG(status.st_mode))
            problems_warn(problems, path, 0, "skipped: no .pem, .crt, .cer, .cert, .der or .p7b file");
    }
    free(names);
    return true;
}

/* How many certificates a picture has from that directory. */
static size_t known_count(const struct trust *known, const char *directory)
{
    for (; known != NULL; known = known->next)
        if (strcmp(known->directory, directory) == 0)
            return known->count;
    return 0;
}

struct trust *trust_load_again(const char *directory, const struct trust *known, struct problems *problems)
{
    struct trust *trust = memory_alloc(sizeof(*trust));
    size_t before = problems->count;

    trust->directory = arena_text(&trust->arena, directory);
    for (int role = 0; role < ROLE_COUNT; role++)
        load_folder(trust, known, arena_printf(&trust->arena, "%s/%s", directory, trust_folder((enum x509_role)role)),
                    role, problems);
    if (!load_folder(trust, known, directory, -1, problems)) {
        /* a file system that is not mounted is no wish to trust nobody */
        if (known_count(known, directory) > 0)
            problems_add(problems, directory, 0,
                         "is gone, and %zu certificates were trusted from it: an empty directory means none",
                         known_count(known, directory));
        else
            problems_warn(problems, directory, 0, "does not exist: no certificate is trusted");
    }
    if (problems->count == before)
        return trust;
    trust_free(trust);
    return NULL;
}

struct trust *trust_load(const char *directory, struct problems *problems)
{
    return trust_load_again(directory, NULL, problems);
}

struct trust *trust_load_all(const struct config *config, struct problems *problems)
{
    return trust_load_all_again(config, NULL, problems);
}

struct trust *trust_load_all_again(const struct config *config, const struct trust *known, struct problems *problems)
{
    struct trust *all = trust_load_again(config->root.trust.directory, known, problems), **end;
    bool good = all != NULL;

    end = good ? &all->next : &all;
    for (uint32_t i = 0; i < config->root.deployments.count; i++) {
        const struct config_deployment *item = &config->root.deployments.items[i];

        if (item->name == NULL || item->trust.directory == NULL)
            continue;
        *end = trust_load_again(item->trust.directory, known, problems);
        if (*end == NULL) {
            good = false;
            continue;
        }
        (*end)->deployment = arena_text(&(*end)->arena, item->name);
        end = &(*end)->next;
    }
    if (good)
        return all;
    trust_free(all);
    return NULL;
}

struct trust *trust_of(struct trust *trust, const char *deployment)
{
    while (trust != NULL &&
           (deployment == NULL ? trust->deployment != NULL
                               : trust->deployment == NULL || strcmp(trust->deployment, deployment) != 0))
        trust = trust->next;
    return trust;
}

struct trust *trust_read(struct slice data, const char *name, int role, struct problems *problems)
{
    struct trust_file *file = trust_file_parse(data, name, problems);
    size_t before = problems->count;
    struct trust *trust;

    if (file == NULL)
        return NULL;
    trust = memory_alloc(sizeof(*trust));
    trust->directory = "";
    keep_file(trust, file);
    for (size_t i = 0; i < file->count; i++)
        add_entry(trust, NULL, file->path, role, &file->items[i], problems);
    for (size_t i = 0; i < trust->count; i++)
        trust->entries[i].file = NULL;
    if (problems->count == before)
        return trust;
    trust_free(trust);
    return NULL;
}

void trust_free(struct trust *trust)
{
    while (trust != NULL) {
        struct trust *next = trust->next;

        for (size_t i = 0; i < trust->file_count; i++)
            trust_file_drop(trust->files[i]);
        free(trust->files);
        free(trust->entries);
        free(trust->index);
        arena_free(&trust->arena);
        free(trust);
        trust = next;
    }
}

/* --- changing ------------------------------------------------------------------------------------------------------------- */

static enum assay_error make_folder(const char *path, struct problems *problems)
{
    if (mkdir(path, 0755) == 0 || errno == EEXIST)
        return ASSAY_OK;
    problems_add(problems, path, 0, "cannot be created: %s", strerror(errno));
    return ASSAY_ERR_IO;
}

static enum assay_error write_entry(const struct trust *trust, struct trust *added, struct trust_entry *entry,
                                    struct problems *problems)
{
    const char *folder = arena_printf(&added->arena, "%s/%s", trust->directory, trust_folder(entry->role));
    char fingerprint[2 * X509_FINGERPRINT_SIZE + 1];
    struct text pem = {0};
    enum assay_error error;
    const char *path;

    trust_fingerprint(entry->certificate.sha256, fingerprint);
    path = arena_printf(&added->arena, "%s/%s.pem", folder, fingerprint);
    error = make_folder(trust->directory, problems);
    if (error == ASSAY_OK)
        error = make_folder(folder, problems);
    if (error != ASSAY_OK)
        return error;
    add_pem(&pem, entry->certificate.der);
    error = file_write_atomic(path, text_slice(&pem), 0644);
    text_free(&pem);
    if (error == ASSAY_OK)
        entry->file = path;
    else
        problems_add(problems, path, 0, "cannot be written: %s", assay_error_text(error));
    return error;
}

enum assay_error trust_add(const struct trust *trust, struct trust *added, struct problems *problems)
{
    enum assay_error error = ASSAY_OK;

    for (size_t i = 0; i < added->count && error == ASSAY_OK; i++)
        if (!has_entry(trust, &added->entries[i].certificate, added->entries[i].role))
            error = write_entry(trust, added, &added->entries[i], problems);
    if (error == ASSAY_OK)
        return ASSAY_OK;
    for (size_t i = 0; i < added->count; i++) {
        if (added->entries[i].file == NULL)
            continue;
        if (file_remove(added->entries[i].file) != ASSAY_OK)
            problems_add(problems, added->entries[i].file, 0, "cannot be removed again");
        added->entries[i].file = NULL;
    }
    return error;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)ascii_lower((uint8_t)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum assay_error trust_find(const struct trust *trust, const char *text, const struct trust_entry **out)
{
    char wanted[2 * X509_FINGERPRINT_SIZE + 1], fingerprint[2 * X509_FINGERPRINT_SIZE + 1];
    size_t len = 0;

    *out = NULL;
    for (; *text != '\0'; text++) {
        if (*text == ':')
            continue;
        if (hex_value(*text) < 0 || len == sizeof(wanted) - 1)
            return ASSAY_ERR_MALFORMED;
        wanted[len++] = (char)ascii_lower((uint8_t)*text);
    }
    if (len < 8)
        return ASSAY_ERR_MALFORMED;
    for (size_t i = 0; i < trust->count; i++) {
        const struct trust_entry *entry = &trust->entries[i];

        trust_fingerprint(entry->certificate.sha256, fingerprint);
        if (memcmp(fingerprint, wanted, len) != 0)
            continue;
        if (*out != NULL && !x509_certificate_same(&(*out)->certificate, &entry->certificate))
            return ASSAY_ERR_DUPLICATE;
        if (*out == NULL)
            *out = entry;
    }
    return *out != NULL ? ASSAY_OK : ASSAY_ERR_NOT_FOUND;
}

/* The file is read again: another hand may have written to it. */
static enum assay_error rewrite_without(const char *path, const uint8_t *sha256, struct problems *problems)
{
    struct trust_file *file;
    struct text pem = {0};
    struct stat status;
    enum assay_error error = ASSAY_OK;
    size_t kept = 0;

    if (stat(path, &status) != 0)
        return ASSAY_OK; /* gone by itself */
    file = trust_file_read(path, &status, problems);
    /* a file that is not understood is not rewritten */
    if (file == NULL)
        return ASSAY_ERR_MALFORMED;
    for (size_t i = 0; i < file->count; i++) {
        if (memcmp(file->items[i].certificate.sha256, sha256, X509_FINGERPRINT_SIZE) == 0)
            continue;
        add_pem(&pem, file->items[i].certificate.der);
        kept++;
    }
    if (kept < file->count)
        error = kept == 0 ? file_remove(path) : file_write_atomic(path, text_slice(&pem), 0644);
    if (error != ASSAY_OK)
        problems_add(problems, path, 0, "cannot be changed: %s", assay_error_text(error));
    text_free(&pem);
    trust_file_drop(file);
    return error;
}

enum assay_error trust_remove(const struct trust *trust, const uint8_t sha256[X509_FINGERPRINT_SIZE],
                              struct problems *problems)
{
    enum assay_error error = ASSAY_OK;

    /* entries leave out duplicates, and their files hold the certificate as well */
    for (size_t i = 0; i < trust->file_count && error == ASSAY_OK; i++)
        if (trust_file_holds(trust->files[i], sha256))
            error = rewrite_without(trust->files[i]->path, sha256, problems);
    return error;
}

/* --- thinking of a change ------------------------------------------------------------------------------------------------- */

void trust_merge(struct trust *trust, const struct trust *added)
{
    struct problems none = {0}; /* they were parsed before */

    for (size_t i = 0; i < added->file_count; i++)
        keep_file(trust, trust_file_take(added->files[i]));
    for (size_t i = 0; i < added->count; i++) {
        const struct trust_entry *entry = &added->entries[i];
        const struct trust_file_item item = {entry->number, entry->certificate};

        add_entry(trust, NULL, NULL, (int)entry->role, &item, &none);
    }
    problems_free(&none);
}

void trust_forget(struct trust *trust, const uint8_t sha256[X509_FINGERPRINT_SIZE])
{
    size_t kept = 0;

    for (size_t i = 0; i < trust->count; i++)
        if (memcmp(trust->entries[i].certificate.sha256, sha256, X509_FINGERPRINT_SIZE) != 0)
            trust->entries[kept++] = trust->entries[i];
    trust->count = kept;
    memset(trust->index, 0, trust->index_size * sizeof(*trust->index));
    for (size_t i = 0; i < kept; i++)
        index_put(trust, i);
}

/* --- using ------------------------------------------------------------------------------------------------------------------ */

struct x509_store *trust_store(const struct trust *trust, struct problems *problems)
{
    struct x509_store *store = x509_store_create();
    size_t before = problems->count;

    if (store == NULL) {
        problems_add(problems, trust->directory, 0, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < trust->count; i++) {
        const struct trust_entry *entry = &trust->entries[i];
        const char *fault = NULL;
        enum assay_error error = x509_store_add(store, entry->certificate.der, entry->role, &fault);

        if (error != ASSAY_OK && error != ASSAY_ERR_DUPLICATE)
            problems_add(problems, entry->file != NULL ? entry->file : trust->directory, 0, "certificate %u: %s",
                         entry->number, fault != NULL ? fault : assay_error_text(error));
    }
    if (problems->count == before)
        return store;
    x509_store_free(store);
    return NULL;
}

static int by_role_and_fingerprint(const void *a, const void *b)
{
    const struct trust_entry *x = *(const struct trust_entry *const *)a, *y = *(const struct trust_entry *const *)b;

    if (x->role != y->role)
        return x->role < y->role ? -1 : 1;
    return memcmp(x->certificate.sha256, y->certificate.sha256, X509_FINGERPRINT_SIZE);
}

void trust_content(const struct trust *trust, struct text *out)
{
    const struct trust_entry **sorted = memory_alloc(trust->count * sizeof(*sorted));
    char fingerprint[2 * X509_FINGERPRINT_SIZE + 1];

    for (size_t i = 0; i < trust->count; i++)
        sorted[i] = &trust->entries[i];
    qsort(sorted, trust->count, sizeof(*sorted), by_role_and_fingerprint);
    for (size_t i = 0; i < trust->count; i++) {
        trust_fingerprint(sorted[i]->certificate.sha256, fingerprint);
        text_add_text(out, x509_role_name(sorted[i]->role));
        text_add(out, " ", 1);
        text_add(out, fingerprint, sizeof(fingerprint) - 1);
        text_add(out, "\n", 1);
    }
    free(sorted);
}
