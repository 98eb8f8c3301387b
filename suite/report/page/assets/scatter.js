// Quality against speed, bytes, memory or energy: the cells that are selected in the table, of one workload at a time.

const HOVERED = [
  ...["score", "difference", "artefact_bytes", "speedup", "peak_memory_inference"],
  ...["energy_per_item", "energy_per_correct", "verdict"],
];
const LABELS = 8; // cells on the front that stand with their names

class Scatter {
  constructor(table, most) {
    this.table = table;
    this.most = most;
    this.element = document.getElementById("scatter-plot");
    this.rows = Uint32Array.from({ length: table.rows }, (_, row) => row);
    const workloads = occurring(table.by.get("workload"));
    this.workload = this.list("workload", workloads);
    this.cost = this.list(
      "against",
      Object.entries(COSTS).map(([name, cost]) => [cost.name, name]),
    );
    whenSeen(this.element, () => this.draw());
  }

  list(title, options) {
    const list = create(
      "select",
      {},
      options.map(([text, value]) => new Option(text, value)),
    );
    list.onchange = () => this.draw();
    document.getElementById("scatter-controls").append(create("label", {}, [title, list]));
    return list;
  }

  /** The table's selection has changed. */
  select(rows) {
    this.rows = rows;
    if (this.element.dataset.drawn) this.draw();
  }

  async draw() {
    const {
      table,
      cost: { value: name },
    } = this;
    const [x, y] = [this.values(name), this.values("score")];
    const workload = table.by.get("workload").data;
    const own = this.rows.filter((row) => workload[row] === Number(this.workload.value));
    const known = own.filter((row) => !Number.isNaN(x[row]) && !Number.isNaN(y[row]));
    const machines = occurring(table.by.get("machine"));
    const traces = machines.flatMap(([machine, code], place) => {
      const rows = known.filter((row) => table.by.get("machine").data[row] === code);
      return rows.length ? this.traces(rows, machine, place, name) : [];
    });
    await plot(this.element, traces, this.layout(known[0], name));
    this.note(
      known,
      own,
      name,
      traces.filter((trace) => trace.mode !== "lines"),
    );
  }

  /** The numbers of a column; all missing where no cell has one. */
  values(name) {
    return this.table.by.get(name)?.data ?? new Float32Array(this.table.rows).fill(NaN);
  }

  traces(all, machine, place, name) {
    const { table } = this;
    const rows = this.thinned(all);
    const pareto = table.by.get("pareto");
    const symbol = SYMBOLS[place % SYMBOLS.length];
    const symbols = Array.from(rows, (row) => (textOf(pareto, row) ? symbol : `${symbol}-open`));
    const [x, y] = [name, "score"].map((column) => Array.from(rows, (row) => table.by.get(column).data[row]));
    const front = this.front(all, name);
    const marks = {
      type: "scatter",
      mode: "markers+text",
      name: plainText(machine),
      x,
      y,
      error_x: this.errors(rows, name),
      error_y: this.errors(rows, "score"),
      marker: { size: 9, color: markColour(place), symbol: symbols },
      text: Array.from(rows, (row) => (front.length <= LABELS && front.includes(row) ? this.label(row) : "")),
      textposition: "top center",
      customdata: Array.from(rows, (row) => this.hover(row)),
      hovertemplate: "%{customdata}<extra></extra>",
    };
    const line = {
      type: "scatter",
      mode: "lines",
      x: front.map((row) => table.by.get(name).data[row]),
      y: front.map((row) => table.by.get("score").data[row]),
      line: { color: markColour(place), dash: "dash", width: 1 },
      hoverinfo: "skip",
      showlegend: false,
    };
    return [line, marks];
  }

  /** At most as many rows as a trace may have: those on the front, and others at equal distances. */
  thinned(rows) {
    if (rows.length <= this.most) return rows;
    const pareto = this.table.by.get("pareto").data;
    const kept = rows.filter((row) => pareto[row]).subarray(0, this.most / 2);
    const others = rows.filter((row) => !pareto[row]);
    const step = others.length / (this.most - kept.length);
    return Uint32Array.from([
      ...kept,
      ...others.filter((_, place) => Math.floor(place / step) !== Math.floor((place - 1) / step)),
    ]);
  }

  /** The rows that no other one beats in both figures, from the best cost to the best score. */
  front(rows, name) {
    const [x, y] = [name, "score"].map((column) => this.table.by.get(column).data);
    const sign = COSTS[name].higher ? -1 : 1;
    const better = this.lower(rows[0]) ? -1 : 1;
    const ordered = Array.from(rows).sort((one, other) => sign * (x[one] - x[other]) || better * (y[other] - y[one]));
    let best = -Infinity;
    return ordered.filter((row) => better * y[row] > best && ((best = better * y[row]), true));
  }

  lower(row) {
    return textOf(this.table.by.get("score_better"), row) === "lower";
  }

  errors(rows, name) {
    const { ends, data } = this.table.by.get(name);
    if (!ends) return undefined;
    const [low, high] = ends.map((end) => this.table.by.get(end).data);
    const distance = (end) => Array.from(rows, (row) => Math.abs(end[row] - data[row]) || 0);
    return { type: "data", symmetric: false, array: distance(high), arrayminus: distance(low), thickness: 1, width: 2 };
  }

  label(row) {
    return brief(textOf(this.table.by.get("technique"), row), 28);
  }

  hover(row) {
    const columns = HOVERED.map((name) => this.table.by.get(name)).filter(Boolean);
    const lines = columns.map((column) =>
      plainText(`${column.title}: ${shown(this.table, column, row)}${interval(this.table, column, row)}`),
    );
    const [technique, machine] = ["technique", "machine"].map((name) => textOf(this.table.by.get(name), row));
    return [
      `<b>${brief(technique, 80)}</b>`,
      plainText(machine),
      ...lines,
      brief(commandOf(this.table, row), 160),
    ].join("<br>");
  }

  layout(row, name) {
    const { title, type } = COSTS[name];
    const score = row === undefined ? "score" : textOf(this.table.by.get("score_name"), row).replaceAll("_", " ");
    const percent = row !== undefined && textOf(this.table.by.get("score_unit"), row) === "%";
    const lower = row !== undefined && this.lower(row) ? " (lower is better)" : "";
    return {
      xaxis: { title: { text: title }, type },
      showlegend: true,
      yaxis: { title: { text: plainText(score) + lower }, tickformat: percent ? ".1%" : "" },
    };
  }

  note(known, own, name, marks) {
    const drawn = marks.reduce((sum, trace) => sum + trace.x.length, 0);
    const thin =
      drawn < known.length
        ? `${drawn} of ${known.length} cells are drawn: those on the front and others at equal distances.`
        : "";
    const left = own.length - known.length;
    const reasons = missingReasons(this.table, own, name);
    const absent = left ? ` ${left} selected cells lack one of the two values${reasons}.` : "";
    document.getElementById("scatter-note").textContent = known.length
      ? thin + absent
      : `No selected cell has both values${reasons}.`;
  }
}

/** The command that measures a cell again, quoted for a shell. */
function commandOf(table, row) {
  const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`);
  const options = ["workload", "technique", "device"].map(
    (name) => `--${name} ${quoted(textOf(table.by.get(name), row))}`,
  );
  return `suite bench ${options.join(" ")}`;
}
