// A table of HTML that shows one page of rows; the columns' heads are buttons that sort.

const PAGE_ROWS = 100;

class Grid {
  /** `place` is the element that the table goes to; `changed(rows)` is called after rows were selected or sorted. */
  constructor(table, place, caption, changed = () => {}) {
    Object.assign(this, { table, place, caption, changed, page: 0, sort: null, choices: new Map(), words: "" });
    this.columns = new Set(table.columns.filter((column) => column.default).map((column) => column.name));
    this.region = create("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: caption });
    this.count = create("p", { className: "note" });
    this.count.setAttribute("aria-live", "polite");
    place.append(...controlsOf(this), this.count, this.region, pagerOf(this));
    this.select();
  }

  /** Select the rows anew after a choice. */
  select() {
    this.rows = selectedRows(this.table, this.choices, this.words);
    this.order();
  }

  /** Sort the selected rows anew. */
  order() {
    const column = this.sort && this.table.by.get(this.sort.name);
    this.ordered = column ? sortedRows(this.rows, column, this.sort.direction) : this.rows;
    this.page = 0;
    this.show();
    this.changed(this.rows);
  }

  /** Sort by a column: ascending, then descending. */
  sortBy(name) {
    const again = this.sort?.name === name;
    this.sort = { name, direction: again ? -this.sort.direction : 1 };
    this.order();
    this.region.querySelector(`button[data-name="${name}"]`)?.focus();
  }

  get pages() {
    return Math.max(1, Math.ceil(this.rows.length / PAGE_ROWS));
  }

  show() {
    const columns = this.table.columns.filter((column) => this.columns.has(column.name));
    const rows = this.ordered.subarray(this.page * PAGE_ROWS, (this.page + 1) * PAGE_ROWS);
    const head = create("thead", {}, [
      create(
        "tr",
        {},
        columns.map((column) => this.head(column)),
      ),
    ]);
    const body = create(
      "tbody",
      {},
      Array.from(rows, (row) => this.line(columns, row)),
    );
    this.region.replaceChildren(create("table", {}, [create("caption", { textContent: this.caption }), head, body]));
    this.count.textContent = `${WHOLE.format(this.rows.length)} of ${WHOLE.format(this.table.rows)} rows`;
    this.pager.update();
  }

  head(column) {
    const direction = this.sort?.name === column.name ? this.sort.direction : 0;
    const mark = { 0: "", 1: " ▲", "-1": " ▼" }[direction];
    const button = create("button", {
      type: "button",
      textContent: column.title + mark,
      onclick: () => this.sortBy(column.name),
    });
    button.dataset.name = column.name;
    const cell = create("th", { scope: "col", className: column.texts ? "" : "n" }, [button]);
    if (direction) cell.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    return cell;
  }

  line(columns, row) {
    return create(
      "tr",
      {},
      columns.map((column, place) => {
        const text = shown(this.table, column, row);
        const ends = interval(this.table, column, row);
        const kind = column.name === "verdict" ? `kind ${text}` : column.texts ? "" : "n";
        const parts = [
          document.createTextNode(text),
          ...(ends ? [create("span", { className: "ends", textContent: ends })] : []),
        ];
        return place ? create("td", { className: kind }, parts) : create("th", { scope: "row" }, parts);
      }),
    );
  }
}

/** An element with properties and children. */
function create(name, properties = {}, children = []) {
  const element = Object.assign(document.createElement(name), properties);
  if (children.length) element.append(...children);
  return element;
}
