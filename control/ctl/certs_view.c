/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/certs_view.h"
#include "ctl/print.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_SHOWN 256

static const char *const columns[] = {"node",         "certificate", "common_name", "type",       "key_type",
                                      "distribution", "issued_by",   "expiration",  "description"};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* --- one row a node and certificate ------------------------------------------------------------------------------------- */

static json_t *find_or_add(json_t *rows, const char *node, const char *sha256)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) if (strcmp(ctl_text(row, "node"), node) == 0 &&
                                         strcmp(ctl_text(row, "sha256"), sha256) == 0) return row;
    row = json_object();
    json_object_set_new(row, "node", json_string(node));
    json_object_set_new(row, "sha256", json_string(sha256));
    json_object_set_new(row, "ports", json_array());
    json_object_set_new(row, "sources", json_array());
    json_object_set_new(row, "faults", json_array());
    json_array_append_new(rows, row);
    return row;
}

static void append_text_once(json_t *array, const char *word)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item) if (json_is_string(item) && strcmp(json_string_value(item), word) == 0) return;
    json_array_append_new(array, json_string(word));
}

static void append_port_once(json_t *array, json_int_t port)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item) if (json_integer_value(item) == port) return;
    json_array_append_new(array, json_integer(port));
}

static void note(json_t *row, json_int_t port, const char *source, const char *fault)
{
    char line[NAME_MAX_SHOWN];

    append_port_once(json_object_get(row, "ports"), port);
    append_text_once(json_object_get(row, "sources"), source);
    if (fault[0] == '\0')
        return;
    snprintf(line, sizeof(line), "fails on %lld: %s", (long long)port, fault);
    append_text_once(json_object_get(row, "faults"), line);
}

static void describe(json_t *row, const char *common_name, bool self_signed, const char *key_type, bool multi_server,
                     const char *issuer, const char *not_after)
{
    json_object_set_new(row, "common_name", json_string(common_name));
    json_object_set_new(row, "type", json_string(self_signed ? "Self-signed" : "CA-signed"));
    json_object_set_new(row, "key_type", json_string(key_type));
    json_object_set_new(row, "distribution", json_string(multi_server ? "Multi-server (SAN)" : ctl_text(row, "node")));
    json_object_set_new(row, "issued_by", json_string(issuer));
    json_object_set_new(row, "expiration", json_string(not_after));
}

/* A certificate that does not decode has no columns of its own: it is in the preflight report, with its reason. */
static void add_probed(json_t *rows, const json_t *probed)
{
    json_t *row;

    if (ctl_text(probed, "sha256")[0] == '\0' || json_object_get(probed, "key_type") == NULL)
        return;
    row = find_or_add(rows, ctl_text(probed, "node"), ctl_text(probed, "sha256"));
    note(row, json_integer_value(json_object_get(probed, "port")), "preflight",
         strcmp(ctl_text(probed, "verdict"), "fail") == 0 ? ctl_text(probed, "reason") : "");
    describe(row, ctl_text(probed, "common_name"), json_is_true(json_object_get(probed, "self_signed")),
             ctl_text(probed, "key_type"), json_is_true(json_object_get(probed, "multi_server")),
             ctl_text(probed, "issuer"), ctl_text(probed, "not_after"));
}

static void add_shown(json_t *rows, const json_t *entry)
{
    const json_t *leaf = json_array_get(json_object_get(entry, "certificates"), 0);
    const json_t *verdict = json_object_get(entry, "verdict");
    bool fails =
        json_is_true(json_object_get(verdict, "judged")) && !json_is_true(json_object_get(verdict, "accepted"));
    const char *issuer = ctl_text(leaf, "issuer_common_name");
    json_t *row;

    if (json_is_true(json_object_get(entry, "superseded")) || json_object_get(leaf, "key_type") == NULL)
        return;
    row = find_or_add(rows, ctl_text(entry, "host"), ctl_text(entry, "leaf_sha256"));
    note(row, json_integer_value(json_object_get(entry, "port")), "traffic", fails ? ctl_text(verdict, "error") : "");
    describe(row, ctl_text(leaf, "common_name"), strcmp(ctl_text(leaf, "type"), "self-signed") == 0,
             ctl_text(leaf, "key_type"), json_array_size(json_object_get(leaf, "names")) > 1,
             issuer[0] != '\0' ? issuer : ctl_text(leaf, "issuer"), ctl_text(leaf, "not_after"));
}

/* --- which certificate of the node it is -------------------------------------------------------------------------------- */

static bool is_tftp(json_int_t port)
{
    return port >= 6970 && port <= 6972;
}

static bool serves_more_than_tftp(const json_t *row)
{
    const json_t *port;
    size_t i;

    json_array_foreach(json_object_get(row, "ports"), i, port) if (!is_tftp(json_integer_value(port))) return true;
    return false;
}

