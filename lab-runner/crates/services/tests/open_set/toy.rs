//! A service that answers `PONG` to `PING`, and the server behind it.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use lab_services::{
    Administrator, Connection, Description, Launch, ProbeReply, ProgramSearch, ProviderError, ServiceDefinition,
    ServiceProgram, UrlFormat, Version,
};

lab_services::register!(Toy);

struct Toy;

static DESCRIPTION: Description = Description {
    id: "toy",
    name: "Toy",
    server_variable: "TOY_URL",
    client: None,
    url: UrlFormat {
        schemes: &["toy"],
        port: 7777,
        administrator: Administrator::Anybody,
        path: "/",
        example: "toy://127.0.0.1:7777/",
    },
    packages: &[],
};

static SEARCH: ProgramSearch =
    ProgramSearch { names: &["toy-server"], folders: &[], companions: &[], folder_command: None, oldest: 2 };

impl ServiceDefinition for Toy {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn probe(&self, connection: &mut Connection, _password: Option<&str>) -> io::Result<ProbeReply> {
        let answer = connection.ask(b"PING\n")?;
        Ok(if answer.starts_with(b"PONG") { ProbeReply::Expected } else { ProbeReply::other(&answer) })
    }

    fn program(&self) -> Option<&dyn ServiceProgram> {
        Some(self)
    }
}

impl ServiceProgram for Toy {
    fn search(&self) -> &'static ProgramSearch {
        &SEARCH
    }

    fn identify(&self, version_line: &str) -> Option<(&'static str, Version)> {
        Some(("Toy", Version::parse(version_line.strip_prefix("toy-server ")?)))
    }

    fn command(&self, launch: &Launch<'_>) -> Result<Command, ProviderError> {
        let mut command = launch.command();
        command.arg(launch.port().to_string());
        Ok(command)
    }
}

/// What the server at `url` answers to `line`.
pub(crate) fn say(url: &str, line: &str) -> String {
    let place = url.trim_start_matches("toy://").trim_end_matches('/');
    let mut stream = TcpStream::connect(place).expect("a connection");
    writeln!(stream, "{line}").expect("a request");
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).expect("an answer");
    answer.trim_end().to_owned()
}

#[test]
#[ignore = "this is the server that the other tests start"]
fn server() {
    let port: u16 = std::env::var("TOY_ARGUMENTS").expect("arguments").parse().expect("a port");
    for stream in TcpListener::bind(("127.0.0.1", port)).expect("the port").incoming() {
        thread::spawn(move || answer(stream.expect("a connection")));
    }
}

pub(crate) fn answer(mut stream: TcpStream) {
    let lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
    for line in lines.map_while(Result::ok) {
        let answer = if line == "PING" { "PONG" } else { "UNKNOWN" };
        // In one piece: whoever probes reads once.
        let _ = stream.write_all(format!("{answer}\n").as_bytes());
    }
}
