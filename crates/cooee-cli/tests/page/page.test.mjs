// The page of `cooee ui` in a real browser, fed by real services in a network namespace.
//
// `cargo xtask page` makes the namespace and says where the programs are: COOEE, CROWD, CHROMIUM, LINK; with SCREENSHOTS
// it is also told where to put pictures.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test as nodeTest } from "node:test";
import { chromium } from "playwright-core";

const { COOEE, CROWD, CHROMIUM, LINK, SCREENSHOTS } = process.env;
/** Generous: other programs may be busy on this machine. */
const LONG = 30_000;

let hasFailed = false;

/** A step of the story; what follows a failure would fail too, and is left out. */
function test(name, options, step) {
  const [given, run] = step ? [options, step] : [{}, options];
  nodeTest(name, given, async (context) => {
    if (hasFailed) return context.skip("an earlier step failed");
    hasFailed = true;
    await run(context);
    hasFailed = false;
  });
}

const running = new Set();
let folder, browser, context, page, ui, url, door, crowd;
const complaints = [];

/** Starts a program that stays, and waits for its first line. */
async function start(program, words, options = {}) {
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "inherit"], ...options });
  running.add(child);
  child.done = new Promise((resolve) => child.on("exit", (code) => resolve(code)));
  child.done.then(() => running.delete(child));
  child.first = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
      if (text.includes("\n")) resolve(text.split("\n")[0]);
    });
    child.on("exit", (code) => reject(new Error(`${program} ${words.join(" ")} ended with ${code}`)));
  });
  return child;
}

async function publish(name, type, port, ...more) {
  return start(COOEE, ["publish", "-i", LINK, "--host", "guest", "--address", "192.0.2.77", name, type, String(port), ...more]);
}

async function stop(child) {
  child.kill("SIGINT");
  return child.done;
}

const row = (name) => page.locator("#services .row:not([hidden])").filter({ has: page.locator(".name", { hasText: name }) });
const count = async () => Number.parseInt((await page.locator("#services-count").textContent()).replaceAll(",", ""), 10);

/** Waits until the page has it so. */
async function until(what, check, argument) {
  try {
    await page.waitForFunction(check, argument, { timeout: LONG, polling: 50 });
  } catch (error) {
    throw new Error(`${what}: ${error.message}`);
  }
}

async function picture(name) {
  if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, name) });
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "cooee-page-"));
  crowd = await start(CROWD, [LINK]);
  assert.equal(crowd.first, "ready");
  // A browser that only takes note of what it is to open.
  const note = join(folder, "note");
  const opener = join(folder, "open.sh");
  writeFileSync(opener, `#!/bin/sh\nprintf %s "$1" > '${note}.part' && mv '${note}.part' '${note}'\n`, { mode: 0o755 });
  ui = await start(COOEE, ["ui", "--open"], { env: { ...process.env, BROWSER: opener, XDG_RUNTIME_DIR: folder } });
  url = ui.first;
  for (let tries = 0; !existsSync(note) && tries < 600; tries += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  door = readFileSync(note, "utf8");
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, permissions: ["clipboard-read", "clipboard-write"] });
  context.setDefaultTimeout(LONG);
  page = await context.newPage();
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
});

after(async () => {
  await browser?.close();
  for (const child of running) child.kill("SIGKILL");
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test("the door is a file for its owner, and leads in without the token in the address", async () => {
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{32}$/);
  assert.equal(statSync(door).mode & 0o777, 0o600);
  await page.goto(`file://${door}`);
  await page.waitForSelector("#services .row");
  const port = new URL(url).port;
  assert.equal(page.url(), `http://127.0.0.1:${port}/`);
  const [cookie] = await context.cookies();
  assert.equal(cookie.name, `cooee-${port}`);
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, "Strict");
});

test("without the cookie nobody gets in, and nothing is loaded from elsewhere", async () => {
  const stranger = await browser.newContext();
  const response = await (await stranger.newPage()).goto(new URL("/", url).href);
  assert.equal(response.status(), 403);
  await stranger.close();
  const outcome = await page.evaluate(() => fetch("http://192.0.2.9:1/").then(() => "loaded", (error) => error.name));
  assert.equal(outcome, "TypeError");
  assert.ok(complaints.some((text) => text.includes("Content Security Policy")), complaints.join("\n"));
  complaints.length = 0;
});

