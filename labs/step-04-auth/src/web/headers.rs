//! What every page tells the browser to refuse (OWASP ASVS 5.0, 3.4).

// TODO(step-04.7): a function for `axum::middleware::from_fn` that adds a Content-Security-Policy and similar headers
// to every response, including errors. The pages need one script, /web/page.js, and nothing inline.
