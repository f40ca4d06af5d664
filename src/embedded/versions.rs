//! Which APIs and versions the brokers offer, by the version of Kafka that they pretend to be.
//!
//! The rows are what those brokers answer to ApiVersions, for the APIs that exist here. Produce begins at 0 in
//! the answer of every broker (librdkafka wants it so); versions below 3 are refused by 4.x, and here by all,
//! because this log holds format v2 only. For the same reason Fetch begins at 4.

use crate::protocol::ApiKey;

/// A version of Kafka whose ApiVersions table is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BrokerVersion {
    V1_1,
    V2_8,
    V3_9,
    #[default]
    V4_4,
}

/// Range of versions, both ends included; `NONE` where the broker lacks the API.
type Range = (i16, i16);
const NONE: Range = (0, -1);

/// API, and its range in 1.1.0, 2.8.2, 3.9.2 and 4.4.0.
const TABLE: &[(ApiKey, Range, Range, Range, Range)] = &[
    (ApiKey::Produce, (0, 5), (0, 9), (0, 11), (0, 13)),
    (ApiKey::Fetch, (4, 7), (4, 12), (4, 17), (4, 18)),
    (ApiKey::ListOffsets, (1, 2), (1, 6), (1, 9), (1, 11)),
    (ApiKey::Metadata, (0, 5), (0, 11), (0, 12), (0, 13)),
    (ApiKey::OffsetCommit, (2, 3), (2, 8), (2, 9), (2, 10)),
    (ApiKey::OffsetFetch, (1, 3), (1, 7), (1, 9), (1, 10)),
    (ApiKey::FindCoordinator, (0, 1), (0, 3), (0, 6), (0, 6)),
    (ApiKey::JoinGroup, (0, 2), (0, 7), (0, 9), (0, 9)),
    (ApiKey::Heartbeat, (0, 1), (0, 4), (0, 4), (0, 4)),
    (ApiKey::LeaveGroup, (0, 1), (0, 4), (0, 5), (0, 5)),
    (ApiKey::SyncGroup, (0, 1), (0, 5), (0, 5), (0, 5)),
    (ApiKey::DescribeGroups, (0, 1), (0, 5), (0, 5), (0, 6)),
    (ApiKey::ListGroups, (0, 1), (0, 4), (0, 5), (0, 5)),
    (ApiKey::ApiVersions, (0, 1), (0, 3), (0, 4), (0, 5)),
    (ApiKey::CreateTopics, (0, 2), (0, 7), (0, 7), (2, 7)),
    (ApiKey::DeleteTopics, (0, 1), (0, 6), (0, 6), (1, 6)),
    (ApiKey::DeleteRecords, (0, 0), (0, 2), (0, 2), (0, 2)),
    (ApiKey::InitProducerId, (0, 0), (0, 4), (0, 5), (0, 5)),
    (ApiKey::OffsetForLeaderEpoch, (0, 0), (0, 4), (0, 4), (2, 4)),
    (ApiKey::DescribeConfigs, (0, 1), (0, 4), (0, 4), (1, 4)),
    (ApiKey::CreatePartitions, (0, 0), (0, 3), (0, 3), (0, 3)),
    (ApiKey::DeleteGroups, (0, 0), (0, 2), (0, 2), (0, 3)),
    (ApiKey::IncrementalAlterConfigs, NONE, (0, 1), (0, 1), (0, 1)),
    (ApiKey::DescribeCluster, NONE, (0, 0), (0, 1), (0, 2)),
    (ApiKey::DescribeTopicPartitions, NONE, NONE, (0, 0), (0, 0)),
];

/// The lowest version of Produce that is served; see the head of this file.
pub(super) const LEAST_PRODUCE: i16 = 3;

/// The offered ranges, in the order of the API keys.
#[derive(Clone, Debug)]
pub(super) struct Offer(Vec<(ApiKey, i16, i16)>);

impl Offer {
    pub fn new(version: BrokerVersion, caps: &[(ApiKey, i16)]) -> Offer {
        let range = |row: &(ApiKey, Range, Range, Range, Range)| match version {
            BrokerVersion::V1_1 => row.1,
            BrokerVersion::V2_8 => row.2,
            BrokerVersion::V3_9 => row.3,
            BrokerVersion::V4_4 => row.4,
        };
        let offered = TABLE.iter().filter_map(|row| {
            let (min, mut max) = range(row);
            for (_, cap) in caps.iter().filter(|(api, _)| *api == row.0) {
                max = max.min(*cap);
            }
            (min <= max).then_some((row.0, min, max))
        });
        Offer(offered.collect())
    }

    /// API, lowest and highest version.
    pub fn rows(&self) -> &[(ApiKey, i16, i16)] {
        &self.0
    }

    /// The range of one API.
    pub fn range(&self, api: ApiKey) -> Option<(i16, i16)> {
        self.0.iter().find(|row| row.0 == api).map(|row| (row.1, row.2))
    }

    /// Whether a request of this version is served.
    pub fn serves(&self, api: ApiKey, version: i16) -> bool {
        let least = if api == ApiKey::Produce { LEAST_PRODUCE } else { 0 };
        version >= least && self.range(api).is_some_and(|(min, max)| (min..=max).contains(&version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_lower_and_remove() {
        let offer = Offer::new(BrokerVersion::V4_4, &[(ApiKey::Fetch, 12), (ApiKey::DescribeCluster, -1)]);
        assert_eq!(offer.range(ApiKey::Fetch), Some((4, 12)));
        assert_eq!(offer.range(ApiKey::DescribeCluster), None);
        assert!(!offer.serves(ApiKey::Fetch, 13));
        assert!(!offer.serves(ApiKey::Produce, 2) && offer.serves(ApiKey::Produce, 3));
    }

    #[test]
    fn an_old_broker_lacks_new_apis() {
        let offer = Offer::new(BrokerVersion::V1_1, &[]);
        assert_eq!(offer.range(ApiKey::DescribeCluster), None);
        assert_eq!(offer.range(ApiKey::Metadata), Some((0, 5)));
    }
}
