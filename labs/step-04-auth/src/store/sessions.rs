//! Sessions of the API, and the refresh tokens that keep them going.
//!
//! A token says who sent it. Whether that still counts, only the database knows.

// TODO(step-04.4): create tables with a migration, and write the functions that start a session, exchange a refresh
// token for the next one, and end a session. A refresh token that is used twice ends its session.
