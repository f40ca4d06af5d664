//! The cluster through its connections: requests by the client-side encoders, answers by the client-side decoders.

mod data;
mod faults;
mod groups;
mod topics;
