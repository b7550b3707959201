use proptest::prelude::*;

use super::*;
use crate::event::is_event_type;

proptest! {
    #[test]
    fn an_exact_type_matches_itself_and_nothing_longer(kind in "[a-z_]{1,8}(\\.[a-z_]{1,8}){0,3}", more in "[a-z_.]{1,5}") {
        let pattern = EventPattern::parse(&kind);
        let longer = format!("{kind}{more}");
        let holds = pattern.is_some_and(|pattern| pattern.matches(&kind) && !pattern.matches(&longer));
        prop_assert!(holds);
    }

    #[test]
    fn a_prefix_matches_what_is_below_it_only(stem in "[a-z]{1,8}", below in "[a-z]{1,8}(\\.[a-z]{1,8})?") {
        let pattern = EventPattern::parse(&format!("{stem}.*"));
        let (inside, beside) = (format!("{stem}.{below}"), format!("{stem}{below}"));
        let holds = pattern.is_some_and(|pattern| pattern.matches(&inside) && !pattern.matches(&stem) && !pattern.matches(&beside));
        prop_assert!(holds);
    }

    #[test]
    fn a_text_is_a_pattern_only_if_it_can_match(text in "[a-z.*_]{0,12}") {
        if let Some(pattern) = EventPattern::parse(&text) {
            let kind = text.replace('*', "x");
            prop_assert!(pattern.matches(&kind) && is_event_type(&kind));
        }
    }
}
