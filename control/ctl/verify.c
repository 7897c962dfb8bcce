/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/command.h"
#include "ctl/file.h"
#include "ctl/options.h"
#include "ctl/when.h"
#include "report/verify_report.h"
#include "x509/crl_set.h"
#include "x509/pem.h"
#include "x509/store.h"

#define TRUST_FILES_MAX 32
#define CRL_FILES_MAX   64
#define DEPTH_MAX       (X509_PATH_MAX - 2) /* without the leaf and the anchor */

struct verify_options {
    const char *trust[TRUST_FILES_MAX];
    size_t trust_count;
    const char *crls[CRL_FILES_MAX];
    size_t crl_count;
    const char *chain, *intermediates, *name, *ocsp;
    uint64_t at_s;
    struct x509_policy policy;
    unsigned profile, purpose, revocation;
    bool revocation_said, json;
};

static const char usage[] =
    "usage: assayctl verify --trust CAS.pem --chain LEAF-FIRST.pem --name NAME-OR-IP [options]\n"
    "Judges a server's certificate chain for a name, as assayd does for every request.\n"
    "  --trust FILE          certificates that are trusted, each of them by itself (may be given again)\n"
    "  --chain FILE          what the server presents: its own certificate first\n"
    "  --name NAME-OR-IP     the address that the request is made for\n"
    "  --intermediates FILE  further CA certificates that may help, untrusted\n"
    "  --at TIME             judge at this moment: seconds since 1970 or RFC 3339 (default: now)\n"
    "  --cn-match WHEN       use the Common Name: fallback (default: only without a fitting SAN), either, never\n"
    "  --ip-as-dns           an address also matches a DNS name or Common Name spelled as that address\n"
    "  --max-depth N         at most N certificates between the server's and the trusted one (default: 8, 10 is the "
    "most)\n"
    "  --profile NAME        enterprise (default), rfc5280 or webpki: which rules beyond sound paths hold; the latter "
    "two\n"
    "                        use no Common Name\n"
    "  --purpose PURPOSE     server (default) or client: what the certificate is used as\n"
    "  --crl FILE            revocation lists, PEM or DER (may be given again)\n"
    "  --ocsp FILE           an OCSP response (DER) about the server's certificate, as it may staple one\n"
    "  --revocation MODE     off, soft-fail (no usable list or response: a warning) or hard-fail (the default with "
    "--crl\n"
    "                        and --ocsp)\n"
    "  --pin SHA256          a path must hold a public key (SubjectPublicKeyInfo) with this SHA-256, in hex (may be "
    "given\n"
    "                        again: one of them)\n"
    "  --json                the result as JSON, with each candidate path that failed and why it ended\n"
    "Files are PEM (one or more certificates), DER or PKCS#7.\n"
    "What a running assayd judged: assayctl verdicts. What nodes show when they are asked: assayctl preflight.\n"
    "exit status: 0 accepted, 1 rejected, 2 wrong usage\n";

/* A word of a list "a|b|c", as its index. */
static bool word_parse(const char *option, const char *text, const char *const *words, unsigned count, unsigned *out,
                       FILE *err)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return true;
        }
    fprintf(err, "assayctl verify: %s %s: not one of ", option, text);
    for (unsigned i = 0; i < count; i++)
        fprintf(err, "%s%s", words[i], i + 1 < count ? ", " : "\n");
    return false;
}

static const char *const cn_words[] = {
    [X509_CN_FALLBACK] = "fallback", [X509_CN_EITHER] = "either", [X509_CN_NEVER] = "never"};
static const char *const profile_words[] = {
    [X509_PROFILE_ENTERPRISE] = "enterprise", [X509_PROFILE_RFC5280] = "rfc5280", [X509_PROFILE_WEBPKI] = "webpki"};
static const char *const purpose_words[] = {[X509_PURPOSE_SERVER] = "server", [X509_PURPOSE_CLIENT] = "client"};
static const char *const revocation_words[] = {[X509_REVOCATION_OFF] = "off",
                                               [X509_REVOCATION_SOFT_FAIL] = "soft-fail",
                                               [X509_REVOCATION_HARD_FAIL] = "hard-fail"};

#define WORD(option, list, out) word_parse(option, optarg, list, sizeof(list) / sizeof(list[0]), out, err)

