//! Tasks 9 and 10: the image, how it is run, and how it is released. Files are judged by what they mean.

mod compose;
mod compose_checks;
mod context;
mod dockerfile;
mod dockerfile_checks;
mod engine;
mod ignore;
mod image;
mod machine;
mod process;
mod script;
mod secrets;
mod workflow;
mod yaml;
