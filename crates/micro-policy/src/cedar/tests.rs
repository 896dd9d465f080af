//! Policies, each with calls that it allows and calls that it does not.

use super::*;
use crate::{Access, Digest, Gate, Identity, Intent, Tenants, ToolSet};

fn endpoint(name: &str, input: &str, read_only: bool) -> EndpointDescriptor {
    EndpointDescriptor {
        name: name.to_owned(),
        title: None,
        description: String::new(),
        examples: Vec::new(),
        scopes: Vec::new(),
        hints: micro_core::Hints { read_only, ..Default::default() },
        timeout: None,
        cost: None,
        cache: None,
        input: micro_core::Schema::parse(input).unwrap(),
        output: None,
        streaming: false,
    }
}

const PAY: &str = r##"{"type": "object", "required": ["amount", "to"], "properties": {
    "amount": {"type": "integer"}, "rate": {"type": ["number", "null"]}, "to": {"$ref": "#/$defs/Party"},
    "tags": {"type": "array", "items": {"type": "string"}}, "either": {"type": ["string", "integer"]}},
    "$defs": {"Party": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}}"##;

fn access(policies: &str) -> Access {
    let mut tenants = Tenants::default();
    tenants.add("acme", ToolSet::new(["*"]).unwrap());
    let policies = PolicySet::parse(&[("p.cedar".to_owned(), policies.to_owned())]).unwrap();
    Access { tenants, policies: Some(policies), ..Access::default() }
}

