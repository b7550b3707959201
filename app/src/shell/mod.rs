//! The frame around every screen: contexts, the side bar, the live dot, shortcuts and the palette.

mod entries;
mod frame;
mod help;
mod mount;
mod palette;
mod sidebar;
mod theme;

pub(crate) use self::mount::mount;
