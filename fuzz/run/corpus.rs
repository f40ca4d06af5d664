//! Sound inputs to begin with: samples of all messages, batches of every format and codec, streams of frames.

use crate::protocol;
use crate::protocol_samples::Gen;
use fastrand::Rng;
use milena::record::legacy_writer::{write_compressed, write_message, LegacyMessage, APPEND_TIME};
use milena::record::{
    set_offset_and_epoch, Compression, Compressor, Header, Headers, MemoryRecordsBuilder, ProducerState,
    RecordRef,
};

/// Input of the protocol target: each message and version in its turn, with values of its own each time.
pub fn message(n: u64) -> Vec<u8> {
    let number = (n % protocol::cases() as u64) as u16;
    let (case, version) = protocol::case(usize::from(number));
    let mut input = number.to_le_bytes().to_vec();
    input.extend((case.encode)(&mut Gen::new(n), version).expect("samples can be encoded"));
    input
}

/// Input of the frame target.
pub fn stream(n: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(n);
    let mut input = vec![rng.u8(..), rng.u8(..)];
    for _ in 0..rng.usize(..8) {
        let size = match rng.u8(..100) {
            0 => rng.usize(4..60_000),
            _ => rng.usize(4..300),
        };
        input.extend((size as u32).to_be_bytes());
        input.extend((0..size).map(|_| rng.u8(..)));
    }
    input
}

/// Input of the record target: flags and one or two regions.
pub fn region(regions: &[Vec<u8>], n: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(n);
    // Mostly with right checksums, because what lies behind them is more.
    let flags = *rng.choice(&[2, 2, 3, 0, 1]).unwrap_or(&2) | rng.u8(..4) << 2;
    let mut input = vec![flags];
    for _ in 0..rng.usize(1..=2) {
        input.extend(rng.choice(regions).expect("there are regions"));
    }
    input
}

/// Regions of batches: every format and codec, with few and with many records, with headers, nulls and gaps.
pub fn regions() -> Vec<Vec<u8>> {
    let mut regions = Vec::new();
    let mut rng = Rng::with_seed(1);
    for codec in Compression::ALL {
        for records in [1, 3, 40] {
            regions.push(current(&mut rng, codec, records));
        }
        for magic in [0, 1] {
            // zstd is younger than these formats.
            if codec != Compression::Zstd {
                regions.push(legacy(&mut rng, magic, codec));
            }
        }
    }
    regions
}

fn bytes(rng: &mut Rng) -> Option<Vec<u8>> {
    match rng.u8(..6) {
        0 => None,
        1 => Some(Vec::new()),
        2 => Some(vec![b'x'; rng.usize(..200)]),
        _ => Some((0..rng.usize(..20)).map(|_| rng.u8(..)).collect()),
    }
}

fn current(rng: &mut Rng, codec: Compression, records: usize) -> Vec<u8> {
    let mut builder = MemoryRecordsBuilder::new(bytes::BytesMut::zeroed(256));
    for _ in 0..records {
        let (key, value, header) = (bytes(rng), bytes(rng), bytes(rng));
        let headers = [Header { name: b"name", value: header.as_deref() }, Header { name: b"", value: None }];
        let record = RecordRef {
            timestamp_ms: 1_700_000_000_000 + rng.i64(-5..5000),
            key: key.as_deref(),
            value: value.as_deref(),
            headers: if rng.u8(..3) == 0 { Headers::Slice(&headers) } else { Headers::NONE },
        };
        builder.append_with_offset(&record, usize::MAX).expect("a sound record");
    }
    let state = ProducerState { producer_id: 7, producer_epoch: 1, base_sequence: 3, ..ProducerState::NONE };
    let mut batch = builder.close(codec, codec.default_level(), &mut Compressor::new()).to_vec(state);
    set_offset_and_epoch(&mut batch, rng.i64(0..1 << 40), 5);
    batch
}

fn legacy(rng: &mut Rng, magic: u8, codec: Compression) -> Vec<u8> {
    let fields: Vec<_> = (0..12).map(|_| (bytes(rng), bytes(rng))).collect();
    let messages: Vec<_> = (100..)
        .zip(&fields)
        .map(|(offset, (key, value))| LegacyMessage {
            offset,
            timestamp_ms: 1000 + offset,
            key: key.as_deref(),
            value: value.as_deref(),
        })
        .collect();
    let mut region = Vec::new();
    if codec == Compression::None {
        messages.iter().for_each(|message| write_message(&mut region, magic, 0, message));
        return region;
    }
    for attributes in [0, APPEND_TIME * magic] {
        write_compressed(&mut region, magic, attributes, codec, &messages, &mut Compressor::new())
            .expect("a sound message set");
    }
    region
}
