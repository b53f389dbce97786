/* What is shown of a page that was found: its words marked. Pure: text and places in, HTML out.
   Texts are HTML already escaped; places are [start, end) within them. */

/* Take the markup out of a section's text. */
export function plain(html) {
  return html.replace(/<\/?(?:code|sub|sup)>/g, "").replace(/<[^>]*>/g, " ").replace(/\s+/g, " ").trim()
}

/* Mark places in a text; places that touch or overlap are marked as one. */
export function mark(text, places) {
  let html = ""
  let done = 0
  for (const [start, end] of merged(places)) {
    html += text.slice(done, start) + "<mark>" + text.slice(start, end) + "</mark>"
    done = end
  }
  return html + text.slice(done)
}

function merged(places) {
  const sorted = [...places].sort(function (a, b) { return a[0] - b[0] || a[1] - b[1] })
  const all = []
  for (const [start, end] of sorted) {
    const last = all.at(-1)
    if (last && start <= last[1]) last[1] = Math.max(last[1], end)
    else all.push([start, end])
  }
  return all
}

/* Cut out of a text the stretch of about `length` letters in which most of the places lie, and mark them. */
export function teaser(text, places, length = 240) {
  if (text.length <= length) return mark(text, places)
  const sorted = merged(places)
  let best = 0
  let most = 0
  sorted.forEach(function ([start], index) {
    let within = index
    while (within < sorted.length && sorted[within][1] <= start + length * 0.8) within += 1
    if (within - index > most) [most, best] = [within - index, start]
  })
  const [from, to] = stretch(text, Math.max(0, best - length * 0.2), length)
  const inside = sorted.filter(function ([start, end]) { return start >= from && end <= to })
  const moved = inside.map(function ([start, end]) { return [start - from, end - from] })
  return (from > 0 ? "… " : "") + mark(text.slice(from, to), moved) + (to < text.length ? " …" : "")
}

/* Find where a stretch may begin and end: not inside a word, nor inside an entity. */
function stretch(text, about, length) {
  const before = text.lastIndexOf(" ", about)
  const from = about === 0 || about - before > 40 ? outside(text, Math.floor(about)) : before + 1
  const after = text.indexOf(" ", from + length)
  const end = Math.min(text.length, from + length)
  return [from, after < 0 || after - end > 40 ? outside(text, end) : after]
}

function outside(text, at) {
  const entity = /&[a-z#\d]*$/.exec(text.slice(Math.max(0, at - 6), at))
  return entity ? at - entity[0].length : at
}
