// The packets on the links, as they come, with what is wrong with them.

import { el, foreign, say } from "./dom.js";
import { List } from "./list.js";
import { matches } from "./scene.js";
import { count } from "./text.js";

/** Packets that are kept to look at. */
const MOST = 2_000;
const LEVELS = { error: 3, warning: 2, note: 1 };

export class Packets {
  #all = [];
  #byNumber = new Map();
  #paused = false;
  #held = 0;
  #searched = [];
  #list;
  #parts;
  #trouble = "";
  #frame = 0;

  constructor(view) {
    const pause = el("button", { class: "button", type: "button", "aria-pressed": "false", onclick: () => this.pause() }, "Pause");
    const clear = el("button", { class: "button", type: "button", onclick: () => this.clear() }, "Clear");
    const total = el("p", { "aria-live": "off" });
    const viewport = el("div", { class: "list packets", role: "listbox", tabindex: "0", "aria-label": "Packets", id: "packets" });
    const details = el("section", { class: "pane details", tabindex: "0", "aria-label": "Details" });
    const empty = el("div", { class: "nothing" });
    this.#parts = { pause, total, details, empty };
    view.replaceChildren(
      el(
        "section",
        { class: "pane services" },
        el("header", { class: "pane-head" }, el("h2", {}, "Packets"), total, el("span", { class: "pane-tools" }, pause, clear)),
        viewport,
        empty,
      ),
      details,
    );
    this.#list = new List(viewport, { height: 44, make: row, show: fill, onpick: (item) => this.#detail(item) });
    this.#detail(undefined);
  }

