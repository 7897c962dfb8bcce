/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/config.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/address.h"
#include "daemon/config_table.h"

/* A walk over the YAML tree, the table in hand. */
struct reader {
    struct config *config;
    struct problems *problems;
    yaml_document_t *document;
    struct config_value_context values;
};

static uint32_t line_of(const yaml_node_t *node)
{
    return (uint32_t)node->start_mark.line + 1;
}

static void fault_at(struct reader *reader, uint32_t line, const char *path, const char *fault)
{
    problems_add(reader->problems, reader->config->file, line, "%s: %s", path, fault);
}

static void place_add(struct config *config, const void *field, uint32_t line, bool value)
{
    if (config->place_count == config->place_capacity) {
        config->place_capacity = config->place_capacity > 0 ? config->place_capacity * 2 : 64;
        config->places = memory_grow(config->places, config->place_capacity * sizeof(*config->places));
    }
    config->places[config->place_count] = (struct config_place){field, line, (uint32_t)config->place_count, value};
    config->place_count++;
}

static int by_address(const void *a, const void *b)
{
    const struct config_place *x = a, *y = b;

    if (x->field != y->field)
        return (uintptr_t)x->field < (uintptr_t)y->field ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* The first place of that address; its others follow it. NULL: none. */
static const struct config_place *place_find(const struct config *config, const void *field)
{
    size_t low = 0, high = config->place_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if ((uintptr_t)config->places[middle].field < (uintptr_t)field)
            low = middle + 1;
        else
            high = middle;
    }
    return low < config->place_count && config->places[low].field == field ? &config->places[low] : NULL;
}

uint32_t config_line(const struct config *config, const void *field)
{
    const struct config_place *place = place_find(config, field);

    return place != NULL ? place->line : 0;
}

bool config_is_set(const struct config *config, const void *field)
{
    const struct config_place *place = place_find(config, field), *end = config->places + config->place_count;

    for (; place != NULL && place < end && place->field == field; place++)
        if (place->value)
            return true;
    return false;
}

static void read_group(struct reader *reader, enum config_group group, const yaml_node_t *node, uint32_t line,
                       const char *path, void *out);

/* The text of a scalar, or NULL: a NUL inside would hide what follows it. */
static const char *scalar_text(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE || strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
        return NULL;
    return (const char *)node->data.scalar.value;
}

/* "key:" with nothing behind it reads as absent rather than as the empty text. */
static bool is_null(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (node->data.scalar.length == 0 || strcmp((const char *)node->data.scalar.value, "~") == 0 ||
            strcmp((const char *)node->data.scalar.value, "null") == 0);
}

static void read_scalar(struct reader *reader, const struct config_key *key, const yaml_node_t *node, const char *path,
                        void *field)
{
    const char *text = scalar_text(node), *fault;

    if (text == NULL) {
        fault_at(reader, line_of(node), path,
                 node->type == YAML_SCALAR_NODE ? "a NUL byte is not allowed" : "a single value is expected");
        return;
    }
    fault = config_value_parse(&reader->values, key, text, field);
    if (fault != NULL)
        fault_at(reader, line_of(node), path, fault);
}

struct any_list {
    uint32_t count;
    void *items;
};

static void set_list(const struct config_key *key, void *field, struct any_list list)
{
    if (key->kind == CONFIG_PREFIXES) {
        struct config_prefixes *prefixes = field;

        prefixes->count = list.count;
        prefixes->items = list.items;
    } else {
        memcpy(field, &list, sizeof(list));
    }
}

static void read_list(struct reader *reader, const struct config_key *key, const yaml_node_t *node, const char *path,
                      void *field)
{
    size_t size = config_element_size(key->kind);
    struct any_list list = {0, NULL};
    const char *text = scalar_text(node);

    if (key->kind == CONFIG_PREFIXES && text != NULL && strcmp(text, "any") == 0) {
        ((struct config_prefixes *)field)->any = true;
        return;
    }
    if (node->type == YAML_MAPPING_NODE) {
        fault_at(reader, line_of(node), path, "a list is expected");
        return;
    }
    if (node->type == YAML_SCALAR_NODE) { /* a list of one */
        list = (struct any_list){1, arena_alloc(&reader->config->arena, size)};
        place_add(reader->config, list.items, line_of(node), true);
        read_scalar(reader, key, node, path, list.items);
        set_list(key, field, list);
        return;
    }
    list.items = arena_alloc(&reader->config->arena,
                             size * (size_t)(node->data.sequence.items.top - node->data.sequence.items.start));
    for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
        const yaml_node_t *element = yaml_document_get_node(reader->document, *item);
        void *out = (char *)list.items + size * list.count++;
        char *below = arena_printf(&reader->config->arena, "%s[%u]", path, list.count - 1);

        place_add(reader->config, out, line_of(element), true);
        read_scalar(reader, key, element, below, out);
    }
    set_list(key, field, list);
    if (list.count == 0 && key->need == CONFIG_REQUIRED)
        fault_at(reader, line_of(node), path, "the list is empty");
}

