/* SPDX-License-Identifier: MIT
 *
 * The terminal's settings: changed once, put back on every way out.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "system/char/char-internal.h"
#include "system/loop/main-loop.h"

/* A process has one controlling terminal; signal handlers read this. */
static struct {
    int fd;
    struct termios saved, raw;
    _Atomic bool active;
} terminal;

/* In the background this raises SIGTTOU, which would stop the process on its way out. */
static void set_attributes(int fd, const struct termios *tio)
{
    sigset_t ttou, old;

    sigemptyset(&ttou);
    sigaddset(&ttou, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &ttou, &old);
    tcsetattr(fd, TCSANOW, tio);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void terminal_restore(void)
{
    if (atomic_exchange(&terminal.active, false)) {
        set_attributes(terminal.fd, &terminal.saved);
    }
}

static void handle_continue(int signo)
{
    int saved_errno = errno;

    if (atomic_load(&terminal.active)) {
        set_attributes(terminal.fd, &terminal.raw);
    }
    errno = saved_errno;
}

static void make_raw(struct termios *tio, bool signals)
{
    tio->c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    tio->c_oflag |= OPOST;
    tio->c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN | (signals ? 0 : ISIG));
    tio->c_cflag = (tio->c_cflag & ~(CSIZE | PARENB)) | CS8;
    tio->c_cc[VMIN] = 1;
    tio->c_cc[VTIME] = 0;
}

bool terminal_set_raw(int fd, bool signals, GError **error)
{
    struct sigaction action = {.sa_handler = handle_continue, .sa_flags = SA_RESTART};
    static bool at_exit;

    if (!isatty(fd)) {
        return true;
    }
    if (tcgetattr(fd, &terminal.saved) < 0) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN,
                    "cannot read the terminal's settings: %s", g_strerror(errno));
        return false;
    }
    terminal.fd = fd;
    terminal.raw = terminal.saved;
    make_raw(&terminal.raw, signals);
    if (!at_exit) {
        at_exit = true;
        atexit(terminal_restore);
    }
    main_loop_set_emergency_cleanup(terminal_restore);
    atomic_store(&terminal.active, true);
    sigaction(SIGCONT, &action, NULL);
    tcsetattr(fd, TCSANOW, &terminal.raw);
    return true;
}

void terminal_make_raw(int fd)
{
    struct termios tio;

    if (tcgetattr(fd, &tio) == 0) {
        cfmakeraw(&tio);
        tcsetattr(fd, TCSAFLUSH, &tio);
    }
}
