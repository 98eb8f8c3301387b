// Values as texts, as the suite's other reports write them.

const DIGITS = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SIZES = [
  ["GB", 1e9],
  ["MB", 1e6],
  ["kB", 1e3],
];
const MISSING = "-";
const SMALL = 1e-4;

const FORMATS = {
  number: (value) => number(value),
  percent: (value) => `${(100 * value).toFixed(2)} %`,
  times: (value) => value.toFixed(2),
  size: (value) => size(value),
  whole: (value) => WHOLE.format(value),
  score: (value, unit) => (unit === "%" ? FORMATS.percent(value) : withUnit(value, unit)),
  difference: (value, unit) =>
    (value < 0 ? "-" : "+") + (unit === "%" ? (100 * Math.abs(value)).toFixed(2) : number(Math.abs(value))),
  value: (value, unit) => (unit === "B" ? size(value) : FORMATS.score(value, unit)),
};

function number(value) {
  return value !== 0 && Math.abs(value) < SMALL ? value.toExponential(2) : DIGITS.format(value);
}

function size(bytes) {
  const [unit, scale] = SIZES.find(([, least]) => bytes >= 0.99995 * least) ?? ["B", 1];
  return `${unit === "B" ? WHOLE.format(bytes) : (bytes / scale).toFixed(1)} ${unit}`;
}

function withUnit(value, unit) {
  return unit === "1" || !unit ? number(value) : `${number(value)} ${unit}`;
}

/** The text of a row in a text column, empty where it is missing. */
function textOf(column, row) {
  return column.texts[column.data[row]];
}

/** A value as text, without its interval. */
function shown(table, column, row) {
  if (column.texts) return textOf(column, row) || MISSING;
  const value = column.data[row];
  if (Number.isNaN(value)) return MISSING;
  const text = FORMATS[column.show](value, unitOf(table, column, row));
  return column.show === "times" ? `${text}x` : text;
}

/** The interval of a value in brackets, empty where it has none. */
function interval(table, column, row) {
  if (!column.ends) return "";
  const ends = column.ends.map((name) => table.by.get(name).data[row]);
  if (ends.some(Number.isNaN) || Number.isNaN(column.data[row])) return "";
  const texts = ends.map((end) => FORMATS[column.show](end, unitOf(table, column, row)).replace(/ %$/, ""));
  return ` [${texts.join(", ")}]`;
}

function unitOf(table, column, row) {
  return column.unit ? textOf(table.by.get(column.unit), row) : "1";
}
