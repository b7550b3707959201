//! The variants of an enum as an array, and their spelling.

/// What [`strum::VariantArray`] derives as a slice, as an array that can be mapped. Both `N` and the slice
/// are derived from one enum, so that they can't differ; if they did, the constant that is made of them would
/// not compile.
pub(crate) const fn array<E: Copy, const N: usize>(variants: &'static [E]) -> [E; N] {
    match variants.first_chunk() {
        Some(all) => *all,
        None => panic!("an enum has fewer variants than it counts"),
    }
}

/// Gives an enum its list (`ALL`), the spelling of its variants (`as_str`) and their reader (`parse`), from
/// what strum derives: `EnumCount`, `EnumString`, `VariantArray`, and `IntoStaticStr` with `const_into_str`.
/// The text says what the spelling is.
macro_rules! spelled {
    ($visible:vis $name:ident, $about:literal) => {
        impl $name {
            /// All of them, in their order.
            $visible const ALL: [Self; <Self as ::strum::EnumCount>::COUNT] =
                $crate::variants::array(<Self as ::strum::VariantArray>::VARIANTS);

            #[doc = $about]
            #[must_use]
            $visible const fn as_str(self) -> &'static str {
                self.into_str()
            }

            /// Reads that spelling; `None` for any other text.
            #[must_use]
            $visible fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    };
}
pub(crate) use spelled;