static bool pin_take(struct x509_policy *policy, const char *text, FILE *err)
{
    if (policy->pin_count == X509_PINS_MAX) {
        fprintf(err, "assayctl verify: more than %d --pin\n", X509_PINS_MAX);
        return false;
    }
    if (x509_pin_parse(slice_text(text), policy->pins[policy->pin_count]) != ASSAY_OK) {
        fprintf(err, "assayctl verify: --pin %s: not 64 hex digits\n", text);
        return false;
    }
    policy->pin_count++;
    return true;
}

static bool file_take(const char *option, const char **list, size_t *count, size_t max, FILE *err)
{
    if (*count == max) {
        fprintf(err, "assayctl verify: more than %zu %s files\n", max, option);
        return false;
    }
    list[(*count)++] = optarg;
    return true;
}

static bool depth_parse(const char *text, uint8_t *out)
{
    size_t length = strlen(text);
    int value = atoi(text);

    if (length == 0 || length > 3 || strspn(text, "0123456789") != length)
        return false;
    *out = (uint8_t)(value < DEPTH_MAX ? value : DEPTH_MAX);
    return true;
}

static bool option_take(void *into, int option, FILE *err)
{
    struct verify_options *options = into;
    unsigned word;

    switch (option) {
    case 't': return file_take("--trust", options->trust, &options->trust_count, TRUST_FILES_MAX, err);
    case 'l': return file_take("--crl", options->crls, &options->crl_count, CRL_FILES_MAX, err);
    case 'o': options->ocsp = optarg; return true;
    case 'f': return WORD("--profile", profile_words, &options->profile);
    case 'u': return WORD("--purpose", purpose_words, &options->purpose);
    case 'r': options->revocation_said = true; return WORD("--revocation", revocation_words, &options->revocation);
    case 'k': return pin_take(&options->policy, optarg, err);
    case 'c': options->chain = optarg; return true;
    case 'i': options->intermediates = optarg; return true;
    case 'n': options->name = optarg; return true;
    case 'a':
        if (ctl_when_parse(optarg, &options->at_s) == ASSAY_OK)
            return true;
        fprintf(err, "assayctl verify: --at %s: neither seconds since 1970 nor an RFC 3339 time\n", optarg);
        return false;
    case 'm':
        if (!WORD("--cn-match", cn_words, &word))
            return false;
        options->policy.cn_match = (enum x509_cn_match)word;
        return true;
    case 'd':
        if (depth_parse(optarg, &options->policy.depth_max))
            return true;
        fprintf(err, "assayctl verify: --max-depth %s: not a number from 0 to 999\n", optarg);
        return false;
    case 'p': options->policy.compat_ip_as_dns = true; return true;
    case 'j': options->json = true; return true;
    }
    return false;
}

static const struct option option_table[] = {
    {"trust", required_argument, NULL, 't'},     {"chain", required_argument, NULL, 'c'},
    {"name", required_argument, NULL, 'n'},      {"intermediates", required_argument, NULL, 'i'},
    {"at", required_argument, NULL, 'a'},        {"cn-match", required_argument, NULL, 'm'},
    {"ip-as-dns", no_argument, NULL, 'p'},       {"json", no_argument, NULL, 'j'},
    {"max-depth", required_argument, NULL, 'd'}, {"profile", required_argument, NULL, 'f'},
    {"purpose", required_argument, NULL, 'u'},   {"crl", required_argument, NULL, 'l'},
    {"ocsp", required_argument, NULL, 'o'},      {"revocation", required_argument, NULL, 'r'},
    {"pin", required_argument, NULL, 'k'},       CTL_OPTIONS_END,
};

static const struct ctl_options command = {
    .command = "verify", .usage = usage, .table = option_table, .take = option_take, .words_max = 0};

/* What follows from all of them together. */
static bool options_judge(struct verify_options *options, FILE *err)
{
    if (options->trust_count == 0 || options->chain == NULL || options->name == NULL) {
        fprintf(err, "assayctl verify: --trust, --chain and --name are needed (see --help)\n");
        return false;
    }
    options->policy.purpose = (enum x509_purpose)options->purpose;
    if (options->revocation_said)
        options->policy.revocation = (enum x509_revocation_mode)options->revocation;
    else if (options->crl_count > 0 || options->ocsp != NULL)
        options->policy.revocation = X509_REVOCATION_HARD_FAIL;
    x509_policy_profile(&options->policy, (enum x509_profile)options->profile);
    return true;
}

