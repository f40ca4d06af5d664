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
 *      1  Version
 *      2  Types of many calls
 *      3  Status codes
 *      4  Errors
 *      5  Configuration
 *      6  Log
 *      7  Deliveries
 *      8  Producer
 *      9  Offsets
 *     10  Batches
 *     11  Consumer
 *     12  Topics and clusters
 *     13  Admin client
 *     14  Embedded cluster
 *     15  Decoding record batches
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

/* ====================================================================================================
 * 1  VERSION
 * ====================================================================================================
 */

/**
 * The version of this header: 0x00MMmmpp, that is major, minor and patch in a byte each. Compare it with
 * milena_version_number() when the library is loaded at run time.
 */
#define MILENA_VERSION_NUMBER 256

/**
 * The version of the library that is loaded, as MILENA_VERSION_NUMBER. Never fails; any thread.
 */
uint32_t milena_version_number(void);

/**
 * The version of the library that is loaded, for people: "milena/0.1.0 codecs=gzip,snappy,lz4,zstd". Never fails;
 * any thread; the text lives as long as the process.
 */
const char *milena_version(void);

/* ====================================================================================================
 * 2  TYPES OF MANY CALLS
 * ====================================================================================================
 * Structs of this header may grow at their end in later versions. Arrays of them therefore come with a stride, the
 * bytes from one element to the next: pass sizeof for arrays that you make, and step by the stride that you are
 * given through arrays that you get.
 */

/**
 * Bytes that somebody else owns. `data` NULL is Kafka's null, which is not the same as empty (`data` not NULL and
 * `len` 0). Text, such as a topic's name, is UTF-8 without a terminating 0.
 */
typedef struct {
    const uint8_t *data;
    size_t len;
} milena_bytes;

/**
 * How a call ended: MILENA_OK, a code of Kafka's, or a code of this library; see "Status codes".
 */
typedef int32_t milena_status;

/**
 * A record's header. Names may come twice; a value may be null, a name may not.
 */
typedef struct {
    milena_bytes name;
    milena_bytes value;
} milena_header;

/**
 * A partition of a topic.
 */
typedef struct {
    milena_bytes topic;
    int32_t partition;
} milena_topic_partition;

/**
 * Bytes of a C string, without its terminating 0; null for NULL. Borrows from `text`.
 */
milena_bytes milena_str(const char *text);

/** A descriptor of the operating system, for poll, epoll or select; Windows' handles would fit as well. */
typedef intptr_t milena_fd;

/* ====================================================================================================
 * 3  STATUS CODES
 * ====================================================================================================
 * 0 is success. Kafka's own codes are what brokers answer, unchanged, so -1 is UNKNOWN_SERVER_ERROR. The codes of
 * this library are -1000 and below. Names as text: milena_status_name.
 */

/**
 * Success.
 */
#define MILENA_OK 0

/**
 * The broker failed and says no more.
 */
#define MILENA_E_UNKNOWN_SERVER_ERROR (-1)

/**
 * The partition has no record at this offset: it was deleted, or never written.
 */
#define MILENA_E_OFFSET_OUT_OF_RANGE 1

/**
 * A batch's checksum or form is wrong, or a record without a key went to a compacted topic.
 */
#define MILENA_E_CORRUPT_MESSAGE 2

/**
 * The broker does not know the topic or partition, or may not show it to this client.
 */
#define MILENA_E_UNKNOWN_TOPIC_OR_PARTITION 3

/**
 * A fetch asked for an impossible number of bytes.
 */
#define MILENA_E_INVALID_FETCH_SIZE 4

/**
 * The partition has no leader at the moment, as while one is elected or the topic is new.
 */
#define MILENA_E_LEADER_NOT_AVAILABLE 5

/**
 * The broker no longer leads, or never held, the partition; the client looks for the right one.
 */
#define MILENA_E_NOT_LEADER_OR_FOLLOWER 6

/**
 * The broker did not finish in the time that the request gave it.
 */
#define MILENA_E_REQUEST_TIMED_OUT 7

/**
 * The broker is not there.
 */
#define MILENA_E_BROKER_NOT_AVAILABLE 8

/**
 * The broker has no replica of the partition that it could use.
 */
#define MILENA_E_REPLICA_NOT_AVAILABLE 9

/**
 * The batch is larger than the broker takes.
 */
#define MILENA_E_MESSAGE_TOO_LARGE 10

/**
 * The controller has changed.
 */
#define MILENA_E_STALE_CONTROLLER_EPOCH 11

/**
 * The text committed with an offset is too long.
 */
#define MILENA_E_OFFSET_METADATA_TOO_LARGE 12

/**
 * The broker lost a connection before the response.
 */
#define MILENA_E_NETWORK_EXCEPTION 13

/**
 * The coordinator is still loading its state.
 */
#define MILENA_E_COORDINATOR_LOAD_IN_PROGRESS 14

/**
 * The group or transaction has no coordinator at the moment.
 */
#define MILENA_E_COORDINATOR_NOT_AVAILABLE 15

/**
 * Another broker is the coordinator now; the client looks for it.
 */
#define MILENA_E_NOT_COORDINATOR 16

/**
 * The topic's name is not allowed, or the operation on this topic is not.
 */
#define MILENA_E_INVALID_TOPIC_EXCEPTION 17

/**
 * The batch is larger than the broker's log segments.
 */
#define MILENA_E_RECORD_LIST_TOO_LARGE 18

/**
 * Fewer replicas are in sync than min.insync.replicas; nothing was written.
 */
#define MILENA_E_NOT_ENOUGH_REPLICAS 19

/**
 * The leader wrote the batch, but fewer replicas are in sync than min.insync.replicas.
 */
#define MILENA_E_NOT_ENOUGH_REPLICAS_AFTER_APPEND 20

/**
 * The broker does not know this value of acks.
 */
#define MILENA_E_INVALID_REQUIRED_ACKS 21

/**
 * The group has moved on to another generation; the member joins again.
 */
#define MILENA_E_ILLEGAL_GENERATION 22

/**
 * The member shares no assignor or protocol type with the rest of the group.
 */
#define MILENA_E_INCONSISTENT_GROUP_PROTOCOL 23

/**
 * The group's name is not allowed, as an empty one.
 */
#define MILENA_E_INVALID_GROUP_ID 24

/**
 * The coordinator does not know the member, as when its session has timed out; it joins again.
 */
#define MILENA_E_UNKNOWN_MEMBER_ID 25

/**
 * The broker does not allow this session timeout.
 */
#define MILENA_E_INVALID_SESSION_TIMEOUT 26

/**
 * The group is sharing its partitions out again; the member takes part in it.
 */
#define MILENA_E_REBALANCE_IN_PROGRESS 27

/**
 * The committed data are too large.
 */
#define MILENA_E_INVALID_COMMIT_OFFSET_SIZE 28

/**
 * This client has no right to do that with the topic.
 */
#define MILENA_E_TOPIC_AUTHORIZATION_FAILED 29

/**
 * This client has no right to use the group.
 */
#define MILENA_E_GROUP_AUTHORIZATION_FAILED 30

/**
 * This client has no such right on the cluster.
 */
#define MILENA_E_CLUSTER_AUTHORIZATION_FAILED 31

/**
 * The record's timestamp is further from the broker's time than the topic allows.
 */
#define MILENA_E_INVALID_TIMESTAMP 32

/**
 * The broker does not offer this way of authentication.
 */
#define MILENA_E_UNSUPPORTED_SASL_MECHANISM 33

/**
 * Authentication messages came in the wrong order.
 */
#define MILENA_E_ILLEGAL_SASL_STATE 34

/**
 * The broker does not have this version of the request.
 */
#define MILENA_E_UNSUPPORTED_VERSION 35

/**
 * There is a topic of this name.
 */
#define MILENA_E_TOPIC_ALREADY_EXISTS 36

/**
 * The number of partitions is not allowed.
 */
#define MILENA_E_INVALID_PARTITIONS 37

/**
 * The number of replicas is less than 1 or more than there are brokers.
 */
#define MILENA_E_INVALID_REPLICATION_FACTOR 38

/**
 * The assignment of replicas to brokers is not possible.
 */
#define MILENA_E_INVALID_REPLICA_ASSIGNMENT 39

/**
 * The broker refuses a configuration value.
 */
#define MILENA_E_INVALID_CONFIG 40

/**
 * Another node is the controller now; the client looks for it.
 */
#define MILENA_E_NOT_CONTROLLER 41

/**
 * The broker can't make sense of the request.
 */
#define MILENA_E_INVALID_REQUEST 42

/**
 * The topic's message format on disk can't do what was asked, such as idempotence or headers.
 */
#define MILENA_E_UNSUPPORTED_FOR_MESSAGE_FORMAT 43

/**
 * A policy of the broker forbids it.
 */
#define MILENA_E_POLICY_VIOLATION 44

/**
 * The broker misses a batch before this one.
 */
#define MILENA_E_OUT_OF_ORDER_SEQUENCE_NUMBER 45

/**
 * The broker has this batch already.
 */
#define MILENA_E_DUPLICATE_SEQUENCE_NUMBER 46

/**
 * A newer producer with this id has taken over.
 */
#define MILENA_E_INVALID_PRODUCER_EPOCH 47

