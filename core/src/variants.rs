//! The variants of an enum as an array.

/// What [`strum::VariantArray`] derives as a slice, as an array that can be mapped. Both `N` and the slice
/// are derived from one enum, so that they can't differ; if they did, the constant that is made of them would
/// not compile.
pub(crate) const fn array<E: Copy, const N: usize>(variants: &'static [E]) -> [E; N] {
    match variants.first_chunk() {
        Some(all) => *all,
        None => panic!("an enum has fewer variants than it counts"),
    }
}
