// The order of rows.

/** The rows in the order of a column; `direction` is 1 or -1. Missing values come last, equal ones keep their order. */
function sortedRows(rows, column, direction) {
  const keys = column.texts ? ranks(column) : column.data;
  const key = column.texts ? (row) => keys[column.data[row]] : (row) => keys[row];
  const known = [],
    missing = [];
  for (const row of rows) (Number.isNaN(key(row)) ? missing : known).push(row);
  known.sort((one, other) => direction * (key(one) - key(other)) || one - other);
  return Uint32Array.from([...known, ...missing]);
}

/** The place of each text in alphabetic order, NaN for the missing one. */
function ranks(column) {
  const order = column.texts
    .map((text, code) => code)
    .sort((one, other) => (column.texts[one] < column.texts[other] ? -1 : 1));
  const places = new Float64Array(order.length);
  order.forEach((code, place) => {
    places[code] = place;
  });
  places[0] = NaN;
  return places;
}
