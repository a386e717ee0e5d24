// A list of which only the rows in sight exist: two thousand are as smooth as twenty.

/** Rows made beyond what is in sight, so that a quick hand sees no gap. */
const AHEAD = 6;

export class List {
  items = [];
  /** The key of the row that is picked. */
  picked = null;

  #viewport;
  #spacer;
  #rows = new Map();
  #spare = [];
  #options;
  #places = new Map();
  #frame = 0;

  /**
   * `height`: of a row, in pixels. `make()` gives an empty row, `show(row, item)` fills it. `onpick(item)` is told
   * what was picked, `onopen(item)` what was asked for twice.
   */
  constructor(viewport, options) {
    this.#viewport = viewport;
    this.#options = options;
    this.#spacer = document.createElement("div");
    this.#spacer.className = "spacer";
    viewport.append(this.#spacer);
    viewport.addEventListener("scroll", () => this.#schedule(), { passive: true });
    // Not at the click: between press and release the rows may have moved.
    viewport.addEventListener("mousedown", (event) => event.button === 0 && this.#press(event));
    viewport.addEventListener("dblclick", () => this.#options.onopen?.(this.item()));
    new ResizeObserver(() => this.#schedule()).observe(viewport);
  }

  get element() {
    return this.#viewport;
  }

  /** Shows these items. What was picked stays picked if it is among them. */
  set(items) {
    this.items = items;
    this.#places = new Map(items.map((item, place) => [item.key, place]));
    this.#spacer.style.height = `${items.length * this.#options.height}px`;
    this.#draw();
  }

  /** What is picked. */
  item() {
    const place = this.#places.get(this.picked);
    return place === undefined ? undefined : this.items[place];
  }

  /** Picks a row by its key, and brings it into sight. */
  pick(key, { quiet = false } = {}) {
    this.picked = key;
    const place = this.#places.get(key);
    if (place !== undefined) this.#reveal(place);
    this.#draw();
    if (!quiet) this.#options.onpick?.(this.item());
  }

  /** Picks the row so many below; none picked: the first. */
  move(by) {
    if (this.items.length === 0) return;
    const place = this.#places.get(this.picked);
    const next = place === undefined ? 0 : Math.min(Math.max(place + by, 0), this.items.length - 1);
    this.pick(this.items[next].key);
  }

  /** How many rows are in sight. */
  get page() {
    return Math.max(1, Math.floor(this.#viewport.clientHeight / this.#options.height) - 1);
  }

  #press(event) {
    const row = event.target.closest("[role=option]");
    if (row) this.pick(row.dataset.key);
  }

  #reveal(place) {
    const { height } = this.#options;
    const top = place * height;
    const view = this.#viewport;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + height > view.scrollTop + view.clientHeight) view.scrollTop = top + height - view.clientHeight;
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { height, make, show } = this.#options;
    const view = this.#viewport;
    const first = Math.max(0, Math.floor(view.scrollTop / height) - AHEAD);
    const last = Math.min(this.items.length, Math.ceil((view.scrollTop + view.clientHeight) / height) + AHEAD);
    const wanted = new Set();
    for (let place = first; place < last; place += 1) wanted.add(this.items[place].key);
    for (const [key, row] of this.#rows) {
      if (wanted.has(key)) continue;
      this.#rows.delete(key);
      row.hidden = true;
      this.#spare.push(row);
    }
    for (let place = first; place < last; place += 1) {
      const item = this.items[place];
      let row = this.#rows.get(item.key);
      if (row === undefined) {
        row = this.#spare.pop() ?? this.#new(make);
        row.hidden = false;
        row.dataset.key = item.key;
        this.#rows.set(item.key, row);
      }
      // Who reads the page in its own order reads the rows in theirs.
      const here = this.#spacer.children[place - first];
      if (here !== row) {
        this.#spacer.insertBefore(row, here);
        row.shown = undefined;
      }
      const picked = item.key === this.picked;
      row.style.transform = `translateY(${place * height}px)`;
      row.setAttribute("aria-selected", String(picked));
      row.setAttribute("aria-posinset", String(place + 1));
      row.setAttribute("aria-setsize", String(this.items.length));
      show(row, item);
    }
    const active = this.#rows.get(this.picked);
    if (active) view.setAttribute("aria-activedescendant", active.id);
    else view.removeAttribute("aria-activedescendant");
  }

  #new(make) {
    const row = make();
    List.#count += 1;
    row.id = `row-${List.#count}`;
    row.setAttribute("role", "option");
    row.classList.add("row");
    row.style.height = `${this.#options.height}px`;
    this.#spacer.append(row);
    return row;
  }

  static #count = 0;
}
