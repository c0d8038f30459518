/* The ranked list and the chosen place: the way through the map for keyboard and screen reader. */
gl.panel = { kind: "stations", nShown: 100, words: "", tier: "" };
gl.PAGE_ROWS = 100;

gl.buildPanel = () => {
  const tier = gl.byId("gl-tier");
  for (const [value, text] of [["", "All tiers"], ["A", "Tier A"], ["B", "Tier B"], ["C", "Tier C"], ["insufficient data", "Insufficient data"]]) {
    const option = gl.make("option", "", text);
    option.value = value;
    tier.appendChild(option);
  }
  tier.addEventListener("change", () => gl.showRows({ tier: tier.value, nShown: gl.PAGE_ROWS }));
  const search = gl.byId("gl-search");
  search.addEventListener("input", () => gl.showRows({ words: search.value.trim().toLowerCase(), nShown: gl.PAGE_ROWS }));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && gl.panel.found.length) gl.select(gl.panel.kind, gl.panel.found[0]);
    if (event.key === "ArrowDown") gl.focusRow(0);
  });
  for (const kind of ["stations", "towns"]) {
    const tab = gl.byId("gl-tab-" + kind);
    tab.addEventListener("click", () => gl.showRows({ kind, nShown: gl.PAGE_ROWS }));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = kind === "stations" ? "towns" : "stations";
      gl.showRows({ kind: other, nShown: gl.PAGE_ROWS });
      gl.byId("gl-tab-" + other).focus();
    });
  }
  gl.byId("gl-more").addEventListener("click", () => gl.showRows({ nShown: Infinity }));
  gl.byId("gl-rows").addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row) gl.select(gl.panel.kind, Number(row.dataset.at));
  });
  gl.byId("gl-rows").addEventListener("keydown", gl.moveInRows);
  gl.showRows({});
};

gl.moveInRows = (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const buttons = [...gl.byId("gl-rows").querySelectorAll("button")];
  gl.focusRow(buttons.indexOf(document.activeElement) + step);
};

gl.focusRow = (at) => {
  const button = gl.byId("gl-rows").querySelectorAll("button")[at];
  if (button) button.focus();
};

gl.showRows = (change) => {
  Object.assign(gl.panel, change);
  const { kind, words, tier, nShown } = gl.panel;
  const table = gl.data[kind];
  const isFound = (k) => (!tier || table.tier[k] === tier) && (!words || (table.name[k] + " " + table.id[k]).toLowerCase().includes(words));
  gl.panel.found = table.id.map((id, k) => k).filter(isFound);
  for (const name of ["stations", "towns"]) {
    const tab = gl.byId("gl-tab-" + name);
    tab.setAttribute("aria-selected", String(name === kind));
    tab.tabIndex = name === kind ? 0 : -1;
  }
  gl.byId("gl-list").setAttribute("aria-labelledby", "gl-tab-" + kind);
  gl.byId("gl-caption").textContent = (kind === "stations" ? "Stations" : "Towns") + ", most exposed first";
  gl.byId("gl-meaning").textContent = table.meaning;
  const rows = gl.byId("gl-rows");
  rows.replaceChildren(...gl.panel.found.slice(0, nShown).map((k) => gl.row(table, k)));
  if (!gl.panel.found.length) {
    const cell = gl.make("td", "gl-none", "Nothing found. Clear the search or the tier.");
    cell.colSpan = 5;
    rows.appendChild(gl.add(gl.make("tr"), cell));
  }
  const more = gl.byId("gl-more");
  more.hidden = gl.panel.found.length <= nShown;
  more.textContent = "Show all " + gl.number(gl.panel.found.length, 0);
  gl.markRow();
};

gl.row = (table, k) => {
  const row = gl.make("tr", "gl-row");
  row.dataset.at = k;
  const name = gl.make("button", "gl-name", table.name[k]);
  name.type = "button";
  name.title = table.name[k];
  const named = gl.add(gl.make("div", "gl-named"), name);
  if (table.enforcement_led[k]) {
    const flag = gl.make("span", "gl-flag", "E");
    flag.title = "Enforcement-led";
    flag.appendChild(gl.make("span", "gl-hidden-label", "nforcement-led"));
    named.appendChild(flag);
  }
  const cell = gl.add(gl.make("td"), named);
  const meter = gl.make("span", "gl-meter");
  const bar = gl.make("span");
  bar.style.width = Math.max(1, (100 * table.score[k]) / Math.max(1e-9, table.score[0])) + "%";
  const isKnown = table.tier[k] !== "insufficient data";
  gl.add(
    row,
    gl.make("td", "gl-rank", table.issued[k] ? table.rank[k] : "\u2013"),
    cell,
    gl.add(gl.make("td"), gl.make("span", "gl-tier gl-tier-" + (isKnown ? table.tier[k] : "none"), isKnown ? table.tier[k] : "?")),
    gl.add(gl.make("td", "gl-score"), gl.make("span", "", gl.points(table, k, table.score[k])), gl.add(meter, bar)),
    gl.make("td", "gl-range", isKnown ? table.low[k] + "\u2013" + table.high[k] : "")
  );
  return row;
};

