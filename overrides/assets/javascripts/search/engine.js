/* The search: lunr's index of all sections, a query in, the theme's list of pages out. */
import { atoms, read } from "./query.js"
import { ranked } from "./rank.js"
import { mark, plain, teaser } from "./teaser.js"
import { folding, HAN, pieces, words } from "./words.js"

/* What is indexed of a section, and how much each counts: `parts` are those of identifiers in the title. */
const FIELDS = { title: 5, parts: 1.5, page: 2, text: 1 }
/* Stop words that tell what is asked for. */
const ASKED = new Set(["when", "why"])
/* How many sections are shown; nobody reads on. */
const SHOWN = 60
/* How many words of a page the page itself marks when it is opened. */
const MARKED = 12

export class Engine {
  /* Take lunr and what the theme read from search_index.json: settings with synonyms and ways on, and sections. */
  constructor(lunr, { config, docs }) {
    const index = {
      docs: sections(docs),
      fold: folding(function (word) { return lunr.stemmer(new lunr.Token(word)).toString() }),
      isStop(word) { return !lunr.stopWordFilter(word) && !ASKED.has(word) },
      trailing: lunr.Query.wildcard.TRAILING,
      titleBoost: FIELDS.title,
    }
    this.at = new Map(index.docs.map(function ({ location }, at) { return [location, at] }))
    index.lunr = indexed(lunr, index)
    index.titles = index.docs.map(function ({ title }) {
      return terms(title, index, "title").map(function ({ term }) { return term })
    })
    Object.assign(index, rarities(index))
    index.phrases = this.phrases(config.synonyms ?? [], index)
    this.index = index
    this.ways = config.ways ?? []
    this.completions = frequent(index.docs)
  }

  phrases(synonyms, index) {
    const { at } = this
    return synonyms.flatMap(function ({ say, means, see }) {
      const to = {
        means: means.flatMap(function (word) { return atoms(word, index) }),
        see: see.map(function (location) { return at.get(location) }).filter(function (each) { return each !== undefined }),
      }
      return say.map(function (phrase) { return { ...to, atoms: atoms(phrase, index) } })
    }).filter(function (phrase) { return phrase.atoms.length })
  }

  /* Answer a query as the theme's worker does: { items, suggest }, items being pages with their sections. */
  search(typed) {
    const hits = ranked(read(typed, this.index), this.index).slice(0, SHOWN)
    if (hits.length) return { items: this.pages(hits), suggest: this.completed(typed) }
    return { items: typed.trim() ? this.nothing() : [], suggest: [] }
  }

  /* Sections of a page go together, with the page itself, as the theme's list has them. */
  pages(hits) {
    const pages = new Map()
    for (const hit of hits) {
      const { path } = this.index.docs[hit.at]
      if (!pages.has(path)) pages.set(path, [])
      pages.get(path).push(this.item(hit))
    }
    for (const [path, items] of pages) {
      if (!items.some(function ({ location }) { return location === path })) items.push(this.bare(path))
    }
    return [...pages.values()]
  }

  item({ at, score, places, missing }) {
    const { location, title, text } = this.index.docs[at]
    const inTitle = [...places.title ?? [], ...places.parts ?? []]
    const inText = places.text ?? []
    const terms = {}
    for (const { run, said } of missing) terms[run ?? said] = false
    for (const word of [...shown(title, inTitle), ...shown(text, inText)].slice(0, MARKED)) terms[word] = true
    const part = teaser(text, inText, HAN.test(text) ? 130 : 240)
    return { location, title: mark(title, inTitle), text: part && `<p>${part}</p>`, score, terms }
  }

  /* What has no score was not found: a page that only stands above what was, or that leads on. */
  bare(location) {
    const { title } = this.index.docs[this.at.get(location)]
    return { location, title, text: "", score: 0, terms: {} }
  }

  /* Where nothing was found there is a way on; search-box.js says so. */
  nothing() {
    return this.ways.map(({ location, text }) => [{ ...this.bare(location), text: `<p>${text}</p>` }])
  }

  /* Complete the word that is being typed, as the theme's box shows in grey. */
  completed(typed) {
    const begun = typed.split(/[\s-]+/).at(-1)
    const lower = begun.toLowerCase()
    if (lower.length < 2 || this.completions.includes(lower)) return []
    const word = this.completions.find(function (each) { return each.startsWith(lower) })
    return word ? [begun + word.slice(begun.length)] : []
  }
}

/* Sections follow the article that they belong to. */
function sections(docs) {
  const articles = new Map()
  return docs.map(function ({ location, title, text, boost }) {
    const [path] = location.split("#")
    if (!articles.has(path)) articles.set(path, title)
    const page = location === path ? "" : articles.get(path)
    return { location, path, title, parts: title, page, text: plain(text), boost }
  })
}

function indexed(lunr, index) {
  return lunr(function () {
    this.ref("at")
    for (const [name, boost] of Object.entries(FIELDS)) this.field(name, { boost })
    this.metadataWhitelist = ["position"]
    this.pipeline.reset()
    this.b(0.4)
    this.tokenizer = function (text, { fields: [field] }) {
      return terms(text, index, field).map(function ({ term, position }) { return new lunr.Token(term, { position }) })
    }
    index.docs.forEach(function (doc, at) { this.add({ ...doc, at }) }, this)
  })
}

/* Give the words of a field as they are indexed. A title is about its words, and less about parts of identifiers. */
function terms(text, { fold, isStop }, field) {
  return Array.from(pieces(text)).flatMap(function (piece) {
    return Array.from(words(piece)).filter(function (word) {
      return !isStop(word.text.toLowerCase()) && field !== (word.whole ? "parts" : "title")
    }).map(function (word) {
      return { term: fold(word.text), position: [word.at, word.at + word.text.length] }
    })
  })
}

/* Say what the index knows, and how much a word tells: the fewer sections have it, the more. */
function rarities({ docs, lunr: { invertedIndex } }) {
  const counted = new Map()
  function known(term) {
    return term in invertedIndex
  }
  function rarity(found) {
    return Math.log(1 + (docs.length - found + 0.5) / (found + 0.5))
  }
  function rarityOf(term) {
    if (!counted.has(term)) {
      const fields = known(term) ? Object.keys(FIELDS).map(function (name) { return invertedIndex[term][name] }) : []
      counted.set(term, rarity(new Set(fields.flatMap(Object.keys)).size))
    }
    return counted.get(term)
  }
  return { known, rarity, rarityOf }
}

/* Collect the words of all titles, the most frequent first. */
function frequent(docs) {
  const counts = new Map()
  for (const { title } of docs) {
    for (const { text } of pieces(title)) {
      const word = text.toLowerCase()
      if (!HAN.test(word)) counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  }
  return Array.from(counts).sort(function (a, b) { return b[1] - a[1] }).map(function ([word]) { return word })
}

/* Give the words at places, each once, as they are written there. */
function shown(text, places) {
  return Array.from(new Set(places.map(function ([start, end]) { return text.slice(start, end).toLowerCase() })))
}
