//! Every codec there and back, at every level, with input that lies about its size.

use super::*;
use proptest::prelude::*;

const CODECS: [Compression; 4] =
    [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
const MIB: usize = 1 << 20;

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|i| b"a record of some text, "[i % 23] ^ (i / 4096) as u8).collect()
}

fn noise(len: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..len).map(|_| random.u8(..)).collect()
}

fn unpack(codec: Compression, input: &[u8], limit: usize) -> Result<Bytes, DecompressError> {
    Decompressor::new().decompress(codec, 2, input, limit)
}

#[test]
fn ids_names_and_levels() {
    for (id, name) in ["none", "gzip", "snappy", "lz4", "zstd"].into_iter().enumerate() {
        let codec = Compression::from_id(id as u8).unwrap();
        assert_eq!((codec.name(), Compression::from_name(name)), (name, Some(codec)));
        assert!(codec.takes_level(codec.default_level()));
    }
    assert_eq!(Compression::from_id(5), None);
    assert_eq!(Compression::from_name("GZIP"), None);
    for (codec, level, ok) in [
        (Compression::Gzip, -1, true),
        (Compression::Gzip, 0, false),
        (Compression::Gzip, 9, true),
        (Compression::Gzip, 10, false),
        (Compression::Lz4, 0, false),
        (Compression::Lz4, 17, true),
        (Compression::Lz4, 18, false),
        (Compression::Zstd, -131_072, true),
        (Compression::Zstd, -131_073, false),
        (Compression::Zstd, 22, true),
        (Compression::Zstd, 23, false),
        (Compression::Snappy, 1, false),
    ] {
        assert_eq!(codec.takes_level(level), ok, "{} {level}", codec.name());
    }
    assert_eq!(Compression::Zstd.levels().unwrap(), zstd_safe::min_c_level()..=zstd_safe::max_c_level());
}

#[test]
fn each_codec_and_level_round_trips_with_reused_contexts() {
    let (mut compressor, mut decompressor) = (Compressor::new(), Decompressor::new());
    for codec in CODECS {
        let levels: Vec<i32> = match codec {
            Compression::Gzip => [-1].into_iter().chain(1..=9).collect(),
            Compression::Lz4 => (1..=17).collect(),
            Compression::Zstd => [-131_072, -5].into_iter().chain(0..=22).collect(),
            _ => vec![0],
        };
        for level in levels {
            for data in [vec![], vec![7], text(1000), text(300_000), noise(100_000), vec![0; 200_000]] {
                let packed = compressor.compress(codec, level, &data).unwrap().to_vec();
                let back = decompressor.decompress(codec, 2, &packed, data.len()).unwrap();
                assert!(back == data, "{} level {level}, {} bytes", codec.name(), data.len());
            }
        }
    }
}

#[test]
fn a_higher_level_packs_more() {
    let data: Vec<u8> = (0..40_000u32)
        .flat_map(|i| format!("{{\"id\":{}}}", i.wrapping_mul(2654435761)).into_bytes())
        .collect();
    // The default level of lz4 is its fast compressor: each other level packs more.
    let lz4 = Compression::Lz4.default_level();
    let pairs = [(Compression::Gzip, 1, 9), (Compression::Zstd, -7, 19), (Compression::Lz4, 1, 12)];
    for (codec, low, high) in pairs.into_iter().chain([(Compression::Lz4, lz4, 1)]) {
        let mut c = Compressor::new();
        let (low, high) =
            (c.compress(codec, low, &data).unwrap().len(), c.compress(codec, high, &data).unwrap().len());
        assert!(high < low, "{}: {high} < {low}", codec.name());
    }
}

#[test]
fn the_limit_holds_for_bombs() {
    let data = vec![0u8; 64 * MIB];
    for codec in CODECS {
        let packed = Compressor::new().compress(codec, codec.default_level(), &data).unwrap().to_vec();
        for limit in [0, 1, 1000, MIB, data.len() - 1] {
            assert_eq!(
                unpack(codec, &packed, limit),
                Err(DecompressError::TooLarge { limit }),
                "{}",
                codec.name()
            );
        }
        assert_eq!(unpack(codec, &packed, data.len()).unwrap().len(), data.len(), "{}", codec.name());
    }
}

#[test]
fn the_limit_is_exact() {
    for codec in CODECS {
        for len in [1usize, 100, 4096, 65_535, 65_536, 65_537, 131_072, 200_001] {
            for data in [text(len), noise(len)] {
                let packed =
                    Compressor::new().compress(codec, codec.default_level(), &data).unwrap().to_vec();
                assert!(unpack(codec, &packed, len).unwrap() == data, "{} {len}", codec.name());
                let limit = len - 1;
                assert_eq!(
                    unpack(codec, &packed, limit),
                    Err(DecompressError::TooLarge { limit }),
                    "{} {len}",
                    codec.name()
                );
            }
        }
    }
}

