/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/admin.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/address.h"
#include "daemon/admin_request.h"
#include "daemon/arena.h"
#include "daemon/survey.h"

#define CONNECTIONS_MAX  64
#define READY_PEER_MAX   8 /* connections of one address: nobody keeps a load balancer out */
#define IDLE_TIMEOUT_S   15
#define UPLOAD_MAX       TRUST_FILE_MAX
#define READY_UPLOAD_MAX 1024
/* Of work on a request that waits for its answer: */
#define FIRST_PIECE_US 2000  /* at once: most registries are small */
#define PIECE_US       10000 /* each time the loop comes by */

struct admin {
    struct control *control;
    struct MHD_Daemon *api;
    struct MHD_Daemon *ready; /* NULL: not configured */
    char *socket_path;        /* ours, to be removed */
    struct upload *waiting;   /* requests whose answer takes longer, the first one first: one at a time is worked on */
    bool draining;
};

/* A request while its body comes in, and while it waits for its answer. */
struct upload {
    struct text body;
    bool too_large;
    struct survey survey;
    struct MHD_Connection *connection; /* suspended */
    struct upload *next;
};

/* --- HTTP --------------------------------------------------------------------------------------------------------------------------- */

static const char *query_value(const void *arg, const char *name)
{
    const char *value = NULL;
    size_t len;

    /* a key without a value (?help) counts as there */
    if (MHD_lookup_connection_value_n((struct MHD_Connection *)(uintptr_t)arg, MHD_GET_ARGUMENT_KIND, name,
                                      strlen(name), &value, &len) == MHD_NO)
        return NULL;
    return value != NULL ? value : "";
}

static enum MHD_Result send_json(struct MHD_Connection *connection, const struct admin_answer *answer)
{
    char *text = json_dumps(answer->body, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    struct MHD_Response *response;
    enum MHD_Result result;

    if (text == NULL)
        return MHD_NO;
    response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "application/json");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (answer->allow[0] != '\0')
        MHD_add_response_header(response, "Allow", answer->allow);
    result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static void too_large(struct admin_answer *answer)
{
    answer->status = 413;
    answer->body = json_pack("{s:s}", "error", "the body is too large");
}

/* Nothing is heard of the connection until wake(). */
static void wait_for_answer(struct admin *admin, struct MHD_Connection *connection, struct upload *upload)
{
    struct upload **end = &admin->waiting;

    while (*end != NULL)
        end = &(*end)->next;
    *end = upload;
    upload->connection = connection;
    MHD_suspend_connection(connection);
}

/* The first of those that wait is asked about again. */
static void wake(struct admin *admin)
{
    struct upload *upload = admin->waiting;

    admin->waiting = upload->next;
    upload->next = NULL;
    MHD_resume_connection(upload->connection);
}

/* Called with each piece of the body, then once without any: then it is answered, or asked about again by and by. */
static enum MHD_Result take(struct admin *admin, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *data, size_t *size, void **state, bool only_ready)
{
    struct upload *upload = *state;
    struct admin_request request = {method, url, query_value, connection, {NULL, 0}, NULL};
    struct admin_answer answer = {.status = 500};
    enum MHD_Result result;

    if (upload == NULL) {
        *state = memory_alloc(sizeof(*upload));
        return MHD_YES;
    }
    if (*size > 0) {
        upload->too_large |= upload->body.len + *size > (only_ready ? READY_UPLOAD_MAX : UPLOAD_MAX);
        if (!upload->too_large)
            text_add(&upload->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    request.body = text_slice(&upload->body);
    request.survey = &upload->survey;
    upload->survey.first_us = admin->waiting == NULL ? FIRST_PIECE_US : 0;
    if (upload->too_large)
        too_large(&answer);
    else if (only_ready)
        admin_answer_ready(admin->control, admin->draining, &request, &answer);
    else
        admin_answer(admin->control, admin->draining, (uint64_t)time(NULL), &request, &answer);
    if (answer.status == ADMIN_LATER) {
        wait_for_answer(admin, connection, upload);
        return MHD_YES;
    }
    result = send_json(connection, &answer);
    json_decref(answer.body);
    return result;
}

static enum MHD_Result on_api(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    return take(arg, connection, url, method, data, size, state, false);
}

static enum MHD_Result on_ready(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                const char *version, const char *data, size_t *size, void **state)
{
    return take(arg, connection, url, method, data, size, state, true);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct upload *upload = *state;

    if (upload == NULL)
        return;
    text_free(&upload->body);
    survey_end(&upload->survey);
    free(upload);
    *state = NULL;
}

/* peer_max: connections of one address; 0: any number. */
static struct MHD_Daemon *serve(struct admin *admin, int fd, MHD_AccessHandlerCallback handler, unsigned peer_max)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handler, admin,
                            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT, peer_max, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
}

/* --- sockets ------------------------------------------------------------------------------------------------------------------------ */

/* Does somebody listen there? Then it is another daemon's (EAGAIN: a busy one's); else what a crash left behind. */
static bool answered(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool yes = fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN);

    if (fd >= 0)
        close(fd);
    return yes;
}

/* Takes away what a crash left behind, and nothing else that may have the name. */
static bool make_place(const char *path, struct problems *problems)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return true; /* nothing is there, or bind() will say what is wrong */
    if (!S_ISSOCK(status.st_mode)) {
        problems_add(problems, path, 0, "is there and is no socket: the admin socket would replace it");
        return false;
    }
    (void)unlink(path);
    return true;
}