gl.markRow = () => {
  for (const row of gl.byId("gl-rows").children) {
    const isChosen = gl.selected !== null && gl.selected.kind === gl.panel.kind && Number(row.dataset.at) === gl.selected.at;
    row.classList.toggle("gl-chosen", isChosen);
    if (isChosen) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
};

/* From the list the map flies to the place; from the map the list scrolls to the row. */
gl.select = (kind, at, { isFromMap = false } = {}) => {
  const before = gl.selected;
  gl.selected = { kind, at };
  if (before && before.kind === "stations") gl.styleStation(before.at);
  if (kind === "stations") {
    gl.styleStation(at);
    gl.stationLayers[at].bringToFront();
  }
  gl.showDetail();
  if (isFromMap) {
    const isListed = gl.panel.kind === kind && gl.panel.found.indexOf(at) >= 0 && gl.panel.found.indexOf(at) < gl.panel.nShown;
    if (!isListed) {
      gl.byId("gl-search").value = "";
      gl.byId("gl-tier").value = "";
      gl.showRows({ kind, words: "", tier: "", nShown: Infinity });
    }
  }
  gl.markRow();
  const row = gl.byId("gl-rows").querySelector(".gl-chosen");
  if (row) row.scrollIntoView({ block: "nearest" });
  if (!isFromMap) {
    const where = [gl.data[kind].lat[at], gl.data[kind].lon[at]];
    const isCalm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    gl.map.flyTo(where, Math.max(gl.map.getZoom(), 10), { animate: !isCalm, duration: 0.6 });
  }
};

gl.closeDetail = () => {
  const before = gl.selected;
  gl.selected = null;
  gl.byId("gl-detail").hidden = true;
  if (before && before.kind === "stations") gl.styleStation(before.at);
  const row = gl.byId("gl-rows").querySelector(".gl-chosen button");
  gl.markRow();
  if (row) row.focus();
};

gl.showDetail = () => {
  const { kind, at } = gl.selected;
  const table = gl.data[kind];
  const box = gl.byId("gl-detail");
  const close = gl.make("button", "gl-close", "Close");
  close.type = "button";
  close.addEventListener("click", gl.closeDetail);
  const isKnown = table.tier[at] !== "insufficient data";
  const code = kind === "stations" ? " (" + table.id[at] + ")" : "";
  const head = gl.make("h2", "gl-clip", (table.issued[at] ? table.rank[at] + ". " : "") + table.name[at] + code);
  const tier = gl.make("p", "gl-verdict", (isKnown ? "Tier " + table.tier[at] : "Insufficient data") + ": " + table.tiers[table.tier[at]] + ".");
  box.replaceChildren(close, head, tier);
  if (table.enforcement_led[at]) box.appendChild(gl.make("p", "gl-warn", "Enforcement-led: in the first ten only because of what police found here."));
  if (isKnown) gl.rangeBar(box, table, at);
  gl.reasonBars(box, table, at);
  if (kind === "stations") gl.stationFacts(box, table, at);
  else gl.townFacts(box, table, at);
  box.hidden = false;
  box.scrollTop = 0;
};

gl.rangeBar = (box, table, at) => {
  const n = table.id.length;
  const place = (rank) => (100 * (rank - 1)) / Math.max(1, n - 1) + "%";
  const track = gl.make("div", "gl-track");
  const span = gl.make("span", "gl-span");
  span.style.left = place(table.low[at]);
  span.style.right = "calc(100% - " + place(table.high[at]) + ")";
  const dot = gl.make("span", "gl-dot");
  dot.style.left = place(table.rank[at]);
  gl.add(track, span);
  if (table.issued[at]) track.appendChild(dot);
  gl.add(box, gl.make("h3", "", (table.issued[at] ? "Rank " + table.rank[at] + " of " + n + ", 90 % range " : "No rank given: 90 % range ") + table.low[at] + " to " + table.high[at] + (table.issued[at] ? "" : " of " + n)), track);
  gl.add(box, gl.make("p", "gl-small", "Chance of being among the first ten: " + Math.round(100 * table.p10[at]) + " %"));
};

gl.within = (table, at) => (table.score_low ? " (90 % range " + gl.points(table, at, table.score_low[at]) + " to " + gl.points(table, at, table.score_high[at]) + ")" : "");

gl.tripsWithin = (table, at) => gl.trips(table.flow[at]) + (table.trips_low ? " (90 % range " + gl.trips(table.trips_low[at]) + " to " + gl.trips(table.trips_high[at]) + ")" : "");

gl.reasonBars = (box, table, at) => {
  const what = table.is_index ? " of 100 points of the index" : table === gl.data.stations ? " of 100 courier trips set foot here" : " of 100 courier trips go here";
  gl.add(box, gl.make("h3", "", gl.points(table, at, table.score[at]) + what + gl.within(table, at)));
  gl.add(box, gl.make("p", "gl-small", table.is_index ? "Points of each feature; they sum to the score." : "What each source says; a minus takes away. They sum to the score."));
  const list = gl.make("table", "gl-reasons");
  const body = gl.make("tbody");
  const order = table.reason_names.map((name, k) => k).sort((a, b) => table.reasons[at][b] - table.reasons[at][a]);
  const top = Math.max(1e-9, ...table.reasons[at].map(Math.abs));
  for (const k of order) {
    const value = table.reasons[at][k];
    const bar = gl.make("span", value < 0 ? "gl-minus" : "");
    bar.style.width = (100 * Math.abs(value)) / top + "%";
    const label = gl.make("th", "gl-clip", table.reason_names[k]);
    label.scope = "row";
    label.title = table.reason_names[k];
    gl.add(body, gl.add(gl.make("tr"), label, gl.add(gl.make("td"), gl.add(gl.make("span", "gl-bar-track"), bar)), gl.make("td", "gl-figure", gl.points(table, at, value))));
  }
  gl.add(box, gl.add(list, body));
};

gl.facts = (box, pairs) => {
  const list = gl.make("dl", "gl-facts");
  for (const [label, text] of pairs) gl.add(list, gl.make("dt", "", label), gl.make("dd", "", text));
  box.appendChild(list);
};

gl.stationFacts = (box, table, at) => {
  for (const [key, heading] of [["origins", "Largest origins (courier trips a month)"], ["destinations", "Largest destinations (courier trips a month)"]]) {
    if (!table[key][at].length) continue;
    const list = gl.make("ol", "gl-tops");
    for (const [name, trips] of table[key][at]) gl.add(list, gl.add(gl.make("li"), gl.make("span", "gl-clip", name), gl.make("span", "gl-figure", gl.trips(trips))));
    gl.add(box, gl.make("h3", "", heading), list);
  }
  gl.stationHours(box, table, at);
  gl.add(box, gl.make("h3", "", "Flow and footfall"));
  const beside = table.harm_near ? [["Harm of offences near", gl.placed(table, gl.number(table.harm_near[at], 0), "rank_harm", at)]] : [];
  gl.facts(box, [
    ["Courier trips a month", gl.tripsWithin(table, at)],
    ["board \u00b7 change \u00b7 alight", [table.boarding[at], table.changing[at], table.alighting[at]].map(gl.trips).join(" \u00b7 ")],
    ["for each 100,000 passengers", gl.placed(table, gl.trips(table.per_100k[at]), "rank_per_passenger", at)],
    ["Entries and exits a year", gl.number(table.footfall[at], 0)],
    ["Hotspot harm within 15 min walk", gl.number(table.harm[at], 0)],
    ...beside,
  ]);
  gl.stationMeeting(box, table, at);
};

/* How the trips divide by way of travel, and which of them no station sees. */
gl.travel = (table, at) => {
  if (!table.unseen_by || table.rail_share[at] === null) return [];
  const percent = (name) => Math.round(100 * table[name][at]) + "\u00a0%";
  const range = table.rail_share_low ? " (" + percent("rail_share_low") + " to " + percent("rail_share_high") + ")" : "";
  return [
    ["these come", (table.unseen_by[at] || "none").replace(/ %/g, "\u00a0%")],
    ["Share by rail (90 % range)", percent("rail_share") + range],
  ];
};

gl.townFacts = (box, table, at) => {
  const observed = table.observed[at] === null ? "not known" : gl.number(table.observed[at], 0);
  gl.add(box, gl.make("h3", "", "Lines and flow"));
  gl.facts(box, [
    ["Deal lines recorded", observed],
    ...(table.latent[at] === null ? [] : [["Exposure without a recorded line", gl.number(table.latent[at], 0) + " of 100"]]),
    ["Courier trips a month", gl.tripsWithin(table, at)],
    ["Share no station can see", table.unseen[at] === null ? "not known" : Math.round(100 * table.unseen[at]) + " %"],
    ...gl.travel(table, at),
    ["Largest origin", table.origin[at] || "not known"],
    ["Main station", table.station[at] || "none"],
    ["Population", gl.number(table.population[at], 0)],
    ["Trips a month per 10,000 residents", gl.placed(table, gl.trips(table.per_head[at]), "rank_per_head", at)],
    ...(table.harm_in_town ? [["Harm of offences in town", gl.placed(table, gl.number(table.harm_in_town[at], 0), "rank_harm", at)]] : []),
    ...(table.child_score ? [["Of 100 trips weighted by children", gl.placed(table, gl.number(table.child_score[at]), "rank_child", at)]] : []),
  ]);
  gl.add(box, gl.make("p", "gl-small", "Ranks in brackets are of lists of their own, no part of the score."));
};

/* A figure with its place in its own list. */
gl.placed = (table, text, rank, at) => {
  const places = table[rank];
  if (!places || places[at] === null) return text;
  return text + " (rank " + places[at] + " of " + places.filter((place) => place !== null).length + ")";
};
