/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/access.h"
#include "base/address.h"
#include "daemon/eal.h"
#include "daemon/prober.h"
#include "daemon/view_crls.h"
#include "daemon/view_log.h"
#include "x509/describe.h"
#include "x509/pem.h"

/* jansson refuses what is no UTF-8: bytes beyond ASCII of names from outside become '?'. */
static json_t *text_json(const char *text)
{
    json_t *out = json_string(text);
    char *ascii;

    if (out != NULL)
        return out;
    ascii = strdup(text);
    for (char *c = ascii; c != NULL && *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    out = ascii != NULL ? json_string(ascii) : json_null();
    free(ascii);
    return out;
}

static json_t *number_json(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *time_json(int64_t seconds)
{
    char text[X509_DESCRIBE_TIME_SIZE];

    x509_describe_time(seconds, text, sizeof(text));
    return json_string(text);
}

static json_t *address_json(const struct assay_address *address)
{
    char text[ASSAY_ADDRESS_TEXT_MAX];

    return json_string(address_format(address, text));
}

json_t *view_problems(const struct problems *problems)
{
    json_t *out = json_array();

    for (size_t i = 0; i < problems->kept; i++)
        json_array_append_new(out, text_json(problems->items[i]));
    return out;
}

void view_add_change(json_t *object, const struct change *change)
{
    json_t *warnings = json_array();

    json_object_set_new(object, "published", json_boolean(change->published));
    json_object_set_new(object, "generation", number_json(change->generation));
    json_object_set_new(object, "adopted", json_boolean(change->adopted));
    json_object_set_new(object, "adopted_ms", json_real(change->adopted_ms));
    for (size_t i = 0; i < change->problems.warnings_kept; i++)
        json_array_append_new(warnings, text_json(change->problems.warnings[i]));
    json_object_set_new(object, "warnings", warnings);
    if (change->restart_keys.len > 0)
        json_object_set_new(object, "needs_restart", text_json(change->restart_keys.data));
}

/* --- trust -------------------------------------------------------------------------------------------------------------------------- */

static json_t *names_of(const struct x509_certificate *certificate)
{
    struct slice rest = certificate->san, value;
    enum x509_general_name kind;
    json_t *out = json_array();
    char text[300];

    while (x509_general_name_next(&rest, &kind, &value)) {
        x509_describe_general_name(kind, value, text, sizeof(text));
        json_array_append_new(out, text_json(text));
    }
    return out;
}

static json_t *described(struct slice name, size_t (*describe)(struct slice, char *, size_t))
{
    char text[1024];

    describe(name, text, sizeof(text));
    return text_json(text);
}

static void add_decoded(json_t *out, const struct x509_certificate *certificate)
{
    size_t size = x509_describe_text(certificate, NULL, 0) + 1;
    char *text = memory_alloc(size);

    x509_describe_text(certificate, text, size);
    json_object_set_new(out, "text", text_json(text));
    free(text);
    size = x509_pem_write(certificate->der, NULL, 0);
    text = memory_alloc(size);
    x509_pem_write(certificate->der, text, size);
    json_object_set_new(out, "pem", json_string(text));
    free(text);
}

json_t *view_certificate(const struct trust_entry *entry, bool decoded, uint64_t now_s)
{
    const struct x509_certificate *certificate = &entry->certificate;
    char fingerprint[X509_DESCRIBE_HEX_SIZE], key[X509_DESCRIBE_KEY_SIZE];
    json_t *out = json_object();

    trust_fingerprint(certificate->sha256, fingerprint);
    x509_describe_key(certificate, key, sizeof(key));
    json_object_set_new(out, "sha256", json_string(fingerprint));
    json_object_set_new(out, "role", json_string(x509_role_name(entry->role)));
    json_object_set_new(out, "role_proposed", json_boolean(entry->role_proposed));
    json_object_set_new(out, "common_name", described(certificate->subject, x509_describe_common_name));
    json_object_set_new(out, "subject", described(certificate->subject, x509_describe_dn));
    json_object_set_new(out, "issuer", described(certificate->issuer, x509_describe_dn));
    json_object_set_new(out, "type", json_string(certificate->self_issued ? "self-signed" : "CA-signed"));
    json_object_set_new(out, "key", json_string(key));
    json_object_set_new(out, "names", names_of(certificate));
    json_object_set_new(out, "not_before", time_json(certificate->not_before_s));
    json_object_set_new(out, "not_after", time_json(certificate->not_after_s));
    json_object_set_new(out, "expired", json_boolean(certificate->not_after_s < (int64_t)now_s));
    json_object_set_new(out, "file", entry->file != NULL ? text_json(entry->file) : json_null());
    if (decoded)
        add_decoded(out, certificate);
    return out;
}

static void add_certificates(json_t *rows, const struct trust *trust, uint64_t now_s)
{
    for (size_t i = 0; i < trust->count; i++) {
        json_t *row = view_certificate(&trust->entries[i], false, now_s);

        json_object_set_new(row, "deployment", trust->deployment != NULL ? text_json(trust->deployment) : json_null());
        json_array_append_new(rows, row);
    }
}

json_t *view_trust(const struct trust *trust, uint64_t now_s)
{
    json_t *rows = json_array(), *out = json_object();

    for (; trust != NULL; trust = trust->next)
        add_certificates(rows, trust, now_s);
    json_object_set_new(out, "certificates", rows);
    return out;
}

json_t *view_trust_of(const struct trust *trust, uint64_t now_s)
{
    json_t *rows = json_array(), *out = json_object();

    add_certificates(rows, trust, now_s);
    json_object_set_new(out, "certificates", rows);
    return out;
}

json_t *view_added(const struct trust *added, uint64_t now_s)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < added->count; i++) {
        json_t *row = view_certificate(&added->entries[i], false, now_s);

        json_object_set_new(row, "result", json_string(added->entries[i].file != NULL ? "added" : "present"));
        json_array_append_new(rows, row);
    }
    return rows;
}

