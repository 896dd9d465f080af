//! Golden expansions: `tests/golden/NAME.rs` expands to `tests/golden/NAME.expanded.rs`.
//!
//! `UPDATE=1 cargo test -p micro-macros` writes what the macro makes today; read the difference.

use std::{env, fs, path::Path};

use quote::ToTokens;
use syn::{Item, Meta};

use crate::{expand, expand_tools};

#[track_caller]
fn check(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let source = fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap();
    let expanded = expand_file(&source);
    let golden = folder.join(format!("{name}.expanded.rs"));
    if env::var_os("UPDATE").is_some() {
        fs::write(&golden, &expanded).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(expanded, expected, "{name} expands differently; UPDATE=1 accepts it");
}

/// Expands every `#[service]` and `#[tools]` of a file, as the compiler would.
fn expand_file(source: &str) -> String {
    let mut file = syn::parse_file(source).unwrap();
    let whole = file.clone();
    file.items = file.items.into_iter().flat_map(|item| expand_item(item, &whole)).collect();
    prettyplease::unparse(&file)
}

fn expand_item(mut item: Item, file: &syn::File) -> Vec<Item> {
    let attributes = match &mut item {
        Item::Impl(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        _ => return vec![item],
    };
    let ours = |attribute: &syn::Attribute| attribute.path().is_ident("service") || attribute.path().is_ident("tools");
    let Some(at) = attributes.iter().position(ours) else {
        return vec![item];
    };
    let tools = attributes[at].path().is_ident("tools");
    let options = match attributes.remove(at).meta {
        Meta::List(list) => list.tokens,
        _ => Default::default(),
    };
    let expanded = match tools {
        true => expand_tools(options, item.into_token_stream()),
        false => expand(options, item.into_token_stream(), &|| Some(file.clone())),
    };
    syn::parse2::<syn::File>(expanded).expect("the expansion is a list of items").items
}

#[test]
fn a_struct_of_arguments_is_read_as_it_is() {
    check("whole");
}

#[test]
fn plain_parameters_become_a_hidden_struct() {
    check("plain");
}

#[test]
fn every_option_becomes_one_step_of_the_descriptor() {
    check("options");
}

#[test]
fn doc_tags_leave_the_description() {
    check("docs");
}

#[test]
fn a_service_without_a_text_of_its_own_has_that_of_its_type() {
    let about = |source: &str| {
        let file = syn::parse_file(source).unwrap();
        crate::neighbour::description(&file, &syn::parse_str("Users").unwrap())
    };
    assert_eq!(about("/// People.\nstruct Users { db: Db }"), "People.");
    assert_eq!(about("struct Other; mod store { /// People.\n#[derive(Clone)] pub(crate) enum Users {} }"), "People.");
    assert_eq!(about("struct Users;"), "");
    assert_eq!(about("mod a { /// One.\nstruct Users; } mod b { /// Two.\nstruct Users; }"), "", "which one is meant?");
}

#[test]
fn streams_are_driven_by_the_library() {
    check("streams");
}

#[test]
fn a_contract_gets_a_server_and_a_client_that_implements_it() {
    check("contract");
}

#[test]
fn a_contract_with_errors_of_its_own_gets_a_client_beside_it() {
    check("own_errors");
}

#[test]
fn mistakes_are_all_reported_and_the_item_is_still_there() {
    check("mistakes");
}

#[test]
fn a_block_of_tools_becomes_steps_of_the_builder() {
    check("tools");
}

#[test]
fn mistakes_of_tools_are_all_reported() {
    check("tools_mistakes");
}
