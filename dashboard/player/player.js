// The player: waveform, findings as regions, transcript; one component, so that a click on a turn is heard at once.
//
// Python calls it with plain data (dashboard/player/__init__.py). Whatever people said or wrote enters the page as
// text (textContent), never as markup. WaveSurfer and Regions stand in front of this file when it is served.

const SPEEDS = [0.75, 1, 1.25, 1.5, 2]
const STEP_S = 3
const QUIET_AFTER_SCROLL_MS = 4000
const players = new WeakMap()

export default function mount({ parentElement, data, setStateValue }) {
  if (!data) return undefined
  const host = parentElement.querySelector(".ca-player")
  let player = players.get(host)
  if (!player) {
    player = new Player(host, setStateValue)
    players.set(host, player)
  }
  player.update(data)
  return () => {
    player.destroy()
    players.delete(host)
  }
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value)
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value)
  }
  made.append(...children)
  return made
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  const minutes = String(Math.floor(whole / 60)).padStart(2, "0")
  return `${minutes}:${String(whole % 60).padStart(2, "0")}`
}

// Python counts characters, JavaScript counts UTF-16 units.
const characters = (text) => Array.from(text).length

class Player {
  constructor(host, setStateValue) {
    this.host = host
    this.send = setStateValue
    this.shown = {}
    this.current = -1
    this.loop = null
    this.scrolledAt = 0
    this.onKey = (event) => this.key(event)
    this.onSelect = () => this.selectionChanged()
    document.addEventListener("keydown", this.onKey)
    document.addEventListener("selectionchange", this.onSelect)
  }

  destroy() {
    document.removeEventListener("keydown", this.onKey)
    document.removeEventListener("selectionchange", this.onSelect)
    clearTimeout(this.selecting)
    this.wave?.destroy()
    this.host.replaceChildren()
  }

  // Only what changed is built anew: a verdict given beside the player must not stop the sound.
  update(data) {
    const changed = (name) => JSON.stringify(data[name]) !== JSON.stringify(this.shown[name])
    const [frame, sound, dialogue] = [changed("words"), changed("sound"), changed("turns") || changed("hits")]
    const focus = changed("focus")
    this.data = data
    this.w = data.words
    if (frame) this.buildFrame()
    if (frame || sound) this.buildSound()
    if (frame || dialogue) this.buildDialogue()
    if (dialogue && !sound) this.buildRegions()
    if (frame || focus) this.goTo(data.focus)
    this.shown = structuredClone({ words: data.words, sound: data.sound, turns: data.turns, hits: data.hits, focus: data.focus })
  }

  // the frame: tools, waveform, transcript

  buildFrame() {
    const w = this.w
    this.playButton = this.button("▶", w.play, () => this.toggle(), "Space")
    this.loopButton = this.button("↻", w.loop, () => this.toggleLoop(), "L")
    this.loopButton.setAttribute("aria-pressed", "false")
    this.time = element("span", { class: "ca-time", "data-testid": "player-time" })
    this.tip = element("div", { class: "ca-tip", role: "tooltip", id: `${this.host.id}-tip`, hidden: "" })
    this.status = element("span", { class: "ca-status", role: "status", "aria-live": "polite" })
    this.wavebox = element("div", {
      class: "ca-wave", role: "slider", tabindex: "0", "aria-label": w.position, "aria-valuemin": "0",
    })
    this.channels = element("div", { class: "ca-channels", "aria-hidden": "true" })
    this.missing = element("p", { class: "ca-missing", role: "note", hidden: "" })
    this.list = element("ol", { class: "ca-turns", "aria-label": w.transcript })
    for (const gesture of ["wheel", "touchmove", "pointerdown"]) {
      this.list.addEventListener(gesture, () => { this.scrolledAt = Date.now() }, { passive: true })
    }
    this.tools = element("div", { class: "ca-tools", role: "toolbar", "aria-label": w.tools },
      this.playButton, this.time,
      this.button("‹", w.turn_back, () => this.step(-1), ","),
      this.button("›", w.turn_on, () => this.step(1), "."),
      this.loopButton, this.speedChoice(), this.zoomChoice(), this.status)
    this.stage = element("div", { class: "ca-stage" }, this.channels, this.wavebox)
    this.host.setAttribute("role", "region")
    this.host.setAttribute("aria-label", w.player)
    this.host.replaceChildren(this.missing, this.tools, this.stage, this.list, this.tip,
      element("p", { class: "ca-keys", text: w.keys }))
  }