fn gates(access: &Access) -> [Gate; 2] {
    [
        access.gate("billing.Invoices.Pay", "billing", &endpoint("Invoices.Pay", PAY, false)),
        access.gate("notes.Notes.All", "notes", &endpoint("Notes.All", r#"{"type": "object"}"#, true)),
    ]
}

/// Alice is a clerk of acme and acts for what she asked.
fn alice() -> Caller {
    let intent = Intent { id: "i-7".into(), message: Digest::of("pay"), tools: None, calls: 3, parents: Vec::new() };
    Caller::Account(Arc::new(Identity {
        roles: ["clerk".into()].into(),
        tenant: Some("acme".into()),
        scopes: Some(["pay"].into_iter().collect()),
        intent: Some(intent),
        ..Identity::named("alice", "token/1")
    }))
}

/// On a Saturday.
fn ask(arguments: &str) -> Question<'_> {
    Question { front: "mcp", arguments: Some(arguments), now: "2026-11-21T20:15:00Z".parse().unwrap() }
}

const FIVE: &str = r#"{"amount": 5, "to": {"name": "bob"}}"#;

#[test]
fn what_a_policy_may_look_at() {
    // policy, arguments, allowed, in the list
    for (policy, arguments, allowed, listed) in [
        ("permit(principal, action, resource);", FIVE, true, true),
        ("", FIVE, false, false),
        (r#"permit(principal == Account::"alice", action, resource);"#, FIVE, true, true),
        (r#"permit(principal == Account::"bob", action, resource);"#, FIVE, false, false),
        (r#"permit(principal in Role::"clerk", action, resource);"#, FIVE, true, true),
        (r#"permit(principal in Tenant::"acme", action, resource in Tenant::"acme");"#, FIVE, true, true),
        (r#"permit(principal in Tenant::"umbrella", action, resource);"#, FIVE, false, false),
        (r#"permit(principal, action in Action::"call", resource in Service::"billing");"#, FIVE, true, true),
        (r#"permit(principal, action == Action::"billing.Invoices.Pay", resource);"#, FIVE, true, true),
        (r#"permit(principal, action == Action::"notes.Notes.All", resource);"#, FIVE, false, false),
        (r#"permit(principal, action, resource) when { resource.read_only };"#, FIVE, false, false),
        (r#"permit(principal, action, resource) when { resource.destructive };"#, FIVE, true, true),
        (r#"permit(principal, action, resource) when { principal.scopes.contains("pay") };"#, FIVE, true, true),
        (r#"permit(principal, action, resource) when { context.arguments.amount <= 5 };"#, FIVE, true, true),
        (r#"permit(principal, action, resource) when { context.arguments.amount < 5 };"#, FIVE, false, true),
        (r#"permit(principal, action, resource) when { context.arguments.to.name == "bob" };"#, FIVE, true, true),
        (
            r#"permit(principal, action, resource) when { context.arguments has rate && context.arguments.rate.lessThan(decimal("1.5")) };"#,
            r#"{"amount": 1, "rate": 1.49999}"#,
            false,
            true,
        ),
        (
            r#"permit(principal, action, resource) when { context.arguments.tags.contains("urgent") };"#,
            r#"{"amount": 1, "tags": ["x", "urgent"]}"#,
            true,
            true,
        ),
        (r#"permit(principal, action, resource) when { context.weekday == "saturday" };"#, FIVE, true, true),
        (
            r#"permit(principal, action, resource) when { context.time < datetime("2026-11-21T20:14:59Z") };"#,
            FIVE,
            false,
            true,
        ),
        (r#"permit(principal, action, resource) when { context has time && context has weekday };"#, FIVE, true, true),
        (r#"permit(principal, action, resource) when { context has arguments };"#, FIVE, true, true),
        (r#"permit(principal, action, resource) when { context == context };"#, FIVE, true, true),
        (r#"permit(principal, action, resource) when { context.intent.id == "i-7" };"#, FIVE, true, true),
        (r#"permit(principal, action, resource) when { context.front == "rest" };"#, FIVE, false, true),
        (
            r#"permit(principal, action, resource); forbid(principal, action, resource) when { context.arguments.amount > 4 };"#,
            FIVE,
            false,
            true,
        ),
        (
            r#"permit(principal, action, resource); forbid(principal, action, resource) unless { principal in Role::"admin" };"#,
            FIVE,
            false,
            false,
        ),
        // A `forbid` that cannot be evaluated holds; a `permit` that cannot is none.
        (
            r#"permit(principal, action, resource); forbid(principal, action, resource) when { context.arguments.rate == decimal("1.0") };"#,
            FIVE,
            false,
            true,
        ),
        (
            r#"permit(principal, action, resource); permit(principal, action, resource) when { context.arguments.rate == decimal("1.0") };"#,
            FIVE,
            true,
            true,
        ),
        // Numbers that are too large for Cedar are still large.
        (
            r#"permit(principal, action, resource) unless { context.arguments.amount > 1000 };"#,
            r#"{"amount": 1e300}"#,
            false,
            true,
        ),
        (
            r#"permit(principal, action, resource) unless { context.arguments.amount > 1000 };"#,
            r#"{"amount": 18446744073709551615}"#,
            false,
            true,
        ),
    ] {
        let access = access(policy);
        let [pay, _] = gates(&access);
        let said = access.decide(&alice(), &pay, ask(arguments));
        assert_eq!(said.is_ok(), allowed, "{policy}: {said:?}");
        assert_eq!(access.viewer(&alice()).sees(&pay), listed, "{policy}");
        let steps = access.explain(&alice(), &pay, ask(arguments));
        assert_eq!(steps.last().map(|step| (step.kind, &step.said)), Some(("policies", &said)));
    }
}

#[test]
fn arguments_that_two_readers_would_read_differently_are_not_judged() {
    let access = access("permit(principal, action, resource) unless { context.arguments.amount > 10 };");
    let [pay, _] = gates(&access);
    for (arguments, why) in [
        (r#"{"amount": 1, "amount": 99}"#, "a name is there twice"),
        (r#"{"amount": 1, "to": {"name": "a", "name": "b"}}"#, "a name is there twice"),
        (r#"{"amount": 1, "Amount": 99}"#, "in upper and lower case only"),
        (r#"{"AMOUNT": 99}"#, "in upper and lower case only"),
        ("{", "no JSON"),
    ] {
        let denied = access.decide(&alice(), &pay, ask(arguments)).unwrap_err();
        assert!(denied.to_string().contains(why), "{arguments}: {denied}");
        assert_eq!(denied.rule.as_str(), "policy:arguments");
    }
    assert!(access.decide(&alice(), &pay, ask(r#"{"amount": 1, "note": {"Amount": 99}}"#)).is_ok());
}

#[test]
fn the_policy_that_decided_is_named_by_its_id_or_its_place() {
    let text = "// Everybody may.\npermit(principal, action, resource);\n\n@id(\"small\")\nforbid(principal, action, resource)\nwhen { context.arguments has amount && context.arguments.amount > 10 };\n";
    let access = access(text);
    let [pay, _] = gates(&access);
    assert_eq!(access.decide(&alice(), &pay, ask(FIVE)).unwrap().as_str(), "policy:p.cedar:2");
    let denied = access.decide(&alice(), &pay, ask(r#"{"amount": 11}"#)).unwrap_err();
    assert_eq!((denied.rule.as_str(), denied.why), ("policy:small", Why::Forbidden));
    let nobody = self::access("").decide(&alice(), &gates(&self::access(""))[0], ask(FIVE)).unwrap_err();
    assert_eq!((nobody.rule.as_str(), nobody.why), (DEFAULT, Why::NotPermitted));
}

#[test]
fn who_shows_no_credential_is_an_account_without_a_name() {
    for (policy, allowed) in [
        (r#"permit(principal, action, resource);"#, true),
        (r#"permit(principal == Account::"", action, resource);"#, true),
        (r#"permit(principal in Role::"clerk", action, resource);"#, false),
    ] {
        let access = access(policy);
        let [_, all] = gates(&access);
        assert_eq!(access.decide(&Caller::Trusted, &all, ask("{}")).is_ok(), allowed, "{policy}");
        assert_eq!(access.viewer(&Caller::Trusted).sees(&all), allowed, "{policy}");
    }
}

#[test]
fn faults_are_told_with_file_and_line() {
    let deep = format!("permit(principal, action, resource) when {{ {}true{} }};", "(".repeat(5000), ")".repeat(5000));
    let nots = format!("permit(principal, action, resource) when {{ {}true }};", "!".repeat(5000));
    for (text, expected) in [
        ("permit(principal, action, resource);\n\npermit(principal action);", "p.cedar:3: "),
        ("permit(principal == ?principal, action, resource);", "templates"),
        (
            "@id(\"a\") permit(principal, action, resource);\n@id(\"a\") permit(principal, action, resource);",
            "p.cedar:2: `policy:a` is there twice",
        ),
        (&deep, "p.cedar:1: brackets are nested"),
        (&nots, "p.cedar:1: brackets are nested"),
        (&format!("// says \"yes\n{deep}"), "p.cedar:2: brackets are nested"),
        (&" ".repeat(2 << 20), "at most 1048576 bytes"),
    ] {
        let error = PolicySet::parse(&[("p.cedar".to_owned(), text.to_owned())]).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
    let remark = format!("// {}{}\npermit(principal, action, resource);", "-".repeat(100), "(".repeat(100));
    PolicySet::parse(&[("p.cedar".to_owned(), remark)]).expect("a remark is no policy");
}

#[test]
fn policies_are_checked_against_the_tools_there_are() {
    for (policy, expected) in [
        ("permit(principal, action, resource);", None),
        (
            r#"permit(principal, action == Action::"billing.Invoices.Pay", resource) when { context.arguments.amount > 5 };"#,
            None,
        ),
        (
            "permit(principal, action in Action::\"call\", resource)\nwhen { context.arguments has amount && context.arguments.amount > 5 };",
            None,
        ),
        (
            "permit(principal, action == Action::\"billing.Invoices.Pay\", resource)\nwhen { context.arguments.amuont > 5 };",
            Some("p.cedar:2: "),
        ),
        (r#"permit(principal, action == Action::"billing.Invoices.Pya", resource);"#, Some("billing.Invoices.Pya")),
        (
            r#"@id("pays") permit(principal, action == Action::"billing.Invoices.Pya", resource);"#,
            Some("`policy:pays`"),
        ),
        (
            "permit(principal, action == Action::\"billing.Invoices.Pay\", resource)\n\nwhen { context.arguments.amount == \"five\" };",
            Some("p.cedar:3: "),
        ),
        (
            r#"permit(principal, action == Action::"billing.Invoices.Pay", resource) when { context.arguments.either == "x" };"#,
            Some("either"),
        ),
        (r#"permit(principal, action, resource) when { principal.name == "x" };"#, Some("p.cedar:1: ")),
    ] {
        let access = access(policy);
        let gates = gates(&access);
        let faults = access.check_policies(gates.iter());
        match expected {
            None => assert_eq!(faults, Vec::<String>::new(), "{policy}"),
            Some(expected) => assert!(faults.iter().any(|fault| fault.contains(expected)), "{policy}: {faults:?}"),
        }
    }
}