/* A node has a tomcat and a CallManager certificate of each key type, and none says which it is. HTTPS of a node is tomcat's;
 * what TFTP alone shows is CallManager's, where the node's HTTPS shows another one of that key type. */
static const char *role(const json_t *rows, const json_t *row)
{
    bool ec = strcmp(ctl_text(row, "key_type"), "EC") == 0, call_manager = false;
    const json_t *other;
    size_t i;

    if (!serves_more_than_tftp(row))
        json_array_foreach(rows, i, other)
        {
            call_manager |= other != row && strcmp(ctl_text(other, "node"), ctl_text(row, "node")) == 0 &&
                            strcmp(ctl_text(other, "key_type"), ctl_text(row, "key_type")) == 0 &&
                            serves_more_than_tftp(other);
        }
    if (call_manager)
        return ec ? "CallManager-ECDSA" : "CallManager";
    return ec ? "tomcat-ECDSA" : "tomcat";
}

static json_t *description(const json_t *row)
{
    const json_t *item;
    char out[1024] = "on ";
    size_t i, used = strlen(out);

    json_array_foreach(json_object_get(row, "ports"), i, item) if (used < sizeof(out)) used += (size_t)snprintf(
        out + used, sizeof(out) - used, "%s%lld", i > 0 ? ", " : "", (long long)json_integer_value(item));
    json_array_foreach(json_object_get(row, "sources"), i, item) if (used < sizeof(out)) used +=
        (size_t)snprintf(out + used, sizeof(out) - used, "%s%s", i > 0 ? " and " : "; from ", json_string_value(item));
    json_array_foreach(json_object_get(row, "faults"), i, item) if (used < sizeof(out)) used +=
        (size_t)snprintf(out + used, sizeof(out) - used, "; %s", json_string_value(item));
    return json_string(out);
}

static int by_node(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int order = strcmp(ctl_text(x, "node"), ctl_text(y, "node"));

    order = order != 0 ? order : strcmp(ctl_text(x, "certificate"), ctl_text(y, "certificate"));
    return order != 0 ? order : strcmp(ctl_text(x, "sha256"), ctl_text(y, "sha256"));
}

static int by_number(const void *a, const void *b)
{
    json_int_t x = json_integer_value(*(json_t *const *)a), y = json_integer_value(*(json_t *const *)b);

    return (x > y) - (x < y);
}

/* The array in that order; takes it over. */
static json_t *sorted(json_t *array, int (*compare)(const void *, const void *))
{
    size_t count = json_array_size(array);
    json_t **items = calloc(count + 1, sizeof(json_t *)), *out = json_array();

    if (items == NULL) {
        json_decref(out);
        return array;
    }
    for (size_t i = 0; i < count; i++)
        items[i] = json_array_get(array, i);
    qsort(items, count, sizeof(json_t *), compare);
    for (size_t i = 0; i < count; i++)
        json_array_append(out, items[i]);
    free(items);
    json_decref(array);
    return out;
}

json_t *certs_view(const struct seen *seen)
{
    json_t *rows = json_array(), *row;
    const json_t *item;
    size_t i;

    json_array_foreach(seen->entries, i, item) add_shown(rows, item);
    json_array_foreach(seen->rows, i, item) add_probed(rows, item);
    json_array_foreach(rows, i, row)
    {
        json_object_set_new(row, "certificate", json_string(role(rows, row)));
        json_object_set_new(row, "ports", sorted(json_incref(json_object_get(row, "ports")), by_number));
        json_object_set_new(row, "description", description(row));
    }
    return sorted(rows, by_node);
}

/* --- filters ------------------------------------------------------------------------------------------------------------ */

/* The value of "column=value" when that is a column, else the whole filter with *column NULL. */
static const char *split(const char *filter, const char **column)
{
    size_t len = strcspn(filter, "=");

    *column = NULL;
    for (size_t i = 0; filter[len] == '=' && i < COLUMNS; i++)
        if (strlen(columns[i]) == len && strncmp(columns[i], filter, len) == 0)
            *column = columns[i];
    return *column != NULL ? filter + len + 1 : filter;
}

bool certs_filter_is_sound(const char *filter)
{
    const char *column, *value = split(filter, &column);

    return value[0] != '\0' && (column != NULL || strchr(filter, '=') == NULL);
}

bool certs_matches(const json_t *row, const char *filter)
{
    const char *column, *value = split(filter, &column);

    for (size_t i = 0; i < COLUMNS; i++)
        if ((column == NULL || column == columns[i]) && strcasestr(ctl_text(row, columns[i]), value) != NULL)
            return true;
    return false;
}
