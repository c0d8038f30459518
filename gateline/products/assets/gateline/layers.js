/* Everything that is drawn, in groups that the side panel switches on and off. */
gl.buildMap = () => {
  const map = (gl.map = window.map_gateline);
  for (const [name, order] of [["gl-base", 300], ["gl-labels", 620]]) {
    const pane = map.createPane(name);
    pane.style.zIndex = order;
    pane.style.pointerEvents = "none";
  }
  gl.baseRenderer = L.canvas({ pane: "gl-base", padding: 0.4 });
  gl.renderer = L.canvas({ padding: 0.4, tolerance: 4 });
  gl.groups = {};
  gl.restyle = [];
  gl.drawBase();
  gl.drawBands();
  gl.drawHotspots();
  gl.drawLinks();
  gl.drawTowns();
  gl.drawOthers();
  gl.drawStations();
  gl.drawUpstream();
  gl.drawPlan();
  gl.drawLabels();
  L.control.zoom({ position: "topleft" }).addTo(map);
  L.control.scale({ position: "bottomleft", maxWidth: 140 }).addTo(map);
  map.getContainer().setAttribute("aria-label", "Map. The ranked list holds the same information.");
  map.getContainer().setAttribute("role", "application");
};

gl.group = (name, layers, isShown) => {
  const group = L.layerGroup(layers);
  gl.groups[name] = group;
  if (isShown) group.addTo(gl.map);
  return group;
};

/* Canvas draws in the order of adding: put the groups back in theirs after a switch, once a frame. */
gl.order = ["bands", "hotspots", "links", "towns", "others", "plan", "stations", "upstream"];
gl.reorder = () => {
  if (gl.willReorder) return;
  gl.willReorder = true;
  requestAnimationFrame(gl.putInOrder);
};

gl.putInOrder = () => {
  gl.willReorder = false;
  for (const name of gl.order) {
    const group = gl.groups[name];
    if (group && gl.map.hasLayer(group)) group.eachLayer((layer) => layer.bringToFront());
  }
  if (gl.selected && gl.selected.kind === "stations") gl.stationLayers[gl.selected.at].bringToFront();
};

/* Leaflet paints on the next frame; paper is printed before there is one. */
gl.paintNow = () => {
  gl.putInOrder();
  for (const renderer of [gl.baseRenderer, gl.renderer]) {
    L.Util.cancelAnimFrame(renderer._redrawRequest);
    renderer._redrawRequest = null;
    renderer._redrawBounds = null;
    renderer._redraw();
  }
};

/* A browser may print a canvas that was just painted as blank: on paper, pictures of the canvases stand in for them. */
gl.standIn = (isPrinting) => {
  for (const old of document.querySelectorAll(".gl-stand-in")) old.remove();
  for (const canvas of gl.map.getContainer().querySelectorAll("canvas")) {
    canvas.style.visibility = isPrinting ? "hidden" : "";
    if (!isPrinting) continue;
    const picture = gl.make("img", "gl-stand-in");
    picture.alt = "";
    picture.src = canvas.toDataURL();
    picture.style.cssText = canvas.style.cssText;
    picture.style.visibility = "visible";
    canvas.after(picture);
  }
};

gl.line = (points, options) => L.polyline(points, { renderer: gl.renderer, ...options });

gl.hint = (layer, build) => {
  layer.bindTooltip(() => build(), { sticky: true, className: "gl-tip", opacity: 1 });
  return layer;
};

gl.tip = (title, lines) => {
  const box = gl.make("div");
  gl.add(box, gl.make("strong", "gl-clip", title));
  for (const line of lines) gl.add(box, gl.make("div", "gl-clip", line));
  return box;
};

gl.rankText = (table, k) => (table.issued[k] ? "Rank " + table.rank[k] : "No rank given");

