//! The APIs, one file per key. Each says at its head which versions it speaks and how it behaves.

#[path = "18_api_versions.rs"]
mod api_versions;
#[path = "37_create_partitions.rs"]
mod create_partitions;
#[path = "19_create_topics.rs"]
mod create_topics;
#[path = "42_delete_groups.rs"]
mod delete_groups;
#[path = "21_delete_records.rs"]
mod delete_records;
#[path = "20_delete_topics.rs"]
mod delete_topics;
#[path = "60_describe_cluster.rs"]
mod describe_cluster;
#[path = "32_describe_configs.rs"]
mod describe_configs;
#[path = "15_describe_groups.rs"]
mod describe_groups;
#[path = "75_describe_topic_partitions.rs"]
mod describe_topic_partitions;
#[path = "01_fetch.rs"]
mod fetch;
#[path = "10_find_coordinator.rs"]
mod find_coordinator;
#[path = "12_heartbeat.rs"]
mod heartbeat;
#[path = "44_incremental_alter_configs.rs"]
mod incremental_alter_configs;
#[path = "22_init_producer_id.rs"]
mod init_producer_id;
#[path = "11_join_group.rs"]
pub(super) mod join_group;
#[path = "13_leave_group.rs"]
mod leave_group;
#[path = "16_list_groups.rs"]
mod list_groups;
#[path = "02_list_offsets.rs"]
mod list_offsets;
#[path = "03_metadata.rs"]
mod metadata;
#[path = "08_offset_commit.rs"]
mod offset_commit;
#[path = "09_offset_fetch.rs"]
mod offset_fetch;
#[path = "23_offset_for_leader_epoch.rs"]
mod offset_for_leader_epoch;
#[path = "00_produce.rs"]
mod produce;
#[path = "14_sync_group.rs"]
pub(super) mod sync_group;

use super::call::{Call, Outcome, Reply};
use crate::protocol::{ApiKey, Message, Reader};

/// What a client may do with a topic, a group, the cluster, where nothing is forbidden: Kafka's bit sets.
const TOPIC_OPERATIONS: i32 = 0b1101_1111_1000;
const GROUP_OPERATIONS: i32 = 0b1101_0100_1000;
const CLUSTER_OPERATIONS: i32 = 0b1_1111_1010_0000;
/// They were not asked for.
const NO_OPERATIONS: i32 = i32::MIN;

/// Hands the request to its file. `body` is what follows the header.
pub(super) fn handle(call: &mut Call<'_>, body: &[u8]) -> Reply {
    if call.api == ApiKey::ApiVersions {
        return api_versions::handle(call, body);
    }
    if !call.world.offer.serves(call.api, call.version) {
        return Ok(Outcome::Close);
    }
    match call.api {
        ApiKey::Produce => run(call, body, produce::handle),
        ApiKey::Fetch => run(call, body, fetch::handle),
        ApiKey::ListOffsets => run(call, body, list_offsets::handle),
        ApiKey::Metadata => run(call, body, metadata::handle),
        ApiKey::OffsetCommit => run(call, body, offset_commit::handle),
        ApiKey::OffsetFetch => run(call, body, offset_fetch::handle),
        ApiKey::FindCoordinator => run(call, body, find_coordinator::handle),
        ApiKey::JoinGroup => run(call, body, join_group::handle),
        ApiKey::Heartbeat => run(call, body, heartbeat::handle),
        ApiKey::LeaveGroup => run(call, body, leave_group::handle),
        ApiKey::SyncGroup => run(call, body, sync_group::handle),
        ApiKey::DescribeGroups => run(call, body, describe_groups::handle),
        ApiKey::ListGroups => run(call, body, list_groups::handle),
        ApiKey::CreateTopics => run(call, body, create_topics::handle),
        ApiKey::DeleteTopics => run(call, body, delete_topics::handle),
        ApiKey::DeleteRecords => run(call, body, delete_records::handle),
        ApiKey::InitProducerId => run(call, body, init_producer_id::handle),
        ApiKey::OffsetForLeaderEpoch => run(call, body, offset_for_leader_epoch::handle),
        ApiKey::DescribeConfigs => run(call, body, describe_configs::handle),
        ApiKey::CreatePartitions => run(call, body, create_partitions::handle),
        ApiKey::DeleteGroups => run(call, body, delete_groups::handle),
        ApiKey::IncrementalAlterConfigs => run(call, body, incremental_alter_configs::handle),
        ApiKey::DescribeCluster => run(call, body, describe_cluster::handle),
        ApiKey::DescribeTopicPartitions => run(call, body, describe_topic_partitions::handle),
        _ => Ok(Outcome::Close),
    }
}

/// Reads the request; one that is not what it says to be closes the connection. Bytes behind it are ignored, as
/// Kafka does: librdkafka 2.16 asks for all topics with three bytes too many.
fn run<'b, R: Message<'b>>(
    call: &mut Call<'_>,
    body: &'b [u8],
    handler: impl FnOnce(&mut Call<'_>, R) -> Reply,
) -> Reply {
    let mut r = Reader::new(body);
    match R::decode(&mut r, call.version) {
        Ok(request) => handler(call, request),
        Err(_) => Ok(Outcome::Close),
    }
}