static void read_groups(struct reader *reader, const struct config_key *key, const yaml_node_t *node, const char *path,
                        void *field)
{
    size_t size = config_groups[key->sub].size, count;
    struct any_list list = {0, NULL};

    if (node->type != YAML_SEQUENCE_NODE) {
        fault_at(reader, line_of(node), path, "a list of mappings is expected");
        return;
    }
    count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (count < key->min || count > key->max) {
        problems_add(reader->problems, reader->config->file, line_of(node), "%s: %zu entries, not within %llu to %llu",
                     path, count, (unsigned long long)key->min, (unsigned long long)key->max);
        return;
    }
    list.items = arena_alloc(&reader->config->arena, size * count);
    for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
        const yaml_node_t *element = yaml_document_get_node(reader->document, *item);
        void *out = (char *)list.items + size * list.count++;
        char *below = arena_printf(&reader->config->arena, "%s[%u]", path, list.count - 1);

        read_group(reader, key->sub, element, line_of(element), below, out);
    }
    set_list(key, field, list);
}

static void read_key(struct reader *reader, const struct config_key *key, const yaml_node_t *node, const char *path,
                     void *out)
{
    void *field = (char *)out + key->offset;

    place_add(reader->config, field, line_of(node), key->kind != CONFIG_GROUP);
    if (key->kind == CONFIG_GROUP)
        read_group(reader, key->sub, node, line_of(node), path, field);
    else if (key->kind == CONFIG_GROUPS)
        read_groups(reader, key, node, path, field);
    else if (config_element_size(key->kind) > 0)
        read_list(reader, key, node, path, field);
    else
        read_scalar(reader, key, node, path, field);
}

static void read_absent(struct reader *reader, const struct config_key *key, uint32_t line, const char *path, void *out)
{
    void *field = (char *)out + key->offset;
    struct any_list list;
    void *target = field;
    const char *fault;

    if (key->need == CONFIG_REQUIRED) {
        fault_at(reader, line, path, "is required");
        return;
    }
    if (key->kind == CONFIG_GROUP) { /* its keys have defaults of their own */
        read_group(reader, key->sub, NULL, line, path, field);
        return;
    }
    if (key->initial == NULL)
        return;
    if (config_element_size(key->kind) > 0) {
        list = (struct any_list){1, arena_alloc(&reader->config->arena, config_element_size(key->kind))};
        target = list.items;
        set_list(key, field, list);
    }
    fault = config_value_parse(&reader->values, key, key->initial, target);
    if (fault != NULL) /* a bug of the table; its unit test finds it first */
        fault_at(reader, line, path, fault);
}

static const struct config_key *find_key(enum config_group group, const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (config_keys[i].group == group && strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}

static const char *join(struct reader *reader, const char *path, const char *name)
{
    return *path == '\0' ? name : arena_printf(&reader->config->arena, "%s.%s", path, name);
}

static const yaml_node_t *find_pair(struct reader *reader, const yaml_node_t *node, const char *name)
{
    if (node == NULL)
        return NULL;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const char *text = scalar_text(yaml_document_get_node(reader->document, pair->key));

        if (text != NULL && strcmp(text, name) == 0)
            return yaml_document_get_node(reader->document, pair->value);
    }
    return NULL;
}

/* Every key of the file must be one of the table's, and be there once. */
static void check_keys(struct reader *reader, enum config_group group, const yaml_node_t *node, const char *path)
{
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name_node = yaml_document_get_node(reader->document, pair->key);
        const char *name = scalar_text(name_node);

        if (name == NULL) {
            fault_at(reader, line_of(name_node), *path != '\0' ? path : "the file", "a key must be a word");
            continue;
        }
        name = arena_text(&reader->config->arena, name);
        if (find_key(group, name) == NULL)
            fault_at(reader, line_of(name_node), join(reader, path, name), "unknown key");
        for (yaml_node_pair_t *other = node->data.mapping.pairs.start; other < pair; other++) {
            const char *earlier = scalar_text(yaml_document_get_node(reader->document, other->key));

            if (earlier != NULL && strcmp(earlier, name) == 0) {
                fault_at(reader, line_of(name_node), join(reader, path, name), "is there twice");
                break;
            }
        }
    }
}

static void read_group(struct reader *reader, enum config_group group, const yaml_node_t *node, uint32_t line,
                       const char *path, void *out)
{
    if (node != NULL && is_null(node))
        node = NULL;
    if (node != NULL && node->type != YAML_MAPPING_NODE) {
        fault_at(reader, line, *path != '\0' ? path : "the file", "a mapping (key: value) is expected");
        return;
    }
    place_add(reader->config, out, line, false);
    if (node != NULL)
        check_keys(reader, group, node, path);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        const yaml_node_t *value;
        const char *below;

        if (key->group != group)
            continue;
        below = join(reader, path, key->name);
        value = find_pair(reader, node, key->name);
        if (value == NULL || (is_null(value) && key->kind != CONFIG_GROUP))
            read_absent(reader, key, line, below, out);
        else
            read_key(reader, key, value, below, out);
    }
}

