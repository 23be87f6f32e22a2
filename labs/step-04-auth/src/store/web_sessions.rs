//! Sessions of the pages.

// TODO(step-04.6): create a table with a migration, and write the functions that start a session under a fresh random
// id, find the account for an id, and end a session. What could a thief do with your table?
