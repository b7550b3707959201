//! The bars above the list: how many deliveries were made when, and how they ended. They follow the filters,
//! and are the filter by time themselves. `model` decides what is counted and said, `view` shows it.

mod model;
mod view;

pub(super) use self::view::Histogram;
