// What all plots share: the library, unpacked when the first plot comes into view, colours of the scheme, redrawing.

const SYMBOLS = ["circle", "square", "triangle-up", "diamond", "cross", "hexagon"];
const COLOURS = 6;
const NEAR = "400px"; // below the screen: drawn before it is reached
const waiting = new Set();
const drawings = new Set();
let library = null;

function plotly() {
  library ??= unpacked("plotly-data").then((content) => {
    document.head.append(create("script", { textContent: new TextDecoder().decode(content) }));
    return globalThis.Plotly;
  });
  return library;
}

/** Draw when the element comes near the screen or the page is printed, and again after the colour scheme changed. */
function whenSeen(element, draw) {
  const watcher = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && first(), {
    rootMargin: NEAR,
  });
  const first = () => {
    watcher.disconnect();
    waiting.delete(first);
    drawings.add(draw);
    return draw();
  };
  waiting.add(first);
  watcher.observe(element);
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function markColour(place) {
  return colour(`mark-${place % COLOURS}`);
}

/** Draw traces into an element with the scheme's colours. */
async function plot(element, traces, layout) {
  const { react } = await plotly();
  const axis = {
    gridcolor: colour("line"),
    linecolor: colour("line"),
    zerolinecolor: colour("line"),
    automargin: true,
  };
  const whole = {
    paper_bgcolor: colour("back"),
    plot_bgcolor: colour("back"),
    font: { color: colour("front"), size: 12 },
    margin: { l: 55, r: 15, t: 10, b: 45 },
    hovermode: "closest",
    hoverlabel: { align: "left" },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
    ...layout,
  };
  for (const name of Object.keys(whole).filter((key) => /^[xy]axis/.test(key)))
    whole[name] = { ...axis, ...whole[name] };
  await react(element, traces, whole, { displayModeBar: false, responsive: true });
  element.dataset.drawn = "yes";
}

/** A text as one that the library does not read as markup. */
function plainText(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The start of a long text, for an axis. */
function brief(text, most) {
  return plainText(text.length <= most ? text : `${text.slice(0, most - 2)}..`);
}

/** An element for a plot, below it a caption. */
function figureOf(place, caption) {
  const element = create("div", { className: "plot" });
  const figure = create("figure", {}, [element, create("figcaption", {}, [caption])]);
  place.append(figure);
  return element;
}

/** How many of all are drawn, or that there is nothing to draw. */
function noteOf(id, { plots, all }, what, nothing) {
  const left = all > plots.length ? `${plots.length} of ${all} ${what} are drawn.` : "";
  document.getElementById(id).textContent = all ? left : nothing;
}

addEventListener("beforeprint", () => waiting.forEach((first) => first()));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawings.forEach((draw) => draw()));
