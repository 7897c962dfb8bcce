/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/admin_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/admin_capture.h"
#include "daemon/admin_input.h"
#include "daemon/admin_preflight.h"
#include "daemon/change_log.h"
#include "daemon/config_table.h"
#include "daemon/connections.h"
#include "daemon/crl_fetch.h"
#include "daemon/enforce.h"
#include "daemon/expiry.h"
#include "daemon/explain.h"
#include "daemon/registry_view.h"
#include "daemon/survey.h"
#include "daemon/view.h"
#include "daemon/view_crls.h"
#include "daemon/view_log.h"
#include "daemon/what_if.h"

#define COMMAND_TIMEOUT_US 1000000
#define WALK_TIMEOUT_US    5000000 /* a table of a million connections takes a core many turns */
#define ROWS_DEFAULT       1000
#define ROWS_MAX           100000
#define DAYS_MAX           100000
#define SWITCH_MAX_S       (366 * 86400)
#define ERROR_MAX          512

struct call {
    struct control *control;
    const struct admin_request *request;
    struct admin_answer *out;
    struct survey *survey;
    uint64_t budget_us; /* for it */
    const char *rest;   /* of the path, behind the route's */
    uint64_t now_s;
    bool draining;
};

/* --- answers ------------------------------------------------------------------------------------------------------------------------ */

static void answer(struct call *call, unsigned status, json_t *body)
{
    call->out->status = status;
    call->out->body = body;
}

static void refuse(struct call *call, unsigned status, const char *error)
{
    json_t *body = json_object();

    json_object_set_new(body, "error", json_string(error));
    answer(call, status, body);
}

/* A change that was asked for: what came of it, in the answer and in the log. */
static void answer_change(struct call *call, const char *what, bool good, const struct change *change, json_t *body)
{
    if (call->control->log != NULL)
        change_log(call->control->log, what, good, change);
    if (!good) {
        json_object_set_new(body, "error", json_string("refused: nothing was changed"));
        json_object_set_new(body, "problems", view_problems(&change->problems));
    }
    view_add_change(body, change);
    answer(call, good ? 200 : 422, body);
}

static const char *query(const struct call *call, const char *name)
{
    return call->request->query != NULL ? call->request->query(call->request->query_arg, name) : NULL;
}

static void answer_refused(struct call *call, const struct problems *problems)
{
    json_t *body = json_object();

    json_object_set_new(body, "error", json_string("would be refused"));
    json_object_set_new(body, "problems", view_problems(problems));
    answer(call, 422, body);
}

/* Is the survey of an earlier call about what runs now? Else it has to be begun, again. */
static bool survey_goes_on(struct call *call)
{
    if (survey_is_current(call->survey, call->control))
        return true;
    problems_free(&call->survey->problems);
    return false;
}

/* false: not now, and said so. */
static bool survey_is_done(struct call *call)
{
    if (survey_run(call->survey, call->control, call->now_s, call->budget_us))
        return true;
    answer(call, ADMIN_LATER, NULL);
    return false;
}

/* What a change would do, or why it would be refused. good: its survey was begun. */
static void answer_what_if(struct call *call, bool good)
{
    struct problems *problems = &call->survey->problems;

    if (!good)
        answer_refused(call, problems);
    else if (survey_is_done(call))
        answer(call, 200, what_if_answer(call->control, call->survey, call->now_s, problems));
}

/* --- requests ----------------------------------------------------------------------------------------------------------------------- */

static void get_status(struct call *call)
{
    answer(call, 200, view_status(call->control, call->draining, call->now_s));
}

static void get_ready(struct call *call)
{
    json_t *body = json_object();
    const char *why;
    bool ready = view_ready(call->control, call->draining, &why);

    json_object_set_new(body, "ready", json_boolean(ready));
    if (!ready)
        json_object_set_new(body, "reason", json_string(why));
    answer(call, ready ? 200 : 503, body);
}

static void post_reload(struct call *call)
{
    struct change change;
    bool good;

    if (query(call, "dry_run") != NULL) {
        answer_what_if(call, survey_goes_on(call) || what_if_reload(call->control, call->request->body, call->now_s,
                                                                    call->survey, &call->survey->problems));
        return;
    }
    good = control_reload(call->control, call->now_s, &change);
    answer_change(call, "reload (admin API)", good, &change, json_object());
    change_free(&change);
}

