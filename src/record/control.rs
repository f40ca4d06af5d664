//! Control records: what brokers write into a partition to end transactions. Consumers skip them.

/// What a control record says; from its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlType {
    Abort,
    Commit,
    /// Leader change, snapshot header and footer, and others to come.
    Other(i16),
}

impl ControlType {
    /// Reads the key of a control record: version and type, both 16 bits. Fields that later versions append
    /// are ignored; nothing when the key is too short or its version negative.
    pub fn from_key(key: &[u8]) -> Option<ControlType> {
        let [v0, v1, t0, t1] = *key.first_chunk::<4>()?;
        if i16::from_be_bytes([v0, v1]) < 0 {
            return None;
        }
        Some(match i16::from_be_bytes([t0, t1]) {
            0 => ControlType::Abort,
            1 => ControlType::Commit,
            other => ControlType::Other(other),
        })
    }

    /// The key of version 0.
    pub fn to_key(self) -> [u8; 4] {
        let code = match self {
            ControlType::Abort => 0,
            ControlType::Commit => 1,
            ControlType::Other(code) => code,
        };
        let [t0, t1] = code.to_be_bytes();
        [0, 0, t0, t1]
    }
}
