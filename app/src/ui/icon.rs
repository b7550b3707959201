//! The icons: one set, drawn on a grid of 20 with a line of 1.5, without fill, round at the ends.

use leptos::prelude::*;

/// A drawing that stands beside a word, never in its stead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// The gate of the name.
    Logo,
    /// Four tiles.
    Overview,
    /// A hook.
    Webhook,
    /// An arrow that leaves.
    Delivery,
    /// A spark.
    Event,
    /// A tag.
    EventType,
    /// A tray.
    Inbox,
    /// A bar that fills.
    Run,
    /// A key.
    Token,
    /// A sheet with lines.
    Audit,
    /// Three sliders.
    Settings,
    /// An open book.
    Reference,
    /// A shield with a tick.
    Doctor,
    /// A stack.
    Project,
    /// A plus.
    Plus,
    /// A cross.
    Close,
    /// Two sheets.
    Copy,
    /// A pencil.
    Edit,
    /// A bin.
    Delete,
    /// An arrow in a circle.
    Again,
    /// A paper plane.
    Send,
    /// Two bars.
    Pause,
    /// A triangle to the right.
    Resume,
    /// An arrow into a tray.
    Export,
    /// An eye.
    Reveal,
    /// Three lines.
    Menu,
    /// A chevron to the right.
    Next,
    /// A chevron to the left.
    Back,
    /// A tick.
    Done,
    /// A triangle with a mark.
    Warning,
    /// Half a disc.
    Theme,
    /// An arrow through a door.
    SignOut,
    /// A loupe.
    Search,
    /// A keyboard.
    Keyboard,
}

impl Icon {
    /// The `d` of its path. Here and not in files, so that none is fetched.
    const fn path(self) -> &'static str {
        match self {
            Self::Logo => "M3.5 17.5V9a6.5 6.5 0 0 1 13 0v8.5M7 17.5V9.5a3 3 0 0 1 6 0v8M2 17.5h16M10 6.5v11",
            Self::Overview => "M3.5 3.5h5v6h-5zM11.5 3.5h5v3h-5zM11.5 10.5h5v6h-5zM3.5 13.5h5v3h-5z",
            Self::Webhook => {
                "M10 3.5v6M10 9.5v3.25a3.75 3.75 0 1 1-7.5 0V11M2.5 11l-1 1.5M2.5 11l1.5 1M10 3.5a1.75 1.75 0 1 0 .01 0M14 9.5h4M14 13h4"
            }
            Self::Delivery => "M3 10h12.5M11 5.5l4.5 4.5-4.5 4.5M3 5.5h4M3 14.5h4",
            Self::Event => "M11 2.5 4.5 11.5H10l-1 6 6.5-9H10z",
            Self::EventType => "M3.5 3.5h6l7 7-6 6-7-7zM6.75 6.75h.01",
            Self::Inbox => "M3 11.5 5.2 4.5h9.6l2.2 7v4.5H3zM3 11.5h4l1 2h4l1-2h4",
            Self::Run => "M2.5 7.5h15v5h-15zM5 10h5.5",
            Self::Token => "M8.2 11.8a4 4 0 1 1 0-.01M8 10l8.5-.01v3M13.5 10v2.5M5.5 11.2h.01",
            Self::Audit => "M4.5 2.5h11v15h-11zM7 6.5h6M7 10h6M7 13.5h3.5",
            Self::Settings => "M3 5.5h8M15 5.5h2M13 3.5v4M3 10h2M9 10h8M7 8v4M3 14.5h8M15 14.5h2M13 12.5v4",
            Self::Reference => {
                "M10 5.5C8 4 5.5 3.5 2.5 3.5v11.5c3 0 5.5.5 7.5 2 2-1.5 4.5-2 7.5-2V3.5c-3 0-5.5.5-7.5 2zM10 5.5V17"
            }
            Self::Doctor => {
                "M10 2.5 16.5 5v5c0 4-2.8 6.6-6.5 7.5C6.3 16.6 3.5 14 3.5 10V5zM7 10l2.2 2.2L13 8"
            }
            Self::Project => "M10 3 17 6.5 10 10 3 6.5zM3 10l7 3.5 7-3.5M3 13.5 10 17l7-3.5",
            Self::Plus => "M10 4v12M4 10h12",
            Self::Close => "M5 5l10 10M15 5 5 15",
            Self::Copy => "M7.5 7.5h9v9h-9zM12.5 7.5v-4h-9v9h4",
            Self::Edit => "M3.5 16.5l.8-3.6L13.5 3.7l2.8 2.8-9.2 9.2zM11.5 5.7l2.8 2.8",
            Self::Delete => "M3.5 5.5h13M8 5.5v-2h4v2M5 5.5l.8 11h8.4l.8-11M8.4 8.5v5M11.6 8.5v5",
            Self::Again => "M16.5 10a6.5 6.5 0 1 1-2-4.7M16.5 3v3.5H13",
            Self::Send => "M17 3 3 8.5l5.5 3L11.5 17zM17 3 8.5 11.5",
            Self::Pause => "M7 4.5v11M13 4.5v11",
            Self::Resume => "M6.5 4v12l9-6z",
            Self::Export => "M10 3v9.5M6 8.5l4 4 4-4M3.5 13.5v3h13v-3",
            Self::Reveal => {
                "M2 10s3-5.5 8-5.5S18 10 18 10s-3 5.5-8 5.5S2 10 2 10zM10 7.7a2.3 2.3 0 1 0 .01 0"
            }
            Self::Menu => "M3 5.5h14M3 10h14M3 14.5h14",
            Self::Next => "M7.5 4.5 13 10l-5.5 5.5",
            Self::Back => "M12.5 4.5 7 10l5.5 5.5",
            Self::Done => "M4 10.5l4 4 8-9",
            Self::Warning => "M10 3 18 16.5H2zM10 8v4M10 14.4h.01",
            Self::Theme => "M10 3a7 7 0 1 0 .01 0M10 3v14M10 6.5h4.6M10 10h6.8M10 13.5h4.6",
            Self::SignOut => "M8 3.5H3.5v13H8M8 10h9M13.5 6.5 17 10l-3.5 3.5",
            Self::Search => "M9 3.5a5.5 5.5 0 1 0 .01 0M13 13l4 4",
            Self::Keyboard => {
                "M2.5 5.5h15v9h-15zM5.5 8.5h.01M8.5 8.5h.01M11.5 8.5h.01M14.5 8.5h.01M6.5 11.75h7"
            }
        }
    }
}

/// Draws an icon in the colour of the text around it. Hidden from assistive technology: the word beside it
/// says it.
pub(crate) fn glyph(icon: Icon) -> AnyView {
    view! {
        <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
            <path d=icon.path() />
        </svg>
    }
    .into_any()
}
