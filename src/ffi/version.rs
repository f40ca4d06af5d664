//! Version

use std::os::raw::c_char;

/// The version of this header: 0x00MMmmpp, that is major, minor and patch in a byte each. Compare it with
/// milena_version_number() when the library is loaded at run time.
pub const MILENA_VERSION_NUMBER: u32 = 0x0000_0100;

/// The version of the library that is loaded, as MILENA_VERSION_NUMBER. Never fails; any thread.
#[no_mangle]
pub extern "C" fn milena_version_number() -> u32 {
    MILENA_VERSION_NUMBER
}

/// The version of the library that is loaded, for people: "milena/0.1.0 codecs=gzip,snappy,lz4,zstd". Never fails;
/// any thread; the text lives as long as the process.
#[no_mangle]
pub extern "C" fn milena_version() -> *const c_char {
    concat!("milena/", env!("CARGO_PKG_VERSION"), " codecs=gzip,snappy,lz4,zstd\0").as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_package() {
        let package = env!("CARGO_PKG_VERSION")
            .split('.')
            .fold(0, |number, part| number << 8 | part.parse::<u32>().unwrap());
        assert_eq!(MILENA_VERSION_NUMBER, package);
    }
}
