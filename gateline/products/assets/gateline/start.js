/* Build the page once everything above is in place, and say when it is ready to use. */
gl.fillMarks();
gl.fillAbout();
gl.buildMap();
gl.theme.isDark = window.matchMedia("(prefers-color-scheme: dark)").matches;
gl.fit();
gl.buildSide();
gl.buildPanel();
gl.buildTools();
gl.applyTheme();
document.documentElement.dataset.glReady = "true";
