//! Signing in: with a token that is pasted here, or by a link that carries one, which asks first (`link`).
//!
//! A token is looked at before it is kept: the edge says whose it is, and one that may not look at what the
//! dashboard shows is refused here, with the reason, instead of opening screens that all fail.

pub(crate) mod link;
mod screen;
mod verdict;

pub(crate) use self::screen::SignIn;
