/* SPDX-License-Identifier: MIT
 *
 * Options about the process, not about a machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include "quoin-config.h"
#include "hw/core/module.h"
#include "system/cmdline.h"
#include "system/log.h"
#include "system/process.h"

bool handle_help(VMM *vmm, const char *value, GError **error)
{
    return command_show(vmm, help_options());
}

bool handle_version(VMM *vmm, const char *value, GError **error)
{
    return command_show(vmm, g_strdup("quoin version " QUOIN_VERSION "\n"));
}

bool handle_nothing(VMM *vmm, const char *value, GError **error)
{
    return true;
}

/* Both prefixes of -msg are the process's, like stderr itself. */
static bool message_timestamp;
static char *message_guest; /* NULL: not wanted */

static void print_message(const gchar *text)
{
    if (message_timestamp) {
        g_autoptr(GDateTime) now = g_date_time_new_now_utc();
        g_autofree char *when = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ ");

        fputs(when, stderr);
    }
    fprintf(stderr, "%s%s%s", message_guest ? message_guest : "", message_guest ? " " : "", text);
    fflush(stderr);
}

bool handle_msg(VMM *vmm, const char *value, GError **error)
{
    static const char *const known[] = {"timestamp", "guest-name", NULL};
    g_autoptr(Options) options = options_parse(value, NULL, error);

    if (!options || !options_get_bool(options, "timestamp", &message_timestamp, error) ||
        !options_get_bool(options, "guest-name", &vmm->message_guest_name, error) ||
        !options_check_unused(options, "-msg", known, error)) {
        return false;
    }
    g_set_printerr_handler(print_message);
    return true;
}

void process_name_messages(const char *guest)
{
    g_free(message_guest);
    message_guest = g_strdup(guest);
}

bool handle_log(VMM *vmm, const char *value, GError **error)
{
    if (g_str_equal(value, "help") || g_str_equal(value, "?")) {
        return command_show(vmm, log_help());
    }
    return log_set_items(value, error);
}

bool handle_log_file(VMM *vmm, const char *value, GError **error)
{
    return log_set_file(value, error);
}

bool handle_plugin(VMM *vmm, const char *value, GError **error)
{
    return module_load(value, error);
}

bool handle_data_dir(VMM *vmm, const char *value, GError **error)
{
    if (!g_file_test(value, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR, "there is no such folder");
        return false;
    }
    g_string_append_printf(vmm->data_dirs, "%s%s", vmm->data_dirs->len ? ":" : "", value);
    return true;
}

/* ---- background ---------------------------------------------------------------------- */

/* The parent's part: its exit status is whether the child got ready. */
static void G_GNUC_NORETURN wait_for_child(pid_t child, int ready_fd)
{
    char byte;
    int status = 1;
    ssize_t n;

    do {
        n = read(ready_fd, &byte, 1);
    } while (n < 0 && errno == EINTR);
    if (n != 1 && waitpid(child, &status, 0) == child && WIFEXITED(status)) {
        _exit(WEXITSTATUS(status) ? WEXITSTATUS(status) : 1);
    }
    _exit(n == 1 ? 0 : 1);
}

bool handle_daemonize(VMM *vmm, const char *value, GError **error)
{
    vmm->daemonize = true;
    return true;
}

bool process_begin_daemon(VMM *vmm, GError **error)
{
    int fds[2];
    pid_t child;

    if (pipe2(fds, O_CLOEXEC) < 0 || (child = fork()) < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "-daemonize: cannot start a process: %s", g_strerror(errno));
        return false;
    }
    if (child > 0) {
        close(fds[1]);
        wait_for_child(child, fds[0]);
    }
    close(fds[0]);
    setsid();
    vmm->ready_fd = fds[1];
    return true;
}

void process_finish_daemon(VMM *vmm)
{
    int null_fd;

    if (vmm->ready_fd < 0) {
        return;
    }
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (chdir("/") < 0) {
        g_printerr("quoin: cannot leave the working folder: %s\n", g_strerror(errno));
    }
    for (int fd = 0; fd <= 2 && null_fd >= 0; fd++) {
        dup2(null_fd, fd);
    }
    if (write(vmm->ready_fd, "", 1) < 0) {
        /* The parent is gone: nobody waits. */
    }
    close(vmm->ready_fd);
    vmm->ready_fd = -1;
}

/* ---- pid file ------------------------------------------------------------------------- */

bool handle_pidfile(VMM *vmm, const char *value, GError **error)
{
    g_free(vmm->pidfile);
    vmm->pidfile = g_canonicalize_filename(value, NULL);
    return true;
}

/* The lock is kept, so a second process sees that the first one lives. */
bool process_write_pidfile(VMM *vmm, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());
    struct stat st;
    int fd = open(vmm->pidfile, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "-pidfile %s: cannot write it: %s", vmm->pidfile, g_strerror(errno));
        return false;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST, "-pidfile %s: another process has it",
                    vmm->pidfile);
        g_clear_pointer(&vmm->pidfile, g_free);
        return false;
    }
    if (ftruncate(fd, 0) < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "-pidfile %s: cannot write it: %s", vmm->pidfile, g_strerror(errno));
        close(fd);
        return false;
    }
    vmm->pidfile_made = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    return true;
}

/* Only what we made: not another process's, not /dev/null. */
void process_remove_pidfile(VMM *vmm)
{
    if (vmm->pidfile_made) {
        g_unlink(vmm->pidfile);
    }
}
