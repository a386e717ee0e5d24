// The other views: links.

import { el, foreign } from "./dom.js";
import { glyph } from "./icons.js";
import { count } from "./text.js";

const STATES = { up: "In use", down: "Gone", unusable: "Cannot be used", "left-out": "Left out" };

/** Shows all links, and why each is used or not. */
export function showLinks(view, scene) {
  const links = [...scene.links.values()].sort((a, b) => a.index - b.index);
  const services = (link) =>
    [...scene.services.values()].filter((one) => !one.gone && one.links.some((seen) => seen.index === link.index)).length;
  view.replaceChildren(
    el("h2", { class: "wide-title" }, "Links"),
    el("p", { class: "wide-sub" }, "The interfaces of this computer, and whether multicast DNS is spoken on them."),
    el(
      "ul",
      { class: "links" },
      links.map((link) =>
        el(
          "li",
          { class: `link-card ${link.state}` },
          el("span", { class: "link-icon" }, glyph("other")),
          el(
            "div",
            {},
            el("h3", {}, foreign(link.interface), el("span", { class: "dim" }, ` ${link.index}`)),
            el("p", { class: "dim" }, link.why ? foreign(link.why) : count(services(link), "service")),
          ),
          el("span", { class: `badge ${link.state === "up" ? "good" : ""}` }, STATES[link.state] ?? link.state),
        ),
      ),
    ),
  );
}
