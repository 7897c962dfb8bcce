/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/print.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/problems.h"

void ctl_print_json(const json_t *value, FILE *out)
{
    json_dumpf(value, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
}

const char *ctl_text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));

    return value != NULL ? value : "";
}

void ctl_print_lines(const json_t *list, const char *prefix, FILE *out)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item) if (json_is_string(item)) fprintf(out, "%s%s\n", prefix, json_string_value(item));
}

json_t *ctl_json_text(const char *text)
{
    json_t *out = json_string(text); /* NULL: it is no UTF-8 */
    char *ascii = out == NULL ? strdup(text) : NULL;

    for (char *c = ascii; c != NULL && *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    if (ascii != NULL)
        out = json_string(ascii);
    free(ascii);
    return out;
}

void ctl_print_problems(const struct problems *problems, FILE *err)
{
    for (size_t i = 0; i < problems->kept; i++)
        fprintf(err, "%s\n", problems->items[i]);
    if (problems->count > problems->kept)
        fprintf(err, "(and %zu more)\n", problems->count - problems->kept);
    for (size_t i = 0; i < problems->warnings_kept; i++)
        fprintf(err, "warning: %s\n", problems->warnings[i]);
}

/* --- tables ---------------------------------------------------------------------------------------------------------------- */

/* A cell is one line, and nothing in it is an order to the terminal: control characters (C0, DEL, C1) become '?'. */
static void make_plain(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++)
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
        else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
            c[0] = c[1] = '?';
}

static void value_text(const json_t *value, char *buffer, size_t size)
{
    const json_t *item;
    size_t used = 0, i;

    if (json_is_string(value)) {
        snprintf(buffer, size, "%s", json_string_value(value));
        make_plain(buffer);
    } else if (json_is_integer(value)) {
        snprintf(buffer, size, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        snprintf(buffer, size, "%.3f", json_real_value(value));
    } else if (json_is_boolean(value)) {
        snprintf(buffer, size, "%s", json_is_true(value) ? "yes" : "no");
    } else if (json_is_array(value)) {
        buffer[0] = '\0';
        json_array_foreach(value, i, item)
        {
            char text[256];

            value_text(item, text, sizeof(text));
            if (used < size)
                used += (size_t)snprintf(buffer + used, size - used, "%s%s", i > 0 ? "," : "", text);
        }
    } else {
        snprintf(buffer, size, "-");
    }
}

const char *ctl_member_text(const json_t *object, const char *member, char *buffer, size_t size)
{
    value_text(json_object_get(object, member), buffer, size);
    return buffer;
}

/* Characters, not bytes: names may be UTF-8. */
static unsigned columns_of(const char *text)
{
    unsigned count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* The text within max columns. */
static void fit(char *text, size_t size, unsigned max)
{
    unsigned count = 0;

    if (max == 0 || columns_of(text) <= max)
        return;
    for (char *c = text; *c != '\0'; c++) {
        if (((unsigned char)*c & 0xc0) == 0x80 || ++count < max)
            continue;
        if ((size_t)(c - text) + sizeof("…") <= size)
            memcpy(c, "…", sizeof("…"));
        return;
    }
}

static void print_cell(FILE *out, const char *text, unsigned width, bool last)
{
    fputs(text, out);
    for (unsigned n = columns_of(text); !last && n < width + 2; n++)
        fputc(' ', out);
}

void ctl_table_print(FILE *out, const json_t *rows, const struct ctl_column *columns, size_t count)
{
    unsigned *widths = calloc(count, sizeof(*widths));
    const json_t *row;
    char text[1024];
    size_t i;

    if (widths == NULL)
        return;
    for (size_t k = 0; k < count; k++)
        widths[k] = columns_of(columns[k].title);
    json_array_foreach(rows, i, row)
    {
        for (size_t k = 0; k < count; k++) {
            unsigned width;

            ctl_member_text(row, columns[k].member, text, sizeof(text));
            fit(text, sizeof(text), columns[k].width_max);
            width = columns_of(text);
            widths[k] = width > widths[k] ? width : widths[k];
        }
    }
    for (size_t k = 0; k < count; k++)
        print_cell(out, columns[k].title, widths[k], k + 1 == count);
    fputc('\n', out);
    json_array_foreach(rows, i, row)
    {
        for (size_t k = 0; k < count; k++) {
            ctl_member_text(row, columns[k].member, text, sizeof(text));
            fit(text, sizeof(text), columns[k].width_max);
            print_cell(out, text, widths[k], k + 1 == count);
        }
        fputc('\n', out);
    }
    free(widths);
}
