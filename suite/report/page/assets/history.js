// Values of one machine over its runs.

function drawHistory(found) {
  noteOf(
    "history-note",
    found,
    "histories",
    "No history here: `suite bench --history` keeps the values of a machine's runs.",
  );
  const place = document.getElementById("history-plots");
  for (const series of found.plots) {
    const thin = series.count > series.value.length ? `, ${series.value.length} of ${series.count} runs drawn` : "";
    const element = figureOf(place, `${series.name} (${series.machine}${thin})`);
    whenSeen(element, () =>
      plot(element, historyTraces(series), { xaxis: { type: "date" }, yaxis: {}, shapes: changeLines(series) }),
    );
  }
}

function historyTraces(series) {
  const distance = (end) =>
    series[end].map((value, place) => (value === null ? 0 : Math.abs(value - series.value[place])));
  return [
    {
      type: "scatter",
      mode: "lines+markers",
      x: series.started,
      y: series.value,
      line: { color: markColour(0), width: 1 },
      error_y: { type: "data", symmetric: false, array: distance("high"), arrayminus: distance("low"), thickness: 1 },
      text: series.commit.map(plainText),
      hovertemplate: "%{x}<br>%{y}<br>commit %{text}<extra></extra>",
    },
  ];
}

/** A line at each run from which on the values differ. */
function changeLines(series) {
  return (series.changes ?? []).map((started) => ({
    type: "line",
    x0: started,
    x1: started,
    yref: "paper",
    y0: 0,
    y1: 1,
    line: { color: markColour(1), dash: "dot" },
  }));
}
