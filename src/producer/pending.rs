//! Records that wait for their topic's partitions: copied one behind the other into pooled buffers, so that a
//! topic that is slow to become known costs neither an allocation nor a lock more per record.

use super::record::ProducerRecord;
use crate::record::Headers;
use crate::time::Nanos;
use bytes::BytesMut;
use std::collections::VecDeque;

/// Bytes in front of a record's key, value and headers.
const FIXED: usize = 8 + 8 + 4 * 5;

/// The records that wait for one topic, oldest first.
#[derive(Default)]
pub struct Pending {
    pub chunks: VecDeque<PendingChunk>,
    /// The sender knows that something waits here.
    pub listed: bool,
}

/// A buffer of waiting records. They expire together, so a chunk takes records for a short time only.
pub struct PendingChunk {
    buffer: BytesMut,
    used: usize,
    pub tokens: Vec<u64>,
    /// When records may no longer be added, and when those that are there have waited too long.
    pub closes: Nanos,
    pub deadline: Nanos,
    pub epoch: u64,
}

impl PendingChunk {
    pub fn new(buffer: BytesMut, closes: Nanos, deadline: Nanos, epoch: u64) -> PendingChunk {
        PendingChunk { buffer, used: 0, tokens: Vec::new(), closes, deadline, epoch }
    }

    /// Bytes that a record takes here.
    pub fn size_of(record: &ProducerRecord<'_>) -> usize {
        FIXED
            .saturating_add(record.key.map_or(0, <[u8]>::len))
            .saturating_add(record.value.map_or(0, <[u8]>::len))
            .saturating_add(record.headers.encoded_size())
    }

    /// Adds a record if there is room.
    pub fn push(&mut self, record: &ProducerRecord<'_>, timestamp_ms: i64) -> bool {
        let headers_len = record.headers.encoded_size();
        let mut fields = [0u8; FIXED];
        let lengths = [length(record.key), length(record.value), headers_len as i32];
        fields[0..8].copy_from_slice(&timestamp_ms.to_le_bytes());
        fields[8..12].copy_from_slice(&record.partition.to_le_bytes());
        fields[12..16].copy_from_slice(&lengths[0].to_le_bytes());
        fields[16..20].copy_from_slice(&lengths[1].to_le_bytes());
        fields[20..24].copy_from_slice(&lengths[2].to_le_bytes());
        fields[24..28].copy_from_slice(&(record.headers.count() as u32).to_le_bytes());
        let end = self.used.saturating_add(PendingChunk::size_of(record));
        let Some(mut room) = self.buffer.get_mut(self.used..end) else { return false };
        for part in [&fields[..], record.key.unwrap_or(&[]), record.value.unwrap_or(&[])] {
            let (to, rest) = std::mem::take(&mut room).split_at_mut(part.len());
            to.copy_from_slice(part);
            room = rest;
        }
        record.headers.encode_to(room);
        self.used = end;
        self.tokens.push(record.token);
        true
    }

    /// Bytes of the buffer, which are what it is charged.
    pub fn charge(&self) -> usize {
        self.buffer.len()
    }

    pub fn into_buffer(self) -> BytesMut {
        self.buffer
    }

    /// The records, in their order.
    pub fn records(&self) -> impl Iterator<Item = ProducerRecord<'_>> {
        let mut rest = self.buffer.get(..self.used).unwrap_or(&[]);
        self.tokens.iter().map_while(move |token| {
            let (fields, body) = rest.split_first_chunk::<FIXED>()?;
            let (record, after) = read(fields, body, *token)?;
            rest = after;
            Some(record)
        })
    }
}

fn length(field: Option<&[u8]>) -> i32 {
    field.map_or(-1, |f| f.len() as i32)
}

fn read<'a>(f: &[u8; FIXED], body: &'a [u8], token: u64) -> Option<(ProducerRecord<'a>, &'a [u8])> {
    let i32_at =
        |at: usize| f.get(at..).and_then(|b| b.first_chunk::<4>()).map_or(0, |b| i32::from_le_bytes(*b));
    let (key, body) = take(body, i32_at(12))?;
    let (value, body) = take(body, i32_at(16))?;
    let (headers, body) = take(body, i32_at(20))?;
    let record = ProducerRecord {
        partition: i32_at(8),
        timestamp_ms: f.first_chunk::<8>().map_or(-1, |b| i64::from_le_bytes(*b)),
        key,
        value,
        headers: Headers::Encoded { count: i32_at(24) as u32, bytes: headers.unwrap_or(&[]) },
        token,
    };
    Some((record, body))
}

fn take(body: &[u8], len: i32) -> Option<(Option<&[u8]>, &[u8])> {
    match usize::try_from(len) {
        Ok(len) => body.split_at_checked(len).map(|(field, rest)| (Some(field), rest)),
        Err(_) => Some((None, body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Header;

    #[test]
    fn records_come_back_as_they_were() {
        let headers = [Header { name: b"h", value: None }, Header { name: b"h", value: Some(b"") }];
        let records = [
            ProducerRecord { key: None, value: Some(b"v"), token: 1, ..Default::default() },
            ProducerRecord {
                key: Some(b""),
                value: None,
                partition: 3,
                headers: Headers::Slice(&headers),
                token: 2,
                timestamp_ms: 5,
            },
        ];
        let size: usize = records.iter().map(PendingChunk::size_of).sum();
        let mut chunk = PendingChunk::new(BytesMut::zeroed(size + 10), Nanos(0), Nanos(0), 0);
        for r in &records {
            assert!(chunk.push(r, r.timestamp_ms));
        }
        assert!(!chunk.push(&records[0], 1), "it is full");
        let back: Vec<ProducerRecord<'_>> = chunk.records().collect();
        assert_eq!(back.len(), 2);
        for (a, b) in records.iter().zip(&back) {
            assert_eq!(
                (a.key, a.value, a.partition, a.token, a.timestamp_ms),
                (b.key, b.value, b.partition, b.token, b.timestamp_ms)
            );
            assert_eq!(a.headers.count(), b.headers.count());
        }
        let Headers::Encoded { bytes, .. } = back[1].headers else { panic!() };
        assert_eq!(bytes, [2, b'h', 1, 2, b'h', 0]);
    }
}
