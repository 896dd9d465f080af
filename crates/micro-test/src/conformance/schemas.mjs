// Prints the official MCP schemas that the bundle of the conformance suite carries, by revision.
// The bundle holds them as object literals, and one table that names them: {"2025-03-26":Pe,…,[A]:Le}.
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

const bundle = readFileSync(process.argv[2], "utf8");

const table = bundle.match(/\{("\d{4}-\d\d-\d\d":[\w$]+(?:,(?:"\d{4}-\d\d-\d\d"|\[[\w$]+\]):[\w$]+)+)\}/);
if (!table) throw new Error("the bundle has no table of schemas");

const schemas = {};
for (const entry of table[1].split(",")) {
  const [, quoted, computed, name] = entry.match(/^(?:"([^"]+)"|\[([\w$]+)\]):([\w$]+)$/);
  schemas[quoted ?? text(computed)] = literal(name);
}
process.stdout.write(JSON.stringify(schemas));

// The value of `const NAME=`text``.
function text(name) {
  const found = bundle.match(new RegExp(`[\\s,;]${name.replace("$", "\\$")}=[\`"']([^\`"']+)[\`"']`));
  if (!found) throw new Error(`the bundle does not say what ${name} is`);
  return found[1];
}

// The object literal that begins at `NAME={$schema:`.
function literal(name) {
  const start = bundle.indexOf(`${name}={$schema:`) + name.length + 1;
  if (start <= name.length) throw new Error(`the bundle has no schema ${name}`);
  let depth = 0;
  for (let at = start; at < bundle.length; at++) {
    const char = bundle[at];
    if (char === "{") depth++;
    else if (char === "}" && --depth === 0) return runInNewContext(`(${bundle.slice(start, at + 1)})`);
    else if (`"'\``.includes(char)) {
      for (at++; bundle[at] !== char; at++) if (bundle[at] === "\\") at++;
    }
  }
  throw new Error(`the schema ${name} does not end`);
}
