/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/crl_set.h"

#include <stdlib.h>

#include "x509/der.h"
#include "x509/dn.h"

struct response {
    uint8_t sha256[32]; /* of the certificate */
    struct slice der;   /* the set's */
};

struct x509_crl_set {
    struct x509_crl_record **records; /* sorted by issuer hash, then the latest first */
    size_t count, room;
    struct response *responses; /* sorted by sha256 */
    size_t response_count;
};

static struct slice serial_at(const struct x509_crl_record *record, uint32_t offset)
{
    struct slice rest = slice_tail(record->crl.revoked, offset);
    struct x509_crl_entry entry;

    return x509_crl_entry_next(&rest, &entry) ? entry.serial : slice_of(NULL, 0);
}

/* Any total order will do: shorter ones first. */
static int serial_compare(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}

/* An entry while it is sorted. The head, its serial's length and first octets, nearly always decides: a list of a million
 * entries in no order is sorted in a fraction of the time that reading serials again and again would take. */
struct sort_entry {
    uint64_t head;
    uint32_t offset;
};

static uint64_t serial_head(struct slice serial)
{
    uint64_t head = serial.len < 255 ? serial.len : 255;

    for (size_t i = 0; i < 7; i++)
        head = head << 8 | (i < serial.len ? serial.data[i] : 0);
    return head;
}

static int entry_compare(const void *a, const void *b, void *record)
{
    const struct sort_entry *left = a, *right = b;
    int order;

    /* Of two that are longer than a head can say only the whole tells which is longer. */
    if (left->head != right->head && (left->head & right->head) >> 56 != 255)
        return left->head < right->head ? -1 : 1;
    order = serial_compare(serial_at(record, left->offset), serial_at(record, right->offset));
    return order != 0 ? order : left->offset < right->offset ? -1 : left->offset > right->offset;
}

static enum assay_error record_index(struct x509_crl_record *record)
{
    size_t count = record->crl.entry_count;
    struct sort_entry *entries = malloc((count + 1) * sizeof(*entries));
    struct slice rest = record->crl.revoked;
    struct x509_crl_entry entry;
    enum assay_error error = ASSAY_ERR_NO_MEMORY;

    record->order = malloc((count + 1) * sizeof(*record->order));
    if (entries == NULL || record->order == NULL)
        goto out;
    for (size_t i = 0; i < count; i++) {
        uint32_t offset = (uint32_t)(record->crl.revoked.len - rest.len);

        (void)x509_crl_entry_next(&rest, &entry);
        entries[i] = (struct sort_entry){serial_head(entry.serial), offset};
    }
    qsort_r(entries, count, sizeof(*entries), entry_compare, record);
    for (size_t i = 0; i < count; i++)
        record->order[i] = entries[i].offset;
    error = ASSAY_OK;
out:
    free(entries);
    return error;
}

struct x509_crl_record *x509_crl_record_ref(struct x509_crl_record *record)
{
    __atomic_add_fetch(&record->references, 1, __ATOMIC_RELAXED);
    return record;
}

