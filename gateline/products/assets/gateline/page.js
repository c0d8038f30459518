"use strict";
/* The page's own words and values. All text from the data is put in with textContent, never as markup. */
const gl = { data: JSON.parse(document.getElementById("gl-data").textContent), selected: null };

gl.byId = (id) => document.getElementById(id);

gl.make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined && text !== null) element.textContent = text;
  return element;
};

gl.add = (parent, ...children) => {
  for (const child of children) parent.appendChild(child);
  return parent;
};

gl.number = (value, digits) =>
  value === null || value === undefined
    ? "not known"
    : value.toLocaleString("en-GB", { maximumFractionDigits: digits === undefined ? 1 : digits });

/* Trips are told to two significant figures everywhere: more than that no interval supports. */
gl.trips = (value) => (value === null || value === undefined ? "not known" : value.toLocaleString("en-GB", { maximumSignificantDigits: 2 }));

/* Scores and reasons with as many decimals as the place is told in, so that printed reasons sum to the printed score. */
gl.points = (table, at, value) => value.toFixed(table.decimals[at]);

/* Steps of a ten-thousandth of a degree, each from the one before, to Leaflet's pairs. */
gl.ring = (flat) => {
  const points = [];
  let lon = 0;
  let lat = 0;
  for (let k = 0; k < flat.length; k += 2) {
    lon += flat[k];
    lat += flat[k + 1];
    points.push([lat / 10000, lon / 10000]);
  }
  return points;
};

gl.rings = (feature) => feature.map(gl.ring);

gl.fillMarks = () => {
  const marks = gl.data.marks;
  gl.byId("gl-marking").textContent = marks.marking;
  gl.byId("gl-title").textContent = marks.title;
  /* Period, profile and operator explain themselves; the run and the expiry need their label. */
  const isLabelled = (label) => label === "Run" || label === "Expires";
  const line = marks.lines.slice(1).map(([label, text]) => (isLabelled(label) ? label + " " : "") + text);
  gl.byId("gl-subtitle").textContent = line.join(" \u00b7 ");
  gl.byId("gl-credits").textContent = marks.credits.join(" \u00b7 ");
  gl.byId("gl-foot-marks").textContent = (marks.fictional && !marks.marking.startsWith("FICTIONAL") ? "FICTIONAL \u00b7 " : "") + marks.marking;
  gl.byId("gl-print-mark").textContent = gl.byId("gl-foot-marks").textContent + " \u00b7 " + marks.title + " \u00b7 " + line.join(" \u00b7 ");
  if (marks.fictional) {
    const banner = gl.byId("gl-fictional");
    banner.textContent = marks.fictional;
    banner.hidden = false;
    const water = gl.byId("gl-watermark");
    for (let k = 0; k < 3; k += 1) water.appendChild(gl.make("span", "", "FICTIONAL"));
    water.hidden = false;
  }
};

gl.fillAbout = () => {
  const marks = gl.data.marks;
  const about = gl.byId("gl-about");
  const close = gl.make("button", "gl-close", "Close");
  close.type = "button";
  close.addEventListener("click", () => gl.toggleAbout(false));
  gl.add(about, close);
  for (const [heading, lines] of [
    ["How to read it", marks.reading],
    ["Safeguarding", marks.safeguarding],
    ["Limits", marks.limits],
  ]) {
    const list = gl.make("ul");
    for (const line of lines) list.appendChild(gl.make("li", "", line));
    gl.add(about, gl.make("h2", "", heading), list);
  }
  gl.byId("gl-help").addEventListener("click", () => gl.toggleAbout(about.hidden));
};

gl.toggleAbout = (isShown) => {
  const about = gl.byId("gl-about");
  about.hidden = !isShown;
  gl.byId("gl-help").setAttribute("aria-expanded", String(isShown));
  (isShown ? about.querySelector("button") : gl.byId("gl-help")).focus();
};