#[test]
fn streams_in_a_row_are_one() {
    let (a, b) = (text(70_000), noise(5_000));
    for codec in CODECS {
        let mut packed = Compressor::new().compress(codec, codec.default_level(), &a).unwrap().to_vec();
        packed.extend_from_slice(Compressor::new().compress(codec, codec.default_level(), &b).unwrap());
        assert!(unpack(codec, &packed, MIB).unwrap() == [&a[..], &b].concat(), "{}", codec.name());
    }
}

#[test]
fn cut_data_is_an_error() {
    let data = text(10_000);
    for codec in CODECS {
        let packed = Compressor::new().compress(codec, codec.default_level(), &data).unwrap().to_vec();
        for end in 1..packed.len() {
            match unpack(codec, &packed[..end], MIB) {
                Err(DecompressError::Corrupt(_)) => {}
                // The framing of snappy has no end mark: after a whole block, or the header, it may end.
                Ok(out) if codec == Compression::Snappy && data.starts_with(&out) => {}
                other => panic!("{} cut at {end}: {other:?}", codec.name()),
            }
        }
    }
}

#[test]
fn snappy_comes_framed_or_bare() {
    let data = text(100_000);
    let bare = snap::raw::Encoder::new().compress_vec(&data).unwrap();
    assert!(unpack(Compression::Snappy, &bare, MIB).unwrap() == data);
    let packed = Compressor::new().compress(Compression::Snappy, 0, &data).unwrap().to_vec();
    assert_eq!(&packed[..16], b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
    let first = u32::from_be_bytes(packed[16..20].try_into().unwrap()) as usize;
    assert_eq!(snap::raw::decompress_len(&packed[20..20 + first]).unwrap(), 32 * 1024);
}

#[test]
fn snappy_sizes_are_not_believed() {
    // Declares 1 GiB and brings nothing.
    let declared = [0x80, 0x80, 0x80, 0x80, 0x04, 0x00];
    assert!(matches!(unpack(Compression::Snappy, &declared, usize::MAX), Err(DecompressError::Corrupt(_))));
    // The most that snappy can grow: literal of one byte, then copies of 64.
    let data = vec![b'x'; 1 + 64 * 1000];
    let mut bare = vec![0x81, 0xf4, 0x03, 0x00, b'x'];
    for _ in 0..1000 {
        bare.extend_from_slice(&[0xfe, 0x01, 0x00]);
    }
    assert_eq!(snap::raw::decompress_len(&bare).unwrap(), data.len());
    assert!(unpack(Compression::Snappy, &bare, MIB).unwrap() == data);
}

#[test]
fn zstd_without_content_size_and_with_a_large_window() {
    use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};
    let data = text(3 * MIB);
    let mut context = CCtx::create();
    context.set_parameter(CParameter::WindowLog(27)).unwrap();
    let mut packed = vec![0u8; 4 * MIB];
    let mut out = OutBuffer::around(&mut packed[..]);
    let mut input = InBuffer::around(&data);
    while input.pos() < data.len() {
        context.compress_stream(&mut out, &mut input).unwrap();
    }
    while context.end_stream(&mut out).unwrap() > 0 {}
    let size = out.pos();
    packed.truncate(size);
    assert_eq!(zstd_safe::get_frame_content_size(&packed).ok().flatten(), None);
    assert!(unpack(Compression::Zstd, &packed, 3 * MIB).unwrap() == data);
}

fn lz4_frame(info: lz4_flex::frame::FrameInfo, data: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn lz4_frames_of_all_kinds_are_read() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameInfo};
    let data = [text(5 * MIB), noise(100_000), text(100_000)].concat();
    for size in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max1MB, BlockSize::Max4MB] {
        for mode in [BlockMode::Independent, BlockMode::Linked] {
            for sums in [false, true] {
                let info = FrameInfo::new()
                    .block_size(size)
                    .block_mode(mode)
                    .block_checksums(sums)
                    .content_checksum(sums)
                    .content_size(sums.then_some(data.len() as u64));
                let packed = lz4_frame(info, &data);
                assert!(
                    unpack(Compression::Lz4, &packed, data.len()).unwrap() == data,
                    "{size:?} {mode:?} {sums}"
                );
                if sums {
                    let mut bad = packed.clone();
                    *bad.last_mut().unwrap() ^= 1;
                    let error = unpack(Compression::Lz4, &bad, data.len()).unwrap_err();
                    assert_eq!(error, DecompressError::Corrupt("checksum mismatch of the lz4 content"));
                    bad = packed;
                    bad[40] ^= 1;
                    let error = unpack(Compression::Lz4, &bad, data.len()).unwrap_err();
                    assert_eq!(error, DecompressError::Corrupt("checksum mismatch of an lz4 block"));
                }
            }
        }
    }
}

