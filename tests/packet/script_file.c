/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of a script: its lines, names, macros and loops; and what begins and ends a case. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_mbuf.h>

#include "invariants.h"
#include "script_private.h"

#define LINE_MAX_BYTES 1024
#define DEPTH_MAX      16

struct script_file {
    struct script_file *next;
    char *path;
    char **lines;
    int count;
};

/* The body of a macro: lines [first, end) of its file. */
struct script_block {
    struct script_block *next;
    char *name;
    struct script_file *file;
    int first, end;
};

static void run_lines(struct script *s, struct script_file *file, int first, int end, int depth);
static void run_file(struct script *s, const char *path);

/* --- names ------------------------------------------------------------------------------------------------------------ */

static void set_name(struct script *s, const char *name, const char *value)
{
    for (uint32_t i = 0; i < s->names_count; i++) {
        if (strcmp(s->names[i].name, name) != 0)
            continue;
        free(s->names[i].value);
        s->names[i].value = strdup(value);
        return;
    }
    if (s->names_count == NAMES_MAX) {
        script_fail(s, "more than %u names", NAMES_MAX);
        return;
    }
    s->names[s->names_count++] = (struct script_name){strdup(name), strdup(value)};
}

static const char *get_name(const struct script *s, const char *name, size_t len)
{
    for (uint32_t i = 0; i < s->names_count; i++)
        if (strlen(s->names[i].name) == len && memcmp(s->names[i].name, name, len) == 0)
            return s->names[i].value;
    return NULL;
}

/* Puts what names stand for in their place; the comment goes. */
static void substitute(struct script *s, const char *from, char out[LINE_MAX_BYTES])
{
    size_t at = 0;

    while (*from && *from != '#' && at + 1 < LINE_MAX_BYTES) {
        const char *value;
        size_t len = 0;

        if (*from != '$') {
            out[at++] = *from++;
            continue;
        }
        from++;
        while (isalnum((unsigned char)from[len]) || from[len] == '_')
            len++;
        value = get_name(s, from, len);
        if (!value) {
            script_fail(s, "\"$%.*s\" stands for nothing", (int)len, from);
            break;
        }
        at += (size_t)snprintf(out + at, LINE_MAX_BYTES - at, "%s", value);
        from += len;
    }
    out[at < LINE_MAX_BYTES ? at : LINE_MAX_BYTES - 1] = '\0';
}

/* --- words ------------------------------------------------------------------------------------------------------------ */

