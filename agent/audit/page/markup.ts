import { instantText } from '../../../protocol/errors/index.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;'
}

const LONGEST = 300

/** Markup, and nothing else: text becomes it through `words` alone, so that no name can bring its own. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Text as it may be shown: letters that turn the direction of others, or that nobody sees, are shown as such. */
export function shown(text: string, longest = LONGEST): string {
  const letters = [...text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFE\uFFFF]/gu, '\uFFFD')]
  return letters.length <= longest ? letters.join('') : `${letters.slice(0, longest - 1).join('')}…`
}

function words(text: string): string {
  return shown(text).replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '')
}

/** A template whose values are escaped unless they are markup already. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | Markup | readonly Markup[])[]
): Markup {
  const filled = values.map((value) => {
    if (value instanceof Markup) return value.text
    if (typeof value === 'string') return words(value)
    return typeof value === 'number' ? String(value) : value.map(({ text }) => text).join('')
  })
  return new Markup(parts.map((part, index) => part + (filled[index] ?? '')).join(''))
}

export const NOTHING = new Markup('')

/** An instant for people: in UTC, to the second. */
export function timeOf(instant: number): string {
  return instantText(instant)
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')
}

/** The hour alone, where the day stands elsewhere. */
export function hourOf(instant: number): string {
  return /T(\d\d:\d\d:\d\d)/.exec(instantText(instant))?.[1] ?? String(instant)
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
