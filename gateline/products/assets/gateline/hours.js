/* The week of a station: a row a day, a cell an hour, the darker the more of its courier trips are made then. */
gl.DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

gl.svg = (tag, values, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
};

gl.stationHours = (box, table, at) => {
  if (!table.weeks) return;
  gl.add(box, gl.make("h3", "", "Hours: half of its trips in " + table.busy_hours[at]));
  const week = table.weeks[table.week[at]];
  const told = "Courier trips by hour of the week: " + Math.round(100 * table.busy_share[at]) + " % of them in " + table.busy_hours[at];
  const strip = gl.svg("svg", { class: "gl-week", viewBox: "0 0 340 118", role: "img", "aria-label": told });
  for (const hour of [0, 6, 12, 18, 24]) strip.appendChild(gl.svg("text", { x: 34 + 12.5 * hour, y: 10, "text-anchor": hour === 24 ? "end" : hour === 0 ? "start" : "middle" }, String(hour).padStart(2, "0") + ":00"));
  gl.DAYS.forEach((day, row) => {
    strip.appendChild(gl.svg("text", { x: 0, y: 26 + 15 * row }, day));
    for (let hour = 0; hour < 24; hour += 1) {
      const level = week[24 * row + hour];
      strip.appendChild(gl.svg("rect", { class: "gl-hour-" + level, x: 34 + 12.5 * hour, y: 15 + 15 * row, width: 11.5, height: 13 }));
    }
  });
  gl.add(box, strip, gl.make("p", "gl-small", "The stronger the colour, the more trips; none where there is none. Rests on " + table.hours_basis[at] + "."));
};

/* What a meeting on the platform needs: gates, staff, first and last trains. */
gl.stationMeeting = (box, table, at) => {
  if (!table.meetings) return;
  gl.add(box, gl.make("h3", "", "Gates, staff and trains"));
  gl.facts(box, table.meetings[table.meeting[at]]);
};
