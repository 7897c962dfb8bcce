/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chains: judges every case, prints those whose verdict is another than expected; exit 1 when there is one.
 * chains --write DIR: writes DIR/cases.tsv and the files of each case, for compare-verifiers. */
#include "chains.h"

#include <openssl/pem.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "x509/crl_set.h"
#include "x509/store.h"

void *chains_root_key(void)
{
    return forge_key(FORGE_P256, 0);
}

void *chains_int_key(void)
{
    return forge_key(FORGE_P256, 1);
}

void *chains_leaf_key(void)
{
    return forge_key(FORGE_P256, 2);
}

struct forge chains_root(void)
{
    return (struct forge){
        .subject = "R",
        .key = chains_root_key(),
        .extensions = {forge_ca(-1), forge_ski("R"), forge_usage(X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN)}};
}

struct forge chains_int(void)
{
    return (struct forge){.subject = "I",
                          .issuer = "R",
                          .key = chains_int_key(),
                          .signer = chains_root_key(),
                          .serial = forge_integer(0x77),
                          .extensions = {forge_ca(-1), forge_ski("I"), forge_aki("R"),
                                         forge_usage(X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN)}};
}

struct forge chains_leaf(void)
{
    return (struct forge){
        .subject = "leaf",
        .issuer = "I",
        .key = chains_leaf_key(),
        .signer = chains_int_key(),
        .extensions = {forge_san(forge_dns(CHAINS_HOST)), forge_aki("I"), forge_usage(X509_KU_DIGITAL_SIGNATURE)}};
}

void chains_add(struct chain_list *list, const struct chain_case *what, const char *format, ...)
{
    va_list arguments;

    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 256;
        list->cases = realloc(list->cases, list->room * sizeof(*list->cases));
        if (list->cases == NULL)
            abort();
    }
    list->cases[list->count] = *what;
    va_start(arguments, format);
    vsnprintf(list->cases[list->count].id, sizeof(what->id), format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->cases[i].id, list->cases[list->count].id) == 0) {
            fprintf(stderr, "chains: %s is there twice\n", list->cases[i].id);
            exit(2);
        }
    list->count++;
}

static size_t listed(const struct slice *ders, size_t max)
{
    size_t count = 0;

    while (count < max && ders[count].len > 0)
        count++;
    return count;
}

static enum x509_reason judge(const struct chain_case *what, struct x509_result *result)
{
    struct x509_store *store = x509_store_create();
    struct x509_crl_set *crls = x509_crl_set_create();
    struct x509_identity identity;
    struct x509_policy policy;

    x509_policy_default(&policy);
    policy.compat_ip_as_dns = false;
    policy.purpose = what->purpose;
    if (what->crls[0].len > 0)
        policy.revocation = X509_REVOCATION_HARD_FAIL;
    x509_policy_profile(&policy, what->profile);
    /* What the store or the set refuses is not there, as assayctl verify does it. */
    for (size_t i = 0; i < listed(what->trust, 4); i++)
        if (x509_store_add(store, what->trust[i], X509_ROLE_ANCHOR, NULL) == ASSAY_ERR_NO_MEMORY)
            abort();
    for (size_t i = 0; i < listed(what->crls, 4); i++)
        if (x509_crl_set_add(crls, what->crls[i], NULL) == ASSAY_ERR_NO_MEMORY)
            abort();
    x509_store_set_crls(store, crls);
    if (x509_identity_from_host(slice_text(what->name ? what->name : CHAINS_HOST), &identity) != ASSAY_OK)
        abort();
    x509_verify(store, what->chain, listed(what->chain, 10), &identity, &policy,
                (uint64_t)(what->now ? what->now : FORGE_NOW), result);
    x509_store_free(store);
    return x509_result_reason(result);
}

static int run(const struct chain_list *list)
{
    size_t wrong = 0, refused = 0;

    for (size_t i = 0; i < list->count; i++) {
        struct x509_result result;
        enum x509_reason reason = judge(&list->cases[i], &result);

        refused += list->cases[i].expected != X509_REASON_OK;
        if (reason == list->cases[i].expected)
            continue;
        wrong++;
        printf("%s: %s (%s), expected %s by %s\n", list->cases[i].id, x509_reason_name(reason),
               result.detail ? result.detail : "", x509_reason_name(list->cases[i].expected), list->cases[i].source);
    }
    printf("%zu chains, %zu of them to be refused: %zu wrong\n", list->count, refused, wrong);
    return wrong > 0 || list->count < 400;
}

static void write_pem(const char *directory, size_t number, const char *name, const char *label,
                      const struct slice *ders, size_t count)
{
    char path[512];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%zu.%s.pem", directory, number, name);
    out = fopen(path, "w");
    if (out == NULL) {
        perror(path);
        exit(2);
    }
    for (size_t i = 0; i < count; i++)
        PEM_write(out, label, "", ders[i].data, (long)ders[i].len);
    fclose(out);
}

static int write_all(const struct chain_list *list, const char *directory)
{
    char path[512];
    FILE *table;

    mkdir(directory, 0777);
    snprintf(path, sizeof(path), "%s/cases.tsv", directory);
    table = fopen(path, "w");
    if (table == NULL) {
        perror(path);
        return 2;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct chain_case *what = &list->cases[i];
        size_t certificates = listed(what->chain, 10), crls = listed(what->crls, 4);

        /* Their profiles are not ours. */
        if (what->profile != X509_PROFILE_ENTERPRISE)
            continue;
        write_pem(directory, i, "trust", "CERTIFICATE", what->trust, listed(what->trust, 4));
        write_pem(directory, i, "leaf", "CERTIFICATE", what->chain, certificates > 0);
        write_pem(directory, i, "chain", "CERTIFICATE", what->chain, certificates);
        if (crls > 0)
            write_pem(directory, i, "crls", "X509 CRL", what->crls, crls);
        fprintf(table, "%zu\t%s\t%s\t%s\t%lld\t%s\t%zu\t%s\n", i, what->id,
                what->expected == X509_REASON_OK ? "accept" : "refuse", what->name ? what->name : CHAINS_HOST,
                (long long)(what->now ? what->now : FORGE_NOW),
                what->purpose == X509_PURPOSE_CLIENT ? "client" : "server", crls, what->source);
    }
    return fclose(table) == 0 ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct chain_list list = {NULL, 0, 0};
    int status;

    chains_paths(&list);
    chains_signatures(&list);
    chains_names(&list);
    chains_status(&list);
    chains_odd(&list);
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        status = write_all(&list, argv[2]);
    } else if (argc == 1) {
        status = run(&list);
    } else {
        fprintf(stderr, "usage: chains [--write DIR]\n");
        status = 2;
    }
    free(list.cases);
    forge_free();
    return status;
}
