/* SPDX-License-Identifier: MIT
 *
 * A child process that runs cases natively, a batch at a time, so that a case
 * which tramples on its process is only a failed case.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/oracle/case.h"

typedef struct Shared {
    volatile unsigned done;
    Case cases[BATCH_MAX];
    Result results[BATCH_MAX];
} Shared;

struct Worker {
    Shared *shared;
    pid_t pid;
    int to_child, from_child;
};

static void child_main(Shared *s, int in, int out)
{
    unsigned count;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!native_init()) {
        _exit(1);
    }
    while (read(in, &count, sizeof(count)) == sizeof(count)) {
        for (unsigned k = 0; k < count; k++) {
            native_run(&s->cases[k], &s->results[k]);
            s->done = k + 1;
        }
        if (write(out, &count, sizeof(count)) != sizeof(count)) {
            break;
        }
    }
    _exit(0);
}

static bool start_child(Worker *w)
{
    int to[2], from[2];

    if (pipe(to) || pipe(from)) {
        return false;
    }
    w->pid = fork();
    if (w->pid == 0) {
        close(to[1]);
        close(from[0]);
        child_main(w->shared, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    w->to_child = to[1];
    w->from_child = from[0];
    return w->pid > 0;
}

static void stop_child(Worker *w)
{
    close(w->to_child);
    close(w->from_child);
    waitpid(w->pid, NULL, 0);
}

Worker *worker_new(void)
{
    Worker *w = calloc(1, sizeof(*w));

    w->shared =
        mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w->shared == MAP_FAILED || !start_child(w)) {
        perror("worker");
        exit(1);
    }
    signal(SIGPIPE, SIG_IGN);
    return w;
}

void worker_free(Worker *w)
{
    stop_child(w);
    munmap(w->shared, sizeof(Shared));
    free(w);
}

Case *worker_case(Worker *w, unsigned n)
{
    return &w->shared->cases[n];
}

const Result *worker_result(Worker *w, unsigned n)
{
    return &w->shared->results[n];
}

void worker_start(Worker *w, unsigned count)
{
    w->shared->done = 0;
    if (write(w->to_child, &count, sizeof(count)) != sizeof(count)) {
        perror("worker");
    }
}

unsigned worker_wait(Worker *w)
{
    unsigned count;

    if (read(w->from_child, &count, sizeof(count)) != sizeof(count)) {
        stop_child(w);
        if (!start_child(w)) {
            exit(1);
        }
    }
    return w->shared->done;
}
