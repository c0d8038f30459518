/* Colours and sizes. Lightness runs one way in every palette, so that a greyscale print keeps the order. */
gl.theme = { isDark: false, colours: new Map() };

/* Asking the browser for a colour is slow: once for each theme. */
gl.cssColour = (name) => {
  const known = gl.theme.colours;
  if (!known.has(name)) known.set(name, getComputedStyle(document.documentElement).getPropertyValue("--gl-" + name).trim());
  return known.get(name);
};

/* The strongest class is darkest on white and lightest on black. */
gl.palette = (name) => {
  const colours = gl.data.palettes[name];
  return gl.theme.isDark ? colours : colours.slice().reverse();
};

gl.classOf = (value, breaks) => {
  let at = 0;
  while (at < breaks.length && value >= breaks[at]) at += 1;
  return at;
};

/* Scores are shares and as skewed as flows: the same steps of 1, 2, 5, 10. */
gl.scoreBreaks = (scores) => gl.flowBreaks(scores);

/* Flows are skewed: the four steps of 1, 2, 5, 10 below the highest keep the main corridors apart. */
gl.flowBreaks = (flows) => {
  let top = 0;
  for (const flow of flows) top = Math.max(top, flow);
  if (top <= 0) return [0.1, 0.2, 0.5, 1];
  const steps = [];
  for (let power = Math.floor(Math.log10(top)); steps.length < 4; power -= 1) {
    for (const digit of [5, 2, 1]) {
      const step = Number((digit * 10 ** power).toPrecision(1));
      if (step < top && steps.length < 4) steps.unshift(step);
    }
  }
  return steps;
};

gl.rangeText = (breaks, at, unit) => {
  const text = (value) => gl.number(value, value < 0.01 ? 5 : value < 10 ? 2 : 0);
  if (at === 0) return "under " + text(breaks[0]) + unit;
  if (at === breaks.length) return text(breaks[at - 1]) + unit + " and over";
  return text(breaks[at - 1]) + " to " + text(breaks[at]) + unit;
};

gl.tierRadius = { A: 11, B: 9, C: 5.5, "insufficient data": 4 };
gl.flowWidth = [1.5, 2.5, 4, 6, 9];

/* Dark text on a light fill and the reverse, by the fill's luminance. */
gl.inkOn = (hex) => {
  const part = (at) => parseInt(hex.slice(at, at + 2), 16);
  return 0.299 * part(1) + 0.587 * part(3) + 0.114 * part(5) > 140 ? "#000000" : "#ffffff";
};
