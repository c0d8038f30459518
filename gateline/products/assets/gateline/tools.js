/* Layer switches with their legends, and the tools of the bar. */
gl.buildSide = () => {
  const side = gl.byId("gl-side");
  gl.add(side, gl.make("h2", "", "Layers and legend"));
  gl.legends = {};
  const spots = gl.data.hotspots;
  gl.layerBlock("stations", "Stations", gl.stationLegend);
  gl.layerBlock("links", "Courier flow by rail", gl.linkLegend, (box) => {
    const choices = [["-1", "All origins"], ...gl.data.links.origins.map((name, k) => [String(k), name])];
    gl.chooser(box, "gl-origin", "From", choices, (value) => {
      gl.linkView.origin = Number(value);
      gl.showLinks();
      gl.showUpstream();
      gl.fillLegends();
    });
  });
  gl.buildPlanBlocks();
  gl.layerBlock("towns", "Towns", gl.townLegend);
  gl.layerBlock("hotspots", "Offence hotspots", gl.spotLegend, (box) => {
    if (!spots.methods.length) return;
    gl.chooser(box, "gl-method", "By", spots.methods.map((name, k) => [String(k), name]), (value) => {
      gl.hotspotView.method = Number(value);
      gl.refreshHotspots();
      gl.fillLegends();
    });
    gl.monthSlider(box);
  });
  if (gl.data.bands.path.length) gl.layerBlock("bands", "Cuckooing, by area", gl.bandLegend);
  gl.layerBlock("labels", "Names", null);
  const colours = gl.make("div", "gl-layer");
  gl.chooser(colours, "gl-palette", "Station colours", [["magma", "Magma"], ["cividis", "Cividis"]], (value) => {
    gl.scoreView.palette = value;
    gl.applyTheme();
  });
  side.appendChild(colours);
};

gl.layerBlock = (name, title, fill, more) => {
  const box = gl.make("div", "gl-layer");
  const label = gl.make("label", "gl-switch");
  const input = gl.make("input");
  input.type = "checkbox";
  input.id = "gl-layer-" + name;
  const layer = () => (name === "labels" ? gl.labels : gl.groups[name]);
  input.checked = gl.map.hasLayer(layer());
  box.classList.toggle("gl-off", !input.checked);
  input.addEventListener("change", () => {
    box.classList.toggle("gl-off", !input.checked);
    if (input.checked) layer().addTo(gl.map);
    else layer().remove();
    if (name === "stations") gl.groups.others[input.checked ? "addTo" : "remove"](gl.map);
    gl.reorder();
  });
  gl.add(box, gl.add(label, input, gl.make("span", "", title)));
  if (more) more(box);
  if (fill) {
    gl.legends[name] = [gl.make("ul", "gl-legend"), fill];
    box.appendChild(gl.legends[name][0]);
  }
  gl.byId("gl-side").appendChild(box);
};

gl.fillLegends = () => {
  for (const [list, fill] of Object.values(gl.legends)) {
    list.replaceChildren();
    fill((text, sample) => gl.add(list, gl.add(gl.make("li"), sample, gl.make("span", "", text))));
  }
};

gl.sample = (className, style) => {
  const sample = gl.make("span", "gl-sample " + className);
  Object.assign(sample.style, style);
  return sample;
};

gl.stationLegend = (put) => {
  const colours = gl.palette(gl.scoreView.palette);
  const { tiers } = gl.data.stations;
  const list = gl.legends.stations[0];
  gl.note(list, gl.data.stations.is_index ? "Tier, by the chance of the first ten" : "Tier, by the chance of the core: the fewest stations that hold half of all meetings");
  const row = gl.make("li", "gl-tiers");
  for (const [tier, radius, words] of [["A", 10, "80 % up"], ["B", 8, "40\u201380 %"], ["C", 5, "less"]]) {
    gl.add(row, gl.sample("gl-round", { width: 2 * radius + "px", height: 2 * radius + "px", background: gl.cssColour("quiet") }), gl.add(gl.make("span"), gl.make("strong", "", tier + " "), document.createTextNode(words)));
  }
  list.appendChild(row);
  if (gl.data.stations.tier.includes("insufficient data")) put("insufficient data: " + tiers["insufficient data"], gl.sample("gl-round gl-dashed", { width: "9px", height: "9px" }));
  gl.ramp(list, gl.data.stations.is_index ? "Score: points of 100" : "Score: of 100 courier trips, met here", colours, gl.scoreView.breaks);
};

