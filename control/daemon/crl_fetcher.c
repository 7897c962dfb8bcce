/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/crl_fetcher.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/address.h"
#include "daemon/arena.h"
#include "daemon/crl_cache.h"
#include "daemon/text.h"
#include "x509/pem.h"

#define POLL_MS         1000
#define CONNECT_MS      10000
#define ANSWER_MAX_HEAD (64 << 10) /* of header fields */

/* Something to do: a fetch or a write. */
struct task {
    struct task *next;
    bool store;
    struct crl_request request;
    struct x509_crl_record *record;
    char *directory;
    uint64_t cache_bytes_max;
};

struct given {
    struct given *next;
    struct crl_answer answer;
};

/* A fetch under way. Thread: the fetcher's. */
struct transfer {
    struct transfer *next;
    struct crl_request request;
    CURL *easy;
    struct curl_slist *connect_to;
    struct text body;
    size_t head_bytes;
    bool too_large;
    char error[CURL_ERROR_SIZE];
};

struct crl_fetcher {
    pthread_t thread;
    CURLM *multi;
    struct transfer *transfers;
    /* shared, under the lock */
    pthread_mutex_t lock;
    struct task *tasks, **tasks_end;
    struct given *answers, **answers_end;
    unsigned fetches; /* asked and not answered */
    bool stop;
};

static void answer(struct crl_fetcher *fetcher, const struct crl_answer *what)
{
    struct given *given = memory_alloc(sizeof(*given));

    given->answer = *what;
    pthread_mutex_lock(&fetcher->lock);
    *fetcher->answers_end = given;
    fetcher->answers_end = &given->next;
    if (!what->stored)
        fetcher->fetches--;
    pthread_mutex_unlock(&fetcher->lock);
}

/* --- what came ------------------------------------------------------------------------------------------------------------------ */

static struct x509_crl_record *read_first(struct x509_pem_reader *reader, char *error)
{
    struct x509_crl_record *record = NULL;
    const char *fault = NULL;
    struct slice der;

    if (x509_pem_next(reader, &der) != ASSAY_OK) {
        snprintf(error, CRL_FETCH_TEXT_MAX, "what came is no CRL (DER or PEM)");
        return NULL;
    }
    switch (x509_crl_record_create(der, &record, &fault)) {
    case ASSAY_OK: break;
    case ASSAY_ERR_MALFORMED:
    case ASSAY_ERR_UNSUPPORTED:
        snprintf(error, CRL_FETCH_TEXT_MAX, "what came is no usable CRL: %s", fault != NULL ? fault : "malformed");
        return NULL;
    default: snprintf(error, CRL_FETCH_TEXT_MAX, "out of memory for the CRL"); return NULL;
    }
    if (x509_pem_next(reader, &der) == ASSAY_ERR_NOT_FOUND)
        return record;
    /* Which of them would be meant? */
    snprintf(error, CRL_FETCH_TEXT_MAX, "more than one CRL came");
    x509_crl_record_unref(record);
    return NULL;
}

struct x509_crl_record *crl_fetcher_read(struct slice body, char *error)
{
    struct x509_pem_reader reader;
    uint8_t *buffer = memory_alloc(body.len + 1);
    struct x509_crl_record *record;

    x509_pem_begin_crls(&reader, body, buffer, body.len);
    record = read_first(&reader, error);
    free(buffer);
    return record;
}

static void take_status(struct transfer *transfer, struct crl_answer *out)
{
    long status = 0;
    char *redirect = NULL;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &redirect);
    if (redirect != NULL && strlen(redirect) <= CRL_URL_MAX) {
        out->redirected = true;
        snprintf(out->redirect, sizeof(out->redirect), "%s", redirect);
    } else if (status == 200) {
        out->record = crl_fetcher_read(text_slice(&transfer->body), out->error);
    } else {
        snprintf(out->error, sizeof(out->error), "the server answered %ld", status);
    }
}

static void transfer_end(struct crl_fetcher *fetcher, struct transfer *transfer, CURLcode code)
{
    struct crl_answer out = {.id = transfer->request.id};

    if (transfer->too_large)
        snprintf(out.error, sizeof(out.error), "larger than %llu bytes",
                 (unsigned long long)transfer->request.bytes_max);
    else if (code != CURLE_OK)
        snprintf(out.error, sizeof(out.error), "%.*s", CRL_FETCH_TEXT_MAX - 1,
                 transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code));
    else
        take_status(transfer, &out);
    answer(fetcher, &out);
}