  get panes() {
    return [this.#list.element, this.#parts.details];
  }

  get list() {
    return this.#list;
  }

  search(words) {
    this.#searched = words;
    this.#draw();
  }

  pause() {
    this.#paused = !this.#paused;
    const { pause } = this.#parts;
    pause.setAttribute("aria-pressed", String(this.#paused));
    say(pause, this.#paused ? "Go on" : "Pause");
    if (!this.#paused) this.#held = 0;
    this.#draw();
  }

  clear() {
    this.#all = [];
    this.#byNumber.clear();
    this.#list.picked = null;
    this.#detail(undefined);
    this.#draw();
  }

  /** Takes over an event. */
  tell(name, data) {
    if (name === "trouble") this.#trouble = data.text;
    if (name === "trouble" || this.#paused) {
      this.#held += name === "packet" ? 1 : 0;
    } else if (name === "packet") {
      this.#trouble = "";
      this.#add({ key: `p${data.packet}`, packet: data, findings: [], text: searched(data) });
      this.#byNumber.set(data.packet, this.#all.at(-1));
    } else if (name === "lint") {
      const about = this.#byNumber.get(data.packet);
      if (about) {
        about.findings.push(data);
        about.text += `\n${data.id} ${data.clause} ${data.text} lint`.toLowerCase();
        if (this.#list.picked === about.key) this.#detail(about);
      }
    } else if (name === "missed") {
      this.#held += data.packets;
    }
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** The command counts from 1 again: what was heard before is another story. */
  begin() {
    this.clear();
    this.#held = 0;
  }

  #add(item) {
    this.#all.push(item);
    if (this.#all.length > MOST) {
      const old = this.#all.shift();
      this.#byNumber.delete(old.packet.packet);
    }
  }

  #draw() {
    this.#frame = 0;
    const { total, empty } = this.#parts;
    const view = this.#list.element;
    // Who looks at the end wants to go on looking at the end.
    const atEnd = view.scrollTop + view.clientHeight >= view.scrollHeight - 60;
    const found = this.#searched.length === 0 ? this.#all : this.#all.filter((item) => matches(item.text, this.#searched));
    this.#list.set(found);
    if (atEnd && !this.#paused) view.scrollTop = view.scrollHeight;
    const held = this.#held > 0 ? `, ${this.#held.toLocaleString()} not shown` : "";
    say(total, `${count(found.length, "packet")}${held}`);
    empty.hidden = found.length > 0;
    say(empty, this.#trouble || (this.#searched.length > 0 ? "Nothing matches." : "Nothing heard yet."));
  }

  #detail(item) {
    const { details } = this.#parts;
    if (!item) {
      details.replaceChildren(el("p", { class: "hint" }, "Choose a packet to see all its records."));
      return;
    }
    const { packet, findings } = item;
    details.replaceChildren(
      el("h2", { class: "packet-title" }, summary(packet)),
      el("p", { class: "dim" }, `Packet ${packet.packet}, ${time(packet)}, ${count(packet.size, "byte")}`),
      el("p", { class: "dim mono" }, `${packet.from} → ${packet.to}:${packet.to_port}`, packet.interface ? ` on ${packet.interface}` : ""),
      ...(findings.length > 0 ? [section("Findings", ...findings.map(finding))] : []),
      ...(packet.malformed ? [section("Unreadable", el("p", { class: "card none" }, packet.malformed))] : []),
      ...(packet.questions.length > 0 ? [section("Questions", table(packet.questions.map(question)))] : []),
      ...["answer", "authority", "additional"].flatMap((name) => {
        const records = packet.records.filter((one) => one.section === name);
        return records.length > 0 ? [section(TITLES[name], table(records.map(record)))] : [];
      }),
    );
    details.scrollTop = 0;
  }
}

const TITLES = { answer: "Answers", authority: "Authority", additional: "Additional" };

function row() {
  return el(
    "div",
    { class: "packet-row" },
    el("span", { class: "when mono" }),
    el("span", { class: "lines" }, el("span", { class: "what" }), el("span", { class: "from mono" })),
    el("span", { class: "tags" }),
  );
}

function fill(row, { key, packet, findings }) {
  const shown = `${key} ${findings.length}`;
  if (row.dataset.shown === shown) return;
  row.dataset.shown = shown;
  say(row.querySelector(".when"), time(packet));
  row.querySelector(".what").replaceChildren(foreign(content(packet)));
  say(row.querySelector(".from"), `${packet.interface ?? ""} ${packet.from}`);
  const worst = findings.reduce((level, one) => ((LEVELS[one.level] ?? 0) > (LEVELS[level] ?? 0) ? one.level : level), "");
  row.querySelector(".tags").replaceChildren(
    ...(worst ? [el("span", { class: `mark lint ${worst}` }, count(findings.length, "finding"))] : []),
    ...packet.tags.slice(0, 3).map((tag) => el("span", { class: `mark tag-${tag.split(":")[0]}` }, tag)),
  );
}

function time(packet) {
  const at = new Date(packet.time);
  const clock = at.toLocaleTimeString("en-GB");
  return `${clock}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

function summary(packet) {
  const isResponse = packet.header?.response;
  return packet.malformed ? "Unreadable packet" : isResponse ? "Response" : "Query";
}

/** A name as people read it: its spaces need no escape here. */
function readable(name) {
  return name.replaceAll("\\032", " ");
}

/** What it is about, in a line. */
function content(packet) {
  const about = [
    ...packet.questions.map((one) => `${readable(one.name)} ${one.rrtype}?`),
    ...packet.records.filter((one) => one.section !== "additional").map((one) => `${readable(one.name)} ${one.rrtype}`),
  ];
  const unique = [...new Set(about)];
  const more = unique.length > 4 ? ` +${unique.length - 4}` : "";
  return unique.slice(0, 4).join(", ") + more || packet.malformed || "empty";
}

function searched(packet) {
  const parts = [packet.from, packet.interface ?? "", packet.tags.join(" ")];
  for (const one of packet.questions) parts.push(`${readable(one.name)} ${one.rrtype}`);
  for (const one of packet.records) parts.push(`${readable(one.name)} ${one.rrtype} ${readable(one.data)}`);
  return parts.join("\n").toLowerCase();
}

function section(title, ...content) {
  return el("section", { class: "section" }, el("h3", {}, title), ...content);
}

function table(rows) {
  return el("ul", { class: "card entries" }, rows);
}

function question(one) {
  return el(
    "li",
    {},
    el("p", {}, foreign(readable(one.name)), el("span", { class: "scope" }, one.rrtype), one.unicast ? el("span", { class: "scope" }, "unicast wanted") : null),
  );
}

function record(one) {
  return el(
    "li",
    {},
    el(
      "p",
      {},
      foreign(readable(one.name)),
      el("span", { class: "scope" }, one.rrtype),
      el("span", { class: "scope" }, `${one.ttl} s`),
      one.unique ? el("span", { class: "scope" }, "unique") : null,
    ),
    el("p", { class: "mono dim" }, foreign(one.data)),
  );
}

function finding(one) {
  return el(
    "div",
    { class: "card finding" },
    el("p", {}, el("span", { class: `badge ${one.level}` }, one.level), one.sure ? null : el("span", { class: "dim" }, " perhaps")),
    el("p", {}, foreign(one.text)),
    el("p", { class: "dim" }, one.name ? foreign(`${readable(one.name)} ${one.rrtype ?? ""} `) : null, el("code", {}, one.clause)),
  );
}