/**
 * The transaction is in a state that does not allow this.
 */
#define MILENA_E_INVALID_TXN_STATE 48

/**
 * The producer id does not belong to the transactional id.
 */
#define MILENA_E_INVALID_PRODUCER_ID_MAPPING 49

/**
 * The broker does not allow so long a transaction.
 */
#define MILENA_E_INVALID_TRANSACTION_TIMEOUT 50

/**
 * The last transaction of this id is not finished yet.
 */
#define MILENA_E_CONCURRENT_TRANSACTIONS 51

/**
 * The coordinator that ends the transaction has been replaced.
 */
#define MILENA_E_TRANSACTION_COORDINATOR_FENCED 52

/**
 * This client has no right to the transactional id.
 */
#define MILENA_E_TRANSACTIONAL_ID_AUTHORIZATION_FAILED 53

/**
 * The broker has security switched off.
 */
#define MILENA_E_SECURITY_DISABLED 54

/**
 * The broker stopped before this part of the request.
 */
#define MILENA_E_OPERATION_NOT_ATTEMPTED 55

/**
 * The broker's disk failed.
 */
#define MILENA_E_KAFKA_STORAGE_ERROR 56

/**
 * The broker has no such log directory.
 */
#define MILENA_E_LOG_DIR_NOT_FOUND 57

/**
 * The broker refuses the credentials.
 */
#define MILENA_E_SASL_AUTHENTICATION_FAILED 58

/**
 * The broker has forgotten the producer, as when all its records are deleted.
 */
#define MILENA_E_UNKNOWN_PRODUCER_ID 59

/**
 * The partition is being moved.
 */
#define MILENA_E_REASSIGNMENT_IN_PROGRESS 60

/**
 * Delegation tokens are switched off.
 */
#define MILENA_E_DELEGATION_TOKEN_AUTH_DISABLED 61

/**
 * There is no such delegation token.
 */
#define MILENA_E_DELEGATION_TOKEN_NOT_FOUND 62

/**
 * Only owner and renewers may use the token so.
 */
#define MILENA_E_DELEGATION_TOKEN_OWNER_MISMATCH 63

/**
 * Tokens are not given out over this kind of connection.
 */
#define MILENA_E_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED 64

/**
 * This client has no right to the token.
 */
#define MILENA_E_DELEGATION_TOKEN_AUTHORIZATION_FAILED 65

/**
 * The token's time is over.
 */
#define MILENA_E_DELEGATION_TOKEN_EXPIRED 66

/**
 * The broker does not know this type of principal.
 */
#define MILENA_E_INVALID_PRINCIPAL_TYPE 67

/**
 * The group has members.
 */
#define MILENA_E_NON_EMPTY_GROUP 68

/**
 * There is no such group.
 */
#define MILENA_E_GROUP_ID_NOT_FOUND 69

/**
 * The broker has dropped the fetch session; the client begins another.
 */
#define MILENA_E_FETCH_SESSION_ID_NOT_FOUND 70

/**
 * Broker and client disagree about the fetch session; the client begins another.
 */
#define MILENA_E_INVALID_FETCH_SESSION_EPOCH 71

/**
 * The partition's leader has no listener like the one the client came by.
 */
#define MILENA_E_LISTENER_NOT_FOUND 72

/**
 * The broker does not let topics be deleted.
 */
#define MILENA_E_TOPIC_DELETION_DISABLED 73

/**
 * The client's knowledge of the leader is old.
 */
#define MILENA_E_FENCED_LEADER_EPOCH 74

/**
 * The broker's knowledge of the leader is old.
 */
#define MILENA_E_UNKNOWN_LEADER_EPOCH 75

/**
 * The broker or its version of the request can't do this compression.
 */
#define MILENA_E_UNSUPPORTED_COMPRESSION_TYPE 76

/**
 * The broker has been restarted meanwhile.
 */
#define MILENA_E_STALE_BROKER_EPOCH 77

/**
 * A new leader does not know yet how far the partition is confirmed.
 */
#define MILENA_E_OFFSET_NOT_AVAILABLE 78

/**
 * The coordinator has given the member an id to join with.
 */
#define MILENA_E_MEMBER_ID_REQUIRED 79

/**
 * The preferred leader is not there.
 */
#define MILENA_E_PREFERRED_LEADER_NOT_AVAILABLE 80

/**
 * The group has as many members as the broker allows.
 */
#define MILENA_E_GROUP_MAX_SIZE_REACHED 81

/**
 * Another consumer uses the same group.instance.id.
 */
#define MILENA_E_FENCED_INSTANCE_ID 82

/**
 * No replica may become leader.
 */
#define MILENA_E_ELIGIBLE_LEADERS_NOT_AVAILABLE 83

/**
 * The leader is the wanted one already.
 */
#define MILENA_E_ELECTION_NOT_NEEDED 84

/**
 * The partition is not being moved.
 */
#define MILENA_E_NO_REASSIGNMENT_IN_PROGRESS 85

/**
 * The group still consumes the topic, so its offsets stay.
 */
#define MILENA_E_GROUP_SUBSCRIBED_TO_TOPIC 86

/**
 * The broker refuses a record.
 */
#define MILENA_E_INVALID_RECORD 87

/**
 * Offsets of a transaction that is not finished stand in the way.
 */
#define MILENA_E_UNSTABLE_OFFSET_COMMIT 88

/**
 * The client has used up its quota for changes.
 */
#define MILENA_E_THROTTLING_QUOTA_EXCEEDED 89

/**
 * A newer producer with the same transactional.id has taken over.
 */
#define MILENA_E_PRODUCER_FENCED 90

/**
 * There is nothing of this name.
 */
#define MILENA_E_RESOURCE_NOT_FOUND 91

/**
 * The request names something twice.
 */
#define MILENA_E_DUPLICATE_RESOURCE 92

/**
 * The broker does not accept such a credential.
 */
#define MILENA_E_UNACCEPTABLE_CREDENTIAL 93

/**
 * Controllers disagree about who votes.
 */
#define MILENA_E_INCONSISTENT_VOTER_SET 94

/**
 * The update has a version that is not possible.
 */
#define MILENA_E_INVALID_UPDATE_VERSION 95

/**
 * The cluster's features could not be changed.
 */
#define MILENA_E_FEATURE_UPDATE_FAILED 96

/**
 * A broker can't read the principal that another passed on.
 */
#define MILENA_E_PRINCIPAL_DESERIALIZATION_FAILURE 97

/**
 * There is no such snapshot.
 */
#define MILENA_E_SNAPSHOT_NOT_FOUND 98

/**
 * The position is not in the snapshot.
 */
#define MILENA_E_POSITION_OUT_OF_RANGE 99

/**
 * The broker does not know the topic's id, as when the topic was deleted or made anew.
 */
#define MILENA_E_UNKNOWN_TOPIC_ID 100

/**
 * The broker's id is taken.
 */
#define MILENA_E_DUPLICATE_BROKER_REGISTRATION 101

/**
 * No broker has this id.
 */
#define MILENA_E_BROKER_ID_NOT_REGISTERED 102

/**
 * The topic has another id by now: it was made anew.
 */
#define MILENA_E_INCONSISTENT_TOPIC_ID 103

/**
 * The broker belongs to another cluster.
 */
#define MILENA_E_INCONSISTENT_CLUSTER_ID 104

/**
 * There is no such transactional id.
 */
#define MILENA_E_TRANSACTIONAL_ID_NOT_FOUND 105

/**
 * A fetch session mixed topics by name and by id.
 */
#define MILENA_E_FETCH_SESSION_TOPIC_ID_ERROR 106

/**
 * A replica may not be in sync now.
 */
#define MILENA_E_INELIGIBLE_REPLICA 107

/**
 * The partition has got another leader.
 */
#define MILENA_E_NEW_LEADER_ELECTED 108

/**
 * The records are in remote storage now.
 */
#define MILENA_E_OFFSET_MOVED_TO_TIERED_STORAGE 109

/**
 * The coordinator has given up the member; it joins again.
 */
#define MILENA_E_FENCED_MEMBER_EPOCH 110

/**
 * Another member still has this group.instance.id.
 */
#define MILENA_E_UNRELEASED_INSTANCE_ID 111

/**
 * The group does not have this assignor.
 */
#define MILENA_E_UNSUPPORTED_ASSIGNOR 112

/**
 * The member's epoch is old; it gets a new one with its next heartbeat.
 */
#define MILENA_E_STALE_MEMBER_EPOCH 113

/**
 * A request for brokers went to a controller, or the other way round.
 */
#define MILENA_E_MISMATCHED_ENDPOINT_TYPE 114

/**
 * This kind of endpoint is not supported yet.
 */
#define MILENA_E_UNSUPPORTED_ENDPOINT_TYPE 115

/**
 * No controller has this id.
 */
#define MILENA_E_UNKNOWN_CONTROLLER_ID 116

/**
 * The subscription to client metrics has changed.
 */
#define MILENA_E_UNKNOWN_SUBSCRIPTION_ID 117

/**
 * The client metrics are larger than the broker takes.
 */
#define MILENA_E_TELEMETRY_TOO_LARGE 118

/**
 * The broker's registration is not valid.
 */
#define MILENA_E_INVALID_REGISTRATION 119

