// How things read: escapes, lifetimes, times, octets, records.

/** Characters that would hide in a line or reorder it; the same as the command's. */
export const hostile =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

/** One of a thing, or several. */
export function count(number, one, several = `${one}s`) {
  return `${number.toLocaleString()} ${number === 1 ? one : several}`;
}

/** What a type is called: in plain words, or by its own word. */
export function called({ title, type }) {
  return title ?? type.split(".")[0].replace(/^_/, "");
}

/** A lifetime: "2 min", "75 min", "10 s". */
export function lifetime(seconds) {
  if (seconds === null || seconds === undefined) return "unknown";
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

/** How long ago, in words. */
export function ago(time, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - new Date(time).getTime()) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 100) return `${seconds} s ago`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min ago`;
  return `${Math.round(seconds / 3600)} h ago`;
}

/** The time of day. */
export function clock(time) {
  return new Date(time).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** The octets of base64. */
export function octets(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** Octets as hexadecimal numbers. */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Octets as far as they are letters. */
export function printable(bytes) {
  return Array.from(bytes, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
}

/** Splits the string of an attribute that is no text into key and value. */
export function binary(attribute) {
  const bytes = octets(attribute.raw);
  const equals = bytes.indexOf(61);
  const hasKey = attribute.key !== undefined && equals >= 0;
  return hasKey ? bytes.slice(equals + 1) : bytes;
}

/** A character string of a record in a master file. */
function quoted(bytes) {
  const letters = Array.from(bytes, (byte) => {
    if (byte === 34 || byte === 92) return `\\${String.fromCharCode(byte)}`;
    return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, "0")}`;
  });
  return `"${letters.join("")}"`;
}

function string(attribute) {
  if (attribute.raw !== undefined) return octets(attribute.raw);
  const text = attribute.value === undefined ? attribute.key : `${attribute.key}=${attribute.value}`;
  return new TextEncoder().encode(text);
}

/** A name as it stands in a master file: spaces would end it. */
function masterName(name) {
  return `${name.replaceAll(" ", "\\032")}.`;
}

/** The records that say what is known of a service, as lines of a master file. */
export function records(service) {
  const own = masterName(service.service);
  const host = masterName(service.host);
  const line = (name, ttl, kind, data) => `${name}  ${ttl ?? "?"}  IN  ${kind}  ${data}`;
  const txt = service.txt.length === 0 ? '""' : service.txt.map((one) => quoted(string(one))).join(" ");
  const lines = [
    line(`${service.type}.${service.domain}.`, service.ttl.ptr, "PTR", own),
    line(own, service.ttl.srv, "SRV", `${service.priority} ${service.weight} ${service.port} ${host}`),
    line(own, service.ttl.txt, "TXT", txt),
  ];
  const told = new Set();
  for (const { ip, family } of service.addresses) {
    if (told.has(ip)) continue;
    told.add(ip);
    lines.push(line(host, service.ttl.address, family === "ipv4" ? "A" : "AAAA", ip));
  }
  return lines.join("\n");
}
