//! The description of the native API as `OpenAPI` 3.1: `public/openapi.json`, made from the types and
//! constants that the API is made of.
//!
//! Schemas of answers are derived from the wire types (`schemars`), those of bodies are built beside the
//! constants of their parsers (`body`), paths and methods are those of [`crate::operation`], problems those
//! of [`crate::problem`]. This module is behind a feature that neither Worker nor page has: the document is
//! written by a test (`POSTERN_BLESS=1`) and served as a file. `callbacks` describes what receivers get. What
//! all of these write is valid, and then brought into the shapes that generators of clients read (`shape`)
//! and the words that their readers know (`prose`). Not described: the facades, whose contracts are UbiOps',
//! UP42's and actinia's own; `/in/…`, which takes anything.

mod body;
mod callbacks;
mod document;
mod operation;
mod prose;
mod shape;

pub use self::document::document;

#[cfg(test)]
mod tests;
