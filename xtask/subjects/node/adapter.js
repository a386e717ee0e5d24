// The line protocol of crates/cooee-conformance/PROTOCOL.md, for stacks that JavaScript can reach.
//
// A stack is an object whose methods are named after the commands. What it has not is answered with `unsupported`; what
// a method returns follows `ok`; what it throws follows `error`.
"use strict";

const readline = require("node:readline");

exports.host = process.env.COOEE_HOST ?? "subject";
exports.interface = process.env.COOEE_INTERFACE ?? "";

const escape = (word) =>
  [...Buffer.from(String(word))]
    .map((octet) =>
      octet > 0x20 && octet < 0x7f && octet !== 0x25
        ? String.fromCharCode(octet)
        : "%" + octet.toString(16).toUpperCase().padStart(2, "0"),
    )
    .join("");

const say = (...words) => process.stdout.write(words.join(" ") + "\n");

exports.event = (...words) => say("event", ...words.map(escape));

// `_http._tcp,_a,_b` in the parts that these libraries want.
exports.split = (text) => {
  const [kind, ...subtypes] = text.split(",");
  const [type, protocol] = kind.split(".").map((label) => label.replace(/^_/, ""));
  return { kind, type, protocol, subtypes: subtypes.map((subtype) => subtype.replace(/^_/, "")) };
};

// `key=value` as an object. These libraries have no attribute without a value: they would make up one.
exports.attributes = (strings) =>
  Object.fromEntries(
    strings.map((string) => {
      const at = string.indexOf("=");
      if (at < 0) throw new Error("no attribute without a value");
      return [string.slice(0, at), string.slice(at + 1)];
    }),
  );

const names = {
  publish: "publish",
  "update-txt": "updateTxt",
  rename: "rename",
  withdraw: "withdraw",
  host: "host",
  browse: "browse",
  "stop-browse": "stopBrowse",
  quit: "quit",
};

exports.serve = async (version, stack) => {
  say("ready", version);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, ...words] = line.split(" ").map((word) => decodeURIComponent(word));
    const method = stack[names[command]];
    if (method === undefined) {
      say("unsupported", escape(command));
      continue;
    }
    try {
      const said = await method.apply(stack, words);
      say("ok", ...(said === undefined ? [] : [escape(said)]));
    } catch (why) {
      say("error", escape(why.message));
    }
    if (command === "quit") break;
  }
  process.exit(0);
};
