/** Letters that XML may not hold (XML 1.0, `Char`), which a value of a result may. */
const NOT_XML = /[^\t\n\r\u0020-\uFFFD]/g

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;'
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '')
}

/** Gives the picture a name and a description for those who hear it, and leaves out what is no XML. */
export function accessible(svg: string, words: { title: string; description: string }): string {
  const inner = [
    words.title === '' ? '' : `<title>${escaped(words.title)}</title>`,
    words.description === '' ? '' : `<desc>${escaped(words.description)}</desc>`
  ].join('')
  const named = svg.replace(
    /<svg([^>]*)>/,
    (_, attributes: string) => `<svg role="img"${attributes}>${inner}`
  )
  return named.replaceAll(NOT_XML, '').toWellFormed()
}
