import { cut, widthOf } from './text.ts'

/**
 * A line of plain text over as many lines as it needs, broken between words; all but the first are indented. A word that is
 * wider than a line is cut.
 */
export function wrapped(text: string, { columns, indent }: { columns: number; indent: number }): string {
  const lines: string[] = []
  let line = ''
  const margin = ' '.repeat(indent)
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    const fits = widthOf(longer) <= columns
    if (line === '' || line === margin || fits) line = longer
    else {
      lines.push(line)
      line = `${margin}${word}`
    }
  }
  return [...lines, line].map((one) => cut(one, columns)).join('\n')
}
