// The pane on the right: all that is known of one service, or of one host.

import { copy, el, foreign, toast } from "./dom.js";
import { glyph, kindOf, ring, tile } from "./icons.js";
import { ago, binary, called, clock, count, hex, lifetime, printable, records } from "./text.js";

const SCOPES = {
  global: "global",
  private: "private",
  link: "link-local",
  loopback: "this computer",
};

/** The address to reach it by. */
export function best(service) {
  return service?.addresses?.[0]?.text;
}

/** Copies the best address. */
export function copyAddress(service) {
  const address = best(service);
  if (address) copy(address, address);
  else toast("No address is known");
}

/** Copies all that was told, as `cooee browse --json` prints it. */
export function copyJson(service) {
  const { key, gone, resolved, isNew, expires, text, ...told } = service;
  copy(JSON.stringify(told), "as JSON");
}

/** Opens it in the program for its kind. */
export function open(service) {
  if (!service?.url) {
    toast("This kind of service cannot be opened from here");
  } else if (service.url.startsWith("http")) {
    window.open(service.url, "_blank", "noopener,noreferrer");
  } else {
    // Another program takes it; this page stays.
    window.location.assign(service.url);
  }
}

/** Shows a service in a pane, and keeps its clock going. */
export class ServiceDetails {
  #pane;
  #shown = null;
  #parts = {};

  constructor(pane) {
    this.#pane = pane;
    setInterval(() => this.tick(), 1000);
  }

  show(service) {
    if (service === this.#shown) return;
    const isSame = service?.key === this.#shown?.key;
    const wasOpen = isSame && this.#pane.querySelector("details.records")?.open;
    const top = isSame ? this.#pane.scrollTop : 0;
    this.#shown = service ?? null;
    this.#parts = {};
    if (!service) {
      this.#pane.replaceChildren(el("p", { class: "hint" }, "Choose a service to see where it is and what it says."));
      return;
    }
    this.#pane.replaceChildren(
      this.#head(service),
      ...(service.resolved ? this.#whole(service) : [missing(service)]),
      this.#times(service),
      ...(service.resolved ? [raw(service, wasOpen)] : []),
    );
    this.#pane.scrollTop = top;
    this.tick();
  }

  /** Moves what depends on the time. */
  tick() {
    const service = this.#shown;
    if (!service) return;
    const { left, ringLeft, first, last } = this.#parts;
    if (left) {
      const seconds = service.gone ? 0 : Math.max(0, Math.round((service.expires - Date.now()) / 1000));
      left.textContent = service.gone ? "gone" : lifetime(seconds);
      const total = lasting(service, seconds);
      const part = total > 0 ? Math.min(1, seconds / total) : 0;
      ringLeft.style.strokeDashoffset = String(100 - 100 * part);
    }
    if (first) first.textContent = ago(service.first_seen);
    if (last) last.textContent = ago(service.last_change);
  }

  #head(service) {
    const badges = [
      service.gone ? el("span", { class: "badge gone" }, "Gone") : null,
      service.local ? el("span", { class: "badge" }, "On this computer") : null,
      service.resolved ? null : el("span", { class: "badge warn" }, "Not resolved"),
      service.views ? el("span", { class: "badge warn" }, "Differs between links") : null,
    ];
    const head = el(
      "header",
      { class: "details-head" },
      tile(kindOf(service.type)),
      el(
        "div",
        { class: "titles" },
        el("h2", {}, foreign(service.name)),
        el("p", { class: "sub" }, foreign(called(service)), " ", el("code", {}, foreign(service.type))),
        el("p", { class: "badges" }, badges),
      ),
      service.resolved ? this.#ring() : null,
    );
    if (!service.resolved) return head;
    const canOpen = Boolean(service.url);
    const actions = el(
      "div",
      { class: "actions" },
      el(
        "button",
        { class: "button primary", type: "button", disabled: !canOpen, "aria-keyshortcuts": "o", onclick: () => open(service) },
        glyph("open"),
        "Open",
      ),
      el(
        "button",
        { class: "button", type: "button", "aria-keyshortcuts": "c", onclick: () => copyAddress(service) },
        glyph("copy"),
        "Copy address",
      ),
      el("button", { class: "button", type: "button", "aria-keyshortcuts": "C", onclick: () => copyJson(service) }, "Copy JSON"),
    );
    return el("div", {}, head, actions);
  }

  #ring() {
    const drawing = ring();
    this.#parts.ringLeft = drawing.querySelector(".left");
    this.#parts.left = el("span", { class: "ring-text" });
    return el(
      "div",
      { class: "lifetime", title: "How long this holds if nothing more is heard; it is asked for anew before" },
      drawing,
      this.#parts.left,
    );
  }

  #whole(service) {
    return [
      section("Where", where(service)),
      section("Addresses", ...addresses(service.addresses)),
      section("Attributes", attributes(service.txt)),
      service.views ? section("On each link", ...service.views.map(view)) : null,
    ].filter(Boolean);
  }

  #times(service) {
    this.#parts.first = el("span", { class: "dim" });
    this.#parts.last = el("span", { class: "dim" });
    const rows = [
      ["First seen", clock(service.first_seen), " ", this.#parts.first],
      ["Last change", clock(service.last_change), " ", this.#parts.last],
    ];
    if (service.resolved) rows.push(["Lifetimes", lifetimes(service.ttl)]);
    rows.push(["Links", service.links.map((link) => link.interface).join(", ") || "none"]);
    return section("Seen", facts(rows));
  }
}