/* The store that is asked for; false: there is none, and that was answered. */
static bool trust_asked(struct call *call, struct trust **out)
{
    *out = trust_of(call->control->trust, query(call, "deployment"));
    if (*out == NULL)
        refuse(call, 404, "no deployment of that name has a store of its own (deployments[].trust.directory)");
    return *out != NULL;
}

static void get_trust(struct call *call)
{
    const struct trust_entry *entry;
    struct trust *trust;

    if (!trust_asked(call, &trust))
        return;
    if (*call->rest == '\0') {
        /* asked without a deployment: all there are */
        answer(call, 200,
               query(call, "deployment") != NULL ? view_trust_of(trust, call->now_s) : view_trust(trust, call->now_s));
        return;
    }
    switch (trust_find(trust, call->rest + 1, &entry)) {
    case ASSAY_OK: answer(call, 200, view_certificate(entry, true, call->now_s)); break;
    case ASSAY_ERR_NOT_FOUND: refuse(call, 404, "no trusted certificate has a fingerprint that begins so"); break;
    case ASSAY_ERR_DUPLICATE: refuse(call, 409, "several certificates have a fingerprint that begins so"); break;
    default: refuse(call, 400, "a SHA-256 fingerprint is needed: at least 8 hex digits"); break;
    }
}

static void post_trust(struct call *call)
{
    const char *word = query(call, "role");
    enum x509_role role = X509_ROLE_ANCHOR;
    struct trust *added = NULL, *trust;
    struct change change;
    json_t *body;
    bool good;

    if (!trust_asked(call, &trust))
        return;
    if (word != NULL && trust_role_parse(word, &role) != ASSAY_OK) {
        refuse(call, 400, "role is none of anchor, helper, leaf-only");
        return;
    }
    if (query(call, "dry_run") != NULL) {
        answer_what_if(call,
                       survey_goes_on(call) ||
                           what_if_trust_add(call->control, trust->deployment, call->request->body,
                                             word != NULL ? (int)role : -1, call->survey, &call->survey->problems));
        return;
    }
    good = control_trust_add(call->control, trust->deployment, call->request->body, word != NULL ? (int)role : -1,
                             &added, &change);
    body = json_object();
    json_object_set_new(body, "certificates", good ? view_added(added, call->now_s) : json_array());
    answer_change(call, "trust add", good, &change, body);
    change_free(&change);
    trust_free(added);
}

static void try_delete_trust(struct call *call, const struct trust *trust)
{
    enum assay_error error = ASSAY_OK;

    if (!survey_goes_on(call))
        error = what_if_trust_remove(call->control, trust->deployment, call->rest + 1, call->survey,
                                     &call->survey->problems);
    if (error == ASSAY_OK || error == ASSAY_ERR_IO)
        answer_what_if(call, error == ASSAY_OK);
    else
        get_trust(call); /* the same words */
}

static void delete_trust(struct call *call)
{
    struct change change;
    char removed[65] = "";
    enum assay_error error;
    struct trust *trust;
    json_t *body;

    if (!trust_asked(call, &trust))
        return;
    if (*call->rest == '\0') {
        refuse(call, 400, "a SHA-256 fingerprint is needed: at least 8 hex digits");
        return;
    }
    if (query(call, "dry_run") != NULL) {
        try_delete_trust(call, trust);
        return;
    }
    error = control_trust_remove(call->control, trust->deployment, call->rest + 1, removed, &change);
    if (error == ASSAY_ERR_NOT_FOUND || error == ASSAY_ERR_DUPLICATE || error == ASSAY_ERR_MALFORMED) {
        get_trust(call); /* the same words */
    } else {
        body = json_object();
        json_object_set_new(body, "removed", json_string(removed));
        answer_change(call, "trust remove", error == ASSAY_OK, &change, body);
    }
    change_free(&change);
}

static bool mode_of(const char *word, enum verify_mode *mode)
{
    /* Off is permissive (MRA S6): checks go on and are counted */
    static const struct {
        const char *word;
        enum verify_mode mode;
    } words[] = {{"on", VERIFY_ENFORCED},
                 {"off", VERIFY_PERMISSIVE},
                 {"enforced", VERIFY_ENFORCED},
                 {"permissive", VERIFY_PERMISSIVE},
                 {"disabled", VERIFY_DISABLED}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, word) != 0)
            continue;
        *mode = words[i].mode;
        return true;
    }
    return false;
}

