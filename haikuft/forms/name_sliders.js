(function () {
  var tries = 0;
  (function look() {
    document.querySelectorAll(".haikuft-slider").forEach(function (slider) {
      var handle = slider.querySelector("[role=slider]"), named = slider.querySelector("[title]");
      if (handle && named) { handle.setAttribute("aria-label", named.title); }
    });
    tries += 1;
    if (tries < 40) { setTimeout(look, 250); }
  })();
})();
