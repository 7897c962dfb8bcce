/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "daemon/arena.h"
#include "daemon/registry.h"
#include "daemon/registry_judge.h"
#include "daemon/registry_view.h"
#include "report/staple_report.h"
#include "report/verify_report.h"
#include "x509/action.h"
#include "x509/describe.h"

#define NS_PER_S 1000000000

static void print_time(FILE *out, const char *what, uint64_t ns)
{
    char text[X509_DESCRIBE_TIME_SIZE];

    x509_describe_time((int64_t)(ns / NS_PER_S), text, sizeof(text));
    fprintf(out, "%s%s", what, text);
}

static void print_head(FILE *out, const struct control *control, const struct registry_entry *entry)
{
    char address[ASSAY_ADDRESS_TEXT_MAX];

    fprintf(out, "%s port %u, %s", entry->host, entry->port, address_format(&entry->address, address));
    print_time(out, ": seen ", entry->first_ns);
    print_time(out, " to ", entry->last_ns);
    fprintf(out, ", %llu handshakes%s\n", (unsigned long long)entry->handshakes,
            registry_superseded(control->registry, entry) ? "; it shows another chain by now" : "");
}

static void print_certificates(FILE *out, const struct slice *certificates, size_t count)
{
    struct x509_certificate certificate;
    const char *fault = "";

    for (size_t i = 0; i < count; i++) {
        size_t size;
        char *text;

        fprintf(out, "certificate %zu%s\n", i, i == 0 ? ", its own" : "");
        if (x509_certificate_parse(certificates[i], &certificate, &fault) != ASSAY_OK) {
            fprintf(out, "  (%s)\n", fault);
            continue;
        }
        size = x509_describe_text(&certificate, NULL, 0) + 1;
        text = memory_alloc(size);
        x509_describe_text(&certificate, text, size);
        fputs(text, out);
        free(text);
    }
}

static void print_decision(FILE *out, const struct registry_entry *entry, const struct trust_section *trust)
{
    struct registry_verdict verdict = registry_verdict(entry, trust);
    const struct trust_scope *scope = registry_scope(trust, entry);

    fprintf(out, "decision: %s (%s, verification %s)\n", registry_effect(verdict.reason, scope->mode), scope->name,
            verify_mode_name(scope->mode));
    if (verdict.by_core)
        fprintf(out, "in its last handshake the verdict was: %s\n", x509_reason_text(verdict.reason));
    if (verdict.reason != X509_REASON_OK)
        fprintf(out, "what to do: %s\n", x509_reason_action(verdict.reason, verdict.depth));
    if (entry->failures > 0) {
        print_time(out, "last failed: ", entry->failed_ns);
        fprintf(out, ", %s, %llu times in all\n", x509_reason_text(entry->failed_reason),
                (unsigned long long)entry->failures);
    }
}

static json_t *explain_entry(const struct control *control, struct registry_entry *entry, uint64_t now_s)
{
    const struct trust_section *trust = publisher_snapshot(&control->publisher)->trust;
    const struct trust_scope *scope = registry_scope(trust, entry);
    struct verify_report report = {.identity = entry->identity, .at_s = now_s};
    struct x509_trace *trace = memory_alloc(sizeof(*trace));
    size_t count, size = 0;
    const struct slice *certificates = x509_chain_slices(entry->chain, &count);
    struct x509_result result;
    char *text = NULL;
    json_t *out;
    FILE *stream;

    registry_judge_entry(entry, trust, now_s);
    x509_verify_traced(scope->store, certificates, count, x509_chain_staple(entry->chain), &entry->identity,
                       scope->policy, now_s, &result, trace);
    report.result = &result;
    report.trace = trace;
    out = registry_view_entry(control, entry);
    json_object_set_new(out, "judgement", verify_report_object(&report));
    json_object_set_new(out, "staple",
                        staple_report_object(x509_chain_staple(entry->chain), &result, scope->policy, now_s));
    stream = open_memstream(&text, &size);
    if (stream != NULL) {
        print_head(stream, control, entry);
        print_certificates(stream, certificates, count);
        staple_report_text(json_object_get(out, "staple"), stream);
        verify_report_text(&report, stream);
        verify_report_attempts(trace, stream);
        print_decision(stream, entry, trust);
        fclose(stream);
        json_object_set_new(out, "text", json_string(text));
    }
    free(text);
    free(trace);
    return out;
}

json_t *explain_origin(const struct control *control, const char *host, uint16_t port, uint64_t now_s)
{
    json_t *rows = json_array(), *out;

    for (struct registry_entry *entry = registry_first(control->registry); entry != NULL; entry = registry_next(entry))
        if (strcmp(entry->host, host) == 0 && (port == 0 || entry->port == port))
            json_array_append_new(rows, explain_entry(control, entry, now_s));
    if (json_array_size(rows) == 0) {
        json_decref(rows);
        return NULL;
    }
    out = json_object();
    json_object_set_new(out, "host", json_string(host));
    json_object_set_new(out, "port", json_integer(port));
    json_object_set_new(out, "chains", rows);
    return out;
}