/* Is a deployment of that name known at all? One that is switched was, and must be switched back. */
static bool known_deployment(const struct control *control, const char *name)
{
    const struct config_root *root = &control->config->root;
    bool known =
        strcmp(name, "1") == 0 || switches_find(&control->verify, &(struct verify_target){.deployment = name}) != NULL;

    for (uint32_t i = 0; i < root->deployments.count; i++)
        known |= strcmp(root->deployments.items[i].name, name) == 0;
    for (uint32_t i = 0; i < root->domains.count; i++)
        known |= strcmp(root->domains.items[i].deployment, name) == 0;
    for (uint32_t i = 0; i < root->nodes.count; i++)
        known |= strcmp(root->nodes.items[i].deployment, name) == 0;
    return known;
}

/* Whose verification is switched; *arena holds what target points to. NULL, or why not. */
static const char *target_of(const struct control *control, const json_t *input, struct arena *arena,
                             struct verify_target *target)
{
    static const struct config_key key = {.name = "origin", .kind = CONFIG_ORIGINS};
    const struct config_value_context context = {.arena = arena, .directory = ""};
    const char *deployment = json_string_value(json_object_get(input, "deployment"));
    const char *origin = json_string_value(json_object_get(input, "origin")), *fault;
    struct config_origin parsed;

    *target = (struct verify_target){0};
    if (deployment != NULL && origin != NULL)
        return "a deployment or an origin, not both";
    if (deployment != NULL && !known_deployment(control, deployment))
        return "no domain or node is of a deployment of that name";
    if (deployment != NULL)
        target->deployment = arena_text(arena, deployment);
    if (origin == NULL)
        return NULL;
    fault = config_value_parse(&context, &key, origin, &parsed);
    if (fault != NULL || parsed.host[0] == '\0')
        return fault != NULL ? fault : "default is no origin";
    target->host = parsed.host;
    target->port = parsed.port;
    return NULL;
}

static void answer_verify(struct call *call, const json_t *input, const char *mode_word, json_int_t for_s, bool good,
                          const struct change *change)
{
    json_t *body = json_object();

    json_object_set_new(body, "mode", json_string(mode_word));
    json_object_set_new(body, "for_s", json_integer(for_s));
    json_object_set(body, "deployment", json_object_get(input, "deployment"));
    json_object_set(body, "origin", json_object_get(input, "origin"));
    answer_change(call, "set verify", good, change, body);
}

/* What is switched, and how; NULL, or why not. */
static const char *verify_asked(const json_t *input, enum verify_mode *mode, bool *inherit)
{
    const char *word = json_string_value(json_object_get(input, "mode"));
    json_int_t for_s = json_integer_value(json_object_get(input, "for_s"));

    *inherit = word != NULL && strcmp(word, "inherit") == 0;
    if (word == NULL || !(*inherit || mode_of(word, mode)))
        return "mode: on, off, enforced, permissive, disabled or inherit is expected";
    if (for_s < 0 || for_s > SWITCH_MAX_S)
        return "for_s: seconds are expected, at most a year";
    return NULL;
}

static void switch_verify(struct call *call, const json_t *input, const struct verify_target *target,
                          enum verify_mode mode, bool inherit)
{
    json_int_t for_s = json_integer_value(json_object_get(input, "for_s"));
    struct change change;
    bool good;

    good = inherit ? control_unset_verify(call->control, target, &change)
                   : control_set_verify(call->control, target, mode, for_s > 0 ? call->now_s + (uint64_t)for_s : 0,
                                        &change);
    answer_verify(call, input, inherit ? "inherit" : verify_mode_name(mode), for_s, good, &change);
    change_free(&change);
}

static void post_verify(struct call *call)
{
    static const struct admin_member members[] = {
        {"mode", ADMIN_TEXT}, {"for_s", ADMIN_NUMBER}, {"deployment", ADMIN_TEXT}, {"origin", ADMIN_TEXT}};
    char error[ERROR_MAX];
    json_t *input = admin_input_read(call->request->body, members, 4, error, sizeof(error));
    const char *fault = input == NULL ? error : NULL;
    enum verify_mode mode = VERIFY_ENFORCED;
    struct verify_target target;
    struct arena arena = {0};
    bool inherit = false;

    if (fault == NULL)
        fault = verify_asked(input, &mode, &inherit);
    if (fault == NULL)
        fault = target_of(call->control, input, &arena, &target);
    if (fault != NULL)
        refuse(call, 400, fault);
    else
        switch_verify(call, input, &target, mode, inherit);
    arena_free(&arena);
    json_decref(input);
}

