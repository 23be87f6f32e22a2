//! One connection: requests in, responses out, in order, until either side has had enough.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::body;
use crate::config::Config;
use crate::error::RequestError;
use crate::framing::{self, BodyLength};
use crate::handlers;
use crate::head::{self, Head};
use crate::input::Input;
use crate::method::Method;
use crate::response::{Delivery, Response};
use crate::routes;

/// How long a client is given to read our last words before the connection is torn down.
const LINGER: Duration = Duration::from_secs(1);

/// What becomes of the connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Request,
    Close,
}

/// Answers every request of one connection, then closes it.
pub async fn serve(stream: TcpStream, config: &Config) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, write) = stream.into_split();
    let input = Input::new(read, config.limits.idle_timeout);
    let mut connection = Connection { input, output: write, config };
    while connection.exchange().await? == Next::Request {}
    connection.close().await
}

struct Connection<'a> {
    input: Input<OwnedReadHalf>,
    output: OwnedWriteHalf,
    config: &'a Config,
}

impl Connection<'_> {
    /// Reads one request and answers it.
    async fn exchange(&mut self) -> io::Result<Next> {
        let head = match head::read(&mut self.input, &self.config.limits).await {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(Next::Close),
            Err(bad) => return self.refuse(&bad.error, bad.method).await,
        };
        match self.respond(&head).await {
            Ok((response, next)) => {
                self.send(&head, response, next).await?;
                Ok(next)
            }
            Err(error) => self.refuse(&error, head.method).await,
        }
    }

    async fn respond(&mut self, head: &Head) -> Result<(Response, Next), RequestError> {
        let length = framing::body_length(head)?;
        let next = if head.wants_to_persist() { Next::Request } else { Next::Close };
        match routes::find(head) {
            Ok(resource) => {
                self.invite_body(head, length).await?;
                let body = body::read(&mut self.input, length, self.config.limits.body).await?;
                Ok((handlers::handle(resource, head, body, self.config).await, next))
            }
            Err(refusal) => Ok((refusal.response(), self.skip_body(head, length).await.and(next))),
        }
    }

    /// Tells a client that waits for it to go on, unless its body is on the way already.
    async fn invite_body(&mut self, head: &Head, length: BodyLength) -> Result<(), RequestError> {
        length.check(self.config.limits.body)?;
        if head.expects_continue()? && length != BodyLength::Exact(0) && !self.input.has_more() {
            self.output.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        Ok(())
    }

    /// Reads over a body that nobody wants, so that the next request is found where it begins.
    async fn skip_body(&mut self, head: &Head, length: BodyLength) -> Next {
        // Whether a client that waits for a 100 will send its body after our refusal, nobody knows.
        let waits = matches!(head.expects_continue(), Ok(true) | Err(_)) && !self.input.has_more();
        if waits || body::read(&mut self.input, length, self.config.limits.body).await.is_err() {
            return Next::Close;
        }
        Next::Request
    }

    /// Says what is wrong. Where the request ends can no longer be known, so it is the last answer.
    async fn refuse(&mut self, error: &RequestError, method: Method) -> io::Result<Next> {
        if let Some(response) = error.response() {
            let delivery = Delivery { without_body: method == Method::Head, connection: Some("close") };
            self.deliver(response, delivery).await?;
        }
        Ok(Next::Close)
    }

    async fn send(&mut self, head: &Head, response: Response, next: Next) -> io::Result<()> {
        let connection = match next {
            Next::Close => Some("close"),
            Next::Request => head.version.keep_alive_must_be_said().then_some("keep-alive"),
        };
        self.deliver(response, Delivery { without_body: head.method == Method::Head, connection }).await
    }

    async fn deliver(&mut self, response: Response, delivery: Delivery) -> io::Result<()> {
        response.write_to(&mut self.output, delivery, self.config.limits.idle_timeout).await
    }

    /// Closes in two steps (RFC 9112 §9.6): a full close with unread bytes behind it resets the connection, and
    /// a reset can destroy the answer before the client has read it.
    async fn close(mut self) -> io::Result<()> {
        self.output.shutdown().await?;
        let _ = timeout(LINGER, self.input.discard()).await;
        Ok(())
    }
}

impl Next {
    /// Closes when either wants to.
    fn and(self, other: Self) -> Self {
        if self == Self::Request { other } else { self }
    }
}