  button(icon, label, act, key) {
    return element("button", { type: "button", title: `${label} (${key})`, "aria-label": label, "aria-keyshortcuts": key, onclick: act },
      element("span", { "aria-hidden": "true", text: icon }), element("span", { class: "ca-word", text: label }))
  }

  speedChoice() {
    const options = SPEEDS.map((speed) => element("option", { value: String(speed), text: `${speed}×` }))
    this.speed = element("select", { "aria-label": this.w.speed, title: `${this.w.speed} ([ ])`, onchange: () => this.setSpeed() }, ...options)
    this.speed.value = "1"
    return element("label", { class: "ca-field" }, element("span", { text: this.w.speed }), this.speed)
  }

  zoomChoice() {
    this.zoom = element("input", { type: "range", min: "0", max: "100", value: "0", step: "5", "aria-label": this.w.zoom, oninput: () => this.setZoom() })
    return element("label", { class: "ca-field" }, element("span", { text: this.w.zoom }), this.zoom)
  }

  // the sound

  buildSound() {
    this.wave?.destroy()
    this.wave = null
    this.setLoop(null)
    const { sound } = this.data
    this.missing.hidden = Boolean(sound)
    this.missing.textContent = this.data.missing || ""
    for (const part of [this.tools, this.stage]) part.hidden = !sound
    if (!sound) return
    this.channels.replaceChildren(...sound.labels.map((label) => element("span", { text: label })))
    this.makeWave(sound)
    this.showTime(0)
  }

  makeWave(sound) {
    const colour = (name) => getComputedStyle(this.host).getPropertyValue(name).trim()
    const lanes = sound.peaks.map((_, at) => ({
      waveColor: colour(at ? "--ca-lane-1" : "--ca-lane-0"), progressColor: colour(at ? "--ca-lane-1-played" : "--ca-lane-0-played"), overlay: false,
    }))
    this.regions = Regions.create()
    this.wave = WaveSurfer.create({
      container: this.wavebox, height: 46, splitChannels: lanes, cursorColor: colour("--ca-cursor"), cursorWidth: 2,
      peaks: sound.peaks.map((lane) => lane.map((peak) => peak / 100)), duration: sound.duration, url: sound.url,
      dragToSeek: true, autoScroll: true, plugins: [this.regions],
    })
    const wave = this.wave
    wave.on("ready", () => this.buildRegions())  // before that a region knows no length to be placed in
    wave.on("timeupdate", (now) => this.showTime(now))
    wave.on("play", () => this.showPlaying(true))
    wave.on("pause", () => this.showPlaying(false))
    wave.on("finish", () => this.showPlaying(false))
    wave.on("error", () => { this.missing.textContent = this.w.unplayable; this.missing.hidden = false })
    this.regions.on("region-clicked", (region, event) => {
      event.stopPropagation()
      this.playHit(Number(region.id))
    })
    this.setSpeed()
    this.setZoom()
  }

