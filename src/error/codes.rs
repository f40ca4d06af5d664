//! The table of status codes: Kafka's own, and this library's (-1000 and below).

use super::Code;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $retriable:literal, $hint:expr;)*) => {
        #[allow(missing_docs)]
        impl Code {
            $($(#[$doc])* pub const $name: Code = Code($code);)*
        }
        /// Every known code: (code, name, retriable, hint or "").
        pub const TABLE: &[(i32, &str, bool, &str)] = &[$(($code, stringify!($name), $retriable, $hint),)*];
    };
}

codes! {
    NONE = 0, false, "";
    UNKNOWN_SERVER_ERROR = -1, false, "";
    OFFSET_OUT_OF_RANGE = 1, false, "";
    CORRUPT_MESSAGE = 2, true, "";
    UNKNOWN_TOPIC_OR_PARTITION = 3, true, "";
    INVALID_FETCH_SIZE = 4, false, "";
    LEADER_NOT_AVAILABLE = 5, true, "";
    NOT_LEADER_OR_FOLLOWER = 6, true, "";
    REQUEST_TIMED_OUT = 7, true, "";
    BROKER_NOT_AVAILABLE = 8, true, "";
    REPLICA_NOT_AVAILABLE = 9, true, "";
    MESSAGE_TOO_LARGE = 10, false, "";
    NETWORK_EXCEPTION = 13, true, "";
    COORDINATOR_LOAD_IN_PROGRESS = 14, true, "";
    COORDINATOR_NOT_AVAILABLE = 15, true, "";
    NOT_COORDINATOR = 16, true, "";
    INVALID_TOPIC_EXCEPTION = 17, false, "";
    RECORD_LIST_TOO_LARGE = 18, false, "";
    NOT_ENOUGH_REPLICAS = 19, true, "";
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20, true, "";
    INVALID_REQUIRED_ACKS = 21, false, "";
    ILLEGAL_GENERATION = 22, false, "";
    INCONSISTENT_GROUP_PROTOCOL = 23, false, "";
    INVALID_GROUP_ID = 24, false, "";
    UNKNOWN_MEMBER_ID = 25, false, "";
    INVALID_SESSION_TIMEOUT = 26, false, "";
    REBALANCE_IN_PROGRESS = 27, false, "";
    TOPIC_AUTHORIZATION_FAILED = 29, false, "";
    GROUP_AUTHORIZATION_FAILED = 30, false, "";
    CLUSTER_AUTHORIZATION_FAILED = 31, false, "";
    INVALID_TIMESTAMP = 32, false, "";
    UNSUPPORTED_VERSION = 35, false, "";
    TOPIC_ALREADY_EXISTS = 36, false, "";
    INVALID_PARTITIONS = 37, false, "";
    INVALID_REPLICATION_FACTOR = 38, false, "";
    NOT_CONTROLLER = 41, true, "";
    INVALID_REQUEST = 42, false, "";
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43, false, "";
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45, false, "";
    DUPLICATE_SEQUENCE_NUMBER = 46, false, "";
    INVALID_PRODUCER_EPOCH = 47, false, "";
    KAFKA_STORAGE_ERROR = 56, true, "";
    UNKNOWN_PRODUCER_ID = 59, false, "";
    FENCED_LEADER_EPOCH = 74, true, "";
    UNKNOWN_LEADER_EPOCH = 75, true, "";
    OFFSET_NOT_AVAILABLE = 78, true, "";
    MEMBER_ID_REQUIRED = 79, false, "";
    GROUP_MAX_SIZE_REACHED = 81, false, "";
    FENCED_INSTANCE_ID = 82, false, "";
    INVALID_RECORD = 87, false, "";
    UNSTABLE_OFFSET_COMMIT = 88, true, "";
    UNKNOWN_TOPIC_ID = 100, true, "";
    INCONSISTENT_TOPIC_ID = 103, true, "";
    /// A required pointer was NULL.
    NULL_ARGUMENT = -1000, false, "pass a valid pointer";
    INVALID_ARGUMENT = -1001, false, "";
    INVALID_CONFIGURATION = -1002, false, "see CONFIGURATION.md for names, ranges and defaults";
    /// A bug in this library was caught at its border; the client it hit is fatal, others live.
    PANIC = -1003, false, "this is a bug in Milena: please report it with the message";
    TIMED_OUT = -1004, true, "";
    /// buffer.memory is full and max_block_ms passed.
    BUFFER_EXHAUSTED = -1005, true, "the brokers take records more slowly than they are sent: wait for deliveries, raise buffer.memory, or wait longer";
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
    pub fn is_ok(self) -> bool {
        self.0 == 0
    }
    pub fn is_retriable(self) -> bool {
        self.row().is_some_and(|row| row.2)
    }
    /// What to do about it, where the code alone says it.
    pub fn hint(self) -> Option<&'static str> {
        self.row().map(|row| row.3).filter(|h| !h.is_empty())
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}
