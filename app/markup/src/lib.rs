//! `view!`: markup as in Leptos, for the dashboard.
//!
//! Leptos' own macro gives every tree of elements a type of its own, and every type its own code to build, rebuild and
//! mount it. With a dozen screens that alone is more than the page may weigh (250 KB compressed, all in all). This one
//! expands the same markup to plain calls of `crate::dom`, of which each exists once. Signals, effects, contexts and
//! components remain Leptos'.
//!
//! What it knows: elements, text, `{expressions}`, components (names that begin with a capital), `attribute=value`,
//! `on:event=heard`, `class:name=flag`, `prop:name=value`, `node_ref=reference`.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Code;
use quote::{format_ident, quote, quote_spanned};
use rstml::Infallible;
use rstml::node::{KeyedAttribute, Node, NodeAttribute, NodeElement};
use syn::spanned::Spanned;
use syn::{Error, Expr};

/// Markup as a `crate::dom::View`.
#[proc_macro]
pub fn view(tokens: TokenStream) -> TokenStream {
    match rstml::parse(tokens) {
        Ok(nodes) => children(&nodes).into(),
        Err(error) => error.to_compile_error().into(),
    }
}

/// Several nodes as one view.
fn children(nodes: &[Node<Infallible>]) -> Code {
    let views: Vec<Code> = nodes.iter().filter_map(node).collect();
    match views.as_slice() {
        [] => quote!(crate::dom::View::nothing()),
        [only] => quote!(crate::dom::IntoView::into_view(#only)),
        many => quote!(crate::dom::together(::std::vec![#(crate::dom::IntoView::into_view(#many)),*])),
    }
}

/// One node as an expression that is `IntoView`; `None` for what shows nothing.
fn node(node: &Node<Infallible>) -> Option<Code> {
    match node {
        Node::Element(found) => Some(element(found)),
        Node::Text(text) => {
            let text = &text.value;
            Some(quote!(#text))
        }
        Node::Block(block) => Some(quote!(#block)),
        Node::Fragment(fragment) => Some(children(fragment.children())),
        Node::RawText(text) => Some(Error::new(text.span(), "text stands in quotation marks").to_compile_error()),
        Node::Comment(_) | Node::Doctype(_) | Node::Custom(_) => None,
    }
}

fn element(element: &NodeElement<Infallible>) -> Code {
    let name = element.name().to_string();
    if name.starts_with(|first: char| first.is_ascii_uppercase()) || name.contains("::") {
        return component(element);
    }
    let make = if matches!(name.as_str(), "svg" | "path" | "rect") { quote!(drawing) } else { quote!(element) };
    let attributes = element.attributes().iter().map(attribute);
    let nodes = element.children().iter().filter_map(node).map(|child| quote!(crate::dom::Element::add(&element, #child);));
    quote! {{
        let element = crate::dom::Element::#make(#name);
        #(#attributes)*
        #(#nodes)*
        element
    }}
}

fn attribute(found: &NodeAttribute) -> Code {
    let NodeAttribute::Attribute(found) = found else {
        return Error::new(found.span(), "an attribute is name=value").to_compile_error();
    };
    let name = found.key.to_string();
    let value = value_of(found);
    let span = found.key.span();
    if let Some(event) = name.strip_prefix("on:") {
        let kind = match event {
            "click" | "mousedown" => "MouseEvent",
            "keydown" => "KeyboardEvent",
            "submit" => "SubmitEvent",
            _ => "Event",
        };
        let kind = format_ident!("{kind}");
        return quote_spanned!(span=> crate::dom::Element::hear::<::web_sys::#kind>(&element, #event, #value););
    }
    if let Some(class) = name.strip_prefix("class:") {
        return quote_spanned!(span=> crate::dom::Element::class_if(&element, #class, crate::dom::Flag::from(#value)););
    }
    if let Some(property) = name.strip_prefix("prop:") {
        return quote_spanned!(span=> crate::dom::Property::keep(#value, &element, #property););
    }
    if name == "node_ref" {
        return quote_spanned!(span=> crate::dom::NodeRef::found(#value, &element););
    }
    quote_spanned!(span=> crate::dom::Attribute::put(#value, &element, #name);)
}

/// `<Name a=b>…</Name>` as a call with the builder of its properties that Leptos' `#[component]` writes.
fn component(element: &NodeElement<Infallible>) -> Code {
    let name = element.name();
    let properties = element.attributes().iter().map(|found| {
        let NodeAttribute::Attribute(found) = found else {
            return Error::new(found.span(), "a property is name=value").to_compile_error();
        };
        let (key, value) = (&found.key, value_of(found));
        quote!(.#key(#value))
    });
    let inside = element.children();
    let inside = (!inside.is_empty()).then(|| {
        let inside = children(inside);
        quote!(.children(crate::dom::ToChildren::to_children(move || #inside)))
    });
    quote! {
        ::leptos::component::component_view(#name, ::leptos::component::component_props_builder(&#name) #(#properties)* #inside .build())
    }
}

/// The value of an attribute; `true` where it has none.
fn value_of(found: &KeyedAttribute) -> Code {
    match found.value() {
        // `{expr}` is the expression itself.
        Some(Expr::Block(block)) if block.block.stmts.len() == 1 => {
            let statement = &block.block.stmts[0];
            quote!(#statement)
        }
        Some(value) => quote!(#value),
        None => quote!(true),
    }
}
