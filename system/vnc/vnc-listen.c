/* SPDX-License-Identifier: MIT
 *
 * Where a server listens: TCP ports 5900 and up, or a socket in the file system.
 */
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "system/vnc/vnc-internal.h"

#define VNC_PORT    5900
#define DISPLAY_MAX (65535 - VNC_PORT)

void vnc_address_clear(VNCAddress *address)
{
    g_clear_pointer(&address->host, g_free);
    g_clear_pointer(&address->service, g_free);
}

static VNCAddress address_from(const struct sockaddr_storage *sa, socklen_t len, const char *path)
{
    char host[NI_MAXHOST] = "", service[NI_MAXSERV] = "";

    if (sa->ss_family == AF_UNIX) {
        return (VNCAddress){g_strdup(""), g_strdup(path), "unix"};
    }
    getnameinfo((const struct sockaddr *)sa, len, host, sizeof(host), service, sizeof(service),
                NI_NUMERICHOST | NI_NUMERICSERV);
    return (VNCAddress){g_strdup(host), g_strdup(service),
                        sa->ss_family == AF_INET6 ? "ipv6" : "ipv4"};
}

/* ---- listening ------------------------------------------------------------------------------ */

static void accept_client(int fd, GIOCondition condition, void *opaque)
{
    VNCServer *server = opaque;
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    int client = accept4(fd, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC);

    if (client >= 0) {
        vnc_client_connected(server, client, address_from(&sa, len, server->address.service));
    }
}

/* The first address is what queries show. */
static void add_listener(VNCServer *server, int fd)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    GSource *source = event_loop_add_fd(server->machine->loop, fd, G_IO_IN, accept_client, server);

    g_ptr_array_add(server->sources, source);
    g_array_append_val(server->fds, fd);
    if (!server->address.service) {
        getsockname(fd, (struct sockaddr *)&sa, &len);
        server->address = address_from(&sa, len, server->socket_path);
    }
}

static bool socket_error(GError **error, const char *what, const char *where)
{
    g_set_error(error, VNC_ERROR, VNC_ERROR_SOCKET, "%s %s: %s", what, where, g_strerror(errno));
    return false;
}

static bool fill_unix(struct sockaddr_un *sa, const char *path, GError **error)
{
    if (strlen(path) >= sizeof(sa->sun_path) || !*path) {
        g_set_error(error, VNC_ERROR, VNC_ERROR_OPTION,
                    "unix:%s: expected a path of 1 to %zu bytes", path, sizeof(sa->sun_path) - 1);
        return false;
    }
    sa->sun_family = AF_UNIX;
    strcpy(sa->sun_path, path);
    return true;
}

static bool listen_unix(VNCServer *server, const char *path, GError **error)
{
    struct sockaddr_un sa = {0};
    struct stat st;
    int fd;

    if (server->socket_path) {
        g_set_error(error, VNC_ERROR, VNC_ERROR_OPTION, "unix:%s: one UNIX socket is enough", path);
        return false;
    }
    if (!fill_unix(&sa, path, error)) {
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        unlink(path); /* of a process that is no more; any other file is none of ours */
    }
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 16) < 0) {
        socket_error(error, "cannot listen on", path);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    server->socket_path = g_strdup(path);
    add_listener(server, fd);
    return true;
}

static int listen_on(const struct addrinfo *ai)
{
    int one = 1, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (ai->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    }
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 16) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* All addresses of the host on that port; at least one. */
static bool listen_port(VNCServer *server, const char *host, unsigned port, GError **error)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *list = NULL;
    g_autofree char *service = g_strdup_printf("%u", port);
    int ret = getaddrinfo(*host ? host : NULL, service, &hints, &list), saved = EADDRNOTAVAIL;
    guint before = server->fds->len;

    if (ret) {
        g_set_error(error, VNC_ERROR, VNC_ERROR_SOCKET, "%s: %s", host, gai_strerror(ret));
        return false;
    }
    for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
        int fd = listen_on(ai);

        if (fd >= 0) {
            add_listener(server, fd);
        } else if (errno != EAFNOSUPPORT) {
            saved = errno;
        }
    }
    freeaddrinfo(list);
    errno = saved;
    return server->fds->len > before || socket_error(error, "cannot listen on port", service);
}

