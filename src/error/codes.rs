//! The table of status codes: those of brokers, as Java's client 4.4.0 has them, and this library's own
//! (-1000 and below).

use super::Code;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $retriable:literal, $hint:expr;)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Code = Code($code);)*
        }
        /// Every known code: (code, name, retriable, hint or "").
        pub const TABLE: &[(i32, &str, bool, &str)] = &[$(($code, stringify!($name), $retriable, $hint),)*];
    };
}

codes! {
    /// Success.
    NONE = 0, false, "";
    /// The broker failed and says no more.
    UNKNOWN_SERVER_ERROR = -1, false, "see the broker's log";
    /// The partition has no record at this offset: it was deleted, or never written.
    OFFSET_OUT_OF_RANGE = 1, false,
        "the records are gone or not there yet: seek, or set auto.offset.reset to earliest or latest";
    /// A batch's checksum or form is wrong, or a record without a key went to a compacted topic.
    CORRUPT_MESSAGE = 2, true,
        "on produce: records of a compacted topic need a key; on consume: seek past the batch";
    /// The broker does not know the topic or partition, or may not show it to this client.
    UNKNOWN_TOPIC_OR_PARTITION = 3, true,
        "check the name; create the topic, or wait until all brokers know it";
    /// A fetch asked for an impossible number of bytes.
    INVALID_FETCH_SIZE = 4, false, "";
    /// The partition has no leader at the moment, as while one is elected or the topic is new.
    LEADER_NOT_AVAILABLE = 5, true,
        "a leader is being elected; if it lasts, look for replicas that are offline";
    /// The broker no longer leads, or never held, the partition; the client looks for the right one.
    NOT_LEADER_OR_FOLLOWER = 6, true, "the partition moved: this passes with the next metadata";
    /// The broker did not finish in the time that the request gave it.
    REQUEST_TIMED_OUT = 7, true,
        "the broker or its replicas are slow; raise request.timeout.ms if it is so always";
    /// The broker is not there.
    BROKER_NOT_AVAILABLE = 8, false, "";
    /// The broker has no replica of the partition that it could use.
    REPLICA_NOT_AVAILABLE = 9, true, "";
    /// The batch is larger than the broker takes.
    MESSAGE_TOO_LARGE = 10, false,
        "the topic's max.message.bytes or the broker's message.max.bytes is lower than the record: raise it, \
        or send smaller records";
    /// The controller has changed.
    STALE_CONTROLLER_EPOCH = 11, false, "";
    /// The text committed with an offset is too long.
    OFFSET_METADATA_TOO_LARGE = 12, false,
        "shorten the metadata, or raise the broker's offset.metadata.max.bytes";
    /// The broker lost a connection before the response.
    NETWORK_EXCEPTION = 13, true, "";
    /// The coordinator is still loading its state.
    COORDINATOR_LOAD_IN_PROGRESS = 14, true, "this passes by itself";
    /// The group or transaction has no coordinator at the moment.
    COORDINATOR_NOT_AVAILABLE = 15, true,
        "if it lasts, see whether the topic __consumer_offsets or __transaction_state is healthy";
    /// Another broker is the coordinator now; the client looks for it.
    NOT_COORDINATOR = 16, true, "this passes by itself";
    /// The topic's name is not allowed, or the operation on this topic is not.
    INVALID_TOPIC_EXCEPTION = 17, false, "names have at most 249 letters, digits, '.', '_' and '-'";
    /// The batch is larger than the broker's log segments.
    RECORD_LIST_TOO_LARGE = 18, false, "lower batch.size or raise the topic's segment.bytes";
    /// Fewer replicas are in sync than min.insync.replicas; nothing was written.
    NOT_ENOUGH_REPLICAS = 19, true,
        "brokers are down or behind: bring them back, or lower the topic's min.insync.replicas";
    /// The leader wrote the batch, but fewer replicas are in sync than min.insync.replicas.
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20, true,
        "brokers are down or behind: bring them back, or lower the topic's min.insync.replicas";
    /// The broker does not know this value of acks.
    INVALID_REQUIRED_ACKS = 21, false, "use acks 0, 1 or all";
    /// The group has moved on to another generation; the member joins again.
    ILLEGAL_GENERATION = 22, false, "the group rebalanced meanwhile: commit again after the next assignment";
    /// The member shares no assignor or protocol type with the rest of the group.
    INCONSISTENT_GROUP_PROTOCOL = 23, false,
        "give all members of the group one partition.assignment.strategy in common";
    /// The group's name is not allowed, as an empty one.
    INVALID_GROUP_ID = 24, false, "set group.id";
    /// The coordinator does not know the member, as when its session has timed out; it joins again.
    UNKNOWN_MEMBER_ID = 25, false,
        "the member was removed: poll more often than max.poll.interval.ms, or raise session.timeout.ms";
    /// The broker does not allow this session timeout.
    INVALID_SESSION_TIMEOUT = 26, false,
        "keep session.timeout.ms between the broker's group.min.session.timeout.ms and \
        group.max.session.timeout.ms";
    /// The group is sharing its partitions out again; the member takes part in it.
    REBALANCE_IN_PROGRESS = 27, false, "poll on; commit again after the next assignment";
    /// The committed data are too large.
    INVALID_COMMIT_OFFSET_SIZE = 28, false, "";
    /// This client has no right to do that with the topic.
    TOPIC_AUTHORIZATION_FAILED = 29, false, "grant its principal Read, Write or Describe on the topic";
    /// This client has no right to use the group.
    GROUP_AUTHORIZATION_FAILED = 30, false, "grant its principal Read on the group";
    /// This client has no such right on the cluster.
    CLUSTER_AUTHORIZATION_FAILED = 31, false,
        "grant its principal the right on the cluster; brokers before 2.8 want IdempotentWrite for \
        enable.idempotence";
    /// The record's timestamp is further from the broker's time than the topic allows.
    INVALID_TIMESTAMP = 32, false,
        "check the clock; see the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms";
    /// The broker does not offer this way of authentication.
    UNSUPPORTED_SASL_MECHANISM = 33, false, "choose one of the broker's sasl.enabled.mechanisms";
    /// Authentication messages came in the wrong order.
    ILLEGAL_SASL_STATE = 34, false, "check that security.protocol fits the broker's listener";
    /// The broker does not have this version of the request.
    UNSUPPORTED_VERSION = 35, false, "the broker is too old or too new for what was asked";
    /// There is a topic of this name.
    TOPIC_ALREADY_EXISTS = 36, false, "";
    /// The number of partitions is not allowed.
    INVALID_PARTITIONS = 37, false, "it must be 1 or more, and can only grow";
    /// The number of replicas is less than 1 or more than there are brokers.
    INVALID_REPLICATION_FACTOR = 38, false, "lower it, or start more brokers";
    /// The assignment of replicas to brokers is not possible.
    INVALID_REPLICA_ASSIGNMENT = 39, false, "";
    /// The broker refuses a configuration value.
    INVALID_CONFIG = 40, false, "see the message for the name";
    /// Another node is the controller now; the client looks for it.
    NOT_CONTROLLER = 41, true, "this passes by itself";
    /// The broker can't make sense of the request.
    INVALID_REQUEST = 42, false, "see the broker's log";
    /// The topic's message format on disk can't do what was asked, such as idempotence or headers.
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43, false,
        "raise the topic's message.format.version, or set enable.idempotence=false";
    /// A policy of the broker forbids it.
    POLICY_VIOLATION = 44, false, "see the message";
    /// The broker misses a batch before this one.
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45, false, "";
    /// The broker has this batch already.
    DUPLICATE_SEQUENCE_NUMBER = 46, false, "";
    /// A newer producer with this id has taken over.
    INVALID_PRODUCER_EPOCH = 47, false, "";
    /// The transaction is in a state that does not allow this.
    INVALID_TXN_STATE = 48, false, "";
    /// The producer id does not belong to the transactional id.
    INVALID_PRODUCER_ID_MAPPING = 49, false, "";
    /// The broker does not allow so long a transaction.
    INVALID_TRANSACTION_TIMEOUT = 50, false,
        "lower transaction.timeout.ms or raise the broker's transaction.max.timeout.ms";
    /// The last transaction of this id is not finished yet.
    CONCURRENT_TRANSACTIONS = 51, true, "";
    /// The coordinator that ends the transaction has been replaced.
    TRANSACTION_COORDINATOR_FENCED = 52, false, "";
    /// This client has no right to the transactional id.
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53, false, "grant its principal Write on the transactional id";
    /// The broker has security switched off.
    SECURITY_DISABLED = 54, false, "";
    /// The broker stopped before this part of the request.
    OPERATION_NOT_ATTEMPTED = 55, false, "see the errors of the other parts";
    /// The broker's disk failed.
    KAFKA_STORAGE_ERROR = 56, true, "see the broker's log and disk";
    /// The broker has no such log directory.
    LOG_DIR_NOT_FOUND = 57, false, "";
    /// The broker refuses the credentials.
    SASL_AUTHENTICATION_FAILED = 58, false, "check user, password and mechanism";
    /// The broker has forgotten the producer, as when all its records are deleted.
    UNKNOWN_PRODUCER_ID = 59, false, "";
    /// The partition is being moved.
    REASSIGNMENT_IN_PROGRESS = 60, false, "wait for the reassignment to end";
    /// Delegation tokens are switched off.
    DELEGATION_TOKEN_AUTH_DISABLED = 61, false, "";
    /// There is no such delegation token.
    DELEGATION_TOKEN_NOT_FOUND = 62, false, "";
    /// Only owner and renewers may use the token so.
    DELEGATION_TOKEN_OWNER_MISMATCH = 63, false, "";
    /// Tokens are not given out over this kind of connection.
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64, false, "";
    /// This client has no right to the token.
    DELEGATION_TOKEN_AUTHORIZATION_FAILED = 65, false, "";
    /// The token's time is over.
    DELEGATION_TOKEN_EXPIRED = 66, false, "";
    /// The broker does not know this type of principal.
    INVALID_PRINCIPAL_TYPE = 67, false, "";
    /// The group has members.
    NON_EMPTY_GROUP = 68, false, "stop its consumers first";
    /// There is no such group.
    GROUP_ID_NOT_FOUND = 69, false, "check the name";
    /// The broker has dropped the fetch session; the client begins another.
    FETCH_SESSION_ID_NOT_FOUND = 70, true, "";
    /// Broker and client disagree about the fetch session; the client begins another.
    INVALID_FETCH_SESSION_EPOCH = 71, true, "";
    /// The partition's leader has no listener like the one the client came by.
    LISTENER_NOT_FOUND = 72, true, "give all brokers the same listeners";
    /// The broker does not let topics be deleted.
    TOPIC_DELETION_DISABLED = 73, false, "set the broker's delete.topic.enable";
    /// The client's knowledge of the leader is old.
    FENCED_LEADER_EPOCH = 74, true, "this passes with the next metadata";
    /// The broker's knowledge of the leader is old.
    UNKNOWN_LEADER_EPOCH = 75, true, "this passes by itself";
    /// The broker or its version of the request can't do this compression.
    UNSUPPORTED_COMPRESSION_TYPE = 76, false, "zstd needs brokers from 2.1.0 on";
    /// The broker has been restarted meanwhile.
    STALE_BROKER_EPOCH = 77, false, "";
    /// A new leader does not know yet how far the partition is confirmed.
    OFFSET_NOT_AVAILABLE = 78, true, "this passes by itself";
    /// The coordinator has given the member an id to join with.
    MEMBER_ID_REQUIRED = 79, false, "";
    /// The preferred leader is not there.
    PREFERRED_LEADER_NOT_AVAILABLE = 80, true, "";
    /// The group has as many members as the broker allows.
    GROUP_MAX_SIZE_REACHED = 81, false, "raise the broker's group.max.size";
    /// Another consumer uses the same group.instance.id.
    FENCED_INSTANCE_ID = 82, false, "give each consumer a group.instance.id of its own";
    /// No replica may become leader.
    ELIGIBLE_LEADERS_NOT_AVAILABLE = 83, true, "";
    /// The leader is the wanted one already.
    ELECTION_NOT_NEEDED = 84, true, "";
    /// The partition is not being moved.
    NO_REASSIGNMENT_IN_PROGRESS = 85, false, "";
    /// The group still consumes the topic, so its offsets stay.
    GROUP_SUBSCRIBED_TO_TOPIC = 86, false, "stop the group's consumers first";
    /// The broker refuses a record.
    INVALID_RECORD = 87, false, "see the message; records of a compacted topic need a key";
    /// Offsets of a transaction that is not finished stand in the way.
    UNSTABLE_OFFSET_COMMIT = 88, true, "";
    /// The client has used up its quota for changes.
    THROTTLING_QUOTA_EXCEEDED = 89, true, "wait, or raise the quota";
    /// A newer producer with the same transactional.id has taken over.
    PRODUCER_FENCED = 90, false, "use each transactional.id in one producer at a time";
    /// There is nothing of this name.
    RESOURCE_NOT_FOUND = 91, false, "";
    /// The request names something twice.
    DUPLICATE_RESOURCE = 92, false, "";
    /// The broker does not accept such a credential.
    UNACCEPTABLE_CREDENTIAL = 93, false, "";
    /// Controllers disagree about who votes.
    INCONSISTENT_VOTER_SET = 94, false, "";
    /// The update has a version that is not possible.
    INVALID_UPDATE_VERSION = 95, false, "";
    /// The cluster's features could not be changed.
    FEATURE_UPDATE_FAILED = 96, false, "";
    /// A broker can't read the principal that another passed on.
    PRINCIPAL_DESERIALIZATION_FAILURE = 97, false, "";
    /// There is no such snapshot.
    SNAPSHOT_NOT_FOUND = 98, false, "";
    /// The position is not in the snapshot.
    POSITION_OUT_OF_RANGE = 99, false, "";
    /// The broker does not know the topic's id, as when the topic was deleted or made anew.
    UNKNOWN_TOPIC_ID = 100, true, "if it lasts, the topic was deleted or made anew";
    /// The broker's id is taken.
    DUPLICATE_BROKER_REGISTRATION = 101, false, "";
    /// No broker has this id.
    BROKER_ID_NOT_REGISTERED = 102, false, "";
    /// The topic has another id by now: it was made anew.
    INCONSISTENT_TOPIC_ID = 103, true, "";
    /// The broker belongs to another cluster.
    INCONSISTENT_CLUSTER_ID = 104, false, "check bootstrap.servers";
    /// There is no such transactional id.
    TRANSACTIONAL_ID_NOT_FOUND = 105, false, "";
    /// A fetch session mixed topics by name and by id.
    FETCH_SESSION_TOPIC_ID_ERROR = 106, true, "";
    /// A replica may not be in sync now.
    INELIGIBLE_REPLICA = 107, false, "";
    /// The partition has got another leader.
    NEW_LEADER_ELECTED = 108, false, "";
    /// The records are in remote storage now.
    OFFSET_MOVED_TO_TIERED_STORAGE = 109, false, "";
    /// The coordinator has given up the member; it joins again.
    FENCED_MEMBER_EPOCH = 110, false, "";
    /// Another member still has this group.instance.id.
    UNRELEASED_INSTANCE_ID = 111, false, "";
    /// The group does not have this assignor.
    UNSUPPORTED_ASSIGNOR = 112, false, "";
    /// The member's epoch is old; it gets a new one with its next heartbeat.
    STALE_MEMBER_EPOCH = 113, false, "";
    /// A request for brokers went to a controller, or the other way round.
    MISMATCHED_ENDPOINT_TYPE = 114, false, "";
    /// This kind of endpoint is not supported yet.
    UNSUPPORTED_ENDPOINT_TYPE = 115, false, "";
    /// No controller has this id.
    UNKNOWN_CONTROLLER_ID = 116, false, "";
    /// The subscription to client metrics has changed.
    UNKNOWN_SUBSCRIPTION_ID = 117, false, "";
    /// The client metrics are larger than the broker takes.
    TELEMETRY_TOO_LARGE = 118, false, "";
    /// The broker's registration is not valid.
    INVALID_REGISTRATION = 119, false, "";
    /// The transaction failed and must be aborted; the producer can go on.
    TRANSACTION_ABORTABLE = 120, false, "abort the transaction";
    /// The record can't be acknowledged any more.
    INVALID_RECORD_STATE = 121, false, "";
    /// The broker has dropped the share session.
    SHARE_SESSION_NOT_FOUND = 122, true, "";
    /// Broker and client disagree about the share session.
    INVALID_SHARE_SESSION_EPOCH = 123, true, "";
    /// The share group's state has moved on.
    FENCED_STATE_EPOCH = 124, false, "";
    /// The voter's key is not that of the replica.
    INVALID_VOTER_KEY = 125, false, "";
    /// The voter votes already.
    DUPLICATE_VOTER = 126, false, "";
    /// There is no such voter.
    VOTER_NOT_FOUND = 127, false, "";
    /// The broker can't read the pattern.
    INVALID_REGULAR_EXPRESSION = 128, false, "use RE2 syntax";
    /// The client's knowledge of the cluster is of no use any more.
    REBOOTSTRAP_REQUIRED = 129, false, "";
    /// The streams topology is not valid.
    STREAMS_INVALID_TOPOLOGY = 130, false, "";
    /// The streams topology's epoch is not valid.
    STREAMS_INVALID_TOPOLOGY_EPOCH = 131, false, "";
    /// The streams topology's epoch is old.
    STREAMS_TOPOLOGY_FENCED = 132, false, "";
    /// The broker has as many share sessions as it allows.
    SHARE_SESSION_LIMIT_REACHED = 133, true, "";
    /// The group could not be deleted.
    GROUP_DELETION_FAILED = 134, false, "see the message";
    /// The broker could not take the description of the topology.
    STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED = 135, false, "see the message";
    /// No registered controller has this id.
    CONTROLLER_ID_NOT_REGISTERED = 136, false, "";
    /// A required pointer was NULL.
    NULL_ARGUMENT = -1000, false, "pass a valid pointer";
    /// An argument has a value that makes no sense here.
    INVALID_ARGUMENT = -1001, false, "";
    /// A property that is unknown, out of its range or at odds with another; the message names all of them.
    INVALID_CONFIGURATION = -1002, false, "see CONFIGURATION.md for names, ranges and defaults";
    /// A bug in this library was caught at its border; the client it hit is fatal, others live.
    PANIC = -1003, false, "this is a bug in Milena: please report it with the message";
    /// The call's own timeout passed; what it began may still happen.
    TIMED_OUT = -1004, true, "";
    /// buffer.memory is full and max_block_ms passed.
    BUFFER_EXHAUSTED = -1005, true,
        "the brokers take records more slowly than they are sent: wait for deliveries, raise buffer.memory, \
        or wait longer";
    /// The handle's client was closed.
    CLOSED = -1006, false, "";
    /// Another thread is inside a handle that is for one thread at a time.
    BUSY = -1007, true, "use the handle from one thread at a time";
    /// A connection could not be made or was lost.
    TRANSPORT = -1008, true, "";
    /// A handle that was freed, never existed, or is of another type.
    STALE_HANDLE = -1009, false, "the handle was freed or is of another type";
    /// milena_consumer_wakeup ended the call.
    WAKEUP = -1010, true, "";
    /// The process forked after the client was made.
    FORKED = -1011, false, "make the client after fork, in the process that uses it";
    /// A host name has no address.
    NAME_NOT_RESOLVED = -1012, true, "check the host name and the resolver of this machine";
    /// Bytes from the peer are not the Kafka protocol.
    PROTOCOL = -1013, false, "";
    /// Broker and client share no version of a request.
    NO_COMMON_VERSION = -1014, false, "Milena supports brokers 1.1.0 to 4.4.0";
    /// Batches that the application still holds fill fetch.buffer.memory.
    BATCHES_HELD = -1015, true, "free batches that you no longer need, or raise fetch.buffer.memory";
    /// Asked for something that this version does not have yet.
    NOT_IMPLEMENTED = -1016, false, "";
    /// The call does not fit the state of the handle.
    INVALID_STATE = -1017, false, "";
    /// A partition has no position and auto.offset.reset is none.
    NO_OFFSET = -1018, false, "seek, or set auto.offset.reset to earliest or latest";
    /// The delivery timeout passed before the broker confirmed the record.
    DELIVERY_TIMED_OUT = -1019, true, "";
    /// The client was closed before the record was delivered.
    PURGED = -1020, false, "call flush before close, or give close more time";
}

