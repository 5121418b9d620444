// Values as one writes them in JavaScript, coloured.

/** `name(arg, …)` as a <code>: on one line, or with `pretty` over as many as it needs. */
export function callCode(name, args, pretty = false) {
  const code = document.createElement("code");
  part(code, "name", name);
  code.append("(");
  args.forEach((arg, index) => {
    if (index) code.append(", ");
    write(code, arg, pretty ? "\n" : "", []);
  });
  code.append(")");
  return code;
}

// `line` is what starts a new line ("\n" and the indentation), or nothing for a value on one line.
function write(code, value, line, inside) {
  if (value === null || typeof value !== "object") return part(code, typeof value, scalar(value));
  if (value instanceof Date)
    return part(code, "date", Number.isNaN(value.getTime()) ? "new Date(NaN)" : `new Date("${value.toISOString()}")`);
  if (inside.includes(value)) return part(code, "undefined", "[circular]");

  const list = Array.isArray(value);
  const names = Object.keys(value);
  if (!names.length) return code.append(list ? "[]" : "{}");
  const deeper = line && line + "  ";
  code.append(list ? "[" : "{");
  names.forEach((name, index) => {
    if (index) code.append(line ? "," : ", ");
    code.append(deeper);
    if (!list) {
      part(code, "key", /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
      code.append(": ");
    }
    write(code, value[name], deeper, [...inside, value]);
  });
  code.append(line, list ? "]" : "}");
}

function scalar(value) {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "function";
  return Object.is(value, -0) ? "-0" : String(value);
}

function part(code, kind, text) {
  const span = document.createElement("span");
  span.className = `v-${kind}`;
  span.textContent = text;
  code.append(span);
}
