/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/admin_input.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const expected[] = {
    [ADMIN_TEXT] = "a text", [ADMIN_NUMBER] = "a whole number", [ADMIN_SWITCH] = "true or false"};

static bool is_of(const json_t *value, enum admin_member_kind kind)
{
    switch (kind) {
    case ADMIN_TEXT: return json_is_string(value);
    case ADMIN_NUMBER: return json_is_integer(value);
    case ADMIN_SWITCH: return json_is_boolean(value);
    }
    return false;
}

static const struct admin_member *find(const struct admin_member *members, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

static void list_members(const struct admin_member *members, size_t count, char *out, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "", members[i].name);
}

static bool check(json_t *input, const struct admin_member *members, size_t count, char *error, size_t error_size)
{
    char names[200] = "";
    const char *name;
    json_t *value;

    json_object_foreach(input, name, value)
    {
        const struct admin_member *member = find(members, count, name);

        if (member == NULL) {
            list_members(members, count, names, sizeof(names));
            snprintf(error, error_size, "%.60s: unknown; there are: %s", name, names);
            return false;
        }
        if (!is_of(value, member->kind)) {
            snprintf(error, error_size, "%s: %s is expected", name, expected[member->kind]);
            return false;
        }
    }
    return true;
}

json_t *admin_input_read(struct slice body, const struct admin_member *members, size_t count, char *error,
                         size_t error_size)
{
    json_error_t fault = {0};
    json_t *input =
        body.len == 0 ? json_object() : json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, &fault);

    if (input == NULL)
        snprintf(error, error_size, "the body is no JSON: line %d: %.100s", fault.line, fault.text);
    else if (!json_is_object(input))
        snprintf(error, error_size, "the body is no JSON object");
    else if (check(input, members, count, error, error_size))
        return input;
    json_decref(input);
    return NULL;
}
