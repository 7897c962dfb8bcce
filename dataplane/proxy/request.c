/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a request asks for and whether it may: MRA path (S13), allow list (S16, S17), origin address rules (DESIGN 9). */
#include "access/access.h"
#include "assay/log_record.h"
#include "base/address.h"
#include "base/append.h"
#include "http/base64.h"
#include "proxy/internal.h"

static bool request_refuse(struct request_target *target, uint16_t status, const char *what)
{
    target->status = status;
    target->what = what;
    return false;
}

/* S21's Username: of Basic credentials, else what follows /user/ in the path. */
static struct slice request_user(const struct http_request *request, struct slice path, char *buffer, size_t capacity)
{
    struct slice value = http_find(request->fields, request->field_count, "Authorization");
    size_t length;

    if (value.len > 6 && slice_is_nocase(slice_head(value, 6), "Basic ") &&
        base64_decode(slice_tail(value, 6), (uint8_t *)buffer, capacity, &length) == ASSAY_OK) {
        const char *colon = memchr(buffer, ':', length);

        return slice_of(buffer, colon != NULL ? (size_t)(colon - buffer) : length);
    }
    for (size_t i = 0; i + 6 < path.len; i++) {
        if (memcmp(path.data + i, "/user/", 6) == 0) {
            size_t end = i + 6;

            while (end < path.len && path.data[end] != '/' && path.data[end] != '?')
                end++;
            return slice_of(path.data + i + 6, end - i - 6);
        }
    }
    return slice_of(NULL, 0);
}

static struct slice request_without_query(struct slice path)
{
    const uint8_t *query = path.len ? memchr(path.data, '?', path.len) : NULL;

    return query != NULL ? slice_head(path, (size_t)(query - path.data)) : path;
}

static void request_log_decision(struct proxy *p, struct client *c, const struct request_target *target,
                                 const struct access_decision *decision)
{
    char url[1024], user[256];
    struct append text = append_to(url, sizeof(url));
    struct log_line line = {.kind = decision->allowed ? LOG_ACCESS_ALLOWED : LOG_ACCESS_DENIED,
                            .status = decision->allowed ? 0 : 403,
                            .peer = &c->peer,
                            .peer_port = c->peer_port,
                            .transaction = c->transaction};

    if (decision->allowed && !p->snapshot->settings->log_requests)
        return;
    append_text(&text, target->https ? "https://" : "http://");
    append_text(&text, target->host_header);
    append_slice(&text, request_without_query(target->path));
    line.strings[0] = request_user(&p->request, target->path, user, sizeof(user));
    line.strings[1] = slice_text(target->deployment != NULL ? target->deployment : "1");
    line.strings[2] = p->request.method;
    line.strings[3] = slice_of(url, text.length);
    if (!decision->allowed) {
        line.strings[4] = slice_text(decision->reason);
    } else if (decision->rule != NULL) {
        line.strings[4] = slice_text(decision->rule->url);
        line.strings[5] = slice_text(decision->rule->match == ACCESS_MATCH_EXACT ? "exact" : "prefix");
        line.strings[6] = slice_text(decision->rule->description != NULL && decision->rule->description[0] != 0
                                         ? decision->rule->description
                                         : "Manually added rule");
    } else {
        line.strings[6] = slice_text(decision->reason);
    }
    proxy_log(p, &line);
}

/* A TrackingID of our own where the client has none that we believe: the same again on a retry. */
static void request_tracking(struct proxy *p, const struct client *c, struct request_target *target)
{
    struct slice given = http_find(p->request.fields, p->request.field_count, "TrackingID");
    struct append text = append_to(target->tracking, sizeof(target->tracking));
    uint64_t a, b;

    if (c->trusted && given.len > 0 && given.len < sizeof(target->tracking)) {
        target->tracking_id = given;
        return;
    }
    a = (c->transaction ^ p->tracking_key[0]) * 0x9e3779b97f4a7c15ULL;
    b = ((a >> 29) ^ c->transaction ^ p->tracking_key[1]) * 0xbf58476d1ce4e5b9ULL;
    a ^= b >> 31;
    /* RFC 9562's form of 122 bits. */
    append_hex(&text, a >> 32, 8);
    append_text(&text, "-");
    append_hex(&text, a >> 16, 4);
    append_text(&text, "-4");
    append_hex(&text, a, 3);
    append_text(&text, "-");
    append_hex(&text, (b >> 48 & 0x3fff) | 0x8000, 4);
    append_text(&text, "-");
    append_hex(&text, b, 12);
    target->tracking_id = slice_of(target->tracking, text.length);
}

static bool request_route_default(const struct route_listener *listener, struct slice path,
                                  struct request_target *target, bool *implied)
{
    *implied = true;
    target->host = slice_text(listener->origin_host);
    target->port = listener->origin_port;
    target->https = listener->origin_https;
    target->deployment = listener->origin_deployment;
    target->deployment_number = listener->origin_deployment_number;
    target->path = path;
    return true;
}

/* Where the request goes: an MRA path, or the listener's own origin for a path that is none. *implied: by configuration,
 * not by the client, so that no rule is needed. */