impl Code {
    fn row(self) -> Option<&'static (i32, &'static str, bool, &'static str)> {
        TABLE.iter().find(|row| row.0 == self.0)
    }
    /// Kafka's name of the code, such as `NOT_LEADER_OR_FOLLOWER`; `UNKNOWN_CODE` for one not in the table.
    pub fn name(self) -> &'static str {
        self.row().map_or("UNKNOWN_CODE", |row| row.1)
    }
    /// Whether it is NONE.
    pub fn is_ok(self) -> bool {
        self.0 == 0
    }
    /// Whether the same may succeed later, without a change by the caller.
    pub fn is_retriable(self) -> bool {
        self.row().is_some_and(|row| row.2)
    }
    /// What to do about it, where the code alone says it.
    pub fn hint(self) -> Option<&'static str> {
        self.row().map(|row| row.3).filter(|h| !h.is_empty())
    }
}

/// An error code as responses carry it.
impl From<i16> for Code {
    fn from(code: i16) -> Code {
        Code(i32::from(code))
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `code name retriable`, taken from Java's client 4.4.0.
    const KAFKA: &str = include_str!("../../tests/fixtures/kafka_errors.txt");

    #[test]
    fn broker_codes_are_those_of_the_java_client() {
        let ours: Vec<String> = TABLE
            .iter()
            .filter(|row| row.0 > -1000)
            .map(|(code, name, retriable, _)| format!("{code} {name} {retriable}"))
            .collect();
        let mut java: Vec<&str> = KAFKA.lines().collect();
        java.sort_by_key(|line| (*line != "0 NONE false", !line.starts_with('-')));
        assert_eq!(ours, java);
    }

    #[test]
    fn names_and_codes_are_unique() {
        for (i, (code, name, ..)) in TABLE.iter().enumerate() {
            for (other, other_name, ..) in TABLE.iter().skip(i + 1) {
                assert!(code != other && name != other_name, "{code} {name}");
            }
        }
    }

    #[test]
    fn codes_know_themselves() {
        assert_eq!(Code::from(-1i16), Code::UNKNOWN_SERVER_ERROR);
        assert_eq!(Code::from(6i16).name(), "NOT_LEADER_OR_FOLLOWER");
        assert!(Code::from(6i16).is_retriable() && !Code::MESSAGE_TOO_LARGE.is_retriable());
        assert!(Code::NONE.is_ok() && !Code::UNKNOWN_SERVER_ERROR.is_ok());
        assert_eq!(Code::from(12_345i16).name(), "UNKNOWN_CODE");
        assert!(!Code::from(12_345i16).is_retriable() && Code::from(12_345i16).hint().is_none());
        assert!(Code::LEADER_NOT_AVAILABLE.hint().is_some() && Code::NONE.hint().is_none());
        assert_eq!(format!("{:?}", Code::CLOSED), "CLOSED(-1006)");
    }
}