/* --- the network ------------------------------------------------------------------------------------------------------------------ */

static size_t on_body(char *data, size_t one, size_t len, void *arg)
{
    struct transfer *transfer = arg;

    if (transfer->body.len + len > transfer->request.bytes_max) {
        transfer->too_large = true;
        return 0; /* ends the transfer */
    }
    text_add(&transfer->body, data, len);
    return len * one;
}

static size_t on_head(char *data, size_t one, size_t len, void *arg)
{
    struct transfer *transfer = arg;

    (void)data;
    transfer->head_bytes += len;
    return transfer->head_bytes <= ANSWER_MAX_HEAD ? len * one : 0;
}

static void transfer_free(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->connect_to);
    text_free(&transfer->body);
    free(transfer);
}

/* "HOST:PORT:ADDRESS:PORT": the URL's host, reached at the address that control chose. */
static struct curl_slist *connect_to(const struct crl_request *request)
{
    bool brackets = strchr(request->url.host, ':') != NULL, address6 = !address_is_ip4(&request->address);
    char address[ASSAY_ADDRESS_TEXT_MAX];
    struct curl_slist *list;
    struct text text = {0};

    address_format(&request->address, address);
    text_printf(&text, "%s%s%s:%u:%s%s%s:%u", brackets ? "[" : "", request->url.host, brackets ? "]" : "",
                request->url.port, address6 ? "[" : "", address, address6 ? "]" : "", request->url.port);
    list = curl_slist_append(NULL, text_get(&text));
    text_free(&text);
    return list;
}

static bool set_options(struct transfer *transfer)
{
    const struct crl_request *request = &transfer->request;
    long connect_ms = request->timeout_ms < CONNECT_MS ? (long)request->timeout_ms : CONNECT_MS;
    CURL *easy = transfer->easy;

    transfer->connect_to = connect_to(request);
    return transfer->connect_to != NULL && curl_easy_setopt(easy, CURLOPT_URL, request->url.text) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer->connect_to) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "assay") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK;
}

static void transfer_begin(struct crl_fetcher *fetcher, const struct crl_request *request)
{
    struct transfer *transfer = memory_alloc(sizeof(*transfer));

    transfer->request = *request;
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL || !set_options(transfer) ||
        curl_multi_add_handle(fetcher->multi, transfer->easy) != CURLM_OK) {
        transfer_end(fetcher, transfer, CURLE_FAILED_INIT);
        transfer_free(transfer);
        return;
    }
    transfer->next = fetcher->transfers;
    fetcher->transfers = transfer;
}

static void transfer_remove(struct crl_fetcher *fetcher, struct transfer *transfer)
{
    struct transfer **at = &fetcher->transfers;

    while (*at != transfer)
        at = &(*at)->next;
    *at = transfer->next;
    curl_multi_remove_handle(fetcher->multi, transfer->easy);
    transfer_free(transfer);
}

static void network_turn(struct crl_fetcher *fetcher)
{
    const CURLMsg *message;
    int running, left;

    curl_multi_perform(fetcher->multi, &running);
    while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
        struct transfer *transfer = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        transfer_end(fetcher, transfer, message->data.result);
        transfer_remove(fetcher, transfer);
    }
}

/* --- the thread ------------------------------------------------------------------------------------------------------------------- */

static void store(struct crl_fetcher *fetcher, const struct task *task)
{
    struct crl_answer out = {.id = task->request.id, .stored = true};
    enum assay_error error =
        crl_cache_write(task->directory, task->request.url.text, task->record->crl.der, task->cache_bytes_max);

    if (error != ASSAY_OK)
        snprintf(out.error, sizeof(out.error), "%s", assay_error_text(error));
    answer(fetcher, &out);
}

static void task_free(struct task *task)
{
    x509_crl_record_unref(task->record);
    free(task->directory);
    free(task);
}

