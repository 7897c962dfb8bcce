/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scopes of verification: what is said of all origins, of deployments, of origins, and what comes of it. */
#include "daemon/view.h"
#include "x509/describe.h"

#define SCOPES_SHOWN 1000

static const char *store_name(const struct trust_section *trust, const struct trust_scope *scope)
{
    if (scope->store == trust->scopes[0].store)
        return "global";
    for (uint32_t i = 0; i < trust->deployment_count; i++) {
        const struct trust_scope *deployment = &trust->scopes[trust->deployments[i].scope];

        if (deployment->store == scope->store)
            return deployment->name;
    }
    return "?";
}

static void add_switch(const struct control *control, const struct verify_target *target, json_t *row)
{
    const struct verify_switch *verify = switches_find(&control->verify, target);
    char until[X509_DESCRIBE_TIME_SIZE];

    json_object_set_new(row, "switched", json_boolean(verify != NULL));
    if (verify != NULL && verify->until_s > 0) {
        x509_describe_time((int64_t)verify->until_s, until, sizeof(until));
        json_object_set_new(row, "until", json_string(until));
    } else {
        json_object_set_new(row, "until", json_null());
    }
}

static void add_scope(const struct control *control, const struct verify_target *target, uint32_t index, json_t *rows)
{
    static const char *const properties[] = {"all", "signature", "name"};
    static const char *const profiles[] = {"enterprise", "rfc5280", "webpki"};
    static const char *const revocation[] = {"off", "soft-fail", "hard-fail"};
    const struct trust_section *trust = publisher_snapshot(&control->publisher)->trust;
    const struct trust_scope *scope = &trust->scopes[index];
    json_t *row = json_object();

    json_object_set_new(row, "scope", json_string(scope->name));
    json_object_set_new(row, "mode", json_string(verify_mode_name(scope->mode)));
    json_object_set_new(row, "properties", json_string(properties[scope->properties]));
    json_object_set_new(row, "profile", json_string(profiles[scope->policy->profile]));
    json_object_set_new(row, "revocation", json_string(revocation[scope->policy->revocation]));
    json_object_set_new(row, "pins", json_integer(scope->policy->pin_count));
    json_object_set_new(row, "store", json_string(store_name(trust, scope)));
    json_object_set_new(row, "policy", json_integer(scope->policy->id));
    add_switch(control, target, row);
    json_array_append_new(rows, row);
}

json_t *view_scopes(const struct control *control)
{
    const struct trust_section *trust = publisher_snapshot(&control->publisher)->trust;
    json_t *rows = json_array();

    add_scope(control, &(struct verify_target){0}, 0, rows);
    for (uint32_t i = 0; i < trust->deployment_count; i++)
        add_scope(control, &(struct verify_target){.deployment = trust->deployments[i].name},
                  trust->deployments[i].scope, rows);
    for (uint32_t i = 0; i < trust->origin_count && json_array_size(rows) < SCOPES_SHOWN; i++)
        add_scope(control, &(struct verify_target){.host = trust->origins[i].host, .port = trust->origins[i].port},
                  trust->origins[i].scope, rows);
    return rows;
}