  buildRegions() {
    if (!this.wave?.getDuration()) return
    this.regions.clearRegions()
    this.data.hits.forEach((hit, at) => {
      if (hit.end <= hit.start) return
      const label = element("span", { class: "ca-flag", title: `${hit.label}：${hit.title}`, text: hit.icon })
      const region = this.regions.addRegion({ id: String(at), start: hit.start, end: hit.end, content: label, drag: false, resize: false, color: "transparent" })
      if (!region?.element) return
      region.element.setAttribute("aria-label", `${hit.label}：${hit.title} ${clock(hit.start)}`)
      region.element.style.backgroundColor = `color-mix(in srgb, ${this.colourOf(hit.style)} 26%, transparent)`
      region.element.style.borderLeft = `2px solid ${this.colourOf(hit.style)}`
      label.style.cssText = `font: 600 11px/1.3 sans-serif; white-space: nowrap; padding: 0 3px; color: ${this.colourOf(hit.style)}`
    })
  }

  colourOf(style) {
    return getComputedStyle(this.host).getPropertyValue(`--ca-${style}`).trim()
  }

  toggle() {
    this.wave?.playPause()
  }

  play(from) {
    if (!this.wave) return
    this.wave.setTime(Math.max(0, from))
    this.wave.play().catch(() => this.showPlaying(false))
  }

  setSpeed() {
    this.wave?.setPlaybackRate(Number(this.speed.value), true)
  }

  setZoom() {
    const share = Number(this.zoom.value) / 100
    if (this.wave && this.wave.getDuration()) this.wave.zoom(share ? 4 + 96 * share : 0)
  }

  setLoop(range) {
    this.loop = range
    this.loopButton.setAttribute("aria-pressed", String(Boolean(range)))
    this.status.textContent = range ? `${this.w.looping} ${clock(range.start)}–${clock(range.end)}` : ""
  }

  // The finding under the cursor, else the turn.
  toggleLoop() {
    if (this.loop || !this.wave) return this.setLoop(null)
    const now = this.wave.getCurrentTime()
    const hit = this.data.hits.find((one) => one.start < one.end && one.start <= now && now < one.end)
    const range = hit || this.data.turns[Math.max(0, this.current)]
    if (range && range.end > range.start) this.setLoop({ start: range.start, end: range.end })
    return undefined
  }

  showPlaying(playing) {
    this.playButton.firstChild.textContent = playing ? "❚❚" : "▶"
    const label = playing ? this.w.pause : this.w.play
    this.playButton.setAttribute("aria-label", label)
    this.playButton.lastChild.textContent = label
  }

  showTime(now) {
    if (this.loop && now >= this.loop.end) return this.wave.setTime(this.loop.start)
    const total = this.data.sound.duration
    this.time.textContent = `${clock(now)} / ${clock(total)}`
    this.wavebox.setAttribute("aria-valuemax", String(Math.round(total)))
    this.wavebox.setAttribute("aria-valuenow", String(Math.round(now)))
    this.wavebox.setAttribute("aria-valuetext", this.time.textContent)
    return this.light(this.turnAt(now))
  }

  // the transcript

  buildDialogue() {
    this.current = -1
    this.list.replaceChildren(...this.data.turns.map((turn, at) => this.turnRow(turn, at)))
    if (!this.data.turns.length) this.list.append(element("li", { class: "ca-silent", text: this.w.silent }))
  }

  turnRow(turn, at) {
    const label = `${turn.who} ${clock(turn.start)}`
    const words = element("span", { class: "ca-text" })
    turn.parts.forEach(([text, style, hits], n) => {
      const goesOn = n > 0 && turn.parts[n - 1][1] === style // the sign stands once before marks of one style
      words.append(hits.length ? this.mark(text, style, hits, goesOn) : document.createTextNode(text))
    })
    const head = element("button", {
      type: "button", class: "ca-when", tabindex: at ? "-1" : "0", "aria-label": `${label} ${this.w.hear_turn}`,
      onkeydown: (event) => this.turnKey(event, at),
    }, element("span", { class: "ca-who", text: turn.who }), element("span", { class: "ca-at", text: clock(turn.start) }))
    return element("li", { class: `ca-turn ca-${turn.role}`, "data-turn": String(turn.n), onclick: () => this.hearTurn(at) },
      head, element("span", { class: "ca-said" }, words, this.reading(turn)))
  }

