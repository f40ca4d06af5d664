#define _POSIX_C_SOURCE 200809L
#include "common/stop.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#include "common/check.h"

static atomic_bool requested;
static sigset_t signals;

void stop_prepare(void) {
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

void stop_wait(void) {
    int number;
    sigwait(&signals, &number);
}

static void *watch(void *argument) {
    const milena_consumer *consumer = argument;
    stop_wait();
    atomic_store(&requested, true);
    if (consumer)
        milena_consumer_wakeup(consumer, NULL);
    return NULL;
}

void stop_watch(const milena_consumer *consumer) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, watch, (void *)consumer) != 0)
        fail("no thread to wait for signals");
    pthread_detach(thread);
}

bool stop_requested(void) {
    return atomic_load(&requested);
}