/**
 * The transaction failed and must be aborted; the producer can go on.
 */
#define MILENA_E_TRANSACTION_ABORTABLE 120

/**
 * The record can't be acknowledged any more.
 */
#define MILENA_E_INVALID_RECORD_STATE 121

/**
 * The broker has dropped the share session.
 */
#define MILENA_E_SHARE_SESSION_NOT_FOUND 122

/**
 * Broker and client disagree about the share session.
 */
#define MILENA_E_INVALID_SHARE_SESSION_EPOCH 123

/**
 * The share group's state has moved on.
 */
#define MILENA_E_FENCED_STATE_EPOCH 124

/**
 * The voter's key is not that of the replica.
 */
#define MILENA_E_INVALID_VOTER_KEY 125

/**
 * The voter votes already.
 */
#define MILENA_E_DUPLICATE_VOTER 126

/**
 * There is no such voter.
 */
#define MILENA_E_VOTER_NOT_FOUND 127

/**
 * The broker can't read the pattern.
 */
#define MILENA_E_INVALID_REGULAR_EXPRESSION 128

/**
 * The client's knowledge of the cluster is of no use any more.
 */
#define MILENA_E_REBOOTSTRAP_REQUIRED 129

/**
 * The streams topology is not valid.
 */
#define MILENA_E_STREAMS_INVALID_TOPOLOGY 130

/**
 * The streams topology's epoch is not valid.
 */
#define MILENA_E_STREAMS_INVALID_TOPOLOGY_EPOCH 131

/**
 * The streams topology's epoch is old.
 */
#define MILENA_E_STREAMS_TOPOLOGY_FENCED 132

/**
 * The broker has as many share sessions as it allows.
 */
#define MILENA_E_SHARE_SESSION_LIMIT_REACHED 133

/**
 * The group could not be deleted.
 */
#define MILENA_E_GROUP_DELETION_FAILED 134

/**
 * The broker could not take the description of the topology.
 */
#define MILENA_E_STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED 135

/**
 * No registered controller has this id.
 */
#define MILENA_E_CONTROLLER_ID_NOT_REGISTERED 136

/**
 * A required pointer was NULL.
 */
#define MILENA_E_NULL_ARGUMENT (-1000)

/**
 * An argument has a value that makes no sense here.
 */
#define MILENA_E_INVALID_ARGUMENT (-1001)

/**
 * A property that is unknown, out of its range or at odds with another; the message names all of them.
 */
#define MILENA_E_INVALID_CONFIGURATION (-1002)

/**
 * A bug in this library was caught at its border; the client it hit is fatal, others live.
 */
#define MILENA_E_PANIC (-1003)

/**
 * The call's own timeout passed; what it began may still happen.
 */
#define MILENA_E_TIMED_OUT (-1004)

/**
 * buffer.memory is full and max_block_ms passed.
 */
#define MILENA_E_BUFFER_EXHAUSTED (-1005)

/**
 * The handle's client was closed.
 */
#define MILENA_E_CLOSED (-1006)

/**
 * Another thread is inside a handle that is for one thread at a time.
 */
#define MILENA_E_BUSY (-1007)

/**
 * A connection could not be made or was lost.
 */
#define MILENA_E_TRANSPORT (-1008)

/**
 * A handle that was freed, never existed, or is of another type.
 */
#define MILENA_E_STALE_HANDLE (-1009)

/**
 * milena_consumer_wakeup ended the call.
 */
#define MILENA_E_WAKEUP (-1010)

/**
 * The process forked after the client was made.
 */
#define MILENA_E_FORKED (-1011)

/**
 * A host name has no address.
 */
#define MILENA_E_NAME_NOT_RESOLVED (-1012)

/**
 * Bytes from the peer are not the Kafka protocol.
 */
#define MILENA_E_PROTOCOL (-1013)

/**
 * Broker and client share no version of a request.
 */
#define MILENA_E_NO_COMMON_VERSION (-1014)

/**
 * Batches that the application still holds fill fetch.buffer.memory.
 */
#define MILENA_E_BATCHES_HELD (-1015)

/**
 * Asked for something that this version does not have yet.
 */
#define MILENA_E_NOT_IMPLEMENTED (-1016)

/**
 * The call does not fit the state of the handle.
 */
#define MILENA_E_INVALID_STATE (-1017)

/**
 * A partition has no position and auto.offset.reset is none.
 */
#define MILENA_E_NO_OFFSET (-1018)

/**
 * The delivery timeout passed before the broker confirmed the record.
 */
#define MILENA_E_DELIVERY_TIMED_OUT (-1019)

/**
 * The client was closed before the record was delivered.
 */
#define MILENA_E_PURGED (-1020)

/* ====================================================================================================
 * 4  ERRORS
 * ====================================================================================================
 * Calls that can fail take a milena_error ** last. NULL is fine; otherwise it is written when, and only when, the
 * call fails, and what is written there is the caller's to free. The texts of an error live as long as the error,
 * and each getter takes NULL as well. Getters never block; any thread may call them, also several at once.
 */

/**
 * What went wrong, where, why, and what to do about it.
 */
typedef struct milena_error milena_error;

/**
 * The name of a code as Kafka has it, such as "NOT_LEADER_OR_FOLLOWER"; "NONE" for MILENA_OK and "UNKNOWN_CODE" for
 * one that is not known. Never NULL; lives as long as the process.
 */
const char *milena_status_name(milena_status code);

/**
 * Whether the same may succeed later without a change by the caller.
 */
bool milena_status_is_retriable(milena_status code);

/**
 * The status that the call returned; MILENA_OK for NULL.
 */
milena_status milena_error_code(const milena_error *error);

/**
 * The code's name; see milena_status_name.
 */
const char *milena_error_name(const milena_error *error);

/**
 * One line with everything there is to say, for a log: name, code, message, broker, phase, cause and hint. Never
 * NULL.
 */
const char *milena_error_string(const milena_error *error);

/**
 * What happened. Never NULL.
 */
const char *milena_error_message(const milena_error *error);

/**
 * Why, where something else was the reason; NULL when there is no more to know.
 */
const char *milena_error_cause(const milena_error *error);

/**
 * What to do about it; NULL when there is no advice.
 */
const char *milena_error_hint(const milena_error *error);

/**
 * The id of the broker it is about; -1 when there is none, or its id is not known.
 */
int32_t milena_error_broker(const milena_error *error);

/**
 * The address of the broker it is about, as "host:port"; NULL when there is none.
 */
const char *milena_error_address(const milena_error *error);

/**
 * The step of talking to the broker that failed: "dns", "tcp", "tls", "sasl", "api-versions" or "request"; NULL when
 * it has nothing to do with one. Lives as long as the process.
 */
const char *milena_error_phase(const milena_error *error);

/**
 * The topic of the partition it is about, as when a record batch is corrupt; null when there is none.
 */
milena_bytes milena_error_topic(const milena_error *error);

/**
 * The partition it is about; -1 when there is none.
 */
int32_t milena_error_partition(const milena_error *error);

/**
 * The offset it is about: where the partition can't be read; -1 when there is none.
 */
int64_t milena_error_offset(const milena_error *error);

/**
 * The offset to seek to, to read on behind what can't be read; -1 when there is none.
 */
int64_t milena_error_next_offset(const milena_error *error);

/**
 * Whether the same may succeed later without a change by the caller.
 */
bool milena_error_is_retriable(const milena_error *error);

/**
 * Whether the client is of no more use: close it, free it, and make another one.
 */
bool milena_error_is_fatal(const milena_error *error);

/**
 * Whether the producer's transaction can't be committed any more and must be aborted.
 */
bool milena_error_txn_requires_abort(const milena_error *error);

/**
 * Frees an error; NULL is fine. Not for errors that belong to a result, such as those of deliveries.
 */
void milena_error_free(milena_error *error);

/* ====================================================================================================
 * 5  CONFIGURATION
 * ====================================================================================================
 * Names and values for a client, by the names of Java's clients (librdkafka's are known too). They are checked when
 * a client is made of them, all at once: an unknown name is refused, with the nearest known one as a hint. A client
 * copies what it needs: the configuration can be changed, used again or freed afterwards. CONFIGURATION.md lists
 * all names.
 *
 * Setters are for one thread at a time; getters may run on several as long as nobody sets.
 */

/**
 * Names and values for a client.
 */
typedef struct milena_config milena_config;

/**
 * A configuration without any value: every property has its default. The caller frees it by milena_config_free.
 * NULL only when memory is short.
 */
milena_config *milena_config_new(void);

/**
 * A copy, to be freed like the original; NULL for NULL.
 */
milena_config *milena_config_copy(const milena_config *config);

/**
 * Sets a property; a later value replaces an earlier one. Name and value are not checked before a client is made.
 *
 * Errors: NULL_ARGUMENT; INVALID_ARGUMENT for text that is not UTF-8.
 */
milena_status milena_config_set(milena_config *config,
                                const char *name,
                                const char *value,
                                milena_error **err);

/**
 * Adds the properties of a Java .properties file. On an error, which names all bad lines, nothing is added. Blocks
 * while the file is read.
 *
 * Errors: INVALID_CONFIGURATION when the file can't be read or its text is not that of a .properties file.
 */