static bool request_route(struct proxy *p, const struct route_listener *listener, struct request_target *target,
                          bool *implied)
{
    const struct route_domain *domain;
    const char *why = NULL;
    struct slice path = p->request.path;

    *implied = false;
    if (mra_path_parse(path, &target->mra, &why) != ASSAY_OK) {
        if (listener->origin_host == NULL) {
            p->counters.requests_mra_path_bad++;
            return request_refuse(target, 400, why);
        }
        return request_route_default(listener, path, target, implied);
    }
    domain = route_find_domain(p->snapshot->route, target->mra.domain);
    /* A path that only looks like the one-field form belongs to the listener's own origin. */
    if (domain == NULL && target->mra.edge_config && listener->origin_host != NULL)
        return request_route_default(listener, p->request.path, target, implied);
    if (domain == NULL)
        return request_refuse(target, 403, "Unknown domain");
    target->path = target->mra.rest;
    target->deployment = domain->deployment;
    target->deployment_number = domain->deployment_number;
    if (!target->mra.edge_config) {
        target->host = target->mra.host;
        target->port = target->mra.port;
        target->https = target->mra.https;
        return true;
    }
    if (domain->host == NULL)
        return request_refuse(target, 404, "no edge-config server is configured for that domain");
    *implied = true;
    target->host = slice_text(domain->host);
    target->port = domain->port;
    target->https = domain->https;
    return true;
}

/* The names that the rest of the exchange uses: canonical host, Host field. */
static bool request_name(struct request_target *target)
{
    struct append header = append_to(target->host_header, sizeof(target->host_header));
    bool v6;

    if (x509_identity_from_host(target->host, &target->identity) != ASSAY_OK)
        return request_refuse(target, 400, "the origin's host is neither a name nor an address");
    x509_identity_format(&target->identity, target->host_text);
    target->host = slice_text(target->host_text);
    v6 = target->identity.kind == X509_IDENTITY_IP6;
    /* S14: the port is always written. */
    append_text(&header, v6 ? "[" : "");
    append_text(&header, target->host_text);
    append_text(&header, v6 ? "]:" : ":");
    append_decimal(&header, target->port);
    return true;
}

static bool request_address_allowed(struct proxy *p, struct request_target *target)
{
    struct assay_address address;

    if (target->identity.kind == X509_IDENTITY_DNS)
        return true; /* control refused such addresses when it resolved the name */
    if (address_parse(target->host, &address) != ASSAY_OK)
        return request_refuse(target, 400, "the origin's address is malformed");
    if (address_is_special(&address) || route_own_address(p->snapshot->route, &address))
        return request_refuse(target, 403, "that address is never an origin");
    return true;
}

static bool request_access(struct proxy *p, struct client *c, struct request_target *target, bool implied, bool first)
{
    struct access_request request = {.method = p->request.method,
                                     .https = target->https,
                                     .host = target->host,
                                     .port = target->port,
                                     .path = target->path,
                                     .deployment = target->deployment};
    struct access_decision decision = {.allowed = true, .reason = "Configured origin"};
    const char *why = NULL;

    if (access_normalise(target->path, &why) != ASSAY_OK)
        return request_refuse(target, 400, why);
    if (!implied)
        access_decide(p->snapshot->access->rules, p->config.core, &request, &decision);
    if (first)
        request_log_decision(p, c, target, &decision);
    if (!decision.allowed)
        return request_refuse(target, 403, decision.reason);
    return true;
}

static void request_log_received(struct proxy *p, struct client *c, const struct request_target *target)
{
    struct log_line line = {
        .kind = LOG_RECEIVE_REQUEST,
        .peer = &c->peer,
        .peer_port = c->peer_port,
        .transaction = c->transaction,
        .strings = {target->tracking_id, http_last_via(p->request.fields, p->request.field_count), p->request.line}};

    if (p->snapshot->settings->log_requests)
        proxy_log(p, &line);
}

bool request_resolve(struct proxy *p, struct client *c, struct request_target *target, bool first)
{
    const struct route_listener *listener = client_listener(p, c);
    const struct http_request *request = &p->request;
    bool implied;

    request_tracking(p, c, target);
    if (first)
        request_log_received(p, c, target);
    if (listener == NULL)
        return request_refuse(target, 503, "the listener was removed");
    if (!client_may_ask(p, c)) {
        c->keep_alive = false;
        return request_refuse(target, 403, "the listener does not serve this client any more");
    }
    if (http_via_has(request->fields, request->field_count, slice_text(p->snapshot->settings->via_name))) {
        p->counters.requests_loop += first;
        return request_refuse(target, 400, "the request came through this proxy already");
    }
    if (request->form == HTTP_TARGET_AUTHORITY || slice_is(request->method, "TRACE"))
        return request_refuse(target, 405, "method not allowed");
    if (request->form == HTTP_TARGET_ASTERISK && listener->origin_host == NULL)
        return request_refuse(target, 400, "no origin is named");
    if (!request_route(p, listener, target, &implied))
        return false;
    return request_name(target) && request_address_allowed(p, target) && request_access(p, c, target, implied, first);
}

struct http_limits request_limits(const struct proxy *p)
{
    const struct settings_section *settings = p->snapshot->settings;
    uint32_t head = settings->head_max_bytes < PROXY_HEAD_MAX ? settings->head_max_bytes : PROXY_HEAD_MAX;

    return (struct http_limits){head, settings->target_max_bytes, settings->fields_max};
}

bool request_load(struct proxy *p, struct client *c)
{
    struct http_limits limits = request_limits(p);
    struct http_parse_error error = {.status = 431, .what = "the head is too large"};
    struct http_scan scan = {0};
    size_t length;

    /* It was parsed before; a snapshot since then may have other limits or rules, and they count. */
    if (http_parse_request(&scan, slice_of(c->in.bytes, c->head_length), &limits, &p->request, &length, &error) !=
        HTTP_PARSE_DONE) {
        request_refuse(&p->target, error.status, error.what);
        return false;
    }
    return request_resolve(p, c, &p->target, false);
}
