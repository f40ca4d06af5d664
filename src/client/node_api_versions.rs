//! `NodeApiVersions`: which versions of which request a broker speaks, learnt in the handshake.

use crate::error::{Code, Error, Phase};
use crate::protocol::ApiKey;

/// The ranges by API key; an API that the broker does not know has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeApiVersions {
    ranges: Vec<Option<(i16, i16)>>,
}

/// No Kafka has an API key beyond this; a response that claims one is not believed further.
const MAX_API_KEY: i16 = 1024;

impl NodeApiVersions {
    pub fn from_ranges(ranges: impl Iterator<Item = (i16, i16, i16)>) -> NodeApiVersions {
        let mut table = NodeApiVersions::default();
        for (key, min, max) in ranges.filter(|r| (0..MAX_API_KEY).contains(&r.0)) {
            let at = key as usize;
            if table.ranges.len() <= at {
                table.ranges.resize(at + 1, None);
            }
            if let Some(slot) = table.ranges.get_mut(at) {
                *slot = Some((min, max));
            }
        }
        table
    }

    pub fn range(&self, api: ApiKey) -> Option<(i16, i16)> {
        self.ranges.get(api as usize).copied().flatten()
    }

    /// The highest version that both sides speak, of those the caller can write.
    pub fn choose(&self, api: ApiKey, ours: (i16, i16)) -> Result<i16, Error> {
        let theirs = self.range(api);
        if let Some((min, max)) = theirs {
            let version = max.min(ours.1);
            if version >= min && version >= ours.0 {
                return Ok(version);
            }
        }
        let theirs =
            theirs.map_or("does not offer it".to_owned(), |(min, max)| format!("offers {min} to {max}"));
        let text = format!(
            "{} cannot be sent: this client needs version {} to {}, the broker {theirs}",
            api.name(),
            ours.0,
            ours.1
        );
        Err(Error::new(Code::NO_COMMON_VERSION, text).phase(Phase::ApiVersions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_common_version_is_chosen() {
        let table =
            NodeApiVersions::from_ranges([(0, 3, 8), (3, 0, 12), (-1, 0, 0), (i16::MAX, 0, 1)].into_iter());
        assert_eq!(table.choose(ApiKey::Produce, (3, 13)), Ok(8));
        assert_eq!(table.choose(ApiKey::Metadata, (1, 9)), Ok(9));
    }

    #[test]
    fn no_common_version_names_both_ranges() {
        let table = NodeApiVersions::from_ranges([(0, 9, 11)].into_iter());
        let error = table.choose(ApiKey::Produce, (3, 8)).unwrap_err();
        assert_eq!(error.code(), Code::NO_COMMON_VERSION);
        assert!(error.message().contains("3 to 8") && error.message().contains("9 to 11"), "{error}");
        let error = table.choose(ApiKey::Fetch, (4, 8)).unwrap_err();
        assert!(error.message().contains("does not offer it"), "{error}");
    }
}