test("types appear in plain words, with counts", async () => {
  await until("all services", () => document.querySelector("#services-count").textContent === "25 services");
  const types = page.locator("#types .row:not([hidden])");
  const all = page.locator('#types .row[data-key=""]');
  assert.equal(await all.locator(".count").textContent(), "25");
  const printing = types.filter({ hasText: "Internet Printing" });
  assert.equal(await printing.locator(".wire").textContent(), "_ipp._tcp");
  assert.equal(await printing.locator(".count").textContent(), "1");
  await types.filter({ hasText: "_http._tcp" }).click();
  await until("the web sites", () => document.querySelector("#services-title").textContent === "Web Site");
  assert.equal(await count(), 4);
  assert.equal(await row("Keith").locator(".place").textContent(), "tabasco.local:8080");
  await page.locator("#types").press("Home");
  await until("all again", () => document.querySelector("#services-count").textContent === "25 services");
});

test("details tell all that is known", async () => {
  await row("Keith").click();
  const details = page.locator("#service-details");
  for (const text of ["Keith’s web server", "Web Site", "tabasco.local:8080", "192.0.2.17", "link-local", "path", "89 50 4e 47 00 ff", "First seen", "Last change"]) {
    await details.getByText(text).first().waitFor();
  }
  assert.match(await details.locator(".ring-text").textContent(), /\d+ (s|min)/);
  await details.locator("summary").click();
  const records = await details.locator("pre").textContent();
  assert.match(records, /^_http\._tcp\.local\. {2}\d+ {2}IN {2}PTR {2}Keith’s\\032web\\032server\._http\._tcp\.local\.$/m);
  assert.match(records, /IN {2}TXT {2}"path=\/" "u=keith" "empty=" "flag" "icon=\\137PNG\\000\\255"$/m);
  assert.match(records, /^tabasco\.local\. {2}120 {2}IN {2}A {2}192\.0\.2\.17$/m);
  assert.equal(await details.evaluate((pane) => pane.querySelectorAll("bdi").length > 5), true);
});

test("pictures for the documents", { skip: !SCREENSHOTS }, async () => {
  await page.locator("#services .row:not([hidden])", { hasText: "Internet Printing" }).click();
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await picture(`ui-${scheme}.png`);
  }
  await page.emulateMedia({ colorScheme: "light" });
});

test("a service comes, changes the counts, goes and fades", async () => {
  const guest = await publish("Guest", "_ftp._tcp", 2121);
  await row("Guest").waitFor();
  assert.equal(await count(), 26);
  await page.locator('#types .row[data-key="_ftp._tcp"]').waitFor();
  await row("Guest").click();
  assert.equal(await stop(guest), 0);
  await until("the sign of its end", () => document.querySelector("#services .row.gone .mark.gone") !== null);
  assert.equal(await count(), 25);
  await page.locator("#service-details .badge.gone").waitFor();
  const fading = () => getComputedStyle(document.querySelector("#services .row.gone")).animationName;
  assert.equal(await page.evaluate(fading), "fade");
  await page.emulateMedia({ reducedMotion: "reduce" });
  assert.equal(await page.evaluate(fading), "none");
  await page.emulateMedia({ reducedMotion: null });
  await until("it is out of sight", () => document.querySelector("#services .row.gone") === null || document.querySelector("#services .row.gone").hidden);
  await page.waitForFunction(() => ![...document.querySelectorAll("#services .row:not([hidden]) .name")].some((name) => name.textContent === "Guest"));
});

test("names are text, whatever is in them", async () => {
  const names = ["<script>window.harmed = 1</script>", "<img src=x onerror='window.harmed=1'>", "a\u202egnp.exe"];
  const published = [];
  for (const [place, name] of names.entries()) published.push(await publish(name, "_http._tcp", 8100 + place, `note=<b>${place}</b>`));
  for (const name of names.slice(0, 2)) {
    await row(name).click();
    assert.equal(await page.locator("#service-details h2").textContent(), name);
    await page.locator("#service-details").getByText("<b>").first().waitFor();
  }
  await row("gnp.exe").click();
  assert.equal(await page.locator("#service-details h2").textContent(), "aU+202Egnp.exe");
  const made = await page.evaluate(() => [window.harmed, document.querySelectorAll("main script, main img, main b").length]);
  assert.deepEqual(made, [undefined, 0]);
  for (const one of published) await stop(one);
});