#[test]
fn lz4_is_read_by_the_reference_reader() {
    use std::io::Read;
    let mut compressor = Compressor::new();
    for level in 1..=17 {
        for data in [vec![], vec![7], text(65_536), text(200_000), noise(200_000)] {
            let packed = compressor.compress(Compression::Lz4, level, &data).unwrap();
            // Independent blocks of 64 KiB and no checksums: more than that, Java does not read.
            assert_eq!(&packed[4..6], [0x60, 0x40], "level {level}");
            let mut back = Vec::new();
            ::lz4::Decoder::new(packed).unwrap().read_to_end(&mut back).unwrap();
            assert!(back == data, "level {level}");
            back.clear();
            lz4_flex::frame::FrameDecoder::new(packed).read_to_end(&mut back).unwrap();
            assert!(back == data, "level {level}");
        }
    }
}

/// What level 9 is to the C library, it is not here: Java takes its default for the fast compressor.
#[test]
fn lz4_levels_are_javas() {
    let data: Vec<u8> =
        (0..20_000u32).flat_map(|i| format!("record {},", i % 977 * 31).into_bytes()).collect();
    let mut compressor = Compressor::new();
    let mut size = |level| compressor.compress(Compression::Lz4, level, &data).unwrap().len();
    let fast = size(9);
    let thorough: Vec<usize> = (1..=17).filter(|level| *level != 9).map(&mut size).collect();
    assert!(thorough.iter().all(|size| *size < fast), "{thorough:?} < {fast}");
    assert!(thorough.last() < thorough.first(), "{thorough:?}");
    // 12 is the most that there is; beyond the range counts as the nearest.
    assert_eq!(size(12), size(17));
    assert_eq!((size(0), size(99)), (size(1), size(17)));
}

#[test]
fn lz4_skippable_frames_and_old_header_checksums() {
    let data = text(1000);
    let packed = Compressor::new().compress(Compression::Lz4, 9, &data).unwrap().to_vec();
    let skip = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &packed].concat();
    assert!(unpack(Compression::Lz4, &skip, MIB).unwrap() == data);

    let mut old = packed.clone();
    old[6] = (twox_hash::XxHash32::oneshot(0, &old[..6]) >> 8) as u8;
    assert_ne!(old[6], packed[6]);
    assert!(Decompressor::new().decompress(Compression::Lz4, 0, &old, MIB).unwrap() == data);
    assert!(Decompressor::new().decompress(Compression::Lz4, 0, &packed, MIB).unwrap() == data);
    let error = unpack(Compression::Lz4, &old, MIB).unwrap_err();
    assert_eq!(error, DecompressError::Corrupt("checksum mismatch of the lz4 frame header"));
}

#[test]
fn a_declared_lz4_block_size_takes_no_memory() {
    // 4 MiB blocks are declared; a limit of 100 bytes must be enough for what is there.
    let info = lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max4MB);
    let packed = lz4_frame(info, &text(100));
    let out = unpack(Compression::Lz4, &packed, 100).unwrap();
    assert_eq!(out.len(), 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_round_trip(data in prop::collection::vec(0u8..4, 0..5000), codec in 0usize..4) {
        let codec = CODECS[codec];
        let packed = Compressor::new().compress(codec, codec.default_level(), &data).unwrap().to_vec();
        prop_assert!(unpack(codec, &packed, data.len()).unwrap() == data);
    }

    #[test]
    fn any_bytes_round_trip_at_any_lz4_level(
        data in prop::collection::vec(0u8..4, 0..5000), times in 1usize..40, level in 1i32..=17,
    ) {
        let data = data.repeat(times);
        let packed = Compressor::new().compress(Compression::Lz4, level, &data).unwrap().to_vec();
        prop_assert!(unpack(Compression::Lz4, &packed, data.len()).unwrap() == data);
    }

    #[test]
    fn changed_bytes_never_panic_or_pass_the_limit(
        codec in 0usize..4, len in 0usize..3000,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        limit in 0usize..4000,
    ) {
        let codec = CODECS[codec];
        let mut packed = Compressor::new().compress(codec, codec.default_level(), &text(len)).unwrap().to_vec();
        for (at, byte) in changes {
            let at = at.index(packed.len());
            packed[at] = byte;
        }
        if let Ok(out) = unpack(codec, &packed, limit) {
            prop_assert!(out.len() <= limit);
        }
    }

    #[test]
    fn any_bytes_never_panic(codec in 0usize..4, data in prop::collection::vec(any::<u8>(), 0..300)) {
        let codec = CODECS[codec];
        let _ = unpack(codec, &data, 10_000);
        // Behind a sound beginning.
        let mut packed = Compressor::new().compress(codec, codec.default_level(), b"").unwrap().to_vec();
        packed.truncate(if codec == Compression::Lz4 { 7 } else { 16 });
        packed.extend_from_slice(&data);
        let _ = unpack(codec, &packed, 10_000);
    }
}
