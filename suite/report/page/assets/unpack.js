// Columns of a table out of the page's own text: base64, gzip, typed arrays (suite/report/page/packing.py).

const ARRAYS = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array };

/** The bytes that an element holds; the element is removed, so that its text is not kept in memory. */
async function unpacked(id) {
  const element = document.getElementById(id);
  const text = atob(element.textContent);
  element.remove();
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** A table: its number of rows and its columns, each with its values in `data`, also `by` name. */
async function unpackedTable(id) {
  const buffer = await unpacked(id);
  const length = new DataView(buffer).getUint32(0, true);
  const { rows, columns } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  for (const column of columns) {
    column.data = new ARRAYS[column.kind](buffer, 4 + length + column.offset, rows);
  }
  return { rows, columns, by: new Map(columns.map((column) => [column.name, column])) };
}