/* Refuses, and says what stands in the way, unless forced. */
static void enforce(struct call *call, const struct verify_target *target, bool force, bool dry_run)
{
    struct change change;
    size_t failing = 0;
    json_t *body;

    if (!survey_goes_on(call))
        survey_begin(call->survey, call->control, NULL);
    if (!survey_is_done(call))
        return;
    body = enforce_report(call->control, target, call->now_s, &failing, &call->survey->problems);
    if (body == NULL) {
        answer_refused(call, &call->survey->problems);
        return;
    }
    if (dry_run || (failing > 0 && !force)) {
        json_object_set_new(body, "enforced", json_false());
        answer(call, 200, body);
        return;
    }
    if (!control_set_verify(call->control, target, VERIFY_ENFORCED, 0, &change)) {
        answer_change(call, "enforce", false, &change, body);
    } else {
        json_object_set_new(body, "enforced", json_true());
        answer_change(call, "enforce", true, &change, body);
    }
    change_free(&change);
}

static void post_enforce(struct call *call)
{
    static const struct admin_member members[] = {
        {"force", ADMIN_SWITCH}, {"dry_run", ADMIN_SWITCH}, {"deployment", ADMIN_TEXT}, {"origin", ADMIN_TEXT}};
    char error[ERROR_MAX];
    json_t *input = admin_input_read(call->request->body, members, 4, error, sizeof(error));
    const char *fault = input == NULL ? error : NULL;
    struct verify_target target;
    struct arena arena = {0};

    if (fault == NULL)
        fault = target_of(call->control, input, &arena, &target);
    if (fault != NULL)
        refuse(call, 400, fault);
    else
        enforce(call, &target, json_is_true(json_object_get(input, "force")),
                json_is_true(json_object_get(input, "dry_run")));
    arena_free(&arena);
    json_decref(input);
}

static void get_explain(struct call *call)
{
    json_t *input = json_pack("{s:s*}", "origin", query(call, "origin")), *body = NULL;
    struct verify_target target;
    struct arena arena = {0};
    const char *fault = target_of(call->control, input, &arena, &target);

    if (fault != NULL || target.host == NULL) {
        refuse(call, 400, fault != NULL ? fault : "origin=HOST[:PORT] is needed");
    } else {
        body = explain_origin(call->control, target.host, target.port, call->now_s);
        if (body != NULL)
            answer(call, 200, body);
        else
            refuse(call, 404, "no chain of that origin was seen yet (assayctl preflight asks it)");
    }
    arena_free(&arena);
    json_decref(input);
}

/* A whole number of the query, within bounds; absent where it is not there. False: refused, and said so. */
static bool number_asked(struct call *call, const char *name, uint64_t min, uint64_t max, uint64_t absent,
                         uint64_t *out)
{
    const char *word = query(call, name);
    char error[100], *end = NULL;

    *out = absent;
    if (word == NULL)
        return true;
    *out = strtoull(word, &end, 10); /* too much is ULLONG_MAX, which is above each max */
    if (*word >= '0' && *word <= '9' && *end == '\0' && *out >= min && *out <= max)
        return true;
    snprintf(error, sizeof(error), "%s is not within %llu to %llu", name, (unsigned long long)min,
             (unsigned long long)max);
    refuse(call, 400, error);
    return false;
}

static void get_expiry(struct call *call)
{
    struct expiry_list list;
    uint64_t days;

    if (!number_asked(call, "days", 0, DAYS_MAX, UINT64_MAX, &days))
        return;
    expiry_collect(call->control, &list);
    answer(call, 200, expiry_view(&list, call->now_s, days == UINT64_MAX ? -1 : (int)days));
    expiry_free(&list);
}

/* How many rows are wanted; 0: refused, and said so. */
static size_t max_wanted(struct call *call)
{
    uint64_t max;

    return number_asked(call, "max", 1, ROWS_MAX, ROWS_DEFAULT, &max) ? max : 0;
}