/* Classes side by side, with the value at each joint. */
gl.ramp = (list, title, colours, breaks) => {
  const ramp = gl.make("span", "gl-ramp");
  colours.forEach((colour, at) => {
    const box = gl.make("span", "", at < breaks.length ? gl.number(breaks[at], 3) : "");
    box.style.borderTopColor = colour;
    ramp.appendChild(box);
  });
  gl.add(list, gl.add(gl.make("li", "gl-note", title), ramp));
};

gl.linkLegend = (put) => {
  const colours = gl.palette("cividis");
  const isModelled = gl.linkView.flow.some((flow) => flow > 0);
  if (!isModelled) put("no flow in this run", gl.sample("gl-hollow", {}));
  for (let at = 4; isModelled && at >= 0; at -= 1) {
    put(gl.rangeText(gl.linkView.breaks, at, "") + (at === 4 ? " trips a month" : ""), gl.sample("gl-line", { background: colours[at], height: gl.flowWidth[at] + "px" }));
  }
  put("track without modelled flow", gl.sample("gl-line", { background: gl.cssColour("track"), height: "1.5px" }));
};

gl.townLegend = (put) => {
  put("deal lines recorded; larger: more", gl.sample("", { width: "13px", height: "13px", background: gl.cssColour("town") }));
  put("none recorded; larger: more exposed", gl.sample("gl-hollow", { width: "13px", height: "13px", borderColor: gl.cssColour("town") }));
};

gl.spotLegend = (put) => {
  const spots = gl.data.hotspots;
  if (!spots.methods.length) return;
  put("more offences: stronger fill", gl.sample("", { background: gl.cssColour("spot"), opacity: 0.7 }));
  put("some, too few to show", gl.sample("gl-dotted", { borderColor: gl.cssColour("spot") }));
};

gl.bandLegend = (put) => {
  for (const band of [4, 3, 2, 1]) put("band " + band + (band === 4 ? " (most)" : band === 1 ? " (fewest)" : ""), gl.sample("gl-dotted", { background: gl.cssColour("band"), opacity: 0.08 + 0.12 * band }));
  put("blank: none, or too few to show", gl.sample("gl-hollow", {}));
  if (gl.data.bands.note) gl.note(gl.legends.bands[0], gl.data.bands.note);
};

gl.chooser = (box, id, title, choices, react) => {
  const label = gl.make("label", "gl-choice", title);
  label.htmlFor = id;
  const select = gl.make("select");
  select.id = id;
  for (const [value, text] of choices) {
    const option = gl.make("option", "", text);
    option.value = value;
    select.appendChild(option);
  }
  select.addEventListener("change", () => react(select.value));
  box.appendChild(gl.add(gl.make("div", "gl-pair"), label, select));
};

gl.monthSlider = (box) => {
  const months = gl.data.hotspots.months;
  const label = gl.make("label", "gl-choice", "Month");
  label.htmlFor = "gl-month";
  const slider = gl.make("input");
  slider.type = "range";
  slider.id = "gl-month";
  slider.min = -1;
  slider.max = months.length - 1;
  slider.value = -1;
  const shown = gl.make("output", "gl-month-shown", "");
  shown.id = "gl-month-shown";
  slider.addEventListener("input", () => {
    gl.hotspotView.month = Number(slider.value);
    gl.refreshHotspots();
  });
  gl.add(box, gl.add(gl.make("div", "gl-pair"), label, slider), shown);
};

gl.refreshHotspots = () => {
  const n = gl.showHotspots();
  const spots = gl.data.hotspots;
  const month = gl.hotspotView.month;
  const some = spots.lacking.filter((lacks) => lacks).length;
  const lacks = month < 0 ? (some ? some + (some === 1 ? " month lacks" : " months lack") + " rows of a force" : "") : spots.lacking[month];
  const text = (month < 0 ? "All months" : spots.months[month]) + (lacks ? " (" + lacks + ")" : "");
  const shown = gl.byId("gl-month-shown");
  if (!shown) return;
  const side = spots.square_m[gl.hotspotView.method];
  shown.textContent = text + ": " + n + (n === 1 ? " hotspot" : " hotspots") + (side === null || side === undefined ? "" : " in " + gl.number(side, 0) + " m squares");
  gl.byId("gl-month").setAttribute("aria-valuetext", text);
};

