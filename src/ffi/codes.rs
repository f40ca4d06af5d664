//! Status codes
//!
//! 0 is success. Kafka's own codes are what brokers answer, unchanged, so -1 is UNKNOWN_SERVER_ERROR. The codes of
//! this library are -1000 and below. Names as text: milena_status_name.

use super::types::milena_status;

/// Success.
pub const MILENA_OK: milena_status = 0;
/// The broker failed and says no more.
pub const MILENA_E_UNKNOWN_SERVER_ERROR: milena_status = -1;
/// The partition has no record at this offset: it was deleted, or never written.
pub const MILENA_E_OFFSET_OUT_OF_RANGE: milena_status = 1;
/// A batch's checksum or form is wrong, or a record without a key went to a compacted topic.
pub const MILENA_E_CORRUPT_MESSAGE: milena_status = 2;
/// The broker does not know the topic or partition, or may not show it to this client.
pub const MILENA_E_UNKNOWN_TOPIC_OR_PARTITION: milena_status = 3;
/// A fetch asked for an impossible number of bytes.
pub const MILENA_E_INVALID_FETCH_SIZE: milena_status = 4;
/// The partition has no leader at the moment, as while one is elected or the topic is new.
pub const MILENA_E_LEADER_NOT_AVAILABLE: milena_status = 5;
/// The broker no longer leads, or never held, the partition; the client looks for the right one.
pub const MILENA_E_NOT_LEADER_OR_FOLLOWER: milena_status = 6;
/// The broker did not finish in the time that the request gave it.
pub const MILENA_E_REQUEST_TIMED_OUT: milena_status = 7;
/// The broker is not there.
pub const MILENA_E_BROKER_NOT_AVAILABLE: milena_status = 8;
/// The broker has no replica of the partition that it could use.
pub const MILENA_E_REPLICA_NOT_AVAILABLE: milena_status = 9;
/// The batch is larger than the broker takes.
pub const MILENA_E_MESSAGE_TOO_LARGE: milena_status = 10;
/// The controller has changed.
pub const MILENA_E_STALE_CONTROLLER_EPOCH: milena_status = 11;
/// The text committed with an offset is too long.
pub const MILENA_E_OFFSET_METADATA_TOO_LARGE: milena_status = 12;
/// The broker lost a connection before the response.
pub const MILENA_E_NETWORK_EXCEPTION: milena_status = 13;
/// The coordinator is still loading its state.
pub const MILENA_E_COORDINATOR_LOAD_IN_PROGRESS: milena_status = 14;
/// The group or transaction has no coordinator at the moment.
pub const MILENA_E_COORDINATOR_NOT_AVAILABLE: milena_status = 15;
/// Another broker is the coordinator now; the client looks for it.
pub const MILENA_E_NOT_COORDINATOR: milena_status = 16;
/// The topic's name is not allowed, or the operation on this topic is not.
pub const MILENA_E_INVALID_TOPIC_EXCEPTION: milena_status = 17;
/// The batch is larger than the broker's log segments.
pub const MILENA_E_RECORD_LIST_TOO_LARGE: milena_status = 18;
/// Fewer replicas are in sync than min.insync.replicas; nothing was written.
pub const MILENA_E_NOT_ENOUGH_REPLICAS: milena_status = 19;
/// The leader wrote the batch, but fewer replicas are in sync than min.insync.replicas.
pub const MILENA_E_NOT_ENOUGH_REPLICAS_AFTER_APPEND: milena_status = 20;
/// The broker does not know this value of acks.
pub const MILENA_E_INVALID_REQUIRED_ACKS: milena_status = 21;
/// The group has moved on to another generation; the member joins again.
pub const MILENA_E_ILLEGAL_GENERATION: milena_status = 22;
/// The member shares no assignor or protocol type with the rest of the group.
pub const MILENA_E_INCONSISTENT_GROUP_PROTOCOL: milena_status = 23;
/// The group's name is not allowed, as an empty one.
pub const MILENA_E_INVALID_GROUP_ID: milena_status = 24;
/// The coordinator does not know the member, as when its session has timed out; it joins again.
pub const MILENA_E_UNKNOWN_MEMBER_ID: milena_status = 25;
/// The broker does not allow this session timeout.
pub const MILENA_E_INVALID_SESSION_TIMEOUT: milena_status = 26;
/// The group is sharing its partitions out again; the member takes part in it.
pub const MILENA_E_REBALANCE_IN_PROGRESS: milena_status = 27;
/// The committed data are too large.
pub const MILENA_E_INVALID_COMMIT_OFFSET_SIZE: milena_status = 28;
/// This client has no right to do that with the topic.
pub const MILENA_E_TOPIC_AUTHORIZATION_FAILED: milena_status = 29;
/// This client has no right to use the group.
pub const MILENA_E_GROUP_AUTHORIZATION_FAILED: milena_status = 30;
/// This client has no such right on the cluster.
pub const MILENA_E_CLUSTER_AUTHORIZATION_FAILED: milena_status = 31;
/// The record's timestamp is further from the broker's time than the topic allows.
pub const MILENA_E_INVALID_TIMESTAMP: milena_status = 32;
/// The broker does not offer this way of authentication.
pub const MILENA_E_UNSUPPORTED_SASL_MECHANISM: milena_status = 33;
/// Authentication messages came in the wrong order.
pub const MILENA_E_ILLEGAL_SASL_STATE: milena_status = 34;
/// The broker does not have this version of the request.
pub const MILENA_E_UNSUPPORTED_VERSION: milena_status = 35;
/// There is a topic of this name.
pub const MILENA_E_TOPIC_ALREADY_EXISTS: milena_status = 36;
/// The number of partitions is not allowed.
pub const MILENA_E_INVALID_PARTITIONS: milena_status = 37;
/// The number of replicas is less than 1 or more than there are brokers.
pub const MILENA_E_INVALID_REPLICATION_FACTOR: milena_status = 38;
/// The assignment of replicas to brokers is not possible.
pub const MILENA_E_INVALID_REPLICA_ASSIGNMENT: milena_status = 39;
/// The broker refuses a configuration value.
pub const MILENA_E_INVALID_CONFIG: milena_status = 40;
/// Another node is the controller now; the client looks for it.
pub const MILENA_E_NOT_CONTROLLER: milena_status = 41;
/// The broker can't make sense of the request.
pub const MILENA_E_INVALID_REQUEST: milena_status = 42;
/// The topic's message format on disk can't do what was asked, such as idempotence or headers.
pub const MILENA_E_UNSUPPORTED_FOR_MESSAGE_FORMAT: milena_status = 43;
/// A policy of the broker forbids it.
pub const MILENA_E_POLICY_VIOLATION: milena_status = 44;
/// The broker misses a batch before this one.
pub const MILENA_E_OUT_OF_ORDER_SEQUENCE_NUMBER: milena_status = 45;
/// The broker has this batch already.
pub const MILENA_E_DUPLICATE_SEQUENCE_NUMBER: milena_status = 46;
/// A newer producer with this id has taken over.
pub const MILENA_E_INVALID_PRODUCER_EPOCH: milena_status = 47;
/// The transaction is in a state that does not allow this.
pub const MILENA_E_INVALID_TXN_STATE: milena_status = 48;
/// The producer id does not belong to the transactional id.
pub const MILENA_E_INVALID_PRODUCER_ID_MAPPING: milena_status = 49;
/// The broker does not allow so long a transaction.
pub const MILENA_E_INVALID_TRANSACTION_TIMEOUT: milena_status = 50;
/// The last transaction of this id is not finished yet.
pub const MILENA_E_CONCURRENT_TRANSACTIONS: milena_status = 51;
/// The coordinator that ends the transaction has been replaced.
pub const MILENA_E_TRANSACTION_COORDINATOR_FENCED: milena_status = 52;
/// This client has no right to the transactional id.
pub const MILENA_E_TRANSACTIONAL_ID_AUTHORIZATION_FAILED: milena_status = 53;
/// The broker has security switched off.
pub const MILENA_E_SECURITY_DISABLED: milena_status = 54;
/// The broker stopped before this part of the request.
pub const MILENA_E_OPERATION_NOT_ATTEMPTED: milena_status = 55;
/// The broker's disk failed.
pub const MILENA_E_KAFKA_STORAGE_ERROR: milena_status = 56;
/// The broker has no such log directory.
pub const MILENA_E_LOG_DIR_NOT_FOUND: milena_status = 57;
/// The broker refuses the credentials.
pub const MILENA_E_SASL_AUTHENTICATION_FAILED: milena_status = 58;
/// The broker has forgotten the producer, as when all its records are deleted.
pub const MILENA_E_UNKNOWN_PRODUCER_ID: milena_status = 59;
/// The partition is being moved.
pub const MILENA_E_REASSIGNMENT_IN_PROGRESS: milena_status = 60;
/// Delegation tokens are switched off.
pub const MILENA_E_DELEGATION_TOKEN_AUTH_DISABLED: milena_status = 61;
/// There is no such delegation token.
pub const MILENA_E_DELEGATION_TOKEN_NOT_FOUND: milena_status = 62;
/// Only owner and renewers may use the token so.
pub const MILENA_E_DELEGATION_TOKEN_OWNER_MISMATCH: milena_status = 63;
/// Tokens are not given out over this kind of connection.
pub const MILENA_E_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: milena_status = 64;
/// This client has no right to the token.
pub const MILENA_E_DELEGATION_TOKEN_AUTHORIZATION_FAILED: milena_status = 65;
/// The token's time is over.
pub const MILENA_E_DELEGATION_TOKEN_EXPIRED: milena_status = 66;
/// The broker does not know this type of principal.
pub const MILENA_E_INVALID_PRINCIPAL_TYPE: milena_status = 67;
/// The group has members.
pub const MILENA_E_NON_EMPTY_GROUP: milena_status = 68;
/// There is no such group.
pub const MILENA_E_GROUP_ID_NOT_FOUND: milena_status = 69;
/// The broker has dropped the fetch session; the client begins another.
pub const MILENA_E_FETCH_SESSION_ID_NOT_FOUND: milena_status = 70;
/// Broker and client disagree about the fetch session; the client begins another.
pub const MILENA_E_INVALID_FETCH_SESSION_EPOCH: milena_status = 71;
/// The partition's leader has no listener like the one the client came by.
pub const MILENA_E_LISTENER_NOT_FOUND: milena_status = 72;
/// The broker does not let topics be deleted.
pub const MILENA_E_TOPIC_DELETION_DISABLED: milena_status = 73;
/// The client's knowledge of the leader is old.
pub const MILENA_E_FENCED_LEADER_EPOCH: milena_status = 74;
/// The broker's knowledge of the leader is old.
pub const MILENA_E_UNKNOWN_LEADER_EPOCH: milena_status = 75;
/// The broker or its version of the request can't do this compression.
pub const MILENA_E_UNSUPPORTED_COMPRESSION_TYPE: milena_status = 76;
/// The broker has been restarted meanwhile.
pub const MILENA_E_STALE_BROKER_EPOCH: milena_status = 77;
/// A new leader does not know yet how far the partition is confirmed.
pub const MILENA_E_OFFSET_NOT_AVAILABLE: milena_status = 78;
/// The coordinator has given the member an id to join with.
pub const MILENA_E_MEMBER_ID_REQUIRED: milena_status = 79;
/// The preferred leader is not there.
pub const MILENA_E_PREFERRED_LEADER_NOT_AVAILABLE: milena_status = 80;
/// The group has as many members as the broker allows.
pub const MILENA_E_GROUP_MAX_SIZE_REACHED: milena_status = 81;
/// Another consumer uses the same group.instance.id.
pub const MILENA_E_FENCED_INSTANCE_ID: milena_status = 82;
/// No replica may become leader.
pub const MILENA_E_ELIGIBLE_LEADERS_NOT_AVAILABLE: milena_status = 83;
/// The leader is the wanted one already.
pub const MILENA_E_ELECTION_NOT_NEEDED: milena_status = 84;
/// The partition is not being moved.
pub const MILENA_E_NO_REASSIGNMENT_IN_PROGRESS: milena_status = 85;
/// The group still consumes the topic, so its offsets stay.
pub const MILENA_E_GROUP_SUBSCRIBED_TO_TOPIC: milena_status = 86;
/// The broker refuses a record.
pub const MILENA_E_INVALID_RECORD: milena_status = 87;
/// Offsets of a transaction that is not finished stand in the way.
pub const MILENA_E_UNSTABLE_OFFSET_COMMIT: milena_status = 88;
/// The client has used up its quota for changes.
pub const MILENA_E_THROTTLING_QUOTA_EXCEEDED: milena_status = 89;
/// A newer producer with the same transactional.id has taken over.
pub const MILENA_E_PRODUCER_FENCED: milena_status = 90;
/// There is nothing of this name.
pub const MILENA_E_RESOURCE_NOT_FOUND: milena_status = 91;
/// The request names something twice.
pub const MILENA_E_DUPLICATE_RESOURCE: milena_status = 92;
/// The broker does not accept such a credential.
pub const MILENA_E_UNACCEPTABLE_CREDENTIAL: milena_status = 93;
/// Controllers disagree about who votes.
pub const MILENA_E_INCONSISTENT_VOTER_SET: milena_status = 94;
/// The update has a version that is not possible.
pub const MILENA_E_INVALID_UPDATE_VERSION: milena_status = 95;
/// The cluster's features could not be changed.
pub const MILENA_E_FEATURE_UPDATE_FAILED: milena_status = 96;
/// A broker can't read the principal that another passed on.
pub const MILENA_E_PRINCIPAL_DESERIALIZATION_FAILURE: milena_status = 97;
/// There is no such snapshot.
pub const MILENA_E_SNAPSHOT_NOT_FOUND: milena_status = 98;
/// The position is not in the snapshot.
pub const MILENA_E_POSITION_OUT_OF_RANGE: milena_status = 99;
/// The broker does not know the topic's id, as when the topic was deleted or made anew.
pub const MILENA_E_UNKNOWN_TOPIC_ID: milena_status = 100;
/// The broker's id is taken.
pub const MILENA_E_DUPLICATE_BROKER_REGISTRATION: milena_status = 101;
/// No broker has this id.
pub const MILENA_E_BROKER_ID_NOT_REGISTERED: milena_status = 102;
/// The topic has another id by now: it was made anew.
pub const MILENA_E_INCONSISTENT_TOPIC_ID: milena_status = 103;
/// The broker belongs to another cluster.
pub const MILENA_E_INCONSISTENT_CLUSTER_ID: milena_status = 104;
/// There is no such transactional id.
pub const MILENA_E_TRANSACTIONAL_ID_NOT_FOUND: milena_status = 105;
/// A fetch session mixed topics by name and by id.
pub const MILENA_E_FETCH_SESSION_TOPIC_ID_ERROR: milena_status = 106;
/// A replica may not be in sync now.
pub const MILENA_E_INELIGIBLE_REPLICA: milena_status = 107;
/// The partition has got another leader.
pub const MILENA_E_NEW_LEADER_ELECTED: milena_status = 108;
/// The records are in remote storage now.
pub const MILENA_E_OFFSET_MOVED_TO_TIERED_STORAGE: milena_status = 109;
/// The coordinator has given up the member; it joins again.
pub const MILENA_E_FENCED_MEMBER_EPOCH: milena_status = 110;
/// Another member still has this group.instance.id.
pub const MILENA_E_UNRELEASED_INSTANCE_ID: milena_status = 111;
/// The group does not have this assignor.
pub const MILENA_E_UNSUPPORTED_ASSIGNOR: milena_status = 112;
/// The member's epoch is old; it gets a new one with its next heartbeat.
pub const MILENA_E_STALE_MEMBER_EPOCH: milena_status = 113;
/// A request for brokers went to a controller, or the other way round.
pub const MILENA_E_MISMATCHED_ENDPOINT_TYPE: milena_status = 114;
/// This kind of endpoint is not supported yet.
pub const MILENA_E_UNSUPPORTED_ENDPOINT_TYPE: milena_status = 115;
/// No controller has this id.
pub const MILENA_E_UNKNOWN_CONTROLLER_ID: milena_status = 116;
/// The subscription to client metrics has changed.
pub const MILENA_E_UNKNOWN_SUBSCRIPTION_ID: milena_status = 117;
/// The client metrics are larger than the broker takes.
pub const MILENA_E_TELEMETRY_TOO_LARGE: milena_status = 118;
/// The broker's registration is not valid.
pub const MILENA_E_INVALID_REGISTRATION: milena_status = 119;
/// The transaction failed and must be aborted; the producer can go on.
pub const MILENA_E_TRANSACTION_ABORTABLE: milena_status = 120;
/// The record can't be acknowledged any more.
pub const MILENA_E_INVALID_RECORD_STATE: milena_status = 121;
/// The broker has dropped the share session.
pub const MILENA_E_SHARE_SESSION_NOT_FOUND: milena_status = 122;
/// Broker and client disagree about the share session.
pub const MILENA_E_INVALID_SHARE_SESSION_EPOCH: milena_status = 123;
/// The share group's state has moved on.
pub const MILENA_E_FENCED_STATE_EPOCH: milena_status = 124;
/// The voter's key is not that of the replica.
pub const MILENA_E_INVALID_VOTER_KEY: milena_status = 125;
/// The voter votes already.
pub const MILENA_E_DUPLICATE_VOTER: milena_status = 126;
/// There is no such voter.
pub const MILENA_E_VOTER_NOT_FOUND: milena_status = 127;
/// The broker can't read the pattern.
pub const MILENA_E_INVALID_REGULAR_EXPRESSION: milena_status = 128;
/// The client's knowledge of the cluster is of no use any more.
pub const MILENA_E_REBOOTSTRAP_REQUIRED: milena_status = 129;
/// The streams topology is not valid.
pub const MILENA_E_STREAMS_INVALID_TOPOLOGY: milena_status = 130;
/// The streams topology's epoch is not valid.
pub const MILENA_E_STREAMS_INVALID_TOPOLOGY_EPOCH: milena_status = 131;
/// The streams topology's epoch is old.
pub const MILENA_E_STREAMS_TOPOLOGY_FENCED: milena_status = 132;
/// The broker has as many share sessions as it allows.
pub const MILENA_E_SHARE_SESSION_LIMIT_REACHED: milena_status = 133;
/// The group could not be deleted.
pub const MILENA_E_GROUP_DELETION_FAILED: milena_status = 134;
/// The broker could not take the description of the topology.
pub const MILENA_E_STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED: milena_status = 135;
/// No registered controller has this id.
pub const MILENA_E_CONTROLLER_ID_NOT_REGISTERED: milena_status = 136;
/// A required pointer was NULL.
pub const MILENA_E_NULL_ARGUMENT: milena_status = -1000;
/// An argument has a value that makes no sense here.
pub const MILENA_E_INVALID_ARGUMENT: milena_status = -1001;
/// A property that is unknown, out of its range or at odds with another; the message names all of them.
pub const MILENA_E_INVALID_CONFIGURATION: milena_status = -1002;
/// A bug in this library was caught at its border; the client it hit is fatal, others live.
pub const MILENA_E_PANIC: milena_status = -1003;
/// The call's own timeout passed; what it began may still happen.
pub const MILENA_E_TIMED_OUT: milena_status = -1004;
/// buffer.memory is full and max_block_ms passed.
pub const MILENA_E_BUFFER_EXHAUSTED: milena_status = -1005;
/// The handle's client was closed.
pub const MILENA_E_CLOSED: milena_status = -1006;
/// Another thread is inside a handle that is for one thread at a time.
pub const MILENA_E_BUSY: milena_status = -1007;
/// A connection could not be made or was lost.
pub const MILENA_E_TRANSPORT: milena_status = -1008;
/// A handle that was freed, never existed, or is of another type.
pub const MILENA_E_STALE_HANDLE: milena_status = -1009;
/// milena_consumer_wakeup ended the call.
pub const MILENA_E_WAKEUP: milena_status = -1010;
/// The process forked after the client was made.
pub const MILENA_E_FORKED: milena_status = -1011;
/// A host name has no address.
pub const MILENA_E_NAME_NOT_RESOLVED: milena_status = -1012;
/// Bytes from the peer are not the Kafka protocol.
pub const MILENA_E_PROTOCOL: milena_status = -1013;
/// Broker and client share no version of a request.
pub const MILENA_E_NO_COMMON_VERSION: milena_status = -1014;
/// Batches that the application still holds fill fetch.buffer.memory.
pub const MILENA_E_BATCHES_HELD: milena_status = -1015;
/// Asked for something that this version does not have yet.
pub const MILENA_E_NOT_IMPLEMENTED: milena_status = -1016;
/// The call does not fit the state of the handle.
pub const MILENA_E_INVALID_STATE: milena_status = -1017;
/// A partition has no position and auto.offset.reset is none.
pub const MILENA_E_NO_OFFSET: milena_status = -1018;
/// The delivery timeout passed before the broker confirmed the record.
pub const MILENA_E_DELIVERY_TIMED_OUT: milena_status = -1019;
/// The client was closed before the record was delivered.
pub const MILENA_E_PURGED: milena_status = -1020;

#[cfg(test)]
mod tests {
    use crate::error::codes::TABLE;

    #[test]
    fn they_are_the_codes_of_the_table() {
        let ours: Vec<(String, i32)> = include_str!("codes.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("pub const MILENA_")?.split_once(": milena_status = "))
            .map(|(name, code)| {
                let name = if name == "OK" { "NONE" } else { name.strip_prefix("E_").unwrap() };
                (name.to_owned(), code.trim_end_matches(';').parse().unwrap())
            })
            .collect();
        let table: Vec<(String, i32)> =
            TABLE.iter().map(|(code, name, ..)| ((*name).to_owned(), *code)).collect();
        assert_eq!(ours, table);
    }
}