/* The same, of running cores. */
static size_t rows_wanted(struct call *call)
{
    size_t max = max_wanted(call);

    if (max == 0)
        return 0;
    if (!call->control->fleet->running) {
        refuse(call, 503, "the cores do not run");
        return 0;
    }
    return max;
}

static void get_rows(struct call *call, enum command_kind kind)
{
    size_t max = rows_wanted(call);
    struct fleet_rows rows;

    if (max == 0)
        return;
    if (fleet_command(call->control->fleet, kind, max, COMMAND_TIMEOUT_US, &rows) == ASSAY_OK)
        answer(call, 200, view_rows(kind, &rows));
    else
        refuse(call, 503, "a core did not answer in time");
    fleet_rows_free(&rows);
}

static void get_verdicts(struct call *call)
{
    get_rows(call, COMMAND_VERDICTS);
}

static void get_origins(struct call *call)
{
    get_rows(call, COMMAND_ORIGINS);
}

static void get_connections(struct call *call)
{
    const struct connections_query wanted = {query(call, "state"), query(call, "side"), query(call, "address"),
                                             query(call, "port"), query(call, "sort")};
    struct connection_filter filter;
    const char *wrong = connections_filter(&wanted, &filter);
    size_t max;
    struct fleet_rows rows;

    if (wrong != NULL) {
        refuse(call, 400, wrong);
        return;
    }
    max = rows_wanted(call);
    if (max == 0)
        return;
    /* the first in order may be anywhere in the tables */
    if (fleet_connections(call->control->fleet, &filter, wanted.sort != NULL ? ROWS_MAX : max, WALK_TIMEOUT_US,
                          &rows) == ASSAY_OK) {
        connections_sort(wanted.sort, rows.rows, rows.count);
        if (rows.count > max) {
            rows.count = max;
            rows.more = true;
        }
        answer(call, 200, view_rows(COMMAND_CONNECTIONS, &rows));
    } else {
        refuse(call, 503, "a core did not answer in time");
    }
    fleet_rows_free(&rows);
}

/* The host of ?host=, canonical in identity's text; false: refused, and said so. */
static bool origin_wanted(struct call *call, char host[256], uint16_t *port)
{
    const char *word = query(call, "host");
    struct x509_identity identity;
    uint64_t number;

    host[0] = '\0';
    if (!number_asked(call, "port", 1, UINT16_MAX, 0, &number))
        return false;
    *port = (uint16_t)number;
    if (word == NULL)
        return true;
    if (x509_identity_from_host(slice_text(word), &identity) != ASSAY_OK) {
        refuse(call, 400, "host is neither a name nor an address");
        return false;
    }
    x509_identity_format(&identity, host);
    return true;
}

static void get_registry(struct call *call)
{
    size_t max = max_wanted(call);
    char host[256];
    uint16_t port;

    if (max > 0 && origin_wanted(call, host, &port))
        answer(call, 200, registry_view(call->control, host[0] != '\0' ? host : NULL, port, max));
}

static void post_capture(struct call *call)
{
    call->out->status = admin_capture_start(call->control, call->request->body, call->now_s, &call->out->body);
}

static void delete_capture(struct call *call)
{
    call->out->status = admin_capture_stop(call->control, &call->out->body);
}

static void get_capture(struct call *call)
{
    call->out->status = admin_capture_status(call->control, &call->out->body);
}

static void post_preflight(struct call *call)
{
    call->out->status = admin_preflight_start(call->control, call->request->body, call->now_s, &call->out->body);
}

static void get_preflight(struct call *call)
{
    call->out->status = admin_preflight_view(call->control, query(call, "brief") != NULL, &call->out->body);
}

static void get_names(struct call *call)
{
    answer(call, 200, view_names(&call->control->names));
}

static void get_crls(struct call *call)
{
    answer(call, 200, view_crls(call->control, call->now_s));
}

static void post_crls(struct call *call)
{
    json_t *body = json_object();

    if (call->control->fetcher == NULL) {
        json_decref(body);
        refuse(call, 409, "nothing is fetched: trust.revocation.fetch is off");
        return;
    }
    json_object_set_new(body, "asked", json_integer((json_int_t)crl_fetch_again(call->control)));
    answer(call, 200, body);
}

