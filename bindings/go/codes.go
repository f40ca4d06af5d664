// Code generated from milena.h by go generate; DO NOT EDIT.

package milena

// Kafka's codes, as brokers answer them, and from -1000 down those of the library.
const (
	// The broker failed and says no more.
	ErrUnknownServerError Code = -1
	// The partition has no record at this offset: it was deleted, or never written.
	ErrOffsetOutOfRange Code = 1
	// A batch's checksum or form is wrong, or a record without a key went to a compacted topic.
	ErrCorruptMessage Code = 2
	// The broker does not know the topic or partition, or may not show it to this client.
	ErrUnknownTopicOrPartition Code = 3
	// A fetch asked for an impossible number of bytes.
	ErrInvalidFetchSize Code = 4
	// The partition has no leader at the moment, as while one is elected or the topic is new.
	ErrLeaderNotAvailable Code = 5
	// The broker no longer leads, or never held, the partition; the client looks for the right one.
	ErrNotLeaderOrFollower Code = 6
	// The broker did not finish in the time that the request gave it.
	ErrRequestTimedOut Code = 7
	// The broker is not there.
	ErrBrokerNotAvailable Code = 8
	// The broker has no replica of the partition that it could use.
	ErrReplicaNotAvailable Code = 9
	// The batch is larger than the broker takes.
	ErrMessageTooLarge Code = 10
	// The controller has changed.
	ErrStaleControllerEpoch Code = 11
	// The text committed with an offset is too long.
	ErrOffsetMetadataTooLarge Code = 12
	// The broker lost a connection before the response.
	ErrNetworkException Code = 13
	// The coordinator is still loading its state.
	ErrCoordinatorLoadInProgress Code = 14
	// The group or transaction has no coordinator at the moment.
	ErrCoordinatorNotAvailable Code = 15
	// Another broker is the coordinator now; the client looks for it.
	ErrNotCoordinator Code = 16
	// The topic's name is not allowed, or the operation on this topic is not.
	ErrInvalidTopicException Code = 17
	// The batch is larger than the broker's log segments.
	ErrRecordListTooLarge Code = 18
	// Fewer replicas are in sync than min.insync.replicas; nothing was written.
	ErrNotEnoughReplicas Code = 19
	// The leader wrote the batch, but fewer replicas are in sync than min.insync.replicas.
	ErrNotEnoughReplicasAfterAppend Code = 20
	// The broker does not know this value of acks.
	ErrInvalidRequiredAcks Code = 21
	// The group has moved on to another generation; the member joins again.
	ErrIllegalGeneration Code = 22
	// The member shares no assignor or protocol type with the rest of the group.
	ErrInconsistentGroupProtocol Code = 23
	// The group's name is not allowed, as an empty one.
	ErrInvalidGroupID Code = 24
	// The coordinator does not know the member, as when its session has timed out; it joins again.
	ErrUnknownMemberID Code = 25
	// The broker does not allow this session timeout.
	ErrInvalidSessionTimeout Code = 26
	// The group is sharing its partitions out again; the member takes part in it.
	ErrRebalanceInProgress Code = 27
	// The committed data are too large.
	ErrInvalidCommitOffsetSize Code = 28
	// This client has no right to do that with the topic.
	ErrTopicAuthorizationFailed Code = 29
	// This client has no right to use the group.
	ErrGroupAuthorizationFailed Code = 30
	// This client has no such right on the cluster.
	ErrClusterAuthorizationFailed Code = 31
	// The record's timestamp is further from the broker's time than the topic allows.
	ErrInvalidTimestamp Code = 32
	// The broker does not offer this way of authentication.
	ErrUnsupportedSASLMechanism Code = 33
	// Authentication messages came in the wrong order.
	ErrIllegalSASLState Code = 34
	// The broker does not have this version of the request.
	ErrUnsupportedVersion Code = 35
	// There is a topic of this name.
	ErrTopicAlreadyExists Code = 36
	// The number of partitions is not allowed.
	ErrInvalidPartitions Code = 37
	// The number of replicas is less than 1 or more than there are brokers.
	ErrInvalidReplicationFactor Code = 38
	// The assignment of replicas to brokers is not possible.
	ErrInvalidReplicaAssignment Code = 39
	// The broker refuses a configuration value.
	ErrInvalidConfig Code = 40
	// Another node is the controller now; the client looks for it.
	ErrNotController Code = 41
	// The broker can't make sense of the request.
	ErrInvalidRequest Code = 42
	// The topic's message format on disk can't do what was asked, such as idempotence or headers.
	ErrUnsupportedForMessageFormat Code = 43
	// A policy of the broker forbids it.
	ErrPolicyViolation Code = 44
	// The broker misses a batch before this one.
	ErrOutOfOrderSequenceNumber Code = 45
	// The broker has this batch already.
	ErrDuplicateSequenceNumber Code = 46
	// A newer producer with this id has taken over.
	ErrInvalidProducerEpoch Code = 47
	// The transaction is in a state that does not allow this.
	ErrInvalidTxnState Code = 48
	// The producer id does not belong to the transactional id.
	ErrInvalidProducerIDMapping Code = 49
	// The broker does not allow so long a transaction.
	ErrInvalidTransactionTimeout Code = 50
	// The last transaction of this id is not finished yet.
	ErrConcurrentTransactions Code = 51
	// The coordinator that ends the transaction has been replaced.
	ErrTransactionCoordinatorFenced Code = 52
	// This client has no right to the transactional id.
	ErrTransactionalIDAuthorizationFailed Code = 53
	// The broker has security switched off.
	ErrSecurityDisabled Code = 54
	// The broker stopped before this part of the request.
	ErrOperationNotAttempted Code = 55
	// The broker's disk failed.
	ErrKafkaStorageError Code = 56
	// The broker has no such log directory.
	ErrLogDirNotFound Code = 57
	// The broker refuses the credentials.
	ErrSASLAuthenticationFailed Code = 58
	// The broker has forgotten the producer, as when all its records are deleted.
	ErrUnknownProducerID Code = 59
	// The partition is being moved.
	ErrReassignmentInProgress Code = 60
	// Delegation tokens are switched off.
	ErrDelegationTokenAuthDisabled Code = 61
	// There is no such delegation token.
	ErrDelegationTokenNotFound Code = 62
	// Only owner and renewers may use the token so.
	ErrDelegationTokenOwnerMismatch Code = 63
	// Tokens are not given out over this kind of connection.
	ErrDelegationTokenRequestNotAllowed Code = 64
	// This client has no right to the token.
	ErrDelegationTokenAuthorizationFailed Code = 65
	// The token's time is over.
	ErrDelegationTokenExpired Code = 66
	// The broker does not know this type of principal.
	ErrInvalidPrincipalType Code = 67
	// The group has members.
	ErrNonEmptyGroup Code = 68
	// There is no such group.
	ErrGroupIDNotFound Code = 69
	// The broker has dropped the fetch session; the client begins another.
	ErrFetchSessionIDNotFound Code = 70
	// Broker and client disagree about the fetch session; the client begins another.
	ErrInvalidFetchSessionEpoch Code = 71
	// The partition's leader has no listener like the one the client came by.
	ErrListenerNotFound Code = 72
	// The broker does not let topics be deleted.
	ErrTopicDeletionDisabled Code = 73
	// The client's knowledge of the leader is old.
	ErrFencedLeaderEpoch Code = 74
	// The broker's knowledge of the leader is old.
	ErrUnknownLeaderEpoch Code = 75
	// The broker or its version of the request can't do this compression.
	ErrUnsupportedCompressionType Code = 76
	// The broker has been restarted meanwhile.
	ErrStaleBrokerEpoch Code = 77
	// A new leader does not know yet how far the partition is confirmed.
	ErrOffsetNotAvailable Code = 78
	// The coordinator has given the member an id to join with.
	ErrMemberIDRequired Code = 79
	// The preferred leader is not there.
	ErrPreferredLeaderNotAvailable Code = 80
	// The group has as many members as the broker allows.
	ErrGroupMaxSizeReached Code = 81
	// Another consumer uses the same group.instance.id.
	ErrFencedInstanceID Code = 82
	// No replica may become leader.
	ErrEligibleLeadersNotAvailable Code = 83
	// The leader is the wanted one already.
	ErrElectionNotNeeded Code = 84
	// The partition is not being moved.
	ErrNoReassignmentInProgress Code = 85
	// The group still consumes the topic, so its offsets stay.
	ErrGroupSubscribedToTopic Code = 86
	// The broker refuses a record.
	ErrInvalidRecord Code = 87
	// Offsets of a transaction that is not finished stand in the way.
	ErrUnstableOffsetCommit Code = 88
	// The client has used up its quota for changes.
	ErrThrottlingQuotaExceeded Code = 89
	// A newer producer with the same transactional.id has taken over.
	ErrProducerFenced Code = 90
	// There is nothing of this name.
	ErrResourceNotFound Code = 91
	// The request names something twice.
	ErrDuplicateResource Code = 92
	// The broker does not accept such a credential.
	ErrUnacceptableCredential Code = 93
	// Controllers disagree about who votes.
	ErrInconsistentVoterSet Code = 94
	// The update has a version that is not possible.
	ErrInvalidUpdateVersion Code = 95
	// The cluster's features could not be changed.
	ErrFeatureUpdateFailed Code = 96
	// A broker can't read the principal that another passed on.
	ErrPrincipalDeserializationFailure Code = 97
	// There is no such snapshot.
	ErrSnapshotNotFound Code = 98
	// The position is not in the snapshot.
	ErrPositionOutOfRange Code = 99
	// The broker does not know the topic's id, as when the topic was deleted or made anew.
	ErrUnknownTopicID Code = 100
	// The broker's id is taken.
	ErrDuplicateBrokerRegistration Code = 101
	// No broker has this id.
	ErrBrokerIDNotRegistered Code = 102
	// The topic has another id by now: it was made anew.
	ErrInconsistentTopicID Code = 103
	// The broker belongs to another cluster.
	ErrInconsistentClusterID Code = 104
	// There is no such transactional id.
	ErrTransactionalIDNotFound Code = 105
	// A fetch session mixed topics by name and by id.
	ErrFetchSessionTopicIDError Code = 106
	// A replica may not be in sync now.
	ErrIneligibleReplica Code = 107
	// The partition has got another leader.
	ErrNewLeaderElected Code = 108
	// The records are in remote storage now.
	ErrOffsetMovedToTieredStorage Code = 109
	// The coordinator has given up the member; it joins again.
	ErrFencedMemberEpoch Code = 110
	// Another member still has this group.instance.id.
	ErrUnreleasedInstanceID Code = 111
	// The group does not have this assignor.
	ErrUnsupportedAssignor Code = 112
	// The member's epoch is old; it gets a new one with its next heartbeat.
	ErrStaleMemberEpoch Code = 113
	// A request for brokers went to a controller, or the other way round.
	ErrMismatchedEndpointType Code = 114
	// This kind of endpoint is not supported yet.
	ErrUnsupportedEndpointType Code = 115
	// No controller has this id.
	ErrUnknownControllerID Code = 116
	// The subscription to client metrics has changed.
	ErrUnknownSubscriptionID Code = 117
	// The client metrics are larger than the broker takes.
	ErrTelemetryTooLarge Code = 118
	// The broker's registration is not valid.
	ErrInvalidRegistration Code = 119
	// The transaction failed and must be aborted; the producer can go on.
	ErrTransactionAbortable Code = 120
	// The record can't be acknowledged any more.
	ErrInvalidRecordState Code = 121
	// The broker has dropped the share session.
	ErrShareSessionNotFound Code = 122
	// Broker and client disagree about the share session.
	ErrInvalidShareSessionEpoch Code = 123
	// The share group's state has moved on.
	ErrFencedStateEpoch Code = 124
	// The voter's key is not that of the replica.
	ErrInvalidVoterKey Code = 125
	// The voter votes already.
	ErrDuplicateVoter Code = 126
	// There is no such voter.
	ErrVoterNotFound Code = 127
	// The broker can't read the pattern.
	ErrInvalidRegularExpression Code = 128
	// The client's knowledge of the cluster is of no use any more.
	ErrRebootstrapRequired Code = 129
	// The streams topology is not valid.
	ErrStreamsInvalidTopology Code = 130
	// The streams topology's epoch is not valid.
	ErrStreamsInvalidTopologyEpoch Code = 131
	// The streams topology's epoch is old.
	ErrStreamsTopologyFenced Code = 132
	// The broker has as many share sessions as it allows.
	ErrShareSessionLimitReached Code = 133
	// The group could not be deleted.
	ErrGroupDeletionFailed Code = 134
	// The broker could not take the description of the topology.
	ErrStreamsTopologyDescriptionUpdateFailed Code = 135
	// No registered controller has this id.
	ErrControllerIDNotRegistered Code = 136
	// A required pointer was NULL.
	ErrNullArgument Code = -1000
	// An argument has a value that makes no sense here.
	ErrInvalidArgument Code = -1001
	// A property that is unknown, out of its range or at odds with another; the message names all of them.
	ErrInvalidConfiguration Code = -1002
	// A bug in this library was caught at its border; the client it hit is fatal, others live.
	ErrPanic Code = -1003
	// The call's own timeout passed; what it began may still happen.
	ErrTimedOut Code = -1004
	// buffer.memory is full and max_block_ms passed.
	ErrBufferExhausted Code = -1005
	// The handle's client was closed.
	ErrClosed Code = -1006
	// Another thread is inside a handle that is for one thread at a time.
	ErrBusy Code = -1007
	// A connection could not be made or was lost.
	ErrTransport Code = -1008
	// A handle that was freed, never existed, or is of another type.
	ErrStaleHandle Code = -1009
	// milena_consumer_wakeup ended the call.
	ErrWakeup Code = -1010
	// The process forked after the client was made.
	ErrForked Code = -1011
	// A host name has no address.
	ErrNameNotResolved Code = -1012
	// Bytes from the peer are not the Kafka protocol.
	ErrProtocol Code = -1013
	// Broker and client share no version of a request.
	ErrNoCommonVersion Code = -1014
	// Batches that the application still holds fill fetch.buffer.memory.
	ErrBatchesHeld Code = -1015
	// Asked for something that this version does not have yet.
	ErrNotImplemented Code = -1016
	// The call does not fit the state of the handle.
	ErrInvalidState Code = -1017
	// A partition has no position and auto.offset.reset is none.
	ErrNoOffset Code = -1018
	// The delivery timeout passed before the broker confirmed the record.
	ErrDeliveryTimedOut Code = -1019
	// The client was closed before the record was delivered.
	ErrPurged Code = -1020
)
