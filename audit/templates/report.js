// One click plays a finding's stretch of its clip; a second stops it; only one plays at a time.
(function () {
  "use strict";
  var words = { play: {{ w["play"] | tojson }}, stop: {{ w["stop"] | tojson }} };
  var active = null;

  function stop() {
    if (!active) return;
    active.audio.pause();
    active.audio.ontimeupdate = active.audio.onended = null;
    show(active.button, words.play, 0, false);
    active = null;
  }

  function show(button, label, share, playing) {
    button.querySelector(".label").textContent = label;
    button.querySelector(".progress i").style.width = 100 * share + "%";
    button.classList.toggle("playing", playing);
  }

  function play(button) {
    var audio = document.getElementById(button.dataset.clip);
    var from = Number(button.dataset.from), to = Number(button.dataset.to);
    active = { button: button, audio: audio };
    show(button, words.stop, 0, true);
    audio.ontimeupdate = function () {
      show(button, words.stop, Math.min(1, (audio.currentTime - from) / (to - from)), true);
      if (audio.currentTime >= to) stop();
    };
    audio.onended = stop;
    audio.currentTime = from;
    audio.play();
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("button[data-clip]");
    if (!button) return;
    var again = active && active.button === button;
    stop();
    if (!again) play(button);
  });
})();
