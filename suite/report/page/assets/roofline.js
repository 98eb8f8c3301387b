// What cells attain against the ceilings of their machine, on two logarithmic axes.

function drawRooflines(found) {
  const nothing =
    "These runs do not have the ceilings of their machines. `suite doctor` measures them once; later runs store them.";
  noteOf("roofline-note", found, "machines", nothing);
  const place = document.getElementById("roofline-plots");
  for (const roofline of found.plots) {
    const element = figureOf(place, roofline.title);
    whenSeen(element, () => plot(element, rooflineTraces(roofline), rooflineLayout()));
  }
}

function rooflineTraces({ ceilings, cells }) {
  const lines = ceilings.map(({ name, x, y }, number) => ({
    type: "scatter",
    mode: "lines",
    name: `ceiling of ${plainText(name)}`,
    x,
    y,
    line: { color: colour("front"), width: 1.5, dash: ["solid", "dash", "dot", "dashdot"][number % 4] },
  }));
  const marks = cells.map(({ name, x, y, text }, number) => ({
    type: "scatter",
    mode: "markers",
    name: plainText(name),
    x,
    y,
    marker: { size: 9, color: markColour(number), symbol: SYMBOLS[number % SYMBOLS.length] },
    customdata: text.map((cell) => brief(cell, 120)),
    hovertemplate: "<b>%{customdata}</b><br>%{x:.3s} FLOP/byte<br>%{y:.3s}FLOP/s<extra></extra>",
  }));
  return [...lines, ...marks];
}

function rooflineLayout() {
  return {
    xaxis: { title: { text: "arithmetic intensity (FLOP/byte)" }, type: "log" },
    yaxis: { title: { text: "attained FLOP/s" }, type: "log", exponentformat: "SI" },
    showlegend: true,
  };
}