/* The bytes of a file and its certificates, decoded. */
struct bundle {
    uint8_t *data, *decoded;
    struct slice *der; /* empty: a block that does not decode */
    size_t *line;
    size_t count, room;
};

static void bundle_free(struct bundle *bundle)
{
    free(bundle->data);
    free(bundle->decoded);
    free(bundle->der);
    free(bundle->line);
}

static bool bundle_append(struct bundle *bundle, struct slice der, size_t line)
{
    if (bundle->count == bundle->room) {
        size_t room = bundle->room ? bundle->room * 2 : 16;
        struct slice *ders = realloc(bundle->der, room * sizeof(*ders));
        size_t *lines;

        if (ders == NULL)
            return false;
        bundle->der = ders;
        lines = realloc(bundle->line, room * sizeof(*lines));
        if (lines == NULL)
            return false;
        bundle->line = lines;
        bundle->room = room;
    }
    bundle->line[bundle->count] = line;
    bundle->der[bundle->count++] = der;
    return true;
}

static bool bundle_read(const char *path, bool crls, struct bundle *bundle, FILE *err)
{
    struct x509_pem_reader reader;
    struct slice der;
    size_t size, used = 0;
    uint8_t *block;
    enum assay_error error;

    memset(bundle, 0, sizeof(*bundle));
    error = ctl_file_read_max(path, crls ? X509_CRL_SIZE_MAX : CTL_FILE_MAX, &bundle->data, &size);
    if (error != ASSAY_OK) {
        fprintf(err, "assayctl verify: %s: %s\n", path, ctl_file_fault(error));
        return false;
    }
    /* Decoded bytes are fewer than their text: two buffers of the file's size hold all of them and the one at work. */
    bundle->decoded = malloc(2 * size + 1);
    if (bundle->decoded == NULL)
        return false;
    block = bundle->decoded + size;
    if (crls)
        x509_pem_begin_crls(&reader, slice_of(bundle->data, size), block, size);
    else
        x509_pem_begin(&reader, slice_of(bundle->data, size), block, size);
    while ((error = x509_pem_next(&reader, &der)) != ASSAY_ERR_NOT_FOUND) {
        if (error != ASSAY_OK)
            der = slice_of(NULL, 0);
        if (der.len > 0)
            memcpy(bundle->decoded + used, der.data, der.len);
        if (!bundle_append(bundle, slice_of(bundle->decoded + used, der.len), reader.block_line))
            return false;
        used += der.len;
    }
    if (bundle->count == 0)
        fprintf(err, "assayctl verify: %s: no %s in it\n", path, crls ? "CRL" : "certificate");
    return bundle->count > 0;
}

/* A certificate that cannot be used is named and left out: the verdict is then that of a store without it. */
static bool store_fill(struct x509_store *store, const char *path, enum x509_role role, FILE *err)
{
    struct bundle bundle;
    bool good = bundle_read(path, false, &bundle, err);

    for (size_t i = 0; good && i < bundle.count; i++) {
        const char *fault = "the PEM block does not decode";
        enum assay_error error =
            bundle.der[i].len ? x509_store_add(store, bundle.der[i], role, &fault) : ASSAY_ERR_MALFORMED;

        if (error == ASSAY_ERR_MALFORMED)
            fprintf(err, "assayctl verify: %s:%zu: certificate %zu left out: %s\n", path, bundle.line[i], i + 1, fault);
        else if (error != ASSAY_OK && error != ASSAY_ERR_DUPLICATE) {
            fprintf(err, "assayctl verify: %s: %s\n", path, assay_error_text(error));
            good = false;
        }
    }
    bundle_free(&bundle);
    return good;
}