milena_status milena_config_load_file(milena_config *config,
                                      const char *path,
                                      milena_error **err);

/**
 * As milena_config_load_file, from `len` bytes of text.
 */
milena_status milena_config_load_properties(milena_config *config,
                                            const char *text,
                                            size_t len,
                                            milena_error **err);

/**
 * The value that was set under exactly this name; NULL when there is none (and for the defaults). Lives as long as
 * the configuration. It may be a secret.
 */
const char *milena_config_get(const milena_config *config,
                              const char *name);

/**
 * All properties that this version knows, as a JSON array of objects with name, clients, type, default, range,
 * importance, aliases, status ("implemented", "not yet" or "no effect") and doc. Lives as long as the process.
 */
const char *milena_config_table(void);

/**
 * Frees a configuration; NULL is fine.
 */
void milena_config_free(milena_config *config);

/* ====================================================================================================
 * 6  LOG
 * ====================================================================================================
 * With log.sink=poll a client keeps its log lines (the newest 1000) for the program instead of writing them to
 * stderr; log.level and debug choose which. The client's descriptor becomes readable when there are some. All that
 * is read here borrows from the milena_log.
 */

/**
 * Something does not work.
 */
#define MILENA_LOG_ERROR 1

/**
 * Something that may need attention.
 */
#define MILENA_LOG_WARNING 2

/**
 * Something that is good to know.
 */
#define MILENA_LOG_INFO 3

/**
 * What the library does, a line for each request among others.
 */
#define MILENA_LOG_DEBUG 4

/**
 * Log lines; the caller's to free.
 */
typedef struct milena_log milena_log;

/**
 * A line of the log. The texts are C strings without line breaks, never NULL.
 */
typedef struct {
    /**
     * Milliseconds since 1970-01-01 UTC.
     */
    int64_t time_ms;
    /**
     * MILENA_LOG_ERROR to MILENA_LOG_DEBUG.
     */
    int32_t level;
    /**
     * What it is about, one of the words of `debug`: "broker", "protocol", "cgrp" …
     */
    const char *context;
    const char *client_id;
    const char *text;
} milena_log_line;

/**
 * The lines, oldest first: `*n` of them, `*stride` bytes apart. NULL, with `*n` 0, when `log` is NULL.
 */
const milena_log_line *milena_log_lines(const milena_log *log,
                                        size_t *n,
                                        size_t *stride);

/**
 * How many lines the client has lost since it was made, because more came than it keeps.
 */
uint64_t milena_log_dropped(const milena_log *log);

/**
 * Frees log lines; NULL is fine.
 */
void milena_log_free(milena_log *log);

/* ====================================================================================================
 * 7  DELIVERIES
 * ====================================================================================================
 * What became of the records of a producer. A chunk is one batch: records of one partition that were delivered, or
 * failed, together. All that is read here borrows from the milena_deliveries.
 */

/**
 * Chunks of deliveries; the caller's to free.
 */
typedef struct milena_deliveries milena_deliveries;

/**
 * The outcome of the records of one batch.
 */
typedef struct {
    milena_bytes topic;
    int32_t partition;
    /**
     * MILENA_OK: delivered. Otherwise none of these records was, as far as the client knows.
     */
    milena_status status;
    /**
     * The offset of the first record; those of the others follow it, one by one. -1 when it is not known: on failure,
     * and with acks=0.
     */
    int64_t base_offset;
    /**
     * The time that the broker gave the records, where the topic uses LogAppendTime; -1: they keep their own.
     */
    int64_t append_time_ms;
    /**
     * The records' tokens, in the order of their offsets.
     */
    const uint64_t *tokens;
    size_t tokens_len;
    /**
     * Why it failed; NULL when it did not. Not to be freed by itself.
     */
    const milena_error *error;
} milena_delivery;

/**
 * The chunks: `*n` of them, `*stride` bytes apart. NULL, with `*n` 0, when there are none or `deliveries` is NULL.
 * `stride` may be NULL for who is sure to have the library that this header came with.
 */
const milena_delivery *milena_deliveries_chunks(const milena_deliveries *deliveries,
                                                size_t *n,
                                                size_t *stride);

/**
 * The number of records in all chunks; 0 for NULL.
 */
size_t milena_deliveries_count(const milena_deliveries *deliveries);

/**
 * Frees deliveries; NULL is fine.
 */
void milena_deliveries_free(milena_deliveries *deliveries);

/* ====================================================================================================
 * 8  PRODUCER
 * ====================================================================================================
 * Sends records. milena_producer_send copies them into batches and returns; a thread of the library sends the
 * batches; what became of each record comes out of milena_producer_poll, as chunks with the tokens that the records
 * were sent with. Every accepted record is reported exactly once, delivered or failed. Nothing depends on being
 * polled but memory: deliveries that nobody takes fill buffer.memory, and then sends wait.
 *
 * All calls but free may be made from any threads at once, on the same producer.
 */

/**
 * A producer; a handle, not memory.
 */
typedef struct milena_producer milena_producer;

/**
 * A record to send. Start from MILENA_RECORD_INIT: a partition of 0 is partition 0. The library copies what the
 * record points to and keeps no pointer.
 */
typedef struct {
    /**
     * -1: the partitioner chooses, by the key (as Java's client does), or if there is none, whatever fills batches.
     */
    int32_t partition;
    uint32_t headers_len;
    /**
     * Milliseconds since 1970-01-01 UTC, 0 or more; -1: the moment of the call.
     */
    int64_t timestamp_ms;
    /**
     * Null is allowed, and not the same as empty.
     */
    milena_bytes key;
    milena_bytes value;
    /**
     * `headers_len` headers; NULL when there are none.
     */
    const milena_header *headers;
    /**
     * Comes back with the record's delivery; means nothing to the library.
     */
    uint64_t token;
} milena_record;

/**
 * Makes a producer. Does not wait for the brokers: that none can be reached shows in the deliveries and the log.
 *
 * Errors: INVALID_CONFIGURATION with all that is wrong; NOT_IMPLEMENTED for a property that is known, but has no
 * effect yet; TRANSPORT when the system has no more threads or descriptors.
 */
milena_status milena_producer_new(const milena_config *config,
                                  milena_producer **out,
                                  milena_error **err);

/**
 * Hands `n` records for one topic over, `stride` bytes apart (sizeof(milena_record)). The records are copied.
 *
 * Takes them in their order, until one is refused: `*accepted`, which is always written, says how many were taken
 * (accepted may be NULL), and the error is about the first that was not. Each accepted record is reported by
 * milena_producer_poll once, whatever happens to the rest.
 *
 * Waits only for room in buffer.memory, at most `max_block_ms`: 0 never waits, -1 is max.block.ms. A topic that is
 * not known yet does not block; its records wait for its partitions within buffer.memory.
 *
 * Errors: BUFFER_EXHAUSTED when there was no room in time (milena_producer_fd becomes readable when it is worth
 * trying again); MESSAGE_TOO_LARGE; INVALID_ARGUMENT for a malformed record;
 * UNKNOWN_TOPIC_OR_PARTITION for a partition that the topic does not have; INVALID_TOPIC_EXCEPTION; CLOSED.
 */
milena_status milena_producer_send(const milena_producer *producer,
                                   milena_bytes topic,
                                   const milena_record *records,
                                   size_t stride,
                                   size_t n,
                                   int64_t max_block_ms,
                                   size_t *accepted,
                                   milena_error **err);

/**
 * As milena_producer_send, for records in one block of memory, as bindings of other languages make them.
 *
 * The block has `n` records, one directly behind the other. Each is 32 bytes, then its key, its value, and its
 * headers. All numbers are little-endian and need no alignment; bytes behind the last record are ignored.
 *
 *     offset  type    meaning
 *          0  uint64  token
 *          8  int64   timestamp, milliseconds since 1970; -1: now
 *         16  int32   partition; -1: the partitioner chooses
 *         20  int32   length of the key; -1: null
 *         24  int32   length of the value; -1: null
 *         28  uint32  number of headers
 *         32          key, value, and for each header:
 *                     uint32 length of its name, int32 length of its value (-1: null), name, value
 */
milena_status milena_producer_send_packed(const milena_producer *producer,
                                          milena_bytes topic,
                                          milena_bytes packed,
                                          size_t n,
                                          int64_t max_block_ms,
                                          size_t *accepted,
                                          milena_error **err);

/**
 * Takes what became of records: chunks, one for each batch that ended, until they have at least `max_records`
 * records (0: all there are). Waits for the first at most `timeout_ms` (0: not at all, -1: without end). `*out` is
 * NULL when nothing came; milena_deliveries_free frees it.
 *
 * Deliveries can still be polled after milena_producer_close. When all are taken then, nothing more comes, and nobody
 * waits for it: `*out` is NULL at once.
 *
 * Errors: what ended the I/O thread's work for this producer, when all that it left is taken.
 */
milena_status milena_producer_poll(const milena_producer *producer,
                                   int64_t timeout_ms,
                                   size_t max_records,
                                   milena_deliveries **out,
                                   milena_error **err);

/**
 * Sends what lingers, and waits until everything that was accepted before the call is reported (not: polled), at
 * most `timeout_ms` (-1: without end). Needs nobody to poll.
 *
 * Errors: TIMED_OUT when something is left; it goes on being sent. A record that fails is no error of this call: its
 * delivery says so.
 */