/* --- the file ------------------------------------------------------------------------------------------------------------- */

static bool load_document(yaml_parser_t *parser, yaml_document_t *document, struct config *config,
                          struct problems *problems)
{
    if (yaml_parser_load(parser, document))
        return true;
    problems_add(problems, config->file, (uint32_t)parser->problem_mark.line + 1, "not YAML: %s%s%s",
                 parser->problem != NULL ? parser->problem : "cannot be read", parser->context != NULL ? ", " : "",
                 parser->context != NULL ? parser->context : "");
    return false;
}

/* A second document would be ignored silently. */
static void refuse_second_document(yaml_parser_t *parser, struct config *config, struct problems *problems)
{
    yaml_document_t next;
    const yaml_node_t *root;

    if (!load_document(parser, &next, config, problems))
        return;
    root = yaml_document_get_root_node(&next);
    if (root != NULL)
        problems_add(problems, config->file, line_of(root), "a second YAML document: only one is read");
    yaml_document_delete(&next);
}

/* False: there is nothing in it. */
static bool read_file(struct config *config, struct problems *problems)
{
    struct reader reader = {.config = config, .problems = problems};
    const char *slash = strrchr(config->file, '/');
    const yaml_node_t *root = NULL;
    yaml_document_t document;
    yaml_parser_t parser;
    bool readable = false;

    if (!yaml_parser_initialize(&parser)) {
        problems_add(problems, config->file, 0, "out of memory");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)config->text, config->text_length);
    if (load_document(&parser, &document, config, problems)) {
        reader.document = &document;
        reader.values.arena = &config->arena;
        reader.values.directory =
            slash == NULL ? "" : arena_text_n(&config->arena, config->file, (size_t)(slash - config->file));
        root = yaml_document_get_root_node(&document);
        if (root == NULL)
            problems_add(problems, config->file, 0, "the file is empty");
        else
            read_group(&reader, CONFIG_GROUP_root, root, line_of(root), "", &config->root);
        readable = root != NULL && root->type == YAML_MAPPING_NODE;
        if (root != NULL)
            refuse_second_document(&parser, config, problems);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return readable;
}

static struct config *parse(struct slice text, const char *file, struct problems *problems)
{
    struct config *config = memory_alloc(sizeof(*config));

    config->file = arena_text(&config->arena, file);
    config->text = arena_text_n(&config->arena, (const char *)text.data, text.len);
    config->text_length = text.len;
    config->readable = read_file(config, problems);
    if (config->place_count > 0)
        qsort(config->places, config->place_count, sizeof(*config->places), by_address);
    return config;
}

struct config *config_parse(struct slice text, const char *file, struct problems *problems)
{
    size_t before = problems->count;
    struct config *config = parse(text, file, problems);

    if (problems->count == before)
        return config;
    config_free(config);
    return NULL;
}

static struct config *load(const char *file, struct problems *problems,
                           struct config *(*reader)(struct slice, const char *, struct problems *))
{
    struct config *config = NULL;
    struct text text = {0};
    enum assay_error error = text_read_file(&text, file, CONFIG_FILE_MAX);

    if (error == ASSAY_OK)
        config = reader(text_slice(&text), file, problems);
    else
        problems_add(problems, file, 0, "cannot be read: %s", assay_error_text(error));
    text_free(&text);
    return config;
}

struct config *config_load(const char *file, struct problems *problems)
{
    return load(file, problems, config_parse);
}

struct config *config_load_partial(const char *file, struct problems *problems)
{
    struct config *config = load(file, problems, parse);

    if (config == NULL || config->readable)
        return config;
    config_free(config);
    return NULL;
}

struct config *config_defaults(const char *file)
{
    struct problems missing = {0}; /* what is required and has no default */
    struct config *config = parse(slice_text("{}"), file, &missing);

    problems_free(&missing);
    return config;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    free(config->places);
    arena_free(&config->arena);
    free(config);
}

const char *config_deployment_of(const struct config *config, const char *host)
{
    for (uint32_t i = 0; host != NULL && i < config->root.nodes.count; i++) {
        const struct config_node *node = &config->root.nodes.items[i];

        if (node->address != NULL && strcmp(node->address, host) == 0)
            return node->deployment;
    }
    return "1";
}

const struct assay_address *config_ip6_address(const struct config *config, unsigned index)
{
    const struct config_interfaces *own = &config->root.port.address;

    for (uint32_t i = 0; i < own->count; i++)
        if (!address_is_ip4(&own->items[i].address) && index-- == 0)
            return &own->items[i].address;
    return NULL;
}