static void make_parent(const char *path)
{
    char *parent = strdup(path);
    char *slash = parent != NULL ? strrchr(parent, '/') : NULL;

    if (slash != NULL && slash != parent) {
        *slash = '\0';
        (void)mkdir(parent, 0755); /* there already, or bind() will say what is wrong */
    }
    free(parent);
}

static bool set_owner(const struct config *config, const char *path, struct problems *problems)
{
    const struct config_admin *admin = &config->root.admin;
    struct group *group = admin->group != NULL ? getgrnam(admin->group) : NULL;

    if (admin->group != NULL && group == NULL) {
        problems_add(problems, config->file, config_line(config, &admin->group), "admin.group: there is no group %s",
                     admin->group);
        return false;
    }
    if (chmod(path, (mode_t)admin->mode) == 0 && (group == NULL || chown(path, (uid_t)-1, group->gr_gid) == 0))
        return true;
    problems_add(problems, path, 0, "its permissions cannot be set: %s", strerror(errno));
    return false;
}

static int listen_unix(const struct config *config, struct problems *problems)
{
    const char *path = config->root.admin.socket;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t mask;
    int fd;

    /* the table bounds its length */
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (answered(&address)) {
        problems_add(problems, path, 0, "another assayd answers on this socket");
        return -1;
    }
    make_parent(path);
    if (!make_place(path, problems))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mask = umask(0177); /* nobody else before its permissions are set */
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 64) == 0) {
        umask(mask);
        if (set_owner(config, path, problems))
            return fd;
        close(fd);
        return -1;
    }
    umask(mask);
    problems_add(problems, path, 0, "the admin socket cannot be made: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int listen_ready(const struct config *config, struct problems *problems)
{
    const struct config_endpoint *at = &config->root.admin.readiness;
    bool ip4 = address_is_ip4(&at->address);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(at->port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(at->port)};
    const struct sockaddr *address = ip4 ? (const struct sockaddr *)&in : (const struct sockaddr *)&in6;
    int fd = socket(ip4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;

    if (ip4)
        in.sin_addr.s_addr = address_ip4_be(&at->address);
    else
        memcpy(&in6.sin6_addr, at->address.bytes, sizeof(in6.sin6_addr));
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, address, ip4 ? sizeof(in) : sizeof(in6)) == 0 && listen(fd, 64) == 0)
        return fd;
    problems_add(problems, config->file, config_line(config, at), "admin.readiness: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* --- life --------------------------------------------------------------------------------------------------------------------------- */

static bool start_api(struct admin *admin, struct problems *problems)
{
    const struct config *config = admin->control->config;
    int fd = listen_unix(config, problems);

    if (fd < 0)
        return false;
    admin->socket_path = strdup(config->root.admin.socket);
    admin->api = serve(admin, fd, on_api, 0);
    if (admin->api != NULL)
        return true;
    close(fd);
    problems_add(problems, "admin", 0, "libmicrohttpd did not start");
    return false;
}

static bool start_ready(struct admin *admin, struct problems *problems)
{
    const struct config *config = admin->control->config;
    int fd;

    if (!config->root.admin.readiness.set)
        return true;
    fd = listen_ready(config, problems);
    if (fd < 0)
        return false;
    admin->ready = serve(admin, fd, on_ready, READY_PEER_MAX);
    if (admin->ready != NULL)
        return true;
    close(fd);
    problems_add(problems, "admin", 0, "libmicrohttpd did not start");
    return false;
}

struct admin *admin_create(struct control *control, struct problems *problems)
{
    struct admin *admin = memory_alloc(sizeof(*admin));

    admin->control = control;
    if (start_api(admin, problems) && start_ready(admin, problems))
        return admin;
    admin_free(admin);
    return NULL;
}

void admin_free(struct admin *admin)
{
    if (admin == NULL)
        return;
    while (admin->waiting != NULL) /* closed without an answer: their work is not done any more */
        wake(admin);
    if (admin->api != NULL)
        MHD_stop_daemon(admin->api);
    if (admin->ready != NULL)
        MHD_stop_daemon(admin->ready);
    /* may fail after the user changed: the next start replaces it */
    if (admin->socket_path != NULL)
        (void)unlink(admin->socket_path);
    free(admin->socket_path);
    free(admin);
}

static size_t add_fd(struct MHD_Daemon *server, struct pollfd *out)
{
    const union MHD_DaemonInfo *info = server != NULL ? MHD_get_daemon_info(server, MHD_DAEMON_INFO_EPOLL_FD) : NULL;

    if (info == NULL)
        return 0;
    *out = (struct pollfd){.fd = info->epoll_fd, .events = POLLIN};
    return 1;
}

size_t admin_fds(struct admin *admin, struct pollfd *out)
{
    size_t count = add_fd(admin->api, out);

    return count + add_fd(admin->ready, out + count);
}

/* What runs may be another section by now: then the request is put again, and begins again. */
static void work(struct admin *admin)
{
    struct upload *upload = admin->waiting;

    if (upload == NULL)
        return;
    if (!survey_is_current(&upload->survey, admin->control) ||
        survey_run(&upload->survey, admin->control, (uint64_t)time(NULL), PIECE_US))
        wake(admin);
}

bool admin_is_working(const struct admin *admin)
{
    return admin->waiting != NULL;
}

void admin_run(struct admin *admin)
{
    work(admin);
    MHD_run(admin->api);
    if (admin->ready != NULL)
        MHD_run(admin->ready);
}

void admin_set_draining(struct admin *admin)
{
    admin->draining = true;
}

bool admin_draining(const struct admin *admin)
{
    return admin->draining;
}
