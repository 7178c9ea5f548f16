//! Black-box tests: the real programs, real web servers, real logs. Each test's name is a promise of the manual.
//!
//! They need nginx and Apache (`apt-get install -y nginx apache2 zstd xz-utils bzip2`), and use the corpora of real logs where
//! these are installed.

mod lab;

mod apache;
mod bad_log;
mod bad_stage;
mod captures;
mod commands;
mod confirm;
mod corpora;
mod detection;
mod files;
mod follow;
mod following;
mod gentle;
mod held;
mod help;
mod hostile;
mod ledger;
mod ledger_command;
mod ledger_pipes;
mod marks;
mod numbers;
mod own_files;
mod pipes;
mod positions;
mod readme;
mod run;
mod schema;
mod screens;
mod selection;
mod stop;
mod table;
mod targets;
mod verify;
mod wrapped;
