//! The solution.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "8080".into());
    for stream in TcpListener::bind(format!("127.0.0.1:{port}"))?.incoming() {
        let stream = stream?;
        std::thread::spawn(move || serve(stream));
    }
    Ok(())
}

fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let word = head.split(' ').nth(1).unwrap_or("/").trim_start_matches('/');
    let body = ask(word)?;
    let length = body.len();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn ask(word: &str) -> std::io::Result<String> {
    let url = std::env::var("TOY_URL").unwrap_or_default();
    let mut toy = TcpStream::connect(url.trim_start_matches("toy://").trim_end_matches('/'))?;
    writeln!(toy, "{word}")?;
    let mut answer = String::new();
    BufReader::new(toy).read_line(&mut answer)?;
    Ok(answer.trim_end().to_owned())
}