gl.applyTheme = () => {
  document.documentElement.dataset.glTheme = gl.theme.isDark ? "dark" : "light";
  gl.theme.colours.clear();
  const button = gl.byId("gl-theme");
  button.setAttribute("aria-pressed", String(gl.theme.isDark));
  for (const restyle of gl.restyle) restyle();
  gl.labels.redraw();
  gl.showUpstream();
  gl.fillLegends();
  gl.refreshHotspots();
};

gl.fit = () => {
  const { stations } = gl.data;
  const home = stations.id.map((id, k) => k).filter((k) => stations.in_force[k]);
  const at = home.length ? home : stations.id.map((id, k) => k);
  const points = at.map((k) => [stations.lat[k], stations.lon[k]]);
  if (points.length) gl.map.fitBounds(L.latLngBounds(points).pad(0.06), { animate: false });
};

gl.say = (text) => {
  const status = gl.byId("gl-status");
  status.textContent = text;
  status.hidden = text === "";
};

gl.measure = { isOn: false, points: [], layer: null };

gl.toggleMeasure = (isOn) => {
  gl.measure.isOn = isOn;
  gl.measure.points = [];
  if (gl.measure.layer) gl.measure.layer.remove();
  gl.measure.layer = isOn ? gl.line([], { color: gl.cssColour("focus"), weight: 3, dashArray: "6 4", interactive: false }).addTo(gl.map) : null;
  gl.byId("gl-measure").setAttribute("aria-pressed", String(isOn));
  gl.map.getContainer().classList.toggle("gl-measuring", isOn);
  gl.say(isOn ? "Click points on the map, or press Enter for its centre. Escape ends." : "");
};

gl.addMeasure = (where) => {
  gl.measure.points.push(where);
  gl.measure.layer.setLatLngs(gl.measure.points);
  let metres = 0;
  for (let k = 1; k < gl.measure.points.length; k += 1) metres += gl.map.distance(gl.measure.points[k - 1], gl.measure.points[k]);
  gl.say("Straight-line distance " + gl.number(metres / 1000, 2) + " km (" + gl.number(metres / 1609.344, 2) + " miles). Escape ends.");
};

gl.setPrinting = (isPrinting) => {
  const root = document.documentElement;
  if (root.classList.contains("gl-printing") === isPrinting) return;
  if (isPrinting) gl.beforePrint = { isDark: gl.theme.isDark, bounds: gl.map.getBounds(), centre: gl.map.getCenter(), zoom: gl.map.getZoom() };
  root.classList.toggle("gl-printing", isPrinting);
  root.classList.toggle("gl-a3", isPrinting && gl.byId("gl-paper").value === "a3");
  gl.theme.isDark = isPrinting ? false : gl.beforePrint.isDark;
  gl.map.invalidateSize({ animate: false, pan: false });
  if (isPrinting) gl.map.fitBounds(gl.beforePrint.bounds, { animate: false });
  else gl.map.setView(gl.beforePrint.centre, gl.beforePrint.zoom, { animate: false });
  gl.applyTheme();
  gl.paintNow();
  gl.standIn(isPrinting);
};

/* The map must be painted at the size of the paper before the browser takes its picture. */
gl.print = () => {
  gl.setPrinting(true);
  requestAnimationFrame(() => requestAnimationFrame(() => window.print()));
};

gl.buildTools = () => {
  gl.byId("gl-fit").addEventListener("click", gl.fit);
  gl.byId("gl-measure").addEventListener("click", () => gl.toggleMeasure(!gl.measure.isOn));
  gl.map.on("click", (event) => gl.measure.isOn && gl.addMeasure(event.latlng));
  gl.map.getContainer().addEventListener("keydown", (event) => {
    if (event.key === "Enter" && gl.measure.isOn) gl.addMeasure(gl.map.getCenter());
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (gl.measure.isOn) gl.toggleMeasure(false);
    else if (!gl.byId("gl-about").hidden) gl.toggleAbout(false);
    else if (gl.selected) gl.closeDetail();
  });
  gl.byId("gl-full").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen().catch(() => gl.say("This browser does not allow full screen here."));
  });
  gl.byId("gl-theme").addEventListener("click", () => {
    gl.theme.isDark = !gl.theme.isDark;
    gl.applyTheme();
  });
  gl.byId("gl-print").addEventListener("click", gl.print);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "p" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    gl.print();
  });
  window.addEventListener("beforeprint", () => gl.setPrinting(true));
  window.addEventListener("afterprint", () => gl.setPrinting(false));
};
