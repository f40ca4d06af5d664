//! The admin client against an embedded cluster, without sockets and without a clock: what it asks, whom, and when
//! again. That it works over sockets is tested through the C API.

use super::*;