/* ---- connecting (reverse) ------------------------------------------------------------------- */

static bool connect_to(VNCServer *server, const char *host, const char *service, GError **error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int ret = getaddrinfo(*host ? host : "localhost", service, &hints, &list), fd = -1;

    if (ret) {
        g_set_error(error, VNC_ERROR, VNC_ERROR_SOCKET, "%s: %s", host, gai_strerror(ret));
        return false;
    }
    for (struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next) {
        fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0) {
        return socket_error(error, "cannot connect to port", service);
    }
    server->address = (VNCAddress){g_strdup(host), g_strdup(service), "ipv4"};
    vnc_client_connected(server, fd, (VNCAddress){g_strdup(host), g_strdup(service), "ipv4"});
    return true;
}

/* ---- HOST:DISPLAY --------------------------------------------------------------------------- */

static bool parse_display(const char *text, unsigned limit, unsigned *ret, GError **error)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 10, 0, limit, &value, NULL)) {
        g_set_error(error, VNC_ERROR, VNC_ERROR_OPTION,
                    "display '%s': expected a number from 0 to %u", text, limit);
        return false;
    }
    *ret = (unsigned)value;
    return true;
}

/* Of HOST:NUMBER; [::1]:0 has brackets. */
static char *host_part(const char *where, const char *colon)
{
    gsize len = (gsize)(colon - where);

    return len > 1 && *where == '[' && colon[-1] == ']' ? g_strndup(where + 1, len - 2)
                                                        : g_strndup(where, len);
}

bool vnc_listen_at(VNCServer *server, const char *where, GError **error)
{
    const char *colon = strrchr(where, ':');
    g_autofree char *host = NULL;
    guint64 port;

    if (g_str_has_prefix(where, "unix:")) {
        return listen_unix(server, where + strlen("unix:"), error);
    }
    if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL)) {
        g_set_error(error, VNC_ERROR, VNC_ERROR_OPTION, "'%s': expected a port from 1 to 65535",
                    where);
        return false;
    }
    host = host_part(where, colon);
    return listen_port(server, host, (unsigned)port, error);
}

bool vnc_listen(VNCServer *server, const char *where, unsigned to, bool reverse, GError **error)
{
    const char *colon = strrchr(where, ':');
    g_autofree char *host = NULL;
    unsigned display;

    if (g_str_has_prefix(where, "unix:")) {
        return listen_unix(server, where + strlen("unix:"), error);
    }
    if (!colon) {
        g_set_error(error, VNC_ERROR, VNC_ERROR_OPTION,
                    "'%s': expected HOST:DISPLAY (as in :0), unix:PATH or none", where);
        return false;
    }
    host = host_part(where, colon);
    if (!parse_display(colon + 1, reverse ? 65535 : DISPLAY_MAX, &display, error)) {
        return false;
    }
    if (reverse) {
        return connect_to(server, host, colon + 1, error);
    }
    for (; display < to; display++) {
        if (listen_port(server, host, VNC_PORT + display, NULL)) {
            return true;
        }
    }
    return listen_port(server, host, VNC_PORT + display, error);
}

void vnc_unlisten(VNCServer *server)
{
    for (guint i = 0; i < server->sources->len; i++) {
        event_loop_remove_source(g_ptr_array_index(server->sources, i));
        close(g_array_index(server->fds, int, i));
    }
    g_ptr_array_set_size(server->sources, 0);
    g_array_set_size(server->fds, 0);
    if (server->socket_path) {
        unlink(server->socket_path);
    }
    g_clear_pointer(&server->socket_path, g_free);
}