json_t *view_names(const struct names *names)
{
    json_t *rows = json_array(), *out = json_object();

    for (size_t i = 0; i < names->count; i++) {
        const struct name *name = &names->items[i];
        json_t *row = json_object(), *addresses = json_array();

        for (uint32_t k = 0; k < name->count; k++)
            json_array_append_new(addresses, address_json(&name->addresses[k]));
        json_object_set_new(row, "name", text_json(name->host));
        json_object_set_new(row, "addresses", addresses);
        json_object_set_new(row, "error", text_json(name->error));
        json_object_set_new(row, "fixed", json_boolean(name->fixed));
        json_array_append_new(rows, row);
    }
    json_object_set_new(out, "names", rows);
    return out;
}

/* --- status ------------------------------------------------------------------------------------------------------------------------- */

bool view_ready(const struct control *control, bool draining, const char **why)
{
    *why = NULL;
    if (draining)
        *why = "draining";
    else if (!control->fleet->running)
        *why = "the cores do not run";
    else if (control->config->root.maintenance)
        *why = "maintenance";
    return *why == NULL;
}

static json_t *view_verify(const struct control *control)
{
    const struct trust_scope *scope = &publisher_snapshot(&control->publisher)->trust->scopes[0];
    static const char *const properties[] = {"all", "signature", "name"};
    json_t *out = json_object();

    json_object_set_new(out, "mode", json_string(verify_mode_name(scope->mode)));
    json_object_set_new(out, "properties", json_string(properties[scope->properties]));
    json_object_set_new(out, "switched", json_boolean(control->verify.global.set));
    json_object_set_new(out, "until",
                        control->verify.global.until_s > 0 ? time_json((int64_t)control->verify.global.until_s)
                                                           : json_null());
    json_object_set_new(out, "scopes", view_scopes(control));
    return out;
}

static json_t *view_epochs(const struct control *control)
{
    static const char *const kinds[SECTION_COUNT] = {"settings", "trust", "access", "credentials", "route"};
    json_t *out = json_object();

    for (int kind = 0; kind < SECTION_COUNT; kind++)
        json_object_set_new(
            out, kinds[kind],
            number_json(section_epoch(publisher_section(&control->publisher, (enum section_kind)kind))));
    return out;
}

static json_t *view_cores(const struct fleet *fleet)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < fleet->count; i++) {
        struct core_stats stats;
        json_t *row = json_object();

        core_get_stats(fleet->cores[i], &stats);
        json_object_set_new(row, "core", number_json(i));
        json_object_set_new(row, "generation", number_json(stats.generation));
        json_object_set_new(row, "heap_bytes", number_json(stats.heap_bytes_in_use));
        json_object_set_new(row, "heap_bytes_peak", number_json(stats.heap_bytes_peak));
        json_object_set_new(row, "turn_longest_us", number_json(stats.turn_longest_ns / 1000));
        json_object_set_new(row, "drained", json_boolean(stats.drained));
        json_array_append_new(out, row);
    }
    return out;
}

static json_t *view_memory(const struct control *control)
{
    uint64_t in_use = 0, total = 0;
    json_t *out = json_object();

    if (control->pools != NULL)
        eal_pools_use(control->pools, &in_use, &total);
    json_object_set_new(out, "buffers_in_use", number_json(in_use));
    json_object_set_new(out, "buffers", number_json(total));
    return out;
}

static json_t *view_listeners(const struct control *control)
{
    const struct route_section *route = publisher_snapshot(&control->publisher)->route;
    json_t *out = json_array();

    for (uint32_t i = 0; i < route->listener_count; i++) {
        json_t *row = json_object();

        json_object_set_new(row, "address", address_json(&route->listeners[i].address));
        json_object_set_new(row, "port", number_json(route->listeners[i].port));
        json_object_set_new(row, "tls", json_boolean(route->listeners[i].tls));
        json_array_append_new(out, row);
    }
    return out;
}