milena_status milena_producer_flush(const milena_producer *producer,
                                    int64_t timeout_ms,
                                    milena_error **err);

/**
 * Ends the producer: no more records are accepted, sends that wait end with CLOSED, and what was accepted is
 * delivered until `timeout_ms` is over (-1: without end; 0: gives everything up). What is left then is reported as
 * PURGED. Deliveries can be polled afterwards; milena_producer_free comes last. Closing again is fine.
 *
 * Errors: TIMED_OUT when something was given up.
 */
milena_status milena_producer_close(const milena_producer *producer,
                                    int64_t timeout_ms,
                                    milena_error **err);

/**
 * A descriptor that is readable as long as milena_producer_poll has something, and when a send that was refused for
 * lack of room may be tried again. Only wait for it: don't read, write or close it. Valid until the producer is
 * freed.
 */
milena_status milena_producer_fd(const milena_producer *producer,
                                 milena_fd *out,
                                 milena_error **err);

/**
 * Takes the log lines that were kept for the program (log.sink=poll); see "Log". `*out` is NULL when there is none.
 */
milena_status milena_producer_log(const milena_producer *producer,
                                  milena_log **out,
                                  milena_error **err);

/**
 * Frees a producer; NULL, and one that is freed already, are fine. What is not delivered yet is given up, so close
 * it first. Safe while other threads are inside its calls: those that wait are let go.
 */
void milena_producer_free(milena_producer *producer);

/**
 * A record without key, value and headers, for any partition, at the moment of the call:
 * milena_record record = MILENA_RECORD_INIT;
 */
#define MILENA_RECORD_INIT { -1, 0, -1, { NULL, 0 }, { NULL, 0 }, NULL, 0 }

/* ====================================================================================================
 * 9  OFFSETS
 * ====================================================================================================
 * Rows about partitions: what to seek, commit or look up, and what comes back.
 */

/**
 * Offsets as a call gave them; the caller's to free.
 */
typedef struct milena_offsets milena_offsets;

/**
 * An offset of a partition. Start from MILENA_OFFSET_INIT. Which members count, each call says.
 */
typedef struct {
    milena_bytes topic;
    int32_t partition;
    /**
     * The leader epoch of the record before it, which lets the client notice lost records (KIP-320); -1: not known.
     */
    int32_t leader_epoch;
    /**
     * The offset of the next record to read; -1: none.
     */
    int64_t offset;
    /**
     * Milliseconds since 1970-01-01 UTC; -1: none.
     */
    int64_t timestamp_ms;
    /**
     * Text that is kept with a committed offset; null: none.
     */
    milena_bytes metadata;
} milena_offset;

/**
 * The rows, in the order of the question: `*n` of them, `*stride` bytes apart. NULL, with `*n` 0, when there are
 * none or `offsets` is NULL. The rows borrow from `offsets`.
 */
const milena_offset *milena_offsets_rows(const milena_offsets *offsets,
                                         size_t *n,
                                         size_t *stride);

/**
 * Frees offsets; NULL is fine.
 */
void milena_offsets_free(milena_offsets *offsets);

/** An offset with nothing known but what is set then: milena_offset offset = MILENA_OFFSET_INIT; */
#define MILENA_OFFSET_INIT { { NULL, 0 }, 0, -1, -1, -1, { NULL, 0 } }

/* ====================================================================================================
 * 10  BATCHES
 * ====================================================================================================
 * What one poll of a consumer gave: either records, as chunks of one partition each, or an event. All that is read
 * here borrows from the milena_batch, which owns its memory: it stays valid through later polls, and when the
 * consumer is freed. The memory counts in fetch.buffer.memory until milena_batch_free, so don't keep batches long.
 * Reading a batch never blocks, and any threads may do it at once.
 */

/**
 * The broker set the timestamp when it stored the record (LogAppendTime).
 */
#define MILENA_RECORD_APPEND_TIME 1

/**
 * The record's format, v0, has no timestamps; the timestamp is -1.
 */
#define MILENA_RECORD_NO_TIMESTAMP 2

/**
 * A marker of a transaction's end. Only milena_decode_batches gives these.
 */
#define MILENA_RECORD_CONTROL 4

/**
 * These partitions are this member's from now on: with an eager assignor all that it has, with cooperative-sticky
 * those that were added.
 */
#define MILENA_EVENT_ASSIGNED 1

/**
 * These partitions are to be given up. Their offsets can be committed until the next poll, which says that the
 * program is done with them.
 */
#define MILENA_EVENT_REVOKED 2

/**
 * These partitions are gone already, others may be reading them; nothing can be committed for them.
 */
#define MILENA_EVENT_LOST 3

/**
 * A commit that nobody waited for has ended: one of milena_consumer_commit_async, or a failed one that the consumer
 * made by itself.
 */
#define MILENA_EVENT_COMMITTED 4

/**
 * What a poll gave; the caller's to free.
 */
typedef struct milena_batch milena_batch;

/**
 * A record that was read.
 */
typedef struct {
    int64_t offset;
    /**
     * Milliseconds since 1970-01-01 UTC; -1 when there is none.
     */
    int64_t timestamp_ms;
    milena_bytes key;
    milena_bytes value;
    /**
     * `headers_len` headers; NULL when there are none.
     */
    const milena_header *headers;
    uint32_t headers_len;
    /**
     * MILENA_RECORD_APPEND_TIME and the like, or-ed.
     */
    uint32_t flags;
} milena_record_view;

/**
 * Records of one partition, in the order of their offsets, which may have gaps.
 */
typedef struct {
    milena_bytes topic;
    int32_t partition;
    /**
     * The epoch of the leader that stored the records; -1 when it is not known.
     */
    int32_t leader_epoch;
    /**
     * Where to read on behind this chunk: what to commit when its records are done with.
     */
    int64_t next_offset;
    /**
     * `records_len` records, `records_stride` bytes apart.
     */
    const milena_record_view *records;
    size_t records_len;
    size_t records_stride;
} milena_chunk;

/**
 * Something that happened to the group or to a commit. Of kinds that it does not know a program should ignore the
 * event.
 */
typedef struct {
    /**
     * MILENA_EVENT_ASSIGNED and the like.
     */
    int32_t kind;
    /**
     * Of a commit: how it ended. Of lost partitions: why they are.
     */
    milena_status status;
    /**
     * The same as an error; NULL when there is none. Not to be freed by itself.
     */
    const milena_error *error;
    /**
     * `partitions_len` rows, `partitions_stride` bytes apart; of a commit with their offsets.
     */
    const milena_offset *partitions;
    size_t partitions_len;
    size_t partitions_stride;
} milena_event;

/**
 * The chunks: `*n` of them, `*stride` bytes apart, which is more than sizeof(milena_chunk). NULL, with `*n` 0, when
 * there are none, as in an event, or `batch` is NULL.
 */
const milena_chunk *milena_batch_chunks(const milena_batch *batch,
                                        size_t *n,
                                        size_t *stride);

/**
 * The number of records in all chunks; 0 for NULL.
 */
size_t milena_batch_count(const milena_batch *batch);

/**
 * The event, if it is one; else, and for NULL, NULL.
 */
const milena_event *milena_batch_event(const milena_batch *batch);

/**
 * The size in bytes of what milena_batch_pack writes; 0 for NULL, for an event, and when it would be 4 GiB or more.
 */
size_t milena_batch_packed_size(const milena_batch *batch);

/**
 * Copies all records into one block of memory, for bindings of other languages: one call, one copy. `capacity` is
 * at least milena_batch_packed_size(batch).
 *
 * All numbers are little-endian; places are bytes from the beginning of the block; -1 as a length is null. The block
 * begins with this head, 32 bytes of uint32 each:
 *
 *     0  the layout's version, 1            16  place of the chunk rows
 *     4  number of chunks                   20  place of the record rows
 *     8  number of records                  24  place of the header rows
 *    12  number of headers                  28  place of the data: keys, values, names
 *
 *     chunk row, 40 bytes          record row, 48 bytes          header row, 16 bytes
 *      0  uint32 topic's place      0  int64  offset              0  uint32 name's place
 *      4  uint32 topic's length     8  int64  timestamp           4  int32  name's length
 *      8  int32  partition         16  uint32 key's place         8  uint32 value's place
 *     12  int32  leader epoch      20  int32  key's length       12  int32  value's length
 *     16  int64  next offset       24  uint32 value's place
 *     24  uint32 first record      28  int32  value's length
 *     28  uint32 records           32  uint32 first header
 *     32  uint64 reserved          36  uint32 headers
 *                                  40  uint32 flags
 *                                  44  uint32 chunk
 *
 * Errors: INVALID_ARGUMENT when `capacity` is too small or the batch too large.
 */
milena_status milena_batch_pack(const milena_batch *batch,
                                uint8_t *block,
                                size_t capacity,
                                milena_error **err);

/**
 * Frees a batch; NULL is fine.
 */
void milena_batch_free(milena_batch *batch);

