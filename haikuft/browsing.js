// Finds its own table, adds the controls, and changes nothing else on the page.
(function () {
  var box = document.getElementById("ID");
  if (!box || box.dataset.ready) { return; }
  box.dataset.ready = "yes";
  var PAGE = 10, page = 0;
  var body = box.querySelector("tbody"), rows = Array.from(body.rows);
  var controls = document.createElement("div"), filters = [];
  controls.className = "controls";
  function rank(a, b) {
    if (a.dataset.key && b.dataset.key) { return a.dataset.key - b.dataset.key; }
    return a.textContent.localeCompare(b.textContent, undefined, { numeric: true });
  }
  function addButton(text) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    return button;
  }
  function show() {
    var kept = rows.filter(function (row) {
      return filters.every(function (test) { return test(row); });
    });
    var last = Math.max(0, Math.ceil(kept.length / PAGE) - 1);
    page = Math.min(Math.max(page, 0), last);
    var shown = kept.slice(page * PAGE, (page + 1) * PAGE);
    rows.forEach(function (row) { row.style.display = shown.includes(row) ? "" : "none"; });
    previous.disabled = page === 0;
    next.disabled = page === last;
    count.textContent = kept.length + " of " + rows.length + " records" + (shown.length < kept.length
      ? ", shown: " + (page * PAGE + 1) + " to " + (page * PAGE + shown.length) : "");
  }
  function restart() { page = 0; show(); }
  function turn(pages) {
    page += pages;
    show();
    box.querySelector(".rows").scrollTop = 0;
  }
  var search = document.createElement("input"), count = document.createElement("span");
  var previous = addButton("Previous"), next = addButton("Next");
  search.type = "search";
  search.placeholder = "Search";
  search.setAttribute("aria-label", "Search the records");
  search.addEventListener("input", restart);
  count.setAttribute("role", "status");
  previous.addEventListener("click", function () { turn(-1); });
  next.addEventListener("click", function () { turn(1); });
  filters.push(function (row) {
    return row.textContent.toLowerCase().indexOf(search.value.toLowerCase()) >= 0;
  });
  controls.appendChild(search);
  Array.from(box.querySelectorAll("th")).forEach(function (head, at) {
    var button = addButton(head.textContent);
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var down = head.getAttribute("aria-sort") === "ascending";
      box.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort(function (a, b) {
        var order = rank(a.cells[at], b.cells[at]);
        return down ? -order : order;
      });
      rows.forEach(function (row) { body.appendChild(row); });
      restart();
    });
    if (!head.hasAttribute("data-choose")) { return; }
    var choice = document.createElement("select"), counts = new Map();
    choice.setAttribute("aria-label", "Show only one " + button.textContent);
    rows.forEach(function (row) {
      var text = row.cells[at].textContent;
      counts.set(text, (counts.get(text) || 0) + 1);
    });
    choice.add(new Option("any " + button.textContent, ""));
    counts.forEach(function (number, text) {
      choice.add(new Option(text + " (" + number + ")", "=" + text));
    });
    choice.addEventListener("change", restart);
    filters.push(function (row) {
      return !choice.value || choice.value === "=" + row.cells[at].textContent;
    });
    controls.appendChild(choice);
  });
  var turns = document.createElement("span");
  turns.className = "turn";
  turns.append(previous, next);
  controls.append(count, turns);
  box.insertBefore(controls, box.querySelector(".rows"));
  show();
})();
