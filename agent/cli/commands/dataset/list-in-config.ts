import { readFile, writeFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { isNode, isSeq, parseDocument } from 'yaml'
import type { AgentConfig } from '../../../config/index.ts'

function quoted(entry: string): string {
  return /^[A-Za-z0-9][\w./-]*$/.test(entry) ? entry : JSON.stringify(entry)
}

function insertAt(text: string, offset: number, inserted: string): string {
  return text.slice(0, offset) + inserted + text.slice(offset)
}

/**
 * The text of an agent.yaml with one more entry under `datasets`. It is inserted into the text, since printing a parsed
 * document would set its comments anew.
 */
export function withDataset(text: string, entry: string): string {
  const document = parseDocument(text)
  const list = document.get('datasets', true)
  if (isSeq(list) && list.range && list.flow === true) {
    const separator = list.items.length === 0 ? '' : ', '
    return insertAt(text, list.range[1] - 1, separator + quoted(entry))
  }
  const last = isSeq(list) ? list.items.at(-1) : undefined
  if (isNode(last) && last.range) {
    const start = text.lastIndexOf('\n', last.range[0]) + 1
    const dash = text.slice(start, text.indexOf('-', start))
    const end = text.indexOf('\n', last.range[1])
    return insertAt(text, end === -1 ? text.length : end, `\n${dash}- ${quoted(entry)}`)
  }
  if (document.has('datasets')) {
    document.set('datasets', [entry])
    return document.toString({ lineWidth: 0 })
  }
  return `${text}${text.endsWith('\n') || text === '' ? '' : '\n'}datasets: [${quoted(entry)}]\n`
}

/** Lists a dataset in the configuration it belongs to, once. */
export async function listInConfig(config: AgentConfig, file: string): Promise<void> {
  if (config.datasets.includes(file)) return
  const text = await readFile(config.file, 'utf8')
  await writeFile(config.file, withDataset(text, relative(dirname(config.file), file)))
}
