//! The session cookie, and who is behind it.

// TODO(step-04.6): set a cookie at log-in, read it with each request, remove it at log-out. The README gives its name
// and attributes; `axum_extra::extract::CookieJar` reads and writes cookies.
