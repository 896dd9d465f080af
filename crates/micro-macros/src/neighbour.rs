//! The type that an `impl` belongs to, as the file around it declares it.
//!
//! An attribute is given the `impl` alone, but people write what a service is for above its type.

use proc_macro2::Ident;
use syn::{Attribute, Item};

use crate::docs;

/// The doc comment of the type of this name: empty when the file declares none of that name, or several.
pub(crate) fn description(file: &syn::File, name: &Ident) -> String {
    let mut found = Vec::new();
    find(&file.items, name, &mut found);
    match found[..] {
        [attributes] => docs::text(attributes),
        _ => String::new(),
    }
}

fn find<'a>(items: &'a [Item], name: &Ident, found: &mut Vec<&'a [Attribute]>) {
    for item in items {
        let (ident, attributes) = match item {
            Item::Struct(item) => (&item.ident, &item.attrs),
            Item::Enum(item) => (&item.ident, &item.attrs),
            Item::Union(item) => (&item.ident, &item.attrs),
            Item::Mod(module) => {
                find(module.content.as_ref().map_or(&[], |(_, items)| items), name, found);
                continue;
            }
            _ => continue,
        };
        if ident == name {
            found.push(attributes);
        }
    }
}
