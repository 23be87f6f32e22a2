//! Sessions of the API, and the refresh tokens that keep them going.
//!
//! A token says who sent it. Whether that still counts, only the database knows.

// TODO(step-04.4): make tables with a migration, and write here what begins a session, what uses a refresh token up
// and gives the next one, and what ends a session. A refresh token that comes twice ends its session.
