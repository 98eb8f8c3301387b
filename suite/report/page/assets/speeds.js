// The share of cells that are fast without a loss, and how near each technique is to the best one.

function drawSpeeds(fast, profiles) {
  const nothing = "No cell has both a sound speed-up and a difference to the baseline.";
  noteOf("fast-note", fast, "machines", nothing);
  const place = document.getElementById("fast-plots");
  for (const found of fast.plots) {
    const element = figureOf(place, found.title);
    const line = stepLine(found, "", 0, "vh");
    whenSeen(element, () => plot(element, [line()], shareLayout("at least this speed-up", "share of cells")));
  }
  noteOf("profiles-note", profiles, "machines", "No profiles here: they need sound speed-ups of two workloads.");
  for (const found of profiles.plots) {
    const element = figureOf(document.getElementById("profiles-plots"), found.title);
    const lines = found.lines.map((line, number) => stepLine(line, line.name, number, "hv"));
    const layout = { ...shareLayout("times the best time, at most", "share of workloads"), showlegend: true };
    whenSeen(element, () => plot(element, lines.map((line) => line()), layout));
  }
}

/** A step function, made anew whenever it is drawn: its colour is that of the scheme. */
function stepLine({ at, share }, name, place, shape) {
  const dash = ["solid", "dash", "dot"][Math.floor(place / COLOURS) % 3];
  return () => ({
    type: "scatter",
    mode: at.length > 1 ? "lines" : "markers",
    x: at,
    y: share,
    name: brief(name, 30),
    line: { shape, color: markColour(place), dash },
    marker: { color: markColour(place) },
  });
}

function shareLayout(x, y) {
  return {
    xaxis: { title: { text: x } },
    yaxis: { title: { text: y }, tickformat: ".0%", range: [-0.02, 1.02] },
    showlegend: false,
  };
}
