//! The pages themselves: a type for each template. askama escapes every value unless a template says `safe`.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;

use crate::model::{Event, Review};

/// A sentence.
#[derive(Template)]
#[template(path = "message.html")]
pub struct Message<'a> {
    /// The sentence.
    pub text: &'a str,
}

/// The form to log in with.
#[derive(Template)]
#[template(path = "login.html")]
pub struct LogInForm<'a> {
    /// What was typed before.
    pub email: &'a str,
    /// Why it was not enough.
    pub problem: Option<&'a str>,
}

/// Who is logged in.
#[derive(Template)]
#[template(path = "account.html")]
pub struct AccountPage<'a> {
    /// Their name.
    pub name: &'a str,
    /// Their address.
    pub email: &'a str,
    /// For the form to log out with.
    pub csrf_token: &'a str,
}

/// Some events.
#[derive(Template)]
#[template(path = "events.html")]
pub struct EventsPage<'a> {
    /// What was searched for.
    pub q: &'a str,
    /// What was found.
    pub events: &'a [Event],
}

/// One event and what people think of it.
#[derive(Template)]
#[template(path = "event.html")]
pub struct EventPage<'a> {
    /// The event.
    pub event: &'a Event,
    /// The reviews.
    pub reviews: &'a [Review],
    /// The same for the page's script.
    pub data: PageData<'a>,
    /// For the form to write a review with, if somebody is logged in.
    pub csrf_token: Option<&'a str>,
}

/// What the event page's script reads.
#[derive(Serialize)]
pub struct PageData<'a> {
    /// The event's name.
    pub title: &'a str,
    /// The reviews.
    pub reviews: &'a [Review],
}

/// Answers with a page.
pub fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a template failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
