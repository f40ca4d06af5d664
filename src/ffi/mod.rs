//! The C ABI: one file for each section of `include/milena.h`, which is generated from these files.
//!
//! A file's head comment and the comments of its exports are the header's text, so they speak to C programmers, and
//! names are those of C. What every export owes its caller: [`guard`] stops panics and checks pointers, [`handles`]
//! looks clients up. Together with `sys` this is the only place with `unsafe`.
#![allow(unsafe_code, non_camel_case_types)]
// What callers must guarantee is said once, on the header's front page.
#![allow(clippy::missing_safety_doc)]
// The number of arguments is the C API's.
#![allow(clippy::too_many_arguments)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod admin;
pub mod batch;
pub mod codes;
pub mod config;
pub mod consumer;
mod convert;
pub mod decode;
pub mod deliveries;
pub mod embedded;
mod embedded_settings;
pub mod error;
mod guard;
mod handles;
pub mod log;
pub mod offsets;
mod pack;
pub mod producer;
mod records;
pub mod topics;
pub mod types;
pub mod version;
