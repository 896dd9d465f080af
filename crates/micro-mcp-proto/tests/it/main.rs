//! Messages of every revision: what they look like on the wire, and what survives being passed on.

mod make;
mod messages;
mod passing_on;
mod schema;