/* ====================================================================================================
 * 11  CONSUMER
 * ====================================================================================================
 * Reads records: as a member of a group (milena_consumer_subscribe) or of partitions chosen by the program
 * (milena_consumer_assign). A thread of the library fetches ahead, at most fetch.buffer.memory bytes, keeps up the
 * membership and commits; milena_consumer_poll hands out what is there.
 *
 * A consumer is for one thread at a time: a second one gets BUSY. Only milena_consumer_wakeup and milena_consumer_fd,
 * whose consumer is const, may be called at any time. (milena_consumer_free may, too; it ends a call that waits.)
 *
 * As a member of a group, poll at least every max.poll.interval.ms, or the group gives the partitions to others. When
 * poll gives an event MILENA_EVENT_REVOKED, the next poll says that the program is done with those partitions; commit
 * their offsets before it.
 *
 * Where a call takes `timeout_ms` and is not a poll, -1 is default.api.timeout.ms.
 */

/**
 * A consumer; a handle, not memory.
 */
typedef struct milena_consumer milena_consumer;

/**
 * Makes a consumer. Does not wait for the brokers.
 *
 * Errors: INVALID_CONFIGURATION with all that is wrong; NOT_IMPLEMENTED for a property that is known, but has no
 * effect yet; TRANSPORT when the system has no more threads or descriptors.
 */
milena_status milena_consumer_new(const milena_config *config,
                                  milena_consumer **out,
                                  milena_error **err);

/**
 * Joins the group to read these topics, in place of any before; their partitions are shared out among the group's
 * members. Takes effect with the next polls, which give the events. No topics: as milena_consumer_unsubscribe.
 *
 * Errors: INVALID_STATE without a group.id, and while partitions are assigned by hand.
 */
milena_status milena_consumer_subscribe(milena_consumer *consumer,
                                        const milena_bytes *topics,
                                        size_t n,
                                        milena_error **err);

/**
 * Gives up the subscription, leaving the group (with enable.auto.commit after a last commit), or the partitions
 * assigned by hand. Never blocks; no events follow.
 */
milena_status milena_consumer_unsubscribe(milena_consumer *consumer,
                                          milena_error **err);

/**
 * Reads these partitions, in place of those before, without the group's sharing them out. Begins at the group's
 * committed offsets if there is a group.id, else as auto.offset.reset says, unless milena_consumer_seek says more.
 *
 * Errors: INVALID_STATE while subscribed.
 */
milena_status milena_consumer_assign(milena_consumer *consumer,
                                     const milena_topic_partition *partitions,
                                     size_t stride,
                                     size_t n,
                                     milena_error **err);

/**
 * The partitions that are read now: topic and partition of each row; offset is its position, or -1.
 */
milena_status milena_consumer_assignment(milena_consumer *consumer,
                                         milena_offsets **out,
                                         milena_error **err);

/**
 * Takes records, or an event; never both in one call. Waits for the first at most `timeout_ms` (0: not at all, -1:
 * without end), and gives at most `max_records` records (0: max.poll.records). `*out` is NULL when nothing came;
 * milena_batch_free frees it. See "Batches" for what is in it.
 *
 * Errors: an error that names a partition (milena_error_topic) is about that one only, such as CORRUPT_MESSAGE: seek
 * to milena_error_next_offset to read on behind it. NO_OFFSET, OFFSET_OUT_OF_RANGE when auto.offset.reset is none.
 * BATCHES_HELD when batches that were not freed fill fetch.buffer.memory. WAKEUP after milena_consumer_wakeup.
 * INVALID_STATE without subscription or assignment. Authorization errors. After each of them the consumer can be
 * polled again, unless milena_error_is_fatal.
 */
milena_status milena_consumer_poll(milena_consumer *consumer,
                                   int64_t timeout_ms,
                                   size_t max_records,
                                   milena_batch **out,
                                   milena_error **err);

/**
 * As milena_consumer_poll, for bindings of other languages: records are copied into a block of the caller's at once, as
 * milena_batch_pack lays them out, so that one call does all. `*packed` is the size in bytes of what was written, 0
 * for nothing. What was not packed is in `*out`, which else is NULL: an event, or records that need more than
 * `capacity` bytes; they are not lost, milena_batch_pack takes them. `block` may be NULL if `capacity` is 0.
 *
 * Errors: as milena_consumer_poll.
 */
milena_status milena_consumer_poll_packed(milena_consumer *consumer,
                                          int64_t timeout_ms,
                                          size_t max_records,
                                          uint8_t *block,
                                          size_t capacity,
                                          size_t *packed,
                                          milena_batch **out,
                                          milena_error **err);

/**
 * Reads on at other offsets: `offset` of each row (and `leader_epoch`, or -1). What was fetched there already is
 * dropped. Never blocks.
 *
 * Errors: INVALID_STATE for a partition that is not assigned; INVALID_ARGUMENT for a negative offset. Then nothing
 * was changed.
 */
milena_status milena_consumer_seek(milena_consumer *consumer,
                                   const milena_offset *offsets,
                                   size_t stride,
                                   size_t n,
                                   milena_error **err);

/**
 * Reads on at the beginning of partitions (`n` 0: of all that are assigned). Never blocks: the offset is looked up
 * when the next poll needs it.
 */
milena_status milena_consumer_seek_to_beginning(milena_consumer *consumer,
                                                const milena_topic_partition *partitions,
                                                size_t stride,
                                                size_t n,
                                                milena_error **err);

/**
 * Reads on at the end of partitions, that is, only what comes from now on. As milena_consumer_seek_to_beginning.
 */
milena_status milena_consumer_seek_to_end(milena_consumer *consumer,
                                          const milena_topic_partition *partitions,
                                          size_t stride,
                                          size_t n,
                                          milena_error **err);

/**
 * The offsets of the next records that poll will give. Waits for those that are not known yet.
 *
 * Errors: INVALID_STATE for a partition that is not assigned; TIMED_OUT; NO_OFFSET.
 */
milena_status milena_consumer_position(milena_consumer *consumer,
                                       const milena_topic_partition *partitions,
                                       size_t stride,
                                       size_t n,
                                       int64_t timeout_ms,
                                       milena_offsets **out,
                                       milena_error **err);

/**
 * The offsets that the group has committed; -1 where there is none. Asks the broker.
 *
 * Errors: INVALID_STATE without a group.id; TIMED_OUT; authorization errors.
 */
milena_status milena_consumer_committed(milena_consumer *consumer,
                                        const milena_topic_partition *partitions,
                                        size_t stride,
                                        size_t n,
                                        int64_t timeout_ms,
                                        milena_offsets **out,
                                        milena_error **err);

/**
 * The offsets of the first records of partitions, assigned or not. Asks the brokers.
 *
 * Errors: TIMED_OUT, with the last failure as the cause; authorization errors.
 */
milena_status milena_consumer_beginning_offsets(milena_consumer *consumer,
                                                const milena_topic_partition *partitions,
                                                size_t stride,
                                                size_t n,
                                                int64_t timeout_ms,
                                                milena_offsets **out,
                                                milena_error **err);

/**
 * The offsets behind the last records of partitions, assigned or not. As milena_consumer_beginning_offsets.
 */
milena_status milena_consumer_end_offsets(milena_consumer *consumer,
                                          const milena_topic_partition *partitions,
                                          size_t stride,
                                          size_t n,
                                          int64_t timeout_ms,
                                          milena_offsets **out,
                                          milena_error **err);

/**
 * For each row the first record whose timestamp is `timestamp_ms` or later: its offset and timestamp, both -1 where
 * there is none. As milena_consumer_beginning_offsets.
 */
milena_status milena_consumer_offsets_for_times(milena_consumer *consumer,
                                                const milena_offset *times,
                                                size_t stride,
                                                size_t n,
                                                int64_t timeout_ms,
                                                milena_offsets **out,
                                                milena_error **err);

/**
 * Stops giving records of partitions, which stay assigned, until milena_consumer_resume. Never blocks.
 *
 * Errors: INVALID_STATE for a partition that is not assigned; then nothing was changed.
 */
milena_status milena_consumer_pause(milena_consumer *consumer,
                                    const milena_topic_partition *partitions,
                                    size_t stride,
                                    size_t n,
                                    milena_error **err);

/**
 * Ends milena_consumer_pause. Never blocks.
 */
milena_status milena_consumer_resume(milena_consumer *consumer,
                                     const milena_topic_partition *partitions,
                                     size_t stride,
                                     size_t n,
                                     milena_error **err);

/**
 * Commits offsets for the group, and waits for the end of it: those given (`offset` is that of the next record to
 * read; `leader_epoch`, or -1; `metadata` is any text), or with `n` 0 the positions of all assigned partitions, that
 * is, all that polls have handed out.
 *
 * Errors: INVALID_STATE without a group.id; REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID when the
 * group has moved on; TIMED_OUT.
 */
milena_status milena_consumer_commit(milena_consumer *consumer,
                                     const milena_offset *offsets,
                                     size_t stride,
                                     size_t n,
                                     int64_t timeout_ms,
                                     milena_error **err);

/**
 * As milena_consumer_commit, without waiting: a later poll gives an event MILENA_EVENT_COMMITTED.
 */
milena_status milena_consumer_commit_async(milena_consumer *consumer,
                                           const milena_offset *offsets,
                                           size_t stride,
                                           size_t n,
                                           milena_error **err);