gl.drawBase = () => {
  const base = gl.data.base;
  const still = { renderer: gl.baseRenderer, interactive: false };
  const add = (features, isFilled, style) => {
    for (const feature of features) {
      const rings = gl.rings(feature);
      const layer = isFilled ? L.polygon(rings.map((ring) => [ring]), still) : L.polyline(rings, still);
      layer.addTo(gl.map);
      gl.restyle.push(() => layer.setStyle(style()));
    }
  };
  /* Without a coast nobody knows what is sea: what surrounds the land is then plain. */
  gl.map.getContainer().classList.toggle("gl-no-sea", base.far.length === 0);
  add(base.far, true, () => ({ color: gl.cssColour("coast"), weight: 0.8, fillColor: gl.cssColour("far"), fillOpacity: 1 }));
  add(base.land, true, () => ({ color: gl.cssColour("edge"), weight: 1.5, fillColor: gl.cssColour("land"), fillOpacity: 1 }));
  add(base.areas, false, () => ({ color: gl.cssColour("area"), weight: 0.6 }));
  add(base.coast, false, () => ({ color: gl.cssColour("coast"), weight: 1.5 }));
  add(base.roads, false, () => ({ color: gl.cssColour("road"), weight: 1.2 }));
  add(gl.data.links.path, false, () => ({ color: gl.cssColour("track"), weight: 1.4 }));
};

gl.drawBands = () => {
  const bands = gl.data.bands;
  const layers = bands.path.map((feature, k) => {
    const layer = L.polygon(gl.rings(feature).map((ring) => [ring]), { renderer: gl.renderer });
    gl.restyle.push(() =>
      layer.setStyle({ color: gl.cssColour("band"), weight: 0.7, opacity: 0.6, dashArray: "2 4", fillColor: gl.cssColour("band"), fillOpacity: 0.02 + 0.05 * bands.band[k] })
    );
    return gl.hint(layer, () => gl.tip("Cuckooing: band " + bands.band[k] + " of 4", ["An area, never an address"]));
  });
  gl.group("bands", layers, false);
};

gl.drawHotspots = () => {
  const spots = gl.data.hotspots;
  gl.spotLayers = spots.path.map((feature, k) => {
    const layer = L.polygon(gl.rings(feature).map((ring) => [ring]), { renderer: gl.renderer });
    return gl.hint(layer, () => gl.tip("Hotspot \u00b7 " + spots.methods[spots.method[k]], gl.spotLines(k)));
  });
  gl.group("hotspots", [], true);
  gl.hotspotView = { method: 0, month: -1 };
};

gl.spotCount = (k) => {
  const spots = gl.data.hotspots;
  const month = gl.hotspotView.month;
  if (month < 0) return spots.n[k];
  const found = spots.counts[k].find((pair) => pair[0] === month);
  if (found) return found[1];
  return spots.has_counts || month < spots.first[k] || month > spots.last[k] ? 0 : null;
};

gl.spotLines = (k) => {
  const spots = gl.data.hotspots;
  const count = gl.spotCount(k);
  const month = gl.hotspotView.month;
  const when = month < 0 ? spots.months[spots.first[k]] + " to " + spots.months[spots.last[k]] : spots.months[month];
  const lines = [(count === null ? "some, too few to show" : gl.number(count, 0)) + " offences, " + when, gl.number(spots.area_km2[k], 2) + " square km"];
  if (spots.z[k] !== null) lines.push("Strength z " + gl.number(spots.z[k]) + (spots.q[k] === null ? "" : ", adjusted p " + gl.number(spots.q[k], 3)));
  if (spots.station[k] !== null) lines.push(spots.station[k] + (spots.walk[k] === null ? "" : ", " + gl.number(spots.walk[k], 0) + " min walk"));
  return lines;
};

gl.showHotspots = () => {
  const spots = gl.data.hotspots;
  const group = gl.groups.hotspots;
  group.clearLayers();
  let shown = 0;
  gl.spotLayers.forEach((layer, k) => {
    const count = gl.spotCount(k);
    if (spots.method[k] !== gl.hotspotView.method || count === 0) return;
    const strength = count === null ? 0.2 : Math.min(0.75, 0.25 + 0.1 * Math.log2(1 + count / 5));
    layer.setStyle({ color: gl.cssColour("spot"), weight: 1.4, dashArray: count === null ? "2 3" : null, fillColor: gl.cssColour("spot"), fillOpacity: strength });
    group.addLayer(layer);
    shown += 1;
  });
  gl.reorder();
  return shown;
};