static void add_alarm(json_t *alarms, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_alarm(json_t *alarms, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_array_append_new(alarms, text_json(text));
}

static void add_expired(const struct trust *trust, uint64_t now_s, json_t *alarms)
{
    char name[256];

    for (size_t i = 0; i < trust->count; i++) {
        const struct x509_certificate *certificate = &trust->entries[i].certificate;

        if (certificate->not_after_s >= (int64_t)now_s)
            continue;
        x509_describe_common_name(certificate->subject, name, sizeof(name));
        add_alarm(alarms, "trusted certificate %s has expired%s%s", name,
                  trust->deployment != NULL ? ", of deployment " : "",
                  trust->deployment != NULL ? trust->deployment : "");
    }
}

/* Alarms are for reading: of many scopes the first ones, and how many more. */
#define MODE_ALARMS_MAX 10
#define NAME_ALARMS_MAX 10

static void add_mode_alarms(const struct control *control, json_t *out)
{
    const struct trust_section *trust = publisher_snapshot(&control->publisher)->trust;
    uint32_t more = 0;

    for (uint32_t i = 0; i < trust->scope_count; i++) {
        const struct trust_scope *scope = &trust->scopes[i];

        if (scope->mode == VERIFY_ENFORCED)
            continue;
        if (i == 0)
            add_alarm(out, "verification of origins is %s", verify_mode_name(scope->mode));
        else if (json_array_size(out) < MODE_ALARMS_MAX)
            add_alarm(out, "verification is %s: %s", verify_mode_name(scope->mode), scope->name);
        else
            more++;
    }
    if (more > 0)
        add_alarm(out, "verification is not enforced in %u more scopes", more);
}

static void add_name_alarms(const struct names *names, json_t *out)
{
    size_t without = 0;

    for (size_t i = 0; i < names->count; i++)
        if (names->items[i].count == 0 && without++ < NAME_ALARMS_MAX)
            add_alarm(out, "%s has no address: %s", names->items[i].host, names->items[i].error);
    if (without > NAME_ALARMS_MAX)
        add_alarm(out, "%zu more names have no address (assayctl names)", without - NAME_ALARMS_MAX);
}

/* What an operator should know without asking. */
static json_t *view_alarms(const struct control *control, uint64_t now_s)
{
    const struct assay_address *address;
    json_t *out = json_array();
    char name[256];

    if (control->fallback != NULL)
        add_alarm(out, "%s", control->fallback);
    add_mode_alarms(control, out);
    add_name_alarms(&control->names, out);
    for (unsigned i = 0; i < 64 && (address = config_ip6_address(control->config, i)) != NULL; i++)
        if (fleet_duplicates(control->fleet) >> i & 1)
            add_alarm(out, "another host has our address %s: it is not used", address_format(address, name));
    view_log_alarms(control->log, out);
    view_crls_alarms(control, now_s, out);
    for (const struct credential *own = control->credentials.first; own != NULL; own = own->next)
        if (own->leaf_der != NULL && own->leaf.not_after_s < (int64_t)now_s + 14 * 86400)
            add_alarm(out, "our certificate %s %s", own->name,
                      own->leaf.not_after_s < (int64_t)now_s ? "has expired" : "expires within 14 days");
    for (const struct trust *trust = control->trust; trust != NULL; trust = trust->next)
        add_expired(trust, now_s, out);
    if (prober_failing(control->prober) > 0)
        add_alarm(out, "%u origins would fail, by the last preflight (assayctl preflight --last)",
                  prober_failing(control->prober));
    return out;
}

json_t *view_status(const struct control *control, bool draining, uint64_t now_s)
{
    json_t *out = json_object();
    const char *why;

    json_object_set_new(out, "version", json_string(ASSAY_VERSION));
    json_object_set_new(out, "pid", number_json((uint64_t)getpid()));
    json_object_set_new(out, "started", time_json((int64_t)control->started_s));
    json_object_set_new(out, "uptime_s", number_json(now_s - control->started_s));
    json_object_set_new(out, "config", text_json(control->config_file));
    json_object_set_new(out, "generation", number_json(control->publisher.generation));
    json_object_set_new(out, "reloads", number_json(control->reloads));
    json_object_set_new(out, "reloads_refused", number_json(control->refused));
    json_object_set_new(out, "ready", json_boolean(view_ready(control, draining, &why)));
    json_object_set_new(out, "not_ready", why != NULL ? json_string(why) : json_null());
    json_object_set_new(out, "verify", view_verify(control));
    json_object_set_new(out, "trusted_certificates", number_json(control->trust->count));
    json_object_set_new(out, "rules",
                        number_json(access_set_count(publisher_snapshot(&control->publisher)->access->rules)));
    json_object_set_new(out, "epochs", view_epochs(control));
    json_object_set_new(out, "listeners", view_listeners(control));
    json_object_set_new(out, "cores", view_cores(control->fleet));
    json_object_set_new(out, "memory", view_memory(control));
    json_object_set_new(out, "alarms", view_alarms(control, now_s));
    return out;
}
