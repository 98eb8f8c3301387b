// Which rows of a table are shown.

/**
 * The numbers of the rows that have every chosen value and whose technique contains the words.
 * `choices` maps names of columns to codes of their texts.
 */
function selectedRows(table, choices, words) {
  const tests = [...choices].map(([name, code]) => [table.by.get(name).data, code]);
  if (words) tests.push(...containing(table.by.get("technique"), words));
  const found = new Uint32Array(table.rows);
  let count = 0;
  for (let row = 0; row < table.rows; row++) {
    if (tests.every(([data, code]) => (code instanceof Set ? code.has(data[row]) : data[row] === code)))
      found[count++] = row;
  }
  return found.subarray(0, count);
}

/** A test on the codes of the texts that contain all words. */
function containing(column, words) {
  const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
  const codes = column.texts.flatMap((text, code) =>
    parts.every((part) => text.toLowerCase().includes(part)) ? [code] : [],
  );
  return [[column.data, new Set(codes)]];
}

/** The values of a column that occur, as pairs of text and code, in alphabetic order. */
function occurring(column) {
  const codes = [...new Set(column.data)];
  return codes.map((code) => [column.texts[code] || "(none)", code]).sort(([one], [other]) => (one < other ? -1 : 1));
}
