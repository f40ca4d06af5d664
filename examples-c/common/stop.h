/* SIGTERM and SIGINT as a request to end in good order. */
#ifndef COMMON_STOP_H
#define COMMON_STOP_H

#include <milena.h>
#include <stdbool.h>

/*
 * Keeps the signals from ending the program from now on. Call it first thing in main: threads that are started
 * afterwards, the library's among them, leave the signals alone as well.
 */
void stop_prepare(void);

/*
 * Starts the thread that waits for the signals. When one comes, stop_requested turns true, and `consumer`, which may
 * be NULL, is woken from whatever call it waits in.
 */
void stop_watch(const milena_consumer *consumer);

bool stop_requested(void);

/* Waits for a signal, without stop_watch. */
void stop_wait(void);

#endif