/* Words are apart by blanks, and by what stands between numbers: "0+100", "100-200", "1 , 2". */
static void split(struct script *s, const char *text)
{
    char *spread = malloc(strlen(text) * 3 + 1), *to = spread, *word, *rest;

    for (const char *from = text; *from; from++) {
        bool between = from > text && from[-1] >= '0' && from[-1] <= '9';

        if (*from == '<' || *from == '>') {
            *to++ = ' ';
            *to++ = *from;
            *to++ = ' ';
        } else if (*from == ',' || (between && (*from == '+' || (*from == '-' && from[1] >= '0' && from[1] <= '9')))) {
            *to++ = ' ';
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    for (uint32_t i = 0; i < s->word_count; i++)
        free(s->words[i]);
    s->word_count = s->at = 0;
    for (word = strtok_r(spread, " \t\r\n", &rest); word && s->word_count < WORDS_MAX;
         word = strtok_r(NULL, " \t\r\n", &rest))
        s->words[s->word_count++] = strdup(word);
    free(spread);
}

/* --- what holds lines together ---------------------------------------------------------------------------------------- */

static bool begins_with(const char *line, const char *word)
{
    size_t len = strlen(word);

    while (*line == ' ' || *line == '\t')
        line++;
    return strncmp(line, word, len) == 0 && !isalnum((unsigned char)line[len]) && line[len] != '_';
}

/* The line of the "end" that belongs to the block whose first line is at. */
static int find_end(struct script *s, const struct script_file *file, int at)
{
    int open = 1;

    for (; at < file->count; at++) {
        if (begins_with(file->lines[at], "each") || begins_with(file->lines[at], "macro"))
            open++;
        else if (begins_with(file->lines[at], "end") && --open == 0)
            return at;
    }
    script_fail(s, "a block has no end");
    return file->count;
}

static void run_let(struct script *s)
{
    char name[64], value[32];
    uint32_t sum;

    snprintf(name, sizeof(name), "%s", script_next(s));
    sum = script_number(s);
    while (s->at < s->word_count && !s->failed) {
        if (script_accept(s, "-"))
            sum -= script_number(s);
        else if (script_accept(s, "+"))
            sum += script_number(s);
        else
            script_fail(s, "+ or - is expected, not \"%s\"", script_next(s));
    }
    snprintf(value, sizeof(value), "%d", (int32_t)sum);
    set_name(s, name, value);
}

static void run_each(struct script *s, struct script_file *file, int first, int end, int depth)
{
    char *words[WORDS_MAX], name[64];
    uint32_t count = 0;

    snprintf(name, sizeof(name), "%s", script_next(s));
    if (!script_accept(s, "in"))
        script_fail(s, "each NAME in WORD... is expected");
    while (s->at < s->word_count)
        words[count++] = strdup(script_next(s));
    for (uint32_t i = 0; i < count && !s->failed; i++) {
        set_name(s, name, words[i]);
        run_lines(s, file, first, end, depth + 1);
        if (s->failed)
            printf("  with %s = %s\n", name, words[i]);
    }
    for (uint32_t i = 0; i < count; i++)
        free(words[i]);
}

static void run_use(struct script *s, int depth)
{
    const char *name = script_next(s);
    struct script_block *macro = s->macros;
    const char *path = s->path;
    int line = s->line;

    while (macro && strcmp(macro->name, name) != 0)
        macro = macro->next;
    if (!macro) {
        script_fail(s, "no macro: \"%s\"", name);
        return;
    }
    for (uint32_t i = 1; s->at < s->word_count; i++) {
        char number[8];

        snprintf(number, sizeof(number), "%u", i);
        set_name(s, number, script_next(s));
    }
    s->path = macro->file->path;
    run_lines(s, macro->file, macro->first, macro->end, depth + 1);
    s->path = path;
    s->line = line;
    if (s->failed)
        printf("  used at %s:%d\n", path, line);
}

static void define_macro(struct script *s, struct script_file *file, int first, int end)
{
    struct script_block *macro = malloc(sizeof(*macro));

    *macro = (struct script_block){
        .next = s->macros, .name = strdup(script_next(s)), .file = file, .first = first, .end = end};
    s->macros = macro;
}

/* --- a line ----------------------------------------------------------------------------------------------------------- */

static void check_books(struct script *s)
{
    const char *wrong = s->tcp && !s->failed ? invariants_check(s->tcp) : NULL;

    if (wrong)
        script_fail(s, "after this line it is not so that %s", wrong);
}

static void run_command(struct script *s)
{
    uint64_t before_us = s->now_us;

    script_command(s);
    if (s->at < s->word_count)
        script_fail(s, "what is \"%s\"?", s->words[s->at]);
    check_books(s);
    /* "after" counts from the moment of the line before. */
    s->mark_us = s->now_us > before_us ? s->now_us : before_us;
}

static void run_include(struct script *s)
{
    const char *slash = strrchr(s->path, '/'), *path = s->path;
    char beside[512];
    int line = s->line;

    snprintf(beside, sizeof(beside), "%.*s%s", slash ? (int)(slash + 1 - s->path) : 0, s->path, script_next(s));
    run_file(s, beside);
    s->path = path;
    s->line = line;
}

static void run_lines(struct script *s, struct script_file *file, int first, int end, int depth)
{
    char text[LINE_MAX_BYTES];

    if (depth > DEPTH_MAX) {
        script_fail(s, "macros use each other more than %d deep", DEPTH_MAX);
        return;
    }
    for (int at = first; at < end && !s->failed; at++) {
        int block_end;

        s->line = at + 1;
        substitute(s, file->lines[at], text);
        split(s, text);
        if (s->word_count == 0 || s->failed)
            continue;
        if (script_accept(s, "each")) {
            block_end = find_end(s, file, at + 1);
            run_each(s, file, at + 1, block_end, depth);
            at = block_end;
        } else if (script_accept(s, "macro")) {
            block_end = find_end(s, file, at + 1);
            define_macro(s, file, at + 1, block_end);
            at = block_end;
        } else if (script_accept(s, "use")) {
            run_use(s, depth);
        } else if (script_accept(s, "let")) {
            run_let(s);
        } else if (script_accept(s, "include")) {
            run_include(s);
        } else if (script_accept(s, "fresh")) {
            script_fresh(s);
        } else {
            run_command(s);
        }
    }
}

/* --- the file --------------------------------------------------------------------------------------------------------- */

/* It stays until the script ends: macros are lines of it. */
static struct script_file *load(const char *path)
{
    FILE *stream = fopen(path, "r");
    struct script_file *file;
    char *line = NULL;
    size_t size = 0;

    if (!stream)
        return NULL;
    file = calloc(1, sizeof(*file));
    file->path = strdup(path);
    while (getline(&line, &size, stream) >= 0) {
        file->lines = realloc(file->lines, ((size_t)file->count + 1) * sizeof(*file->lines));
        file->lines[file->count++] = strdup(line);
    }
    free(line);
    fclose(stream);
    return file;
}

static void unload(struct script_file *file)
{
    for (int i = 0; i < file->count; i++)
        free(file->lines[i]);
    free(file->lines);
    free(file->path);
    free(file);
}

static void run_file(struct script *s, const char *path)
{
    struct script_file *file = load(path);

    if (!file) {
        script_fail(s, "%s cannot be read", path);
        return;
    }
    file->next = s->files;
    s->files = file;
    s->path = file->path;
    run_lines(s, file, 0, file->count, 0);
}

/* --- a case ----------------------------------------------------------------------------------------------------------- */

static void begin(struct script *s)
{
    s->now_us = s->mark_us = s->start_us = START_US;
    s->peer_isn = PEER_ISN;
    s->queued = s->taken = s->held_count = 0;
    s->holding = false;
    memset(s->flows, 0, sizeof(s->flows));
    s->flow = &s->flows[0];
    for (uint32_t i = 0; i < FLOWS; i++)
        s->flows[i].peer_port = (uint16_t)(50000 + i);
    tcp_config_default(&s->config);
    s->config.connections_max = 64;
    s->config.keepalive_idle_us = 0;
    memset(s->config.secret, 0x5a, sizeof(s->config.secret));
}

static void finish(struct script *s)
{
    const char *wrong = NULL;

    if (!s->failed && s->taken < s->queued)
        script_fail(s, "%u segments have gone out that no line expects", s->queued - s->taken);
    if (s->tcp)
        wrong = invariants_check_records(s->tcp);
    if (wrong)
        script_fail(s, "at the end it is not so that %s", wrong);
    tcp_destroy(s->tcp);
    s->tcp = NULL;
    for (uint32_t i = 0; i < s->held_count; i++)
        rte_pktmbuf_free(s->held[i].mbuf);
    if (!s->failed && rig_pools_missing(s->pools) > 0)
        script_fail(s, "%u mbufs are missing", rig_pools_missing(s->pools));
}

void script_fresh(struct script *s)
{
    finish(s);
    begin(s);
}

static void free_all(struct script *s)
{
    while (s->macros) {
        struct script_block *macro = s->macros;

        s->macros = macro->next;
        free(macro->name);
        free(macro);
    }
    while (s->files) {
        struct script_file *file = s->files;

        s->files = file->next;
        unload(file);
    }
    for (uint32_t i = 0; i < s->names_count; i++) {
        free(s->names[i].name);
        free(s->names[i].value);
    }
    for (uint32_t i = 0; i < s->word_count; i++)
        free(s->words[i]);
    free(s->queue);
}

bool script_run(const char *path, struct rig_pools *pools)
{
    static struct script script;
    struct script *s = &script;

    memset(s, 0, sizeof(*s));
    s->path = path;
    s->pools = pools;
    s->us = rig_address("198.18.1.1");
    s->peer = rig_address("198.18.1.2");
    s->queue = malloc(sizeof(*s->queue) * QUEUE_MAX);
    begin(s);
    run_file(s, path);
    finish(s);
    free_all(s);
    return !s->failed;
}
