//! Requests without sockets: which node, which version, which answer belongs to which request.

pub mod wire;
