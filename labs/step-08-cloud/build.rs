//! Tells cargo that the migrations are compiled into the program: a new file in their folder means a new build.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
