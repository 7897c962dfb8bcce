/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/view_crls.h"

#include <stdio.h>
#include <time.h>

#include "x509/describe.h"

static json_t *time_json(int64_t seconds)
{
    char text[X509_DESCRIBE_TIME_SIZE];

    if (seconds == 0)
        return json_null();
    x509_describe_time(seconds, text, sizeof(text));
    return json_string(text);
}

/* URLs and descriptions are ASCII; paths need not be UTF-8. */
static json_t *text_json(const char *text)
{
    json_t *out = json_string(text);

    return out != NULL ? out : json_string("(not UTF-8)");
}

static void add_list(json_t *row, const struct x509_crl_record *record, uint64_t now_s)
{
    const struct x509_crl *crl = &record->crl;
    char issuer[512], hex[X509_DESCRIBE_HEX_SIZE];

    x509_describe_dn(crl->issuer, issuer, sizeof(issuer));
    json_object_set_new(row, "issuer", json_string(issuer));
    x509_describe_common_name(crl->issuer, issuer, sizeof(issuer));
    json_object_set_new(row, "issuer_name", json_string(issuer));
    x509_describe_hex(slice_head(crl->number, 20), hex, sizeof(hex));
    json_object_set_new(row, "number", crl->has_number ? json_string(hex) : json_null());
    json_object_set_new(row, "this_update", time_json(crl->this_update_s));
    json_object_set_new(row, "next_update", time_json(crl->next_update_s));
    json_object_set_new(row, "expired", json_boolean(crl->next_update_s < (int64_t)now_s));
    json_object_set_new(row, "entries", json_integer((json_int_t)crl->entry_count));
    json_object_set_new(row, "bytes", json_integer((json_int_t)crl->der.len));
    x509_describe_hex(slice_of(record->sha256, sizeof(record->sha256)), hex, sizeof(hex));
    json_object_set_new(row, "sha256", json_string(hex));
}

/* On which day of the wall clock a moment of the monotonic one is. */
static int64_t wall_of(uint64_t due_ms, uint64_t now_s)
{
    struct timespec now;
    int64_t ms;

    clock_gettime(CLOCK_MONOTONIC, &now);
    ms = (int64_t)due_ms - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    return (int64_t)now_s + (ms > 0 ? ms / 1000 : 0);
}

static json_t *source_row(const struct crl_source *source, uint64_t now_s)
{
    json_t *row = json_object();

    json_object_set_new(row, "source", text_json(source->urls[0].text));
    json_object_set_new(row, "fetched", json_true());
    json_object_set_new(row, "named_by", text_json(source->named_by));
    json_object_set_new(row, "error", text_json(source->error));
    json_object_set_new(row, "failures", json_integer(source->failures));
    json_object_set_new(row, "tried", time_json(source->tried_s));
    json_object_set_new(row, "taken", time_json(source->taken_s));
    json_object_set_new(row, "next_try", source->asked ? json_null() : time_json(wall_of(source->due_ms, now_s)));
    json_object_set_new(row, "signature_checked", json_boolean(source->proven));
    if (source->record != NULL)
        add_list(row, crl_source_latest(source), now_s);
    return row;
}

/* Certificates that are revoked by a response which some origin stapled. */
static json_t *revoked_rows(const struct revoked *revoked)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < revoked->count; i++) {
        const struct revoked_item *item = &revoked->items[i];
        char hex[X509_DESCRIBE_HEX_SIZE];
        json_t *row = json_object();

        x509_describe_hex(slice_of(item->sha256, sizeof(item->sha256)), hex, sizeof(hex));
        json_object_set_new(row, "sha256", json_string(hex));
        json_object_set_new(row, "host", text_json(item->host));
        json_object_set_new(row, "port", json_integer(item->port));
        json_object_set_new(row, "reason", json_string(item->reason));
        json_object_set_new(row, "this_update", time_json(item->this_update_s));
        json_object_set_new(row, "valid_until", time_json(item->not_after_s));
        json_array_append_new(rows, row);
    }
    return rows;
}

json_t *view_crls(const struct control *control, uint64_t now_s)
{
    const struct crls *crls = &control->crls;
    json_t *rows = json_array(), *out = json_object();

    for (size_t i = 0; i < crls->count; i++)
        for (size_t k = 0; k < crls->files[i].count; k++) {
            json_t *row = json_object();

            json_object_set_new(row, "source", text_json(crls->files[i].path));
            json_object_set_new(row, "fetched", json_false());
            json_object_set_new(row, "error", json_string(""));
            add_list(row, crls->files[i].records[k], now_s);
            json_array_append_new(rows, row);
        }
    for (size_t i = 0; i < crls->sources.count; i++)
        json_array_append_new(rows, source_row(crls->sources.items[i], now_s));
    json_object_set_new(out, "fetch", json_boolean(control->config->root.trust.revocation.fetch));
    json_object_set_new(out, "fetched", json_integer((json_int_t)crls->sources.fetched));
    json_object_set_new(out, "unchanged", json_integer((json_int_t)crls->sources.unchanged));
    json_object_set_new(out, "failed", json_integer((json_int_t)crls->sources.failed));
    json_object_set_new(out, "files_read", json_integer((json_int_t)crls->reads));
    json_object_set_new(out, "crls", rows);
    json_object_set_new(out, "revoked_by_ocsp", revoked_rows(&crls->revoked));
    return out;
}

void view_crls_alarms(const struct control *control, uint64_t now_s, json_t *alarms)
{
    const struct crl_sources *sources = &control->crls.sources;

    for (size_t i = 0; i < sources->count; i++) {
        const struct crl_source *source = sources->items[i];
        bool over = source->record != NULL && crl_source_latest(source)->crl.next_update_s < (int64_t)now_s;
        char text[CRL_URL_MAX + 300];

        if (source->error[0] == '\0' || (source->record != NULL && !over))
            continue;
        snprintf(text, sizeof(text), "%s %s: %s", over ? "the CRL is over, from" : "there is no CRL, from",
                 source->urls[0].text, source->error);
        json_array_append_new(alarms, text_json(text));
    }
}
