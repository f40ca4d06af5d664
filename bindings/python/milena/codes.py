"""The codes that errors have: Kafka's own as they are, and those of this library, which are -1000 and below.

GENERATED from include/milena.h by generate_ffi.py: change it there.
"""

from enum import IntEnum


class Code(IntEnum):
    """What :attr:`milena.KafkaError.code` can be; a newer broker may send numbers that are not in here."""

    UNKNOWN_SERVER_ERROR = -1
    """The broker failed and says no more."""
    OFFSET_OUT_OF_RANGE = 1
    """The partition has no record at this offset: it was deleted, or never written."""
    CORRUPT_MESSAGE = 2
    """A batch's checksum or form is wrong, or a record without a key went to a compacted topic."""
    UNKNOWN_TOPIC_OR_PARTITION = 3
    """The broker does not know the topic or partition, or may not show it to this client."""
    INVALID_FETCH_SIZE = 4
    """A fetch asked for an impossible number of bytes."""
    LEADER_NOT_AVAILABLE = 5
    """The partition has no leader at the moment, as while one is elected or the topic is new."""
    NOT_LEADER_OR_FOLLOWER = 6
    """The broker no longer leads, or never held, the partition; the client looks for the right one."""
    REQUEST_TIMED_OUT = 7
    """The broker did not finish in the time that the request gave it."""
    BROKER_NOT_AVAILABLE = 8
    """The broker is not there."""
    REPLICA_NOT_AVAILABLE = 9
    """The broker has no replica of the partition that it could use."""
    MESSAGE_TOO_LARGE = 10
    """The batch is larger than the broker takes."""
    STALE_CONTROLLER_EPOCH = 11
    """The controller has changed."""
    OFFSET_METADATA_TOO_LARGE = 12
    """The text committed with an offset is too long."""
    NETWORK_EXCEPTION = 13
    """The broker lost a connection before the response."""
    COORDINATOR_LOAD_IN_PROGRESS = 14
    """The coordinator is still loading its state."""
    COORDINATOR_NOT_AVAILABLE = 15
    """The group or transaction has no coordinator at the moment."""
    NOT_COORDINATOR = 16
    """Another broker is the coordinator now; the client looks for it."""
    INVALID_TOPIC_EXCEPTION = 17
    """The topic's name is not allowed, or the operation on this topic is not."""
    RECORD_LIST_TOO_LARGE = 18
    """The batch is larger than the broker's log segments."""
    NOT_ENOUGH_REPLICAS = 19
    """Fewer replicas are in sync than min.insync.replicas; nothing was written."""
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20
    """The leader wrote the batch, but fewer replicas are in sync than min.insync.replicas."""
    INVALID_REQUIRED_ACKS = 21
    """The broker does not know this value of acks."""
    ILLEGAL_GENERATION = 22
    """The group has moved on to another generation; the member joins again."""
    INCONSISTENT_GROUP_PROTOCOL = 23
    """The member shares no assignor or protocol type with the rest of the group."""
    INVALID_GROUP_ID = 24
    """The group's name is not allowed, as an empty one."""
    UNKNOWN_MEMBER_ID = 25
    """The coordinator does not know the member, as when its session has timed out; it joins again."""
    INVALID_SESSION_TIMEOUT = 26
    """The broker does not allow this session timeout."""
    REBALANCE_IN_PROGRESS = 27
    """The group is sharing its partitions out again; the member takes part in it."""
    INVALID_COMMIT_OFFSET_SIZE = 28
    """The committed data are too large."""
    TOPIC_AUTHORIZATION_FAILED = 29
    """This client has no right to do that with the topic."""
    GROUP_AUTHORIZATION_FAILED = 30
    """This client has no right to use the group."""
    CLUSTER_AUTHORIZATION_FAILED = 31
    """This client has no such right on the cluster."""
    INVALID_TIMESTAMP = 32
    """The record's timestamp is further from the broker's time than the topic allows."""
    UNSUPPORTED_SASL_MECHANISM = 33
    """The broker does not offer this way of authentication."""
    ILLEGAL_SASL_STATE = 34
    """Authentication messages came in the wrong order."""
    UNSUPPORTED_VERSION = 35
    """The broker does not have this version of the request."""
    TOPIC_ALREADY_EXISTS = 36
    """There is a topic of this name."""
    INVALID_PARTITIONS = 37
    """The number of partitions is not allowed."""
    INVALID_REPLICATION_FACTOR = 38
    """The number of replicas is less than 1 or more than there are brokers."""
    INVALID_REPLICA_ASSIGNMENT = 39
    """The assignment of replicas to brokers is not possible."""
    INVALID_CONFIG = 40
    """The broker refuses a configuration value."""
    NOT_CONTROLLER = 41
    """Another node is the controller now; the client looks for it."""
    INVALID_REQUEST = 42
    """The broker can't make sense of the request."""
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43
    """The topic's message format on disk can't do what was asked, such as idempotence or headers."""
    POLICY_VIOLATION = 44
    """A policy of the broker forbids it."""
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45
    """The broker misses a batch before this one."""
    DUPLICATE_SEQUENCE_NUMBER = 46
    """The broker has this batch already."""
    INVALID_PRODUCER_EPOCH = 47
    """A newer producer with this id has taken over."""
    INVALID_TXN_STATE = 48
    """The transaction is in a state that does not allow this."""
    INVALID_PRODUCER_ID_MAPPING = 49
    """The producer id does not belong to the transactional id."""
    INVALID_TRANSACTION_TIMEOUT = 50
    """The broker does not allow so long a transaction."""
    CONCURRENT_TRANSACTIONS = 51
    """The last transaction of this id is not finished yet."""
    TRANSACTION_COORDINATOR_FENCED = 52
    """The coordinator that ends the transaction has been replaced."""
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
    """This client has no right to the transactional id."""
    SECURITY_DISABLED = 54
    """The broker has security switched off."""
    OPERATION_NOT_ATTEMPTED = 55
    """The broker stopped before this part of the request."""
    KAFKA_STORAGE_ERROR = 56
    """The broker's disk failed."""
    LOG_DIR_NOT_FOUND = 57
    """The broker has no such log directory."""
    SASL_AUTHENTICATION_FAILED = 58
    """The broker refuses the credentials."""
    UNKNOWN_PRODUCER_ID = 59
    """The broker has forgotten the producer, as when all its records are deleted."""
    REASSIGNMENT_IN_PROGRESS = 60
    """The partition is being moved."""
    DELEGATION_TOKEN_AUTH_DISABLED = 61
    """Delegation tokens are switched off."""
    DELEGATION_TOKEN_NOT_FOUND = 62
    """There is no such delegation token."""
    DELEGATION_TOKEN_OWNER_MISMATCH = 63
    """Only owner and renewers may use the token so."""
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64
    """Tokens are not given out over this kind of connection."""
    DELEGATION_TOKEN_AUTHORIZATION_FAILED = 65
    """This client has no right to the token."""
    DELEGATION_TOKEN_EXPIRED = 66
    """The token's time is over."""
    INVALID_PRINCIPAL_TYPE = 67
    """The broker does not know this type of principal."""
    NON_EMPTY_GROUP = 68
    """The group has members."""
    GROUP_ID_NOT_FOUND = 69
    """There is no such group."""
    FETCH_SESSION_ID_NOT_FOUND = 70
    """The broker has dropped the fetch session; the client begins another."""
    INVALID_FETCH_SESSION_EPOCH = 71
    """Broker and client disagree about the fetch session; the client begins another."""
    LISTENER_NOT_FOUND = 72
    """The partition's leader has no listener like the one the client came by."""
    TOPIC_DELETION_DISABLED = 73
    """The broker does not let topics be deleted."""
    FENCED_LEADER_EPOCH = 74
    """The client's knowledge of the leader is old."""
    UNKNOWN_LEADER_EPOCH = 75
    """The broker's knowledge of the leader is old."""
    UNSUPPORTED_COMPRESSION_TYPE = 76
    """The broker or its version of the request can't do this compression."""
    STALE_BROKER_EPOCH = 77
    """The broker has been restarted meanwhile."""
    OFFSET_NOT_AVAILABLE = 78
    """A new leader does not know yet how far the partition is confirmed."""
    MEMBER_ID_REQUIRED = 79
    """The coordinator has given the member an id to join with."""
    PREFERRED_LEADER_NOT_AVAILABLE = 80
    """The preferred leader is not there."""
    GROUP_MAX_SIZE_REACHED = 81
    """The group has as many members as the broker allows."""
    FENCED_INSTANCE_ID = 82
    """Another consumer uses the same group.instance.id."""
    ELIGIBLE_LEADERS_NOT_AVAILABLE = 83
    """No replica may become leader."""
    ELECTION_NOT_NEEDED = 84
    """The leader is the wanted one already."""
    NO_REASSIGNMENT_IN_PROGRESS = 85
    """The partition is not being moved."""
    GROUP_SUBSCRIBED_TO_TOPIC = 86
    """The group still consumes the topic, so its offsets stay."""
    INVALID_RECORD = 87
    """The broker refuses a record."""
    UNSTABLE_OFFSET_COMMIT = 88
    """Offsets of a transaction that is not finished stand in the way."""
    THROTTLING_QUOTA_EXCEEDED = 89
    """The client has used up its quota for changes."""
    PRODUCER_FENCED = 90
    """A newer producer with the same transactional.id has taken over."""
    RESOURCE_NOT_FOUND = 91
    """There is nothing of this name."""
    DUPLICATE_RESOURCE = 92
    """The request names something twice."""
    UNACCEPTABLE_CREDENTIAL = 93
    """The broker does not accept such a credential."""
    INCONSISTENT_VOTER_SET = 94
    """Controllers disagree about who votes."""
    INVALID_UPDATE_VERSION = 95
    """The update has a version that is not possible."""
    FEATURE_UPDATE_FAILED = 96
    """The cluster's features could not be changed."""
    PRINCIPAL_DESERIALIZATION_FAILURE = 97
    """A broker can't read the principal that another passed on."""
    SNAPSHOT_NOT_FOUND = 98
    """There is no such snapshot."""
    POSITION_OUT_OF_RANGE = 99
    """The position is not in the snapshot."""
    UNKNOWN_TOPIC_ID = 100
    """The broker does not know the topic's id, as when the topic was deleted or made anew."""
    DUPLICATE_BROKER_REGISTRATION = 101
    """The broker's id is taken."""
    BROKER_ID_NOT_REGISTERED = 102
    """No broker has this id."""
    INCONSISTENT_TOPIC_ID = 103
    """The topic has another id by now: it was made anew."""
    INCONSISTENT_CLUSTER_ID = 104
    """The broker belongs to another cluster."""
    TRANSACTIONAL_ID_NOT_FOUND = 105
    """There is no such transactional id."""
    FETCH_SESSION_TOPIC_ID_ERROR = 106
    """A fetch session mixed topics by name and by id."""
    INELIGIBLE_REPLICA = 107
    """A replica may not be in sync now."""
    NEW_LEADER_ELECTED = 108
    """The partition has got another leader."""
    OFFSET_MOVED_TO_TIERED_STORAGE = 109
    """The records are in remote storage now."""
    FENCED_MEMBER_EPOCH = 110
    """The coordinator has given up the member; it joins again."""
    UNRELEASED_INSTANCE_ID = 111
    """Another member still has this group.instance.id."""
    UNSUPPORTED_ASSIGNOR = 112
    """The group does not have this assignor."""
    STALE_MEMBER_EPOCH = 113
    """The member's epoch is old; it gets a new one with its next heartbeat."""
    MISMATCHED_ENDPOINT_TYPE = 114
    """A request for brokers went to a controller, or the other way round."""
    UNSUPPORTED_ENDPOINT_TYPE = 115
    """This kind of endpoint is not supported yet."""
    UNKNOWN_CONTROLLER_ID = 116
    """No controller has this id."""
    UNKNOWN_SUBSCRIPTION_ID = 117
    """The subscription to client metrics has changed."""
    TELEMETRY_TOO_LARGE = 118
    """The client metrics are larger than the broker takes."""
    INVALID_REGISTRATION = 119
    """The broker's registration is not valid."""
    TRANSACTION_ABORTABLE = 120
    """The transaction failed and must be aborted; the producer can go on."""
    INVALID_RECORD_STATE = 121
    """The record can't be acknowledged any more."""
    SHARE_SESSION_NOT_FOUND = 122
    """The broker has dropped the share session."""
    INVALID_SHARE_SESSION_EPOCH = 123
    """Broker and client disagree about the share session."""
    FENCED_STATE_EPOCH = 124
    """The share group's state has moved on."""
    INVALID_VOTER_KEY = 125
    """The voter's key is not that of the replica."""
    DUPLICATE_VOTER = 126
    """The voter votes already."""
    VOTER_NOT_FOUND = 127
    """There is no such voter."""
    INVALID_REGULAR_EXPRESSION = 128
    """The broker can't read the pattern."""
    REBOOTSTRAP_REQUIRED = 129
    """The client's knowledge of the cluster is of no use any more."""
    STREAMS_INVALID_TOPOLOGY = 130
    """The streams topology is not valid."""
    STREAMS_INVALID_TOPOLOGY_EPOCH = 131
    """The streams topology's epoch is not valid."""
    STREAMS_TOPOLOGY_FENCED = 132
    """The streams topology's epoch is old."""
    SHARE_SESSION_LIMIT_REACHED = 133
    """The broker has as many share sessions as it allows."""
    GROUP_DELETION_FAILED = 134
    """The group could not be deleted."""
    STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED = 135
    """The broker could not take the description of the topology."""
    CONTROLLER_ID_NOT_REGISTERED = 136
    """No registered controller has this id."""
    NULL_ARGUMENT = -1000
    """A required pointer was NULL."""
    INVALID_ARGUMENT = -1001
    """An argument has a value that makes no sense here."""
    INVALID_CONFIGURATION = -1002
    """A property that is unknown, out of its range or at odds with another; the message names all of them."""
    PANIC = -1003
    """A bug in this library was caught at its border; the client it hit is fatal, others live."""
    TIMED_OUT = -1004
    """The call's own timeout passed; what it began may still happen."""
    BUFFER_EXHAUSTED = -1005
    """buffer.memory is full and max_block_ms passed."""
    CLOSED = -1006
    """The handle's client was closed."""
    BUSY = -1007
    """Another thread is inside a handle that is for one thread at a time."""
    TRANSPORT = -1008
    """A connection could not be made or was lost."""
    STALE_HANDLE = -1009
    """A handle that was freed, never existed, or is of another type."""
    WAKEUP = -1010
    """milena_consumer_wakeup ended the call."""
    FORKED = -1011
    """The process forked after the client was made."""
    NAME_NOT_RESOLVED = -1012
    """A host name has no address."""
    PROTOCOL = -1013
    """Bytes from the peer are not the Kafka protocol."""
    NO_COMMON_VERSION = -1014
    """Broker and client share no version of a request."""
    BATCHES_HELD = -1015
    """Batches that the application still holds fill fetch.buffer.memory."""
    NOT_IMPLEMENTED = -1016
    """Asked for something that this version does not have yet."""
    INVALID_STATE = -1017
    """The call does not fit the state of the handle."""
    NO_OFFSET = -1018
    """A partition has no position and auto.offset.reset is none."""
    DELIVERY_TIMED_OUT = -1019
    """The delivery timeout passed before the broker confirmed the record."""
    PURGED = -1020
    """The client was closed before the record was delivered."""
