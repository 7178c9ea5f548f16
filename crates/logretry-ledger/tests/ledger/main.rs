//! What a ledger promises, asked of the real file.

mod compaction;
mod crash;
mod desk;
mod events;
mod projection;
mod refusals;
