//! The suite of the caching lab: copies that are fast, that end, and that are never wrong after a write.

mod bounds;
mod clearing;
mod copies;
mod damage;
mod expiry;
#[cfg(not(learner_kit))]
mod held_out;
mod late;
mod limits;
mod many;
mod outage;
mod prices;
mod sessions;
mod speed;
mod stampede;
mod support;

lab_kit::file_order!["many", "sessions", "outage"];

fn main() -> std::process::ExitCode {
    lab_kit::suite::main_with(&[&lab_postgres::Driver, &lab_redis::Driver])
}
