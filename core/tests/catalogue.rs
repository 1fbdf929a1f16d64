//! The catalogue proves itself: each rule fires on its example, and nothing does on its near miss.

use std::collections::BTreeSet;

use framescope_core::diagnostics::{Example, Rule, rules};
use framescope_core::session::Limits;
use framescope_core::{Diagnostic, EventKind, Session};

/// The findings of a conversation, to the end of the capture.
fn findings(example: &Example, code: &str) -> Vec<Diagnostic> {
    let mut session = Session::new(Limits::KEEP);
    for record in example.records().unwrap_or_else(|error| panic!("{code}: {error}")) {
        session.receive(&record);
    }
    session.finish();
    let events = std::iter::from_fn(|| session.poll_event());
    events
        .filter_map(|event| match event.kind {
            EventKind::DiagnosticRaised(finding) => Some(finding),
            _ => None,
        })
        .collect()
}

fn told(found: &[Diagnostic]) -> Vec<(&'static str, &str)> {
    found.iter().map(|finding| (finding.rule.code, finding.evidence.as_str())).collect()
}

#[test]
fn each_rule_fires_on_its_example_and_no_rule_on_its_near_miss() {
    for rule in rules::ALL {
        let found = findings(&rule.fires, rule.code);
        let codes: BTreeSet<_> = found.iter().map(|finding| finding.rule.code).collect();
        let expected: BTreeSet<_> = rule.along.iter().copied().chain([rule.code]).collect();
        assert_eq!(codes, expected, "{}: {:?}", rule.code, told(&found));
        assert!(found.iter().all(|finding| !finding.evidence.is_empty()), "{}", rule.code);

        let found = findings(&rule.near_miss, rule.code);
        assert!(found.is_empty(), "near miss of {}: {:?}", rule.code, told(&found));
    }
}

#[test]
fn each_rule_says_in_sentences_what_it_means_and_what_to_do() {
    let mut codes = BTreeSet::new();
    for Rule { code, section, title, meaning, advice, along, .. } in rules::ALL {
        assert!(codes.insert(code), "{code} is there twice");
        assert!(section.starts_with("RFC ") && section.contains(" §"), "{code}: {section}");
        assert!(!title.ends_with('.') && title.len() < 90, "{code}: {title}");
        for text in [meaning, advice] {
            assert!(text.ends_with('.') && text.len() > 8, "{code}: {text}");
        }
        assert!(along.iter().all(|other| rules::by_code(other).is_some()), "{code}: {along:?}");
        assert_eq!(rules::by_code(&code.to_lowercase()).map(|rule| rule.code), Some(*code));
    }
    assert!(codes.len() > 60, "{} rules", codes.len());
}