gl.drawLinks = () => {
  const links = gl.data.links;
  gl.linkView = { origin: -1, flow: [], breaks: [] };
  gl.linkLayers = links.path.map((feature, k) => {
    const layer = gl.line(gl.rings(feature), { lineCap: "round" });
    return gl.hint(layer, () => gl.tip(links.from[k] + " \u2013 " + links.to[k], gl.linkLines(k)));
  });
  gl.group("links", [], true);
  gl.restyle.push(() => gl.showLinks());
};

gl.linkLines = (k) => {
  const links = gl.data.links;
  const lines = [gl.trips(gl.linkView.flow[k]) + " courier trips a month", gl.number(links.km[k]) + " km, " + links.minutes[k] + " min"];
  if (gl.linkView.origin < 0) {
    const parts = links.flow[k].slice().sort((a, b) => b[1] - a[1]).slice(0, 4);
    for (const [origin, trips] of parts) lines.push(links.origins[origin] + ": " + gl.trips(trips));
  } else lines.push("from " + links.origins[gl.linkView.origin]);
  return lines;
};

gl.showLinks = () => {
  const links = gl.data.links;
  const origin = gl.linkView.origin;
  const ofOne = (parts) => parts.reduce((sum, [at, trips]) => (at === origin ? sum + trips : sum), 0);
  gl.linkView.flow = origin < 0 ? links.total : links.flow.map(ofOne);
  const breaks = (gl.linkView.breaks = gl.flowBreaks(gl.linkView.flow));
  const colours = gl.palette("cividis");
  const group = gl.groups.links;
  group.clearLayers();
  gl.linkLayers.forEach((layer, k) => {
    if (gl.linkView.flow[k] <= 0) return;
    const at = gl.classOf(gl.linkView.flow[k], breaks);
    layer.setStyle({ color: colours[at], weight: gl.flowWidth[at], opacity: 0.95 });
    group.addLayer(layer);
  });
  gl.reorder();
};

gl.drawTowns = () => {
  const towns = gl.data.towns;
  gl.townLayers = towns.id.map((id, k) => {
    const layer = new gl.Symbol([towns.lat[k], towns.lon[k]], { renderer: gl.renderer, shape: "square", radius: 5 });
    gl.restyle.push(() => {
      const isSeen = towns.observed[k] !== null && towns.observed[k] > 0;
      const isLatent = towns.latent[k] !== null;
      layer.setRadius(isSeen ? 5 + Math.min(7, towns.observed[k]) : isLatent ? 3.5 + towns.latent[k] / 20 : 3.5);
      layer.setStyle({ color: gl.cssColour(isSeen ? "ink" : "town"), weight: isSeen ? 1.2 : 1.6, fillColor: isSeen ? gl.cssColour("town") : gl.cssColour("land"), fillOpacity: isSeen ? 0.9 : 0.55 });
    });
    layer.on("click", () => gl.select("towns", k, { isFromMap: true }));
    return gl.hint(layer, () => gl.tip(towns.name[k], gl.townLines(k)));
  });
  gl.group("towns", [], true);
  gl.map.on("zoomend", gl.showTowns);
  gl.restyle.push(gl.showTowns);
};

/* From afar only the towns that matter most; the rest as the map comes closer. */
gl.TOWN_ZOOM = 10;
gl.FAR_TOWNS = 20;
gl.showTowns = () => {
  const towns = gl.data.towns;
  const isNear = gl.map.getZoom() >= gl.TOWN_ZOOM;
  const group = gl.groups.towns;
  const isWanted = (k) => isNear || towns.rank[k] <= gl.FAR_TOWNS || (towns.observed[k] || 0) > 0;
  gl.townLayers.forEach((layer, k) => {
    if (isWanted(k) !== group.hasLayer(layer)) group[isWanted(k) ? "addLayer" : "removeLayer"](layer);
  });
  gl.reorder();
};

gl.townLines = (k) => {
  const towns = gl.data.towns;
  const lines = [gl.rankText(towns, k) + ", tier " + towns.tier[k]];
  if (towns.observed[k] !== null) lines.push(gl.number(towns.observed[k], 0) + " deal lines recorded");
  if (towns.latent[k] !== null) lines.push("No line recorded; exposure " + gl.number(towns.latent[k], 0) + " of 100");
  return lines;
};

