// The page's own order of work: the trade-off table first, the rest when it is near the screen.

async function main() {
  const cells = await unpackedTable("cells-data");
  const plots = JSON.parse(document.getElementById("plots-data").textContent);
  let scatter = null;
  const grid = new Grid(cells, document.getElementById("cells-table"), "Cells", (rows) => scatter?.select(rows));
  scatter = new Scatter(cells, plots.most_points);
  scatter.select(grid.rows);
  drawSpeeds(plots.fast, plots.profiles);
  drawRooflines(plots.roofline);
  drawSweeps(plots.sweeps);
  drawCurves(plots.curves);
  drawRatios(plots.ratios);
  drawHistory(plots.history);
  whenSeen(document.getElementById("measurements"), measurements());
  document.body.dataset.ready = "yes";
}

/** Builds the table of all measurements once. */
function measurements() {
  let table = null;
  return () => {
    table ??= unpackedTable("measurements-data").then(
      (found) => new Grid(found, document.getElementById("measurements-table"), "Values of all metrics"),
    );
  };
}

main().catch((error) => {
  const trouble = document.getElementById("trouble");
  trouble.textContent = `Tables and plots cannot be shown: ${error}. tradeoffs.csv and results.csv have all values.`;
  trouble.hidden = false;
  throw error;
});