  // What was probably said where the recogniser mixed up homophones.
  reading(turn) {
    return turn.reading ? element("span", { class: "ca-reading", text: `${this.w.reading}：${turn.reading}` }) : ""
  }

  mark(text, style, hits, goesOn) {
    const found = hits.map((at) => this.data.hits[at])
    const said = found.map((hit) => `${hit.label}：${hit.title}`).join("；")
    const show = (event) => this.showTip(event.currentTarget, found)
    return element("mark", {
      class: `ca-mark ca-${style}`, tabindex: "0", "aria-label": `${text}（${said}）`, "aria-describedby": this.tip.id,
      onmouseenter: show, onfocus: show, onmouseleave: () => this.hideTip(), onblur: () => this.hideTip(),
    }, ...(goesOn ? [] : [element("span", { class: "ca-icon", "aria-hidden": "true", "data-icon": found[0].icon })]), document.createTextNode(text))
  }

  showTip(mark, hits) {
    const line = (label, text) => (text ? [element("dt", { text: label }), element("dd", { text })] : [])
    this.tip.replaceChildren(...hits.map((hit) => element("section", { class: `ca-${hit.style}` },
      element("strong", { text: `${hit.icon} ${hit.label} · ${hit.title}` }),
      element("dl", {}, ...line(this.w.because, hit.because), ...line(this.w.heard_as, hit.heard_as),
        ...line(this.w.clause, hit.clause), ...line(this.w.state, hit.state)))))
    this.tip.hidden = false
    const [box, at] = [this.host.getBoundingClientRect(), mark.getBoundingClientRect()]
    this.tip.style.left = `${Math.max(0, Math.min(at.left - box.left, box.width - this.tip.offsetWidth - 8))}px`
    const below = at.bottom - box.top + 6
    const fits = at.bottom + this.tip.offsetHeight + 12 < window.innerHeight
    this.tip.style.top = `${fits ? below : at.top - box.top - this.tip.offsetHeight - 6}px`
  }

  hideTip() {
    this.tip.hidden = true
  }

  turnAt(now) {
    let found = -1
    this.data.turns.forEach((turn, at) => { if (turn.start <= now + 0.02) found = at })
    return found
  }

  light(at) {
    if (at === this.current) return
    const rows = this.list.children
    rows[this.current]?.removeAttribute("aria-current")
    this.current = at
    const row = rows[at]
    if (!row) return
    row.setAttribute("aria-current", "true")
    this.roam(at)
    if (Date.now() - this.scrolledAt > QUIET_AFTER_SCROLL_MS) this.show(row)
  }

  // Within the list only: the page itself stays where it is.
  show(row) {
    const [top, bottom] = [row.offsetTop - this.list.offsetTop, row.offsetTop - this.list.offsetTop + row.offsetHeight]
    const { scrollTop, clientHeight } = this.list
    if (top < scrollTop + 24 || bottom > scrollTop + clientHeight - 24) {
      this.list.scrollTop = top - clientHeight / 3
    }
  }

  roam(at) {
    this.list.querySelectorAll(".ca-when").forEach((head, n) => head.setAttribute("tabindex", n === at ? "0" : "-1"))
  }

  hearTurn(at) {
    if (String(window.getSelection())) return
    this.scrolledAt = 0
    if (this.loop) this.setLoop(null)
    if (this.wave) this.play(this.data.turns[at].start)
    else this.light(at)
  }

  playHit(at) {
    const hit = this.data.hits[at]
    if (this.loop) this.setLoop({ start: hit.start, end: hit.end })
    this.scrolledAt = 0
    this.play(hit.start)
  }

