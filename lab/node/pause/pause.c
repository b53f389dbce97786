/*
 * The process that holds a pod's namespaces open. It is PID 1 of those namespaces when a pod shares its process
 * namespace, so it also reaps what other containers of the pod leave behind.
 *
 * The dispositions that matter: SIGINT and SIGTERM end it (as PID 1 it gets neither without a handler), SIGCHLD means
 * that something is there to reap. Signals are blocked and taken one at a time by sigwaitinfo, so none is lost between
 * two waits and no handler runs in the middle of anything.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef VERSION
#error "build with -DVERSION=..."
#endif
#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)

int main(int argc, char **argv) {
    sigset_t signals;
    siginfo_t info;
    int status = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0) {
            printf("pause %s\n", TEXT_OF(VERSION));
            return 0;
        }
    }

    if (getpid() != 1) {
        fputs("pause: not PID 1, so it reaps nothing here\n", stderr);
    }

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0) {
        perror("pause: sigprocmask");
        return 1;
    }

    for (;;) {
        /* Whatever ended before the signals were blocked is reaped here as well. */
        while (waitpid(-1, &status, WNOHANG) > 0) {
        }
        int caught = sigwaitinfo(&signals, &info);
        if (caught == SIGINT || caught == SIGTERM) {
            fprintf(stderr, "pause: ends on signal %d\n", caught);
            return 0;
        }
        if (caught == -1 && errno != EINTR) {
            perror("pause: sigwaitinfo");
            return 1;
        }
    }
}