/* A CRL that cannot be used is named and left out: hard-fail then refuses what it would have spoken for. */
static bool crls_fill(struct x509_crl_set *crls, const char *path, FILE *err)
{
    struct bundle bundle;
    bool good = bundle_read(path, true, &bundle, err);

    for (size_t i = 0; good && i < bundle.count; i++) {
        const char *fault = "the PEM block does not decode";
        enum assay_error error =
            bundle.der[i].len ? x509_crl_set_add(crls, bundle.der[i], &fault) : ASSAY_ERR_MALFORMED;

        if (error == ASSAY_ERR_MALFORMED || error == ASSAY_ERR_UNSUPPORTED)
            fprintf(err, "assayctl verify: %s:%zu: CRL %zu left out: %s\n", path, bundle.line[i], i + 1, fault);
        else if (error != ASSAY_OK && error != ASSAY_ERR_DUPLICATE) {
            fprintf(err, "assayctl verify: %s: %s\n", path, assay_error_text(error));
            good = false;
        }
    }
    bundle_free(&bundle);
    return good;
}

static bool trust_fill(const struct verify_options *options, struct x509_store *store, FILE *err)
{
    struct x509_crl_set *crls = options->crl_count > 0 ? x509_crl_set_create() : NULL;

    if (options->crl_count > 0 && crls == NULL) {
        fprintf(err, "assayctl verify: %s\n", assay_error_text(ASSAY_ERR_NO_MEMORY));
        return false;
    }
    x509_store_set_crls(store, crls);
    for (size_t i = 0; i < options->crl_count; i++)
        if (!crls_fill(crls, options->crls[i], err))
            return false;
    for (size_t i = 0; i < options->trust_count; i++)
        if (!store_fill(store, options->trust[i], X509_ROLE_ANCHOR, err))
            return false;
    return options->intermediates == NULL || store_fill(store, options->intermediates, X509_ROLE_HELPER, err);
}

static bool name_parse(const char *name, struct x509_identity *out, FILE *err)
{
    if (x509_identity_from_host(slice_text(name), out) == ASSAY_OK)
        return true;
    for (const char *c = name; *c != 0; c++)
        if ((unsigned char)*c >= 0x80) {
            fprintf(err, "assayctl verify: --name %s: not ASCII: give it as A-labels (xn--...)\n", name);
            return false;
        }
    fprintf(err, "assayctl verify: --name %s: neither a host name nor an IP address\n", name);
    return false;
}

static bool staple_read(const char *path, struct slice *out, FILE *err)
{
    enum assay_error error;
    uint8_t *data;
    size_t size;

    if (path == NULL)
        return true;
    error = ctl_file_read(path, &data, &size);
    if (error != ASSAY_OK) {
        fprintf(err, "assayctl verify: %s: %s\n", path, ctl_file_fault(error));
        return false;
    }
    *out = slice_of(data, size);
    return true;
}

static int verify_run(const struct verify_options *options, struct x509_store *store, FILE *out, FILE *err)
{
    struct verify_report report = {.at_s = options->at_s};
    static struct x509_trace trace; /* 64 KiB; this process judges once */
    struct x509_result result;
    struct slice staple = {NULL, 0};
    struct bundle chain;
    int status;

    if (!name_parse(options->name, &report.identity, err) || !trust_fill(options, store, err))
        return CTL_USAGE;
    if (!bundle_read(options->chain, false, &chain, err) || !staple_read(options->ocsp, &staple, err)) {
        bundle_free(&chain);
        return CTL_USAGE;
    }
    x509_verify_traced(store, chain.der, chain.count, staple, &report.identity, &options->policy, options->at_s,
                       &result, &trace);
    report.result = &result;
    report.trace = &trace;
    if (options->json)
        verify_report_json(&report, out);
    else
        verify_report_text(&report, out);
    status = x509_result_reason(&result) == X509_REASON_OK ? CTL_OK : CTL_REFUSED;
    free((void *)(uintptr_t)staple.data);
    bundle_free(&chain);
    return status;
}

int ctl_verify(int argc, char **argv, FILE *out, FILE *err)
{
    struct verify_options options = {.at_s = (uint64_t)time(NULL)};
    struct x509_store *store;
    struct ctl_words words;
    int status;

    x509_policy_default(&options.policy);
    options.policy.compat_ip_as_dns = false;
    if (!ctl_options_parse(&command, argc, argv, &options, &words, out, err, &status))
        return status;
    if (!options_judge(&options, err))
        return CTL_USAGE;
    store = x509_store_create();
    if (store == NULL) {
        fprintf(err, "assayctl verify: %s\n", assay_error_text(ASSAY_ERR_NO_MEMORY));
        return CTL_USAGE;
    }
    status = verify_run(&options, store, out, err);
    x509_store_free(store);
    return status;
}
