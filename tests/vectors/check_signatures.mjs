// Checks signatures.json with a verifier that is written from docs/signatures.md and uses nothing but node:crypto.

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

class Refused extends Error {}

// Text is latin1 here: one character for each byte, so that bytes which are not UTF-8 stay what they are.
const latin1 = (buffer) => buffer.toString("latin1");
const isHex = (text) => /^([0-9a-fA-F]{2})+$/.test(text);
const trim = (text) => text.replace(/^[ \t]+|[ \t]+$/g, "");

function strictBase64(text) {
  // Node skips foreign characters and takes the URL alphabet too: what it decodes must be written as it came.
  const decoded = Buffer.from(text, "base64");
  return decoded.toString("base64") === text ? decoded : null;
}

function decodeSecret(encoding, text) {
  if (text.length === 0) throw new Refused("empty");
  let key;
  if (encoding === "raw") {
    key = text;
  } else if (encoding === "hex") {
    key = isHex(latin1(text)) ? Buffer.from(latin1(text), "hex") : null;
  } else {
    let base64 = latin1(text);
    if (encoding === "whsec") {
      if (!base64.startsWith("whsec_")) throw new Refused("encoding");
      base64 = base64.slice("whsec_".length);
    }
    base64 = base64.replace(/=+$/, "");
    key = strictBase64(base64.padEnd(Math.ceil(base64.length / 4) * 4, "="));
  }
  if (key === null) throw new Refused("encoding");
  if (key.length < 16) throw new Refused(key.length === 0 ? "empty" : "too-short");
  return key;
}

function only(headers, name) {
  const values = headers.filter(([key]) => key.toLowerCase() === name.toLowerCase());
  if (values.length === 0) throw new Refused("missing");
  if (values.length > 1) throw new Refused("duplicate");
  return trim(values[0][1]);
}

const fromHex = (text) => (text.length === 64 && isHex(text) ? Buffer.from(text, "hex") : null);

function fromBase64(text) {
  const decoded = strictBase64(text);
  return decoded !== null && decoded.length === 32 ? decoded : null;
}

function verify(config, keys, now, headers, body) {
  const parts = only(headers, config.header).split(",").map(trim);
  const after = (prefix) => parts.filter((part) => part.startsWith(prefix)).map((part) => part.slice(prefix.length));
  let stamp = null;
  let claimed;
  if (config.scheme === "stamped-base64") {
    const stamps = after("t=");
    stamp = stamps.length === 1 ? stamps[0] : "";
    claimed = after("v1=").map((text) => fromHex(text) ?? fromBase64(text));
  } else {
    if (config.scheme === "stamped-hex") stamp = only(headers, config.timestampHeader);
    claimed = after("sha256=").map(fromHex);
  }
  claimed = claimed.filter((signature) => signature !== null).slice(0, 8);
  if (claimed.length === 0 || (stamp !== null && !/^[0-9]{1,12}$/.test(stamp))) throw new Refused("malformed");
  if (stamp !== null && Math.abs(now - Number(stamp)) > config.toleranceSeconds) throw new Refused("stale");
  const signed = stamp === null ? body : Buffer.concat([Buffer.from(`${stamp}.`), body]);
  let good = false;
  for (const key of keys) {
    const expected = createHmac("sha256", key).update(signed).digest();
    for (const signature of claimed) good = timingSafeEqual(expected, signature) || good;
  }
  if (!good) throw new Refused("mismatch");
}

function outcome(check) {
  try {
    return { value: check() };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { reason: error.message };
  }
}

const file = JSON.parse(readFileSync(new URL("signatures.json", import.meta.url), "utf8"));
const wrong = [];
for (const vector of file.signatures) {
  const keys = vector.secrets.map(({ encoding, text }) => decodeSecret(encoding, Buffer.from(text)));
  const bytes = (value) => (typeof value === "string" ? Buffer.from(value) : Buffer.from(value.base64, "base64"));
  const headers = vector.headers.map(([name, value]) => [name, latin1(bytes(value))]);
  const { reason } = outcome(() => verify(vector, keys, vector.now, headers, Buffer.from(vector.body, "base64")));
  if ((reason === undefined) !== vector.accept || reason !== vector.reason) {
    wrong.push(`${vector.name}: ${reason ?? "accepted"}, not ${vector.reason ?? "accepted"}`);
  }
}
for (const secret of file.secrets) {
  const { value, reason } = outcome(() => decodeSecret(secret.encoding, Buffer.from(secret.text)));
  if (value?.toString("hex") !== secret.key || reason !== secret.reason) {
    wrong.push(`secret ${secret.name}: ${reason ?? value.toString("hex")}`);
  }
}
if (wrong.length > 0) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
console.log(`Node agrees on ${file.signatures.length} deliveries and ${file.secrets.length} secrets`);