/**
 * Ends the call that waits inside the consumer, or the next one that would, with WAKEUP. Any thread, at any time.
 */
milena_status milena_consumer_wakeup(const milena_consumer *consumer,
                                     milena_error **err);

/**
 * A descriptor that is readable as long as milena_consumer_poll has something or wants to be called. Only wait for
 * it: don't read, write or close it. Valid until the consumer is freed. Any thread, at any time.
 */
milena_status milena_consumer_fd(const milena_consumer *consumer,
                                 milena_fd *out,
                                 milena_error **err);

/**
 * Takes the log lines that were kept for the program (log.sink=poll); see "Log". `*out` is NULL when there is none.
 * Any thread, at any time.
 */
milena_status milena_consumer_log(const milena_consumer *consumer,
                                  milena_log **out,
                                  milena_error **err);

/**
 * Ends the consumer: commits what polls have handed out (with enable.auto.commit), leaves the group, closes the
 * connections. Returns by `timeout_ms`. Later calls get CLOSED, closing again is fine, and milena_consumer_free comes
 * last.
 *
 * Errors: TIMED_OUT, or the failure of the last commit; the consumer is closed all the same.
 */
milena_status milena_consumer_close(milena_consumer *consumer,
                                    int64_t timeout_ms,
                                    milena_error **err);

/**
 * Frees a consumer; NULL, and one that is freed already, are fine. Without milena_consumer_close nothing is committed
 * and the group finds out by itself, after session.timeout.ms. Batches stay valid. Safe while another thread is
 * inside one of its calls, which ends then.
 */
void milena_consumer_free(milena_consumer *consumer);

/* ====================================================================================================
 * 12  TOPICS AND CLUSTERS
 * ====================================================================================================
 * What the admin client's calls give. All that is read here borrows from the milena_topics or milena_cluster.
 */

/**
 * What is known of a cluster; the caller's to free.
 */
typedef struct milena_cluster milena_cluster;

/**
 * Rows about topics; the caller's to free.
 */
typedef struct milena_topics milena_topics;

/**
 * A partition of a topic.
 */
typedef struct {
    int32_t partition;
    /**
     * The id of the broker that leads it; -1 when there is none at the moment.
     */
    int32_t leader;
    /**
     * -1 when it is not known.
     */
    int32_t leader_epoch;
    /**
     * MILENA_OK, or what is wrong with it, such as LEADER_NOT_AVAILABLE.
     */
    milena_status status;
    /**
     * The ids of the brokers that have it.
     */
    const int32_t *replicas;
    size_t replicas_len;
    /**
     * The ids of those that have all of it.
     */
    const int32_t *in_sync;
    size_t in_sync_len;
} milena_partition;

/**
 * What is known of a topic, or what came of creating or deleting it.
 */
typedef struct {
    milena_bytes name;
    /**
     * The topic's id, 16 bytes as in the protocol; all 0 from brokers before 2.8.
     */
    uint8_t id[16];
    milena_status status;
    /**
     * 1 for topics of Kafka's own, else 0.
     */
    int32_t is_internal;
    /**
     * Why it failed; NULL when it did not. Not to be freed by itself.
     */
    const milena_error *error;
    /**
     * `partitions_len` partitions, `partitions_stride` bytes apart, in the order of their numbers; none after
     * creating and deleting.
     */
    const milena_partition *partitions;
    size_t partitions_len;
    size_t partitions_stride;
} milena_topic;

/**
 * A broker of a cluster.
 */
typedef struct {
    int32_t id;
    int32_t port;
    /**
     * Never NULL.
     */
    const char *host;
    /**
     * NULL when it has none.
     */
    const char *rack;
} milena_broker;

/**
 * The topics: `*n` of them, `*stride` bytes apart. NULL, with `*n` 0, when there are none or `topics` is NULL.
 */
const milena_topic *milena_topics_rows(const milena_topics *topics,
                                       size_t *n,
                                       size_t *stride);

/**
 * Frees topics; NULL is fine.
 */
void milena_topics_free(milena_topics *topics);

/**
 * The cluster's id; NULL when it has none, and for NULL.
 */
const char *milena_cluster_id(const milena_cluster *cluster);

/**
 * The id of the broker to send changes to; -1 when there is none.
 */
int32_t milena_cluster_controller(const milena_cluster *cluster);

/**
 * The brokers: `*n` of them, `*stride` bytes apart. NULL, with `*n` 0, when `cluster` is NULL.
 */
const milena_broker *milena_cluster_brokers(const milena_cluster *cluster,
                                            size_t *n,
                                            size_t *stride);

/**
 * Frees a cluster's description; NULL is fine.
 */
void milena_cluster_free(milena_cluster *cluster);

/* ====================================================================================================
 * 13  ADMIN CLIENT
 * ====================================================================================================
 * Creates, deletes and describes topics, and describes the cluster. All calls but free may be made from any threads
 * at once. Each asks the brokers and blocks until they have answered, at most `timeout_ms` (-1:
 * default.api.timeout.ms); what passes by itself, such as a controller that moved, is tried again until then.
 */

/**
 * An admin client; a handle, not memory.
 */
typedef struct milena_admin milena_admin;

/**
 * A name and a value.
 */
typedef struct {
    milena_bytes name;
    /**
     * Null: the default.
     */
    milena_bytes value;
} milena_property;

/**
 * A topic to create. Start from MILENA_NEW_TOPIC_INIT.
 */
typedef struct {
    milena_bytes name;
    /**
     * -1: the broker's default, which brokers before 2.4 do not have.
     */
    int32_t partitions;
    /**
     * 1 to 32767; -1: the broker's default, which brokers before 2.4 do not have.
     */
    int32_t replication_factor;
    /**
     * `configs_len` properties of the topic, such as cleanup.policy; NULL when there are none.
     */
    const milena_property *configs;
    size_t configs_len;
} milena_new_topic;

/**
 * Makes an admin client. Does not wait for the brokers.
 *
 * Errors: INVALID_CONFIGURATION with all that is wrong; NOT_IMPLEMENTED for a property that is known, but has no
 * effect yet; TRANSPORT when the system has no more threads or descriptors.
 */
milena_status milena_admin_new(const milena_config *config,
                               milena_admin **out,
                               milena_error **err);

/**
 * Creates topics, or with `validate_only` not 0 checks whether they could be. With out not NULL, `*out` has a row for
 * each, in the order of the question.
 *
 * The status is that of the call, or of the first topic that failed; `*out` is written in that case, too. Errors:
 * TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG,
 * POLICY_VIOLATION, authorization errors; TIMED_OUT. A topic that was just created may not be known to all brokers
 * for a moment.
 */
milena_status milena_admin_create_topics(const milena_admin *admin,
                                         const milena_new_topic *topics,
                                         size_t stride,
                                         size_t n,
                                         int32_t validate_only,
                                         int64_t timeout_ms,
                                         milena_topics **out,
                                         milena_error **err);

/**
 * Deletes topics, with all their records. Results as of milena_admin_create_topics.
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, TOPIC_DELETION_DISABLED, authorization errors; TIMED_OUT.
 */
milena_status milena_admin_delete_topics(const milena_admin *admin,
                                         const milena_bytes *topics,
                                         size_t n,
                                         int64_t timeout_ms,
                                         milena_topics **out,
                                         milena_error **err);

/**
 * Describes topics: id, partitions, leaders, replicas. Results as of milena_admin_create_topics; does not create
 * topics.
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, authorization errors; TIMED_OUT.
 */
milena_status milena_admin_describe_topics(const milena_admin *admin,
                                           const milena_bytes *topics,
                                           size_t n,
                                           int64_t timeout_ms,
                                           milena_topics **out,
                                           milena_error **err);

/**
 * Describes all topics, in the order of their names; Kafka's own (such as __consumer_offsets) only with
 * `list_internal` not 0.
 */
milena_status milena_admin_list_topics(const milena_admin *admin,
                                       int32_t list_internal,
                                       int64_t timeout_ms,
                                       milena_topics **out,
                                       milena_error **err);

/**
 * Describes the cluster: its id, its controller, its brokers.
 */
milena_status milena_admin_describe_cluster(const milena_admin *admin,
                                            int64_t timeout_ms,
                                            milena_cluster **out,
                                            milena_error **err);

/**
 * Takes the log lines that were kept for the program (log.sink=poll); see "Log". `*out` is NULL when there is none.
 */
milena_status milena_admin_log(const milena_admin *admin,
                               milena_log **out,
                               milena_error **err);

/**
 * A descriptor that is readable as long as milena_admin_log has lines. Only wait for it: don't read, write or close
 * it. Valid until the client is freed.
 */
milena_status milena_admin_fd(const milena_admin *admin,
                              milena_fd *out,
                              milena_error **err);

/**
 * Ends the client: calls that wait end with CLOSED, as do later ones. Does not block. Closing again is fine.
 */
milena_status milena_admin_close(const milena_admin *admin,
                                 milena_error **err);

/**
 * Frees an admin client; NULL, and one that is freed already, are fine. Safe while other threads are inside its
 * calls, which end with CLOSED then.
 */
void milena_admin_free(milena_admin *admin);

/** A topic with the broker's defaults for all but its name: milena_new_topic topic = MILENA_NEW_TOPIC_INIT; */
#define MILENA_NEW_TOPIC_INIT { { NULL, 0 }, -1, -1, NULL, 0 }

