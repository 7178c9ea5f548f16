//! The five programs, and the commands of `logretry`: arguments, and the links between the stages.

mod demo;
mod demo_server;
mod explain;
mod filter;
mod formats;
mod held;
mod hosts;
mod ledger;
mod ledger_flags;
mod logretry;
mod manual;
mod plan;
mod positions;
mod read;
mod refire;
mod route;
mod run;
mod unguarded;
mod verify;
mod write;

pub use filter::Filter;
pub use logretry::Logretry;
pub use read::Read;
pub use refire::Refire;
pub use write::Write;
