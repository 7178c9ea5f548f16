//! The refirer against real servers on the loopback address, scripted to answer, to break and to lie.

mod bodies;
mod faults;
mod http2;
mod outcomes;
mod pace;
mod proxy;
mod server;
mod threads;
mod tls;
mod wire;
