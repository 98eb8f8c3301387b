// Distributions of paired ratios: the rounds of a timing, its value with interval, its bound, what it could have found.

const TIMINGS = 8; // in one plot
const WIDE = 700; // pixels, from which names stand at the axis; else their numbers, and the names below

function drawRatios(found) {
  noteOf("ratios-note", found, "timings", "No raw samples of paired timings are in this run.");
  const place = document.getElementById("ratios-plots");
  for (let first = 0; first < found.plots.length; first += TIMINGS) {
    const timings = found.plots.slice(first, first + TIMINGS);
    const element = figureOf(place, ratioList(timings, first));
    whenSeen(element, () => plot(element, ratioTraces(timings, first, element), ratioLayout()));
  }
}

/** The values as text: what the plot shows, for everybody. */
function ratioList(timings, first) {
  const items = timings.map((one) => {
    const ends = one.low === null ? "" : ` [${number(one.low)}, ${number(one.high)}]`;
    const bound = one.bound === null ? "no bound" : `bound ${number(one.bound)}`;
    const found = one.detectable === null ? "" : `, a loss shows below ${number(one.detectable)}`;
    const about = `${one.count} rounds, ${one.verdict ?? "no verdict"}`;
    const doubt = one.disturbed ? `; disturbed: ${one.disturbed}` : "";
    return create("li", {
      textContent: `${one.name} (${one.machine}): ${number(one.value)}${ends}, ${bound}${found}, ${about}${doubt}`,
    });
  });
  return create("ol", { start: first + 1 }, items);
}

function ratioTraces(timings, first, element) {
  const wide = element.clientWidth >= WIDE;
  const names = timings.map((one, place) =>
    wide ? `${first + place + 1} ${brief(one.name, 36)}` : `${first + place + 1}`,
  );
  const boxes = timings.map((one, place) => ({
    type: "box",
    orientation: "h",
    x: one.rounds,
    name: names[place],
    y: one.rounds.map(() => names[place]),
    boxpoints: "outliers",
    line: { color: markColour(4), width: 1 },
    marker: { color: markColour(4), size: 3 },
    hoverinfo: "x",
    showlegend: false,
  }));
  const marks = (name, get, marker, more = {}) => ({
    type: "scatter",
    mode: "markers",
    name,
    x: timings.map(get),
    y: names,
    marker: { size: 11, ...marker },
    hoverinfo: "x+name",
    ...more,
  });
  const distance = (end) => timings.map((one) => (one[end] === null ? 0 : Math.abs(one[end] - one.value)));
  const errors = { type: "data", symmetric: false, array: distance("high"), arrayminus: distance("low"), thickness: 2 };
  return [
    ...boxes,
    marks("value with interval", (one) => one.value, { color: markColour(0), symbol: "diamond" }, { error_x: errors }),
    marks("bound", (one) => one.bound, { color: markColour(1), symbol: "line-ns-open", size: 18, line: { width: 3 } }),
    marks("loss that would show", (one) => one.detectable, { color: markColour(2), symbol: "triangle-left-open" }),
  ];
}

function ratioLayout() {
  return {
    xaxis: { title: { text: "baseline seconds / technique seconds" } },
    yaxis: { type: "category", autorange: "reversed" },
  };
}
