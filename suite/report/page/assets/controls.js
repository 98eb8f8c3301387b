// What a person chooses by: values of columns, words of a technique's name, columns, pages. All are native elements.

function controlsOf(grid) {
  const choices = grid.table.columns.filter((column) => column.choice).map((column) => choiceOf(grid, column));
  const filters = create("div", { className: "controls", role: "group", ariaLabel: `Select rows: ${grid.caption}` });
  filters.append(...choices.filter(Boolean), wordsOf(grid));
  return [filters, columnsOf(grid)];
}

/** A list of the values of a column; nothing where it has one value. */
function choiceOf(grid, column) {
  const values = occurring(column);
  if (values.length < 2) return null;
  const list = create("select", {}, [new Option("all", ""), ...values.map(([text, code]) => new Option(text, code))]);
  list.dataset.name = column.name;
  list.onchange = () => {
    if (list.value === "") grid.choices.delete(column.name);
    else grid.choices.set(column.name, Number(list.value));
    grid.select();
  };
  return create("label", {}, [column.title, list]);
}

function wordsOf(grid) {
  const field = create("input", { type: "search", placeholder: "part of a name" });
  field.oninput = () => {
    grid.words = field.value;
    grid.select();
  };
  return create("label", {}, ["technique contains", field]);
}

function columnsOf(grid) {
  const boxes = grid.table.columns.filter((column) => !column.hidden).map((column) => boxOf(grid, column));
  const body = create("div", { className: "controls columns" }, boxes);
  return create("details", {}, [create("summary", { textContent: "Columns" }), body]);
}

function boxOf(grid, column) {
  const box = create("input", { type: "checkbox", checked: grid.columns.has(column.name) });
  box.dataset.name = column.name;
  box.onchange = () => {
    if (box.checked) grid.columns.add(column.name);
    else grid.columns.delete(column.name);
    grid.show();
  };
  return create("label", {}, [box, column.title]);
}

function pagerOf(grid) {
  const turn = (by) => () => {
    grid.page += by;
    grid.show();
  };
  const back = create("button", { type: "button", textContent: "Previous rows", onclick: turn(-1) });
  const next = create("button", { type: "button", textContent: "Next rows", onclick: turn(1) });
  const place = create("span", { className: "note" });
  const update = () => {
    back.disabled = grid.page === 0;
    next.disabled = grid.page + 1 >= grid.pages;
    place.textContent = `page ${WHOLE.format(grid.page + 1)} of ${WHOLE.format(grid.pages)}`;
  };
  grid.pager = { update };
  return create("div", { className: "controls" }, [back, place, next]);
}
