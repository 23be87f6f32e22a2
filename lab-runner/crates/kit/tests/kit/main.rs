//! The kit against real services, and against servers that behave and misbehave.

mod postgres;
mod proxy;
mod redis;
mod servers;