test("a search narrows all panes, by the keyboard alone", async () => {
  await page.locator("#services").focus();
  await page.keyboard.press("/");
  await page.keyboard.type("laserjet ipp");
  await until("two services", () => /^[12] service/.test(document.querySelector("#services-count").textContent));
  await page.locator('#types .row[data-key="_ipp._tcp"]').waitFor();
  assert.equal(await page.locator("#types .row:not([hidden])", { hasText: "HomeKit" }).count(), 0);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Home");
  assert.match(await page.locator("#service-details h2").textContent(), /LaserJet/);
  await page.keyboard.press("c");
  await page.locator("#toast", { hasText: "Copied 192.0.2.40" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "192.0.2.40");
  await page.keyboard.press("C");
  await page.locator("#toast", { hasText: "as JSON" }).waitFor();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(copied.host, "laserjet.local");
  await page.keyboard.press("Escape");
  await until("all again", () => /^2[5-9] services/.test(document.querySelector("#services-count").textContent));
  await page.keyboard.press("h");
  assert.equal(await page.evaluate(() => document.activeElement.id), "types");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("j");
  const before = await page.locator("#services [aria-selected=true] .name").textContent();
  await page.keyboard.press("j");
  assert.notEqual(await page.locator("#services .row:not([hidden])[aria-selected=true]").getAttribute("data-key"), before);
  await page.keyboard.press("?");
  await page.locator("#help[open]").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#help[open]").count(), 0);
});

test("hosts, packets and links have views of their own", async () => {
  await page.keyboard.press("2");
  await page.locator("#hosts .row", { hasText: "laserjet.local" }).click();
  await page.locator("#host-details").getByText("Raw Printing").waitFor();
  await page.keyboard.press("3");
  await page.locator("#state[data-state=live]").waitFor();
  const guest = await publish("Packet guest", "_http._tcp", 8200);
  const packets = page.locator("#packets .row:not([hidden])", { hasText: "Packet guest" });
  await packets.first().click();
  await page.locator("#view-packets .details").getByText("Packet guest").first().waitFor();
  assert.doesNotMatch(await page.locator("#view-packets").innerText(), /\[object/);
  await picture("ui-packets.png");
  await page.keyboard.press(" ");
  await page.locator("#view-packets button[aria-pressed=true]").waitFor();
  await stop(guest);
  await page.keyboard.press("4");
  const link = page.locator(".link-card", { hasText: LINK });
  assert.match(await link.locator(".badge").textContent(), /In use/);
  const loopback = page.locator(".link-card.left-out", { hasText: "lo" });
  assert.match(await loopback.first().textContent(), /Left out/);
  await page.keyboard.press("1");
});

test("everything can be reached by Tab, and focus is seen", async () => {
  await page.evaluate(() => document.activeElement.blur());
  const reached = new Set();
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.className));
  }
  for (const id of ["tab-services", "search", "help-button", "types", "services", "service-details"]) {
    assert.ok(reached.has(id), `${id}: ${[...reached].join(", ")}`);
  }
  await page.locator("#types").focus();
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.querySelector("#types")).outlineStyle), "none");
  assert.equal(await page.locator("#services-count").getAttribute("aria-live"), "polite");
  await page.keyboard.press("Home");
});

test("two thousand services scroll", async (context) => {
  crowd.stdin.end();
  assert.equal(await crowd.done, 0);
  crowd = await start(CROWD, [LINK, "2000"]);
  await until("two thousand and 25", () => document.querySelector("#services-count").textContent.startsWith("2,025"));
  const measured = await page.evaluate(async () => {
    const list = document.querySelector("#services");
    const frame = () => new Promise(requestAnimationFrame);
    const frames = [];
    let most = 0;
    let gaps = 0;
    const step = list.scrollHeight / 120;
    for (let top = 0; top < list.scrollHeight - list.clientHeight; top += step) {
      const begun = performance.now();
      list.scrollTop = top;
      await frame();
      await frame();
      frames.push((performance.now() - begun) / 2);
      const { left, top: edge, height } = list.getBoundingClientRect();
      for (const part of [0.1, 0.5, 0.9]) {
        const hit = document.elementFromPoint(left + 100, edge + height * part)?.closest(".row");
        if (!hit?.querySelector(".name").textContent) gaps += 1;
      }
      most = Math.max(most, list.querySelectorAll(".row").length);
    }
    frames.sort((a, b) => a - b);
    return { gaps, most, median: frames[Math.floor(frames.length / 2)], worst: frames.at(-1) };
  });
  context.diagnostic(`frames of ${measured.median.toFixed(1)} ms, the worst ${measured.worst.toFixed(1)} ms; ${measured.most} rows`);
  assert.equal(measured.gaps, 0, "a row is where a row should be");
  assert.ok(measured.most < 60, `${measured.most} rows exist`);
  assert.ok(measured.median < 100, `${measured.median} ms for a frame`);
  const begun = Date.now();
  await page.locator("#search").fill("service 1000");
  await until("the one", () => document.querySelector("#services-count").textContent === "1 service");
  context.diagnostic(`found after ${Date.now() - begun} ms`);
  await page.locator("#search").fill("");
});

test("at the end the page says so and keeps what it knew", async () => {
  assert.equal(await stop(ui), 0);
  await page.locator("#state[data-state=ended]").waitFor();
  assert.equal(await page.locator("#state-text").textContent(), "Ended");
  assert.equal(await count(), 2025);
  assert.equal(existsSync(door), false);
  assert.deepEqual(complaints, []);
});
