// Score and speed-up along a technique's parameter, and learning curves; each line with the band of its interval.

function drawSweeps(found) {
  noteOf("sweeps-note", found, "sweeps", "No parameter was measured at three values or more.");
  const place = document.getElementById("sweeps-plots");
  for (const sweep of found.plots) {
    const element = figureOf(place, `${sweep.title} (${sweep.machine})`);
    whenSeen(element, () => plot(element, sweepTraces(sweep), sweepLayout(sweep)));
  }
}

function drawCurves(found) {
  noteOf(
    "curves-note",
    found,
    "learning curves",
    "No learning curve here: `suite curves run` measures them; `suite report --page` then draws them.",
  );
  const place = document.getElementById("curves-plots");
  for (const curve of found.plots) {
    const element = figureOf(place, curve.title);
    whenSeen(element, () =>
      plot(element, bandTraces(curve.at, curve.score, curve.score_name, 0, "y"), curveLayout(curve)),
    );
  }
}

function curveLayout(curve) {
  const text = plainText(curve.score_name.replaceAll("_", " "));
  return {
    xaxis: { title: { text: plainText(curve.resource.replaceAll("_", " ")) }, type: "log" },
    yaxis: { title: { text } },
    showlegend: false,
  };
}

function sweepTraces(sweep) {
  const score = sweep.score ? bandTraces(sweep.at, sweep.score, sweep.score_name, 0, "y") : [];
  return [...score, ...bandTraces(sweep.at, sweep.speedup, "speed-up", 1, "y2")];
}

function bandTraces(x, [value, low, high], name, place, yaxis) {
  const shared = {
    type: "scatter",
    x,
    yaxis,
    line: { color: markColour(place), width: 0 },
    hoverinfo: "skip",
    showlegend: false,
  };
  const edge = { ...shared, mode: "lines", y: low };
  const band = { ...shared, mode: "lines", y: high, fill: "tonexty", opacity: 0.3 };
  const line = {
    type: "scatter",
    mode: "lines+markers",
    x,
    y: value,
    yaxis,
    name: plainText(name),
    line: { color: markColour(place) },
  };
  return low.includes(null) ? [line] : [edge, band, line];
}

function sweepLayout(sweep) {
  return {
    xaxis: { title: { text: plainText(sweep.parameter) }, anchor: "y2" },
    yaxis: {
      title: { text: plainText((sweep.score_name ?? "").replaceAll("_", " ")) },
      domain: [0.54, 1],
      tickformat: sweep.share ? ".1%" : "",
    },
    yaxis2: { title: { text: "speed-up" }, domain: [0, 0.46] },
  };
}
