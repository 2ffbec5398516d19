// What others' scripts leave undone on every page.
addEventListener("DOMContentLoaded", () => {
  // The widgets' manager asks MathJax 2 to set formulas: this is MathJax 3, and widgets hold none.
  if (window.MathJax) MathJax.Hub = { Queue() {} };
  // A fold is called what is written on it.
  for (const fold of document.querySelectorAll("summary[aria-label='Toggle hidden content']")) fold.removeAttribute("aria-label");
});
// The theme lets the keyboard reach what scrolls when the window changes: also when a fold is opened.
addEventListener("toggle", () => dispatchEvent(new Event("resize")), true);