static void get_stats(struct call *call)
{
    json_t *body = view_stats(call->control->fleet, query(call, "help") != NULL);
    json_t *total = json_object_get(body, "total"), *help = json_object_get(body, "help");
    struct expiry_counts counts;
    struct expiry_list list;

    expiry_collect(call->control, &list);
    expiry_count(&list, call->now_s, &counts);
    expiry_free(&list);
    json_object_set_new(total, "registry", registry_view_stats(call->control->registry, false));
    json_object_set_new(total, "expiry", expiry_counts_view(&counts, call->now_s));
    json_object_set_new(total, "log", view_log_stats(call->control->log, false));
    if (help != NULL) {
        json_object_set_new(help, "registry", registry_view_stats(call->control->registry, true));
        json_object_set_new(help, "expiry", expiry_counts_help());
        json_object_set_new(help, "log", view_log_stats(call->control->log, true));
    }
    answer(call, 200, body);
}

/* --- the table ---------------------------------------------------------------------------------------------------------------------- */

static const struct route {
    const char *method, *path;
    bool below; /* a further segment may follow */
    void (*run)(struct call *call);
} routes[] = {
    {"GET", "/v1/status", false, get_status},         {"GET", "/v1/ready", false, get_ready},
    {"POST", "/v1/reload", false, post_reload},       {"GET", "/v1/trust", true, get_trust},
    {"POST", "/v1/trust", false, post_trust},         {"DELETE", "/v1/trust", true, delete_trust},
    {"POST", "/v1/verify", false, post_verify},       {"GET", "/v1/verdicts", false, get_verdicts},
    {"GET", "/v1/origins", false, get_origins},       {"GET", "/v1/connections", false, get_connections},
    {"GET", "/v1/names", false, get_names},           {"GET", "/v1/stats", false, get_stats},
    {"POST", "/v1/capture", false, post_capture},     {"DELETE", "/v1/capture", false, delete_capture},
    {"GET", "/v1/capture", false, get_capture},       {"GET", "/v1/registry", false, get_registry},
    {"GET", "/v1/explain", false, get_explain},       {"GET", "/v1/expiry", false, get_expiry},
    {"POST", "/v1/enforce", false, post_enforce},     {"GET", "/v1/preflight", false, get_preflight},
    {"POST", "/v1/preflight", false, post_preflight}, {"GET", "/v1/crls", false, get_crls},
    {"POST", "/v1/crls", false, post_crls},
};

static bool path_matches(const struct route *route, const char *path, const char **rest)
{
    size_t len = strlen(route->path);

    if (strncmp(path, route->path, len) != 0)
        return false;
    *rest = path + len;
    return **rest == '\0' || (route->below && **rest == '/' && (*rest)[1] != '\0');
}

/* What may be got may be asked for its head (RFC 9110 §9.3.2). */
static bool method_matches(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 || (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void allow(struct admin_answer *out, const char *method)
{
    size_t used = strlen(out->allow);

    snprintf(out->allow + used, sizeof(out->allow) - used, "%s%s%s", used > 0 ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

static void run_route(struct call *call, const char *only)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if ((only != NULL && strcmp(routes[i].path, only) != 0) ||
            !path_matches(&routes[i], call->request->path, &call->rest))
            continue;
        if (method_matches(&routes[i], call->request->method)) {
            call->out->allow[0] = '\0';
            routes[i].run(call);
            return;
        }
        allow(call->out, routes[i].method);
    }
    if (call->out->allow[0] != '\0')
        refuse(call, 405, "not with this method");
    else
        refuse(call, 404, "no such thing");
}

void admin_answer(struct control *control, bool draining, uint64_t now_s, const struct admin_request *request,
                  struct admin_answer *out)
{
    struct survey at_once = {.first_us = UINT64_MAX};
    struct survey *survey = request->survey != NULL ? request->survey : &at_once;
    struct call call = {.control = control,
                        .request = request,
                        .out = out,
                        .survey = survey,
                        .budget_us = survey->first_us,
                        .now_s = now_s,
                        .draining = draining,
                        .rest = ""};

    run_route(&call, NULL);
    survey_end(&at_once);
}

void admin_answer_ready(struct control *control, bool draining, const struct admin_request *request,
                        struct admin_answer *out)
{
    struct call call = {.control = control, .request = request, .out = out, .draining = draining, .rest = ""};

    run_route(&call, "/v1/ready");
}