  goTo(focus) {
    if (!focus) return
    const at = this.data.turns.findIndex((turn) => turn.n === focus.turn)
    const hit = this.data.hits.find((one) => one.key === focus.key)
    const start = hit && hit.end > hit.start ? hit.start : this.data.turns[at]?.start
    if (this.wave && start !== undefined) this.wave.setTime(start)
    this.scrolledAt = 0
    this.current = -1
    this.light(at >= 0 ? at : this.turnAt(start ?? -1))
    const row = this.list.children[at]
    if (row) this.show(row)
  }

  // keys

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.host.isConnected) return
    const inside = this.host.contains(event.target)
    const typing = event.target.closest?.("input:not([type=range]), textarea, select, [contenteditable=true], [role=combobox], [role=dialog]")
    if (typing) return
    const control = event.target.closest?.("button, a, summary, input, [role=slider]:not(.ca-wave), [role=radio], [role=tab], [role=option]")
    const act = this.keys()[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!act) return
    if (control && (event.key === " " || event.key.startsWith("Arrow")) && (!inside || !event.target.matches(".ca-when"))) return
    event.preventDefault()
    event.stopPropagation()
    act()
  }

  keys() {
    if (!this.wave) return { ",": () => this.step(-1), ".": () => this.step(1), m: () => this.selectTurn() }
    const jump = (by) => this.wave.setTime(Math.min(this.data.sound.duration, Math.max(0, this.wave.getCurrentTime() + by)))
    return {
      " ": () => this.toggle(), ArrowLeft: () => jump(-STEP_S), ArrowRight: () => jump(STEP_S),
      ",": () => this.step(-1), ".": () => this.step(1), l: () => this.toggleLoop(),
      "[": () => this.faster(-1), "]": () => this.faster(1), m: () => this.selectTurn(),
    }
  }

  faster(by) {
    const at = SPEEDS.indexOf(Number(this.speed.value)) + by
    if (SPEEDS[at]) this.speed.value = String(SPEEDS[at])
    this.setSpeed()
    this.status.textContent = `${this.w.speed} ${this.speed.value}×`
  }

  step(by) {
    const at = Math.min(this.data.turns.length - 1, Math.max(0, this.current + by))
    if (at < 0 || !this.data.turns.length) return
    this.scrolledAt = 0
    if (this.loop) this.setLoop(null)
    if (this.wave) this.wave.setTime(this.data.turns[at].start)
    this.light(at)
  }

  turnKey(event, at) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    const head = by && this.list.children[at + by]?.querySelector(".ca-when")
    if (!head) return
    event.preventDefault()
    event.stopPropagation()
    this.roam(at + by)
    head.focus()
  }

  // what the reader selected, for a violation that the machine missed

  selectionChanged() {
    clearTimeout(this.selecting)
    if (this.data?.selectable) this.selecting = setTimeout(() => this.report(this.selected()), 350)
  }

  selected() {
    const selection = window.getSelection()
    if (!selection || selection.isCollapsed || !selection.rangeCount) return null
    const range = selection.getRangeAt(0)
    const words = range.startContainer.parentElement?.closest?.(".ca-text")
    if (!words || !this.list.contains(words)) return null
    const before = document.createRange()
    before.selectNodeContents(words)
    before.setEnd(range.startContainer, range.startOffset)
    const within = words.contains(range.endContainer) ? range : null
    const start = characters(before.toString())
    const text = within ? range.toString() : words.textContent.slice(before.toString().length)
    return this.place(words.closest(".ca-turn"), start, text)
  }

  selectTurn() {
    const row = this.list.children[this.current]
    if (!this.data.selectable || !row) return
    this.report(this.place(row, 0, row.querySelector(".ca-text").textContent))
  }

  place(row, start, text) {
    return text ? { turn: Number(row.dataset.turn), start, end: start + characters(text), text } : null
  }

  report(selection) {
    if (!selection || JSON.stringify(selection) === JSON.stringify(this.reported)) return
    this.reported = selection
    this.status.textContent = `${this.w.selected}：${selection.text}`
    this.send("selection", selection)
  }
}