/* False: the end. */
static bool take_tasks(struct crl_fetcher *fetcher)
{
    struct task *task, *next;
    bool stop;

    pthread_mutex_lock(&fetcher->lock);
    task = fetcher->tasks;
    fetcher->tasks = NULL;
    fetcher->tasks_end = &fetcher->tasks;
    stop = fetcher->stop;
    pthread_mutex_unlock(&fetcher->lock);
    for (; task != NULL; task = next) {
        next = task->next;
        if (task->store)
            store(fetcher, task); /* at the end too: it was believed, and the next start would want it */
        else if (!stop)
            transfer_begin(fetcher, &task->request);
        task_free(task);
    }
    return !stop;
}

static void *run(void *arg)
{
    struct crl_fetcher *fetcher = arg;

    while (take_tasks(fetcher)) {
        network_turn(fetcher);
        curl_multi_poll(fetcher->multi, NULL, 0, POLL_MS, NULL);
    }
    while (fetcher->transfers != NULL)
        transfer_remove(fetcher, fetcher->transfers);
    return NULL;
}

struct crl_fetcher *crl_fetcher_create(void)
{
    struct crl_fetcher *fetcher;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    fetcher = memory_alloc(sizeof(*fetcher));
    fetcher->tasks_end = &fetcher->tasks;
    fetcher->answers_end = &fetcher->answers;
    fetcher->multi = curl_multi_init();
    pthread_mutex_init(&fetcher->lock, NULL);
    if (fetcher->multi != NULL && pthread_create(&fetcher->thread, NULL, run, fetcher) == 0) {
        pthread_setname_np(fetcher->thread, "assay-crls");
        return fetcher;
    }
    if (fetcher->multi != NULL)
        curl_multi_cleanup(fetcher->multi);
    pthread_mutex_destroy(&fetcher->lock);
    free(fetcher);
    curl_global_cleanup();
    return NULL;
}

void crl_fetcher_free(struct crl_fetcher *fetcher)
{
    struct crl_answer left;

    if (fetcher == NULL)
        return;
    pthread_mutex_lock(&fetcher->lock);
    fetcher->stop = true;
    pthread_mutex_unlock(&fetcher->lock);
    curl_multi_wakeup(fetcher->multi);
    pthread_join(fetcher->thread, NULL);
    while (crl_fetcher_next(fetcher, &left))
        x509_crl_record_unref(left.record);
    curl_multi_cleanup(fetcher->multi);
    pthread_mutex_destroy(&fetcher->lock);
    free(fetcher);
    curl_global_cleanup();
}

/* --- control's side --------------------------------------------------------------------------------------------------------------- */

static bool put_task(struct crl_fetcher *fetcher, struct task *task)
{
    bool room;

    pthread_mutex_lock(&fetcher->lock);
    room = task->store || fetcher->fetches < CRL_FETCHES_MAX;
    if (room) {
        *fetcher->tasks_end = task;
        fetcher->tasks_end = &task->next;
        fetcher->fetches += !task->store;
    }
    pthread_mutex_unlock(&fetcher->lock);
    if (room)
        curl_multi_wakeup(fetcher->multi);
    return room;
}

bool crl_fetcher_ask(struct crl_fetcher *fetcher, const struct crl_request *request)
{
    struct task *task = memory_alloc(sizeof(*task));

    task->request = *request;
    if (put_task(fetcher, task))
        return true;
    task_free(task);
    return false;
}

void crl_fetcher_store(struct crl_fetcher *fetcher, uint64_t id, struct x509_crl_record *record, const char *directory,
                       const char *url, uint64_t cache_bytes_max)
{
    struct task *task = memory_alloc(sizeof(*task));
    size_t length = strlen(directory) + 1;

    task->store = true;
    task->request.id = id;
    snprintf(task->request.url.text, sizeof(task->request.url.text), "%s", url);
    task->record = x509_crl_record_ref(record);
    task->directory = memory_alloc(length);
    memcpy(task->directory, directory, length);
    task->cache_bytes_max = cache_bytes_max;
    (void)put_task(fetcher, task);
}

bool crl_fetcher_next(struct crl_fetcher *fetcher, struct crl_answer *out)
{
    struct given *given;

    pthread_mutex_lock(&fetcher->lock);
    given = fetcher->answers;
    if (given != NULL) {
        fetcher->answers = given->next;
        if (fetcher->answers == NULL)
            fetcher->answers_end = &fetcher->answers;
    }
    pthread_mutex_unlock(&fetcher->lock);
    if (given == NULL)
        return false;
    *out = given->answer;
    free(given);
    return true;
}
