//! Sessions of the pages.

// TODO(step-04.6): make a table with a migration, and write here what begins a session under a fresh random id, what
// finds the account of an id, and what ends a session. What could a thief do with your table?
