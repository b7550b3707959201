// Finding as a person does: by role and accessible name. Part of browser.rs.
const selectors = {
  button: "button, [role=button], input[type=submit], summary",
  link: "a[href], [role=link]",
  textbox: "input:not([type]), input[type=text], input[type=url], input[type=search], input[type=number], input[type=password], textarea, [role=textbox], [role=searchbox]",
  combobox: "select, [role=combobox]",
  checkbox: "input[type=checkbox]:not([role=switch]), [role=checkbox]",
  switch: "[role=switch]",
  radio: "input[type=radio], [role=radio]",
  heading: "h1, h2, h3, h4, [role=heading]",
  dialog: "dialog[open], [role=dialog]",
  tab: "[role=tab]",
  row: "tr, [role=row]",
  listitem: "li, [role=listitem]",
  status: "[role=status], [role=alert], [aria-live=polite], [aria-live=assertive], output",
  option: "option, [role=option]",
  region: "section[aria-label], section[aria-labelledby], [role=region]",
};

const squeeze = (text) => (text ?? "").replace(/\s+/g, " ").trim();

function textOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent;
  if (node.nodeType !== Node.ELEMENT_NODE || node.getAttribute("aria-hidden") === "true" || node.tagName === "KBD") return "";
  if (node.tagName === "IMG") return node.alt;
  if (node.hasAttribute("aria-label") && node.tagName !== "BODY") return node.getAttribute("aria-label");
  return [...node.childNodes].map(textOf).join(node.checkVisibility?.() ? " " : "");
}

function nameOf(element) {
  const labelledBy = element.getAttribute("aria-labelledby");
  if (labelledBy) return squeeze(labelledBy.split(/\s+/).map((id) => textOf(document.getElementById(id) ?? document.createElement("i"))).join(" "));
  if (element.hasAttribute("aria-label")) return squeeze(element.getAttribute("aria-label"));
  if (element.labels?.length) return squeeze([...element.labels].map(textOf).join(" "));
  if (element.matches("input[type=submit]")) return squeeze(element.value);
  return squeeze(textOf(element)) || squeeze(element.title) || squeeze(element.placeholder);
}

function roleOf(element) {
  if (element.hasAttribute("role")) return element.getAttribute("role");
  return Object.keys(selectors).find((role) => element.matches(selectors[role])) ?? element.tagName.toLowerCase();
}

// An open modal dialog makes the rest of the page unreachable.
const reachable = () => [...document.querySelectorAll("dialog:modal")].pop() ?? document;

function find(role, name) {
  const selector = selectors[role] ?? `[role=${role}]`;
  const root = reachable();
  const candidates = [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)].filter((element) => element.checkVisibility({ visibilityProperty: true }));
  const exact = candidates.find((element) => nameOf(element) === name);
  return exact ?? candidates.find((element) => nameOf(element).startsWith(name)) ?? (["row", "listitem", "status", "region"].includes(role) ? candidates.find((element) => squeeze(element.innerText).includes(name)) : null) ?? null;
}

const describe = (element) => [roleOf(element), nameOf(element)];
