/** Colours of a terminal, or none. Meaning never hangs on colour alone. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
}

const wrap = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`
const same = (text: string) => text

export const noStyle: Style = { bold: same, dim: same, good: same, bad: same }
const colours: Style = { bold: wrap(1, 22), dim: wrap(2, 22), good: wrap(32, 39), bad: wrap(31, 39) }

export function styleFor(colour: boolean): Style {
  return colour ? colours : noStyle
}