void x509_crl_record_unref(struct x509_crl_record *record)
{
    /* Release: our reads come before the free; acquire: the free comes after everyone's. */
    if (record == NULL || __atomic_sub_fetch(&record->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    free((void *)(uintptr_t)record->crl.der.data);
    free(record->order);
    free(record);
}

enum assay_error x509_crl_record_create(struct slice der, struct x509_crl_record **out, const char **fault)
{
    struct x509_crl_record *record = calloc(1, sizeof(*record));
    uint8_t *copy = malloc(der.len + 1);
    enum assay_error error = ASSAY_ERR_NO_MEMORY;
    struct x509_digest_value fingerprint;

    *out = NULL;
    if (record == NULL || copy == NULL) {
        free(record);
        free(copy);
        return error;
    }
    record->references = 1;
    if (der.len > 0)
        memcpy(copy, der.data, der.len);
    error = x509_crl_parse(slice_of(copy, der.len), &record->crl, fault);
    record->crl.der = slice_of(copy, der.len); /* whatever the parser made of it: freed with the record */
    if (error == ASSAY_OK)
        error = record_index(record);
    /* An algorithm without a digest of ours stays without one: its signature will not verify. */
    if (error == ASSAY_OK && record->crl.signature_algorithm.digest >= X509_DIGEST_SHA1)
        error = x509_digest_make(record->crl.signature_algorithm.digest, record->crl.tbs, &record->digest);
    if (error == ASSAY_OK)
        error = x509_digest_make(X509_DIGEST_SHA256, record->crl.der, &fingerprint);
    if (error != ASSAY_OK) {
        x509_crl_record_unref(record);
        return error;
    }
    memcpy(record->sha256, fingerprint.bytes, sizeof(record->sha256));
    *out = record;
    return ASSAY_OK;
}

bool x509_crl_record_signed_by(const struct x509_crl_record *record, const struct x509_certificate *issuer)
{
    const struct x509_crl *crl = &record->crl;

    if (crl->issuer_hash != issuer->subject_hash || !dn_equal(crl->issuer, issuer->subject) ||
        (x509_certificate_has(issuer, X509_EXT_KEY_USAGE) && !(issuer->key_usage & X509_KU_CRL_SIGN)))
        return false;
    return x509_signature_check_digest(&record->digest, crl->tbs, &crl->signature_algorithm, crl->signature,
                                       &issuer->key) == ASSAY_OK;
}

struct x509_crl_set *x509_crl_set_create(void)
{
    return calloc(1, sizeof(struct x509_crl_set));
}

void x509_crl_set_free(struct x509_crl_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        x509_crl_record_unref(set->records[i]);
    for (size_t i = 0; i < set->response_count; i++)
        free((void *)(uintptr_t)set->responses[i].der.data);
    free(set->responses);
    free(set->records);
    free(set);
}

static bool record_is_before(const struct x509_crl_record *a, const struct x509_crl_record *b)
{
    if (a->crl.issuer_hash != b->crl.issuer_hash)
        return a->crl.issuer_hash < b->crl.issuer_hash;
    return a->crl.this_update_s > b->crl.this_update_s;
}

enum assay_error x509_crl_set_insert(struct x509_crl_set *set, struct x509_crl_record *record)
{
    size_t at = set->count;

    for (size_t i = 0; i < set->count; i++)
        if (memcmp(set->records[i]->sha256, record->sha256, sizeof(record->sha256)) == 0)
            return ASSAY_ERR_DUPLICATE;
    if (set->count == set->room) {
        size_t room = set->room ? set->room * 2 : 16;
        struct x509_crl_record **records = realloc(set->records, room * sizeof(struct x509_crl_record *));

        if (records == NULL)
            return ASSAY_ERR_NO_MEMORY;
        set->records = records;
        set->room = room;
    }
    for (; at > 0 && record_is_before(record, set->records[at - 1]); at--)
        set->records[at] = set->records[at - 1];
    set->records[at] = x509_crl_record_ref(record);
    set->count++;
    return ASSAY_OK;
}

enum assay_error x509_crl_set_add(struct x509_crl_set *set, struct slice der, const char **fault)
{
    struct x509_crl_record *record;
    enum assay_error error;

    if ((error = x509_crl_record_create(der, &record, fault)) != ASSAY_OK)
        return error;
    error = x509_crl_set_insert(set, record);
    x509_crl_record_unref(record);
    return error;
}

size_t x509_crl_set_count(const struct x509_crl_set *set)
{
    return set->count;
}

const struct x509_crl_record *x509_crl_set_at(const struct x509_crl_set *set, size_t i)
{
    return i < set->count ? set->records[i] : NULL;
}

const struct x509_crl_record *x509_crl_set_next(const struct x509_crl_set *set, struct slice issuer,
                                                uint64_t issuer_hash, size_t *next)
{
    size_t low = 0, high = set->count;

    /* The first call looks for the issuer's first one. */
    while (*next == 0 && low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->records[middle]->crl.issuer_hash < issuer_hash)
            low = middle + 1;
        else
            high = middle;
    }
    if (*next == 0)
        *next = low + 1;
    while (*next - 1 < set->count) {
        const struct x509_crl_record *record = set->records[*next - 1];

        if (record->crl.issuer_hash != issuer_hash)
            return NULL;
        ++*next;
        if (dn_equal(record->crl.issuer, issuer))
            return record;
    }
    return NULL;
}

bool x509_crl_record_find(const struct x509_crl_record *record, struct slice serial, struct x509_crl_entry *out)
{
    size_t low = 0, high = record->crl.entry_count;
    struct x509_crl_entry entry;
    struct slice rest;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (serial_compare(serial_at(record, record->order[middle]), serial) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == record->crl.entry_count)
        return false;
    rest = slice_tail(record->crl.revoked, record->order[low]);
    if (!x509_crl_entry_next(&rest, &entry) || !slice_equal(entry.serial, serial))
        return false;
    if (out != NULL)
        *out = entry;
    return true;
}

/* --- by OCSP ---------------------------------------------------------------------------------------------------------------------- */

/* Where that certificate is, or would be. */
static size_t response_place(const struct x509_crl_set *set, const uint8_t sha256[32])
{
    size_t low = 0, high = set->response_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(set->responses[middle].sha256, sha256, 32) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct slice x509_crl_set_response(const struct x509_crl_set *set, const uint8_t sha256[32])
{
    size_t at = response_place(set, sha256);

    if (at == set->response_count || memcmp(set->responses[at].sha256, sha256, 32) != 0)
        return slice_of(NULL, 0);
    return set->responses[at].der;
}

enum assay_error x509_crl_set_add_response(struct x509_crl_set *set, const uint8_t sha256[32], struct slice response)
{
    size_t at = response_place(set, sha256);
    struct response *responses;
    uint8_t *copy;

    if (at < set->response_count && memcmp(set->responses[at].sha256, sha256, 32) == 0)
        return ASSAY_ERR_DUPLICATE;
    responses = realloc(set->responses, (set->response_count + 1) * sizeof(*responses));
    if (responses == NULL)
        return ASSAY_ERR_NO_MEMORY;
    set->responses = responses;
    copy = malloc(response.len + 1);
    if (copy == NULL)
        return ASSAY_ERR_NO_MEMORY;
    if (response.len > 0)
        memcpy(copy, response.data, response.len);
    memmove(responses + at + 1, responses + at, (set->response_count - at) * sizeof(*responses));
    memcpy(responses[at].sha256, sha256, sizeof(responses[at].sha256));
    responses[at].der = slice_of(copy, response.len);
    set->response_count++;
    return ASSAY_OK;
}

size_t x509_crl_set_responses(const struct x509_crl_set *set)
{
    return set->response_count;
}

struct slice x509_crl_set_response_at(const struct x509_crl_set *set, size_t i, const uint8_t **sha256)
{
    *sha256 = i < set->response_count ? set->responses[i].sha256 : NULL;
    return i < set->response_count ? set->responses[i].der : slice_of(NULL, 0);
}

bool x509_crl_set_same(const struct x509_crl_set *a, const struct x509_crl_set *b)
{
    if (a == NULL || b == NULL || a == b)
        return a == b;
    if (a->count != b->count || a->response_count != b->response_count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (memcmp(a->records[i]->sha256, b->records[i]->sha256, sizeof(a->records[i]->sha256)) != 0)
            return false;
    for (size_t i = 0; i < a->response_count; i++)
        if (memcmp(a->responses[i].sha256, b->responses[i].sha256, sizeof(a->responses[i].sha256)) != 0 ||
            !slice_equal(a->responses[i].der, b->responses[i].der))
            return false;
    return true;
}