/* ====================================================================================================
 * 14  EMBEDDED CLUSTER
 * ====================================================================================================
 * A Kafka for tests: brokers inside this process, in memory, on loopback, that any Kafka client can connect to. Their
 * ids are 1, 2, 3 … What is to go wrong can be said by script. All calls but free may be made from any threads at
 * once; they block for a moment at most.
 */

/**
 * The request is answered with `code` and not carried out. (Produce with REQUEST_TIMED_OUT or
 * NOT_ENOUGH_REPLICAS_AFTER_APPEND appends all the same, as Kafka does.)
 */
#define MILENA_FAULT_ERROR 1

/**
 * The answer, whatever it is, comes `delay_ms` later; so do later ones on the same connection.
 */
#define MILENA_FAULT_DELAY 2

/**
 * The connection is closed and the request not carried out.
 */
#define MILENA_FAULT_DISCONNECT_BEFORE 3

/**
 * The request is carried out, and the connection closed instead of an answer.
 */
#define MILENA_FAULT_DISCONNECT_AFTER 4

/**
 * The request is carried out and never answered, nor is any later one on the same connection.
 */
#define MILENA_FAULT_DROP_ANSWER 5

/**
 * Random bytes come instead of the answer.
 */
#define MILENA_FAULT_GARBAGE 6

/**
 * Instead of the answer comes the start of a frame that says to be 2 GiB long.
 */
#define MILENA_FAULT_HUGE_LENGTH 7

/**
 * The first half of the answer comes, then the connection is closed.
 */
#define MILENA_FAULT_CUT_OFF 8

/**
 * The answer comes in a sound frame, but ends in the middle.
 */
#define MILENA_FAULT_TRUNCATED 9

/**
 * The answer has another request's correlation id.
 */
#define MILENA_FAULT_WRONG_CORRELATION 10

/**
 * An embedded cluster; a handle, not memory.
 */
typedef struct milena_embedded milena_embedded;

/**
 * Something that is to go wrong. Start from MILENA_FAULT_INIT, which fits every request, once.
 */
typedef struct {
    /**
     * MILENA_FAULT_ERROR and the like.
     */
    int32_t kind;
    /**
     * Of MILENA_FAULT_ERROR: one of Kafka's codes.
     */
    milena_status code;
    /**
     * Only requests of this API, by its number in the protocol (0 Produce, 1 Fetch, 3 Metadata …); -1: all.
     */
    int32_t api_key;
    /**
     * Only requests to this broker; -1: all.
     */
    int32_t broker;
    /**
     * Of MILENA_FAULT_ERROR: only this topic (or group) fails; null: all.
     */
    milena_bytes topic;
    /**
     * Of MILENA_FAULT_ERROR: only this partition fails; -1: all.
     */
    int32_t partition;
    /**
     * How many requests that fit pass unharmed first.
     */
    uint32_t skip;
    /**
     * How many requests it happens to; UINT32_MAX: all, until the faults are cleared.
     */
    uint32_t times;
    /**
     * Of MILENA_FAULT_DELAY: milliseconds.
     */
    uint32_t delay_ms;
} milena_fault;

/**
 * Starts `brokers` brokers (1 to 1000), which listen on 127.0.0.1, broker i at port `base_port` + i - 1; with a
 * `base_port` of 0 at ports that are free.
 *
 * `settings` may be NULL. Otherwise its names are: auto.create.topics.enable (true), num.partitions (1),
 * default.replication.factor (1), message.max.bytes, log.retention.bytes, group.initial.rebalance.delay.ms (0),
 * cluster.id, broker.version (1.1, 2.8, 3.9 or 4.4: which version of Kafka to pretend to be), seed (what ids are drawn from).
 *
 * Errors: INVALID_ARGUMENT; INVALID_CONFIGURATION; TRANSPORT when a port is taken or the system has no more threads
 * or descriptors.
 */
milena_status milena_embedded_new(int32_t brokers,
                                  int32_t base_port,
                                  const milena_config *settings,
                                  milena_embedded **out,
                                  milena_error **err);

/**
 * What clients need as bootstrap.servers, "127.0.0.1:port,…". NULL when `cluster` is NULL or freed. Lives as long as
 * the cluster.
 */
const char *milena_embedded_bootstrap_servers(const milena_embedded *cluster);

/**
 * Creates a topic; -1 takes the default for the number of partitions or replicas. milena_admin_create_topics can say
 * more.
 *
 * Errors: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR.
 */
milena_status milena_embedded_create_topic(const milena_embedded *cluster,
                                           milena_bytes name,
                                           int32_t partitions,
                                           int32_t replication_factor,
                                           milena_error **err);

/**
 * Adds a fault to the script; `size` is sizeof(milena_fault). Each request takes the first error that fits it and
 * the first other fault that fits, in the order in which they were added.
 *
 * Errors: INVALID_ARGUMENT for a kind, code or API that does not exist.
 */
milena_status milena_embedded_push_fault(const milena_embedded *cluster,
                                         const milena_fault *fault,
                                         size_t size,
                                         milena_error **err);

/**
 * The short form: the next `times` requests of this API are answered with this code of Kafka's.
 */
milena_status milena_embedded_push_error(const milena_embedded *cluster,
                                         int32_t api_key,
                                         milena_status code,
                                         uint32_t times,
                                         milena_error **err);

/**
 * Takes all faults back. Brokers that are down or paused stay so.
 */
milena_status milena_embedded_clear_faults(const milena_embedded *cluster, milena_error **err);

/**
 * Ends a broker as kill -9 would: its connections are closed, its port refuses, its partitions get other leaders.
 * Its records are kept. No error when it is down already.
 *
 * Errors, of this and the next calls: INVALID_ARGUMENT when there is no such broker.
 */
milena_status milena_embedded_broker_down(const milena_embedded *cluster,
                                          int32_t broker,
                                          milena_error **err);

/**
 * Starts a broker again, on the same port.
 */
milena_status milena_embedded_broker_up(const milena_embedded *cluster,
                                        int32_t broker,
                                        milena_error **err);

/**
 * Stops a broker from answering and reading, as SIGSTOP would: connections stay open. What came is handled after
 * milena_embedded_broker_resume.
 */
milena_status milena_embedded_broker_pause(const milena_embedded *cluster,
                                           int32_t broker,
                                           milena_error **err);

/**
 * Ends milena_embedded_broker_pause.
 */
milena_status milena_embedded_broker_resume(const milena_embedded *cluster,
                                            int32_t broker,
                                            milena_error **err);

/**
 * Makes a broker the leader of a partition (it becomes a replica if it is none). Clients are not told.
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION; INVALID_ARGUMENT when there is no such broker.
 */
milena_status milena_embedded_move_leader(const milena_embedded *cluster,
                                          milena_bytes topic,
                                          int32_t partition,
                                          int32_t broker,
                                          milena_error **err);

/**
 * Makes a broker the coordinator of a group. Clients are not told.
 */
milena_status milena_embedded_move_coordinator(const milena_embedded *cluster,
                                               milena_bytes group,
                                               int32_t broker,
                                               milena_error **err);

/**
 * Flips a bit in a stored batch of a partition, so that its checksum is wrong: 0 is the oldest batch.
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION; INVALID_ARGUMENT when there are not so many batches.
 */
milena_status milena_embedded_corrupt_batch(const milena_embedded *cluster,
                                            milena_bytes topic,
                                            int32_t partition,
                                            size_t batch,
                                            milena_error **err);

/**
 * How many requests of an API all brokers have received so far (-1: of all APIs).
 */
milena_status milena_embedded_request_count(const milena_embedded *cluster,
                                            int32_t api_key,
                                            uint64_t *out,
                                            milena_error **err);

/**
 * Ends the brokers and frees the cluster with all its records; NULL, and one that is freed already, are fine.
 */
void milena_embedded_free(milena_embedded *cluster);

/** A fault of every request, once: milena_fault fault = MILENA_FAULT_INIT; and then at least its kind. */
#define MILENA_FAULT_INIT { 0, 0, -1, -1, { NULL, 0 }, -1, 0, 1, 0 }

/* ====================================================================================================
 * 15  DECODING RECORD BATCHES
 * ====================================================================================================
 * Reads the bytes that brokers store and send: for tools, without any client.
 */

/**
 * Decodes `len` bytes of record batches, of any format (v0, v1, v2) and codec, such as a segment file of a broker.
 * `*out` has a chunk for each batch, without a topic and with partition -1; control records are given and have the
 * flag MILENA_RECORD_CONTROL. A batch that is cut off at the end is no error: what is in front of it is given. `*out`
 * is NULL when there is no batch. Checksums are checked. A batch may decompress to `max_batch_bytes` (0: 1 GiB).
 *
 * The bytes are copied. Any thread.
 *
 * Errors: CORRUPT_MESSAGE, with the offset and what is wrong; `*out` is written then as well, with the batches in
 * front of the corrupt one.
 */
milena_status milena_decode_batches(const uint8_t *data,
                                    size_t len,
                                    size_t max_batch_bytes,
                                    milena_batch **out,
                                    milena_error **err);

#ifdef __cplusplus
}
#endif

#endif /* MILENA_H */
