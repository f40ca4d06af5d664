/*
 * milena.h: an Apache Kafka client
 *
 * GENERATED from src/ffi by `make header`: change it there.
 *
 * This header is C11 and C++17. It describes the shared library libmilena.so (and the archive libmilena.a), for
 * brokers 1.1.0 to 4.4.0.
 *
 *
 * CONTENTS
 *
@CONTENTS@
 *
 *
 * INSTALL AND LINK
 *
 *     make install PREFIX=/usr/local
 *     cc program.c $(pkg-config --cflags --libs milena)
 *
 * or by hand: -lmilena, and for the archive also what `pkg-config --static --libs milena` names. The shared library
 * exports names that begin with milena_ only, and stays loaded once it is.
 *
 *
 * A PROGRAM
 *
 *     #include <milena.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *         milena_error *err = NULL;
 *         milena_config *config = milena_config_new();
 *         milena_producer *producer = NULL;
 *         milena_record record = MILENA_RECORD_INIT;
 *         record.value = milena_str("Dear Milena");
 *
 *         if (milena_config_set(config, "bootstrap.servers", "localhost:9092", &err) ||
 *             milena_producer_new(config, &producer, &err) ||
 *             milena_producer_send(producer, milena_str("letters"), &record, sizeof record, 1, -1, NULL, &err) ||
 *             milena_producer_flush(producer, 30000, &err)) {
 *             fprintf(stderr, "%s\n", milena_error_string(err));
 *             return 1;
 *         }
 *         milena_deliveries *done = NULL;
 *         milena_producer_poll(producer, 0, 0, &done, NULL);
 *         const milena_delivery *chunk = milena_deliveries_chunks(done, NULL, NULL);
 *         if (chunk) printf("%s\n", chunk->error ? milena_error_string(chunk->error) : "delivered");
 *         milena_deliveries_free(done);
 *         milena_producer_free(producer);
 *         milena_config_free(config);
 *         return 0;
 *     }
 *
 *
 * HANDLES AND OBJECTS
 *
 * Producers, consumers, admin clients and embedded clusters are handles: they look like pointers, but are looked up
 * and never followed. NULL, a freed handle, one of another kind or any other value gets NULL_ARGUMENT or STALE_HANDLE.
 * All else, such as errors, batches and deliveries, are plain pointers to memory, to be freed once.
 *
 * close and free are two things: close ends a client in good order, within a time, and may fail; free gives the
 * handle back, at once.
 *
 *
 * THREADS
 *
 * A call that takes its handle as const may be made from any threads at once. One that takes it without const is for
 * one thread at a time; a second one gets BUSY, and nothing happens. free may be called while other threads are inside
 * calls of the handle. Objects may be read from any threads at once. The library never calls back into the program;
 * all clients of a process share one thread of the library.
 *
 * After fork, clients made before it are of no use in the child: their calls get FORKED, and free does nothing there.
 * The child can make its own.
 *
 *
 * OWNERSHIP
 *
 * What goes in is copied before the call returns. What comes out through an `out` argument is the caller's, to be
 * freed by the _free function of its type, all of which take NULL. What is read out of an object borrows from it, and
 * is gone when it is freed. Neither success nor failure changes who owns what. `out` is written on success only,
 * unless the call says otherwise.
 *
 *
 * ERRORS
 *
 * A call that can fail returns a milena_status: MILENA_OK (0), a code of Kafka's (up to 999, and -1), or a code of
 * this library (-1000 and below). Comments name codes without their MILENA_E_. The last argument, which may be NULL,
 * gets an error object on failure: with a message, the broker, the phase, the cause, and a hint on what to do.
 *
 * Every call may return, and comments do not repeat: NULL_ARGUMENT, INVALID_ARGUMENT, STALE_HANDLE, BUSY (handle
 * without const), FORKED, CLOSED after close, and PANIC for a bug in this library, which was stopped at its border.
 *
 *
 * TIMES AND WAITING
 *
 * Times are milliseconds in int64_t. A time-out of 0 never waits, -1 is said for each call, less is INVALID_ARGUMENT.
 * Every client has a descriptor that is readable as long as there is something to poll: for epoll, asyncio, libuv.
 * It is level-triggered; poll until nothing comes before waiting on an edge-triggered one.
 */
#ifndef MILENA_H
#define MILENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