gl.drawOthers = () => {
  const others = gl.data.others;
  const layers = others.id.map((id, k) => {
    const layer = new gl.Symbol([others.lat[k], others.lon[k]], { renderer: gl.renderer, radius: 2.5 });
    gl.restyle.push(() => layer.setStyle({ color: gl.cssColour("track"), weight: 1, fillColor: gl.cssColour("land"), fillOpacity: 1 }));
    return gl.hint(layer, () => gl.tip(others.name[k] + " (" + id + ")", ["Not scored in this run"]));
  });
  gl.group("others", layers, true);
};

gl.drawStations = () => {
  const stations = gl.data.stations;
  gl.scoreView = { breaks: gl.scoreBreaks(stations.score), palette: "magma" };
  gl.stationLayers = stations.id.map((id, k) => {
    const isTop = stations.rank[k] <= 10 && stations.issued[k];
    const layer = new gl.Symbol([stations.lat[k], stations.lon[k]], {
      renderer: gl.renderer,
      radius: gl.tierRadius[stations.tier[k]] + (isTop && stations.tier[k] === "C" ? 3 : 0),
      isTop,
      text: isTop ? String(stations.rank[k]) : "",
    });
    gl.restyle.push(() => gl.styleStation(k));
    layer.on("click", () => gl.select("stations", k, { isFromMap: true }));
    return gl.hint(layer, () =>
      gl.tip(stations.name[k] + " (" + id + ")", [gl.rankText(stations, k) + " (90 % range " + stations.low[k] + " to " + stations.high[k] + "), tier " + stations.tier[k], "Score " + gl.points(stations, k, stations.score[k]) + ". Click for the reasons"])
    );
  });
  /* Low ranks first, so that the stations that matter lie on top. */
  gl.group("stations", gl.stationLayers.slice().reverse(), true);
  gl.map.on("zoomend", gl.sizeStations);
  gl.restyle.push(gl.sizeStations);
};

/* From afar, a whole country's stations would hide each other: all but the first tiers shrink. */
gl.sizeStations = () => {
  const { tier } = gl.data.stations;
  const share = Math.min(1, Math.max(0.3, (gl.map.getZoom() - 5.5) / 3));
  if (share === gl.scoreView.share) return;
  gl.scoreView.share = share;
  gl.stationLayers.forEach((layer, k) => {
    if (tier[k] !== "A" && tier[k] !== "B" && !layer.options.isTop) layer.setRadius(gl.tierRadius[tier[k]] * share);
  });
};

gl.styleStation = (k) => {
  const stations = gl.data.stations;
  const isChosen = gl.selected && gl.selected.kind === "stations" && gl.selected.at === k;
  const isKnown = stations.tier[k] !== "insufficient data";
  const fill = isKnown ? gl.palette(gl.scoreView.palette)[gl.classOf(stations.score[k], gl.scoreView.breaks)] : gl.cssColour("land");
  gl.stationLayers[k].setStyle({ color: isChosen ? gl.cssColour("focus") : gl.cssColour("ink"), weight: isChosen ? 4 : 1.1, dashArray: isKnown ? null : "2 2", fillColor: fill, fillOpacity: 1 });
};

gl.drawLabels = () => {
  const { stations, towns, others } = gl.data;
  const names = [];
  const zooms = { A: 0, B: 0, C: 10, "insufficient data": 11 };
  stations.id.forEach((id, k) => {
    const tier = stations.tier[k];
    const isTop = stations.rank[k] <= 10;
    names.push({ text: stations.name[k], lat: stations.lat[k], lon: stations.lon[k], zoom: isTop ? 0 : zooms[tier], weight: isTop ? 3e9 - stations.rank[k] : 1e6 - stations.rank[k], gap: gl.tierRadius[tier] + 5, isStrong: isTop });
  });
  towns.id.forEach((id, k) => {
    const size = towns.population[k] || 0;
    names.push({ text: towns.name[k], lat: towns.lat[k], lon: towns.lon[k], zoom: size > 50000 ? 0 : size > 10000 ? 9 : 10, weight: 2e6 + size, gap: 9, isStrong: false });
  });
  others.id.forEach((id, k) => names.push({ text: others.name[k], lat: others.lat[k], lon: others.lon[k], zoom: 11, weight: 0, gap: 6, isStrong: false }));
  gl.labels = new gl.Labels(names);
  gl.labels.addTo(gl.map);
};