/** Shows a host in a pane. */
export function showHost(pane, host, onpick) {
  if (!host) {
    pane.replaceChildren(el("p", { class: "hint" }, "Choose a host to see its addresses and what it offers."));
    return;
  }
  pane.replaceChildren(
    el(
      "header",
      { class: "details-head" },
      tile("device"),
      el(
        "div",
        { class: "titles" },
        el("h2", {}, foreign(host.host)),
        el("p", { class: "sub" }, count(host.services.length, "service"), ", ", count(host.addresses.length, "address", "addresses")),
      ),
    ),
    section("Addresses", ...addresses(host.addresses)),
    section(
      "Services",
      el(
        "ul",
        { class: "card offers" },
        host.services.map((service) =>
          el(
            "li",
            {},
            el(
              "button",
              { type: "button", onclick: () => onpick(service) },
              tile(kindOf(service.type)),
              el("span", { class: "name" }, foreign(service.name)),
              el("span", { class: "dim" }, `${called(service)}, port ${service.port}`),
            ),
          ),
        ),
      ),
    ),
  );
}

/** The lifetime that the ring is full at: the shortest that can have so much left. */
function lasting(service, left) {
  const all = Object.values(service.ttl ?? {}).filter((ttl) => ttl !== null && ttl >= left);
  return all.length > 0 ? Math.min(...all) : left;
}

function lifetimes({ ptr, srv, txt, address }) {
  return `name ${lifetime(ptr)}, place ${lifetime(srv)}, attributes ${lifetime(txt)}, addresses ${lifetime(address)}`;
}

function section(title, ...content) {
  return el("section", { class: "section" }, el("h3", {}, title), ...content);
}

/** Pairs of a word and what it is. */
function facts(rows) {
  return el(
    "dl",
    { class: "card facts" },
    rows.map(([name, ...value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

function copyButton(text) {
  return el(
    "button",
    { class: "plain copy", type: "button", "aria-label": `Copy ${text}`, title: "Copy", onclick: () => copy(text, text) },
    glyph("copy"),
  );
}

function where(service) {
  const place = `${service.host}:${service.port}`;
  const rows = [["Host and port", el("span", { class: "mono" }, foreign(place)), copyButton(place)]];
  if (service.url) {
    rows.push(["Address line", el("span", { class: "mono" }, foreign(service.url)), copyButton(service.url)]);
  }
  if (service.priority !== 0 || service.weight !== 0) {
    rows.push(["Priority, weight", `${service.priority}, ${service.weight}`]);
  }
  if (service.subtypes.length > 0) rows.push(["Subtypes", foreign(service.subtypes.join(", "))]);
  rows.push(["Whole name", el("span", { class: "mono" }, foreign(service.service)), copyButton(service.service)]);
  return facts(rows);
}

/** Addresses, for each link apart. */
function addresses(list) {
  const links = Map.groupBy
    ? Map.groupBy(list, (address) => address.interface ?? "")
    : list.reduce((all, one) => all.set(one.interface ?? "", [...(all.get(one.interface ?? "") ?? []), one]), new Map());
  return [...links].map(([link, all]) =>
    el(
      "div",
      { class: "card" },
      link ? el("p", { class: "card-title" }, glyph("other"), foreign(link)) : null,
      el(
        "ul",
        { class: "addresses" },
        all.map((address) =>
          el(
            "li",
            {},
            el("span", { class: "mono" }, foreign(address.text)),
            el("span", { class: `scope ${address.scope}` }, SCOPES[address.scope] ?? address.scope),
            copyButton(address.text),
          ),
        ),
      ),
    ),
  );
}

function attributes(list) {
  if (list.length === 0) return el("p", { class: "card none" }, "It says nothing more about itself.");
  const rows = list.map((one) =>
    el(
      "tr",
      { class: one.ignored ? "ignored" : undefined, title: one.ignored ? "No client counts this one" : undefined },
      el("th", { scope: "row" }, one.key === undefined ? el("span", { class: "dim" }, "no key") : foreign(one.key)),
      el("td", {}, value(one)),
    ),
  );
  return el("table", { class: "card attributes" }, el("tbody", {}, rows));
}

function value(one) {
  if (one.raw !== undefined) {
    const bytes = binary(one);
    const text = `${count(bytes.length, "byte")}: `;
    return el("span", { class: "mono" }, el("span", { class: "dim" }, text), hex(bytes), el("span", { class: "dim" }, ` ${printable(bytes)}`));
  }
  if (one.value === undefined) return el("span", { class: "dim" }, "set");
  if (one.value === "") return el("span", { class: "dim" }, "empty");
  return foreign(one.value);
}

function view(one) {
  const links = one.links.map((link) => link.interface).join(", ");
  return el(
    "div",
    { class: "card" },
    el("p", { class: "card-title" }, glyph("other"), foreign(links)),
    el("p", { class: "card-line mono" }, foreign(`${one.host}:${one.port}`)),
    el("p", { class: "card-line mono dim" }, foreign(one.addresses.map((address) => address.text).join(", "))),
  );
}

function missing(service) {
  const words = { srv: "its host and port", txt: "its attributes", address: "the address of its host", port: "a port: its name is only kept free" };
  const list = service.missing.map((one) => words[one] ?? one).join(", ");
  return section("Not resolved", el("p", { class: "card none" }, `Its name is announced, but nobody tells ${list}.`));
}

function raw(service, isOpen) {
  return el(
    "details",
    { class: "records section", open: isOpen },
    el("summary", {}, "Records"),
    el("pre", { class: "card mono", tabindex: "0" }, foreign(records(service).replaceAll("\n", "\u2424")).textContent.replaceAll("\u2424", "\n")),
  );
}
