//! Which version of an API to speak with a broker.

use super::api::ApiKey;
use super::messages::ApiVersionsResponse;
use crate::error::{Code, Error, Phase};

/// Versions from `min` to `max`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// The lowest.
    pub min: i16,
    /// The highest.
    pub max: i16,
}

impl VersionRange {
    /// All versions of an API that this library can read and write.
    pub fn spoken(api: ApiKey) -> VersionRange {
        VersionRange { min: api.min_version(), max: api.max_version() }
    }
}

/// "versions 0 to 3", or "version 4".
impl std::fmt::Display for VersionRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.min == self.max {
            return write!(f, "version {}", self.min);
        }
        write!(f, "versions {} to {}", self.min, self.max)
    }
}

/// What a broker offers, as its ApiVersions response says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerVersions {
    /// Sorted by key; only APIs that are spoken here.
    apis: Vec<(ApiKey, VersionRange)>,
}

impl BrokerVersions {
    /// Takes the table out of the response; what is not spoken here is left out.
    pub fn new(response: &ApiVersionsResponse<'_>) -> BrokerVersions {
        let mut apis: Vec<_> = response
            .api_keys
            .iter()
            .filter_map(|api| {
                let key = ApiKey::try_from(api.api_key).ok()?;
                Some((key, VersionRange { min: api.min_version, max: api.max_version }))
            })
            .collect();
        apis.sort_by_key(|(key, _)| *key);
        BrokerVersions { apis }
    }

    /// The broker's versions of an API; `None` if it has no such API.
    pub fn range(&self, api: ApiKey) -> Option<VersionRange> {
        let at = self.apis.binary_search_by_key(&api, |(key, _)| *key).ok()?;
        self.apis.get(at).map(|(_, range)| *range)
    }

    /// The highest version that the broker and `ours` share; see [`negotiate`].
    pub fn pick(&self, api: ApiKey, ours: VersionRange) -> Result<i16, Error> {
        negotiate(api, ours, self.range(api))
    }
}

/// The highest version of `api` in both ranges; `theirs` is `None` if the broker does not have the API at all.
/// Fails with [`Code::NO_COMMON_VERSION`], naming the API and both ranges.
pub fn negotiate(api: ApiKey, ours: VersionRange, theirs: Option<VersionRange>) -> Result<i16, Error> {
    let name = api.name();
    let failed = |message, hint| {
        Err(Error::new(Code::NO_COMMON_VERSION, message).phase(Phase::ApiVersions).hint(hint))
    };
    let Some(theirs) = theirs else {
        return failed(
            format!("the broker does not offer {name} (API {}), of which {ours} would be spoken", api as i16),
            "upgrade the broker, or do without what needs this request",
        );
    };
    let best = ours.max.min(theirs.max);
    if best >= ours.min && best >= theirs.min {
        return Ok(best);
    }
    let hint = if theirs.max < ours.min {
        "the broker is older than what this client speaks: upgrade the broker"
    } else if theirs.min > ours.max {
        "the broker is newer than what this client speaks: upgrade Milena"
    } else {
        "the broker's range makes no sense: is this a Kafka broker?"
    };
    failed(format!("no common version of {name}: the broker has {theirs}, this client {ours}"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::messages::api_versions_response::ApiVersion;

    fn range(min: i16, max: i16) -> VersionRange {
        VersionRange { min, max }
    }

    #[test]
    fn highest_common_version_wins() {
        for (ours, theirs, best) in [
            (range(0, 9), range(0, 3), 3),
            (range(0, 9), range(5, 12), 9),
            (range(4, 4), range(0, 4), 4),
            (range(4, 9), range(0, 4), 4),
        ] {
            assert_eq!(negotiate(ApiKey::Fetch, ours, Some(theirs)).unwrap(), best);
        }
    }

    #[test]
    fn none_in_common_names_the_api_and_both_ranges() {
        let old = negotiate(ApiKey::Metadata, range(4, 13), Some(range(0, 1))).unwrap_err();
        assert_eq!(old.code(), Code::NO_COMMON_VERSION);
        assert_eq!(
            old.message(),
            "no common version of Metadata: the broker has versions 0 to 1, this client versions 4 to 13"
        );
        assert!(old.hint_text().unwrap().contains("upgrade the broker"));
        let new = negotiate(ApiKey::Metadata, range(0, 3), Some(range(4, 4))).unwrap_err();
        assert!(new.hint_text().unwrap().contains("upgrade Milena"));
        let odd = negotiate(ApiKey::Metadata, range(0, 3), Some(range(3, 2))).unwrap_err();
        assert!(odd.hint_text().unwrap().contains("makes no sense"));
        let none = negotiate(ApiKey::ShareFetch, VersionRange::spoken(ApiKey::ShareFetch), None).unwrap_err();
        assert!(none.message().contains("ShareFetch (API 78)"), "{none}");
    }

    #[test]
    fn table_of_a_broker() {
        let api = |api_key, min_version, max_version| ApiVersion { api_key, min_version, max_version };
        let response = ApiVersionsResponse {
            api_keys: vec![api(18, 0, 3), api(0, 3, 11), api(9999, 0, 1)],
            ..ApiVersionsResponse::default()
        };
        let broker = BrokerVersions::new(&response);
        assert_eq!(broker.range(ApiKey::Produce), Some(range(3, 11)));
        assert_eq!(broker.pick(ApiKey::Produce, VersionRange::spoken(ApiKey::Produce)).unwrap(), 11);
        assert_eq!(broker.pick(ApiKey::ApiVersions, range(0, 2)).unwrap(), 2);
        assert!(broker.pick(ApiKey::Fetch, range(0, 18)).is_err());
    }
}
